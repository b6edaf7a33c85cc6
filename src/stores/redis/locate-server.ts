import { RedisReplyError, type RedisSession } from './redis-session.js';
import { nameOfNode, type RedisNode, type RedisSettings } from './redis-settings.js';

/** Keys of this service have one hash tag, so that one node of a Cluster has them all: each can be part of one script. */
export const HASH_TAG = '{veritee}';

/** The slot of the hash tag: CRC16 of `veritee`, modulo 16384 (Redis Cluster specification). */
export const SLOT = 1769;

/** A connection to a node that is asked. */
export type Asked = Pick<RedisSession, 'node' | 'call' | 'end'>;

/** What is needed to ask a node. */
export interface Asking {
  readonly settings: RedisSettings;
  readonly open: (node: RedisNode) => Promise<Asked>;
  /** Sends the password, where there is one. */
  readonly authenticate: (session: Asked) => Promise<void>;
}

/**
 * Which server has the keys now, as one of the configured nodes says. Nothing of the answer is kept: after a failover it
 * is another one.
 *
 * @throws {Error} where the node does not answer, or does not know
 */
export async function locateServer(node: RedisNode, asking: Asking): Promise<RedisNode> {
  if (asking.settings.mode === 'single') return node;
  const session = await asking.open(node);
  try {
    return asking.settings.mode === 'sentinel' ? await askSentinel(session, asking) : await askCluster(session, asking);
  } finally {
    session.end(new Error('asked'));
  }
}

/** Sentinels often let anybody ask. Only one that does not is told the password. */
async function askSentinel(session: Asked, { settings, authenticate }: Asking): Promise<RedisNode> {
  const ask = () => session.call('sentinel', 'get-master-addr-by-name', settings.master ?? '');
  const answer = await ask().catch(async (error: unknown) => {
    if (!(error instanceof RedisReplyError) || error.code !== 'NOAUTH') throw error;
    await authenticate(session);
    return ask();
  });
  const server = Array.isArray(answer) ? nodeOf(answer[0], Number(answer[1]), session.node) : null;
  if (server === null) throw new Error(`${nameOfNode(session.node)} knows no server by the name ${settings.master}`);
  return server;
}

/** The reply has an item for each range of slots: its first and its last one, then the nodes that have it, the primary first. */
async function askCluster(session: Asked, { authenticate }: Asking): Promise<RedisNode> {
  await authenticate(session);
  const ranges = await session.call('cluster', 'slots');
  for (const range of Array.isArray(ranges) ? ranges : []) {
    const [first, last, primary] = Array.isArray(range) ? range : [];
    if (first > SLOT || last < SLOT || !Array.isArray(primary)) continue;
    const server = nodeOf(primary[0], primary[1], session.node);
    if (server !== null) return server;
  }
  throw new Error(`${nameOfNode(session.node)} knows no node that has the slot of ${HASH_TAG}`);
}

/** A node that does not know its own address means the one by which it was asked. */
function nodeOf(host: unknown, port: unknown, asked: RedisNode): RedisNode | null {
  if (typeof port !== 'number' || !Number.isInteger(port)) return null;
  if (host === null || host === '') return { host: asked.host, port };
  return typeof host === 'string' ? { host, port } : null;
}
