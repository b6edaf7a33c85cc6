import { readFile } from 'node:fs/promises';
import { messageOf, UnfitError } from '../../core/errors.js';
import { fileProblem } from '../../core/file-problem.js';
import { type Asked, type Asking, locateServer } from './locate-server.js';
import { RedisReplyError, RedisSession } from './redis-session.js';
import { nameOfNode, type RedisNode, type RedisSettings } from './redis-settings.js';

/** What a server says of itself, by name. */
export type ServerInfo = ReadonlyMap<string, string>;

export interface OpenServerOptions {
  readonly settings: RedisSettings;
  /**
   * Looks at a server before anything else is sent to it.
   * @throws {UnfitError} where it must not be used
   */
  readonly admit: (server: RedisSession, info: ServerInfo) => Promise<void>;
  readonly commandTimeoutMs: number;
  /** Ends the session, also while it is being opened. */
  readonly signal: AbortSignal;
}

/** How nodes are reached, with what the files say now. */
interface Access extends Asking {
  readonly open: (node: RedisNode) => Promise<RedisSession>;
}

/** Answers that waiting does not change. */
const LASTING: ReadonlySet<string> = new Set(['NOAUTH', 'NOPERM', 'WRONGPASS']);

/** Whether somebody has to act: waiting does not change it. */
export function isLasting(error: unknown): boolean {
  return error instanceof UnfitError || (error instanceof RedisReplyError && LASTING.has(error.code));
}

/**
 * A session with the server that has the keys, once it was looked at. Asks the nodes in their order who that is: one that was cut
 * off from the others may name one of before.
 *
 * @throws {UnfitError} where the server must not be used, or does not let this process in
 * @throws {Error} where none answers
 */
export async function openServer(options: OpenServerOptions): Promise<RedisSession> {
  const access = await accessOf(options);
  const faults: string[] = [];
  for (const node of options.settings.nodes) {
    try {
      return await enter(await locateServer(node, access), access, options);
    } catch (error) {
      if (isLasting(error)) throw error;
      faults.push(messageOf(error));
    }
  }
  throw new Error([...new Set(faults)].join('; '));
}

async function accessOf({ settings, commandTimeoutMs, signal }: OpenServerOptions): Promise<Access> {
  const { user, passwordFile } = settings;
  const password = passwordFile === null ? settings.password : await readPassword(passwordFile);
  const tls = settings.tls ? { ca: settings.ca === null ? undefined : await readText(settings.ca) } : null;
  return {
    settings,
    open: (node: RedisNode) => RedisSession.open(node, { tls, commandTimeoutMs, signal }),
    authenticate: async (session: Asked) => {
      if (password !== null) await authenticate(session, user, password);
    },
  };
}

async function enter(node: RedisNode, access: Access, { settings, admit }: OpenServerOptions): Promise<RedisSession> {
  const session = await access.open(node);
  try {
    await access.authenticate(session);
    if (settings.database !== 0) await session.call('select', settings.database);
    const info = await readInfo(session);
    requireFit(info, settings);
    await admit(session, info);
    return session;
  } catch (error) {
    session.end(new Error('not used'));
    const message = `${nameOfNode(node)}: ${messageOf(error)}`;
    throw isLasting(error) ? new UnfitError(message) : new Error(message);
  }
}

/** A server that has no password, or another one, is not the one that was meant. */
async function authenticate(session: Asked, user: string | null, password: string): Promise<void> {
  try {
    await session.call('auth', ...(user === null ? [] : [user]), password);
  } catch (error) {
    throw error instanceof RedisReplyError ? new UnfitError(`refuses the password: ${error.message}`) : error;
  }
}

async function readInfo(session: Asked): Promise<ServerInfo> {
  const lines = String(await session.call('info')).split('\r\n');
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]));
}

/** @throws {UnfitError} where the server is of a kind that must not be used; {Error} where that may pass */
function requireFit(info: ServerInfo, { mode }: RedisSettings): void {
  if (info.get('cluster_enabled') === '1' && mode !== 'cluster') {
    throw new UnfitError(`is a node of a Cluster, and the mode is ${mode}`);
  }
  const policy = info.get('maxmemory_policy');
  if (policy === undefined) {
    const as = 'as with a Sentinel or a managed service that hides it';
    throw new UnfitError(`INFO does not tell its maxmemory-policy, ${as}`);
  }
  if (policy !== 'noeviction') {
    const why = 'has to be noeviction: a server that drops keys forgets what was used';
    throw new UnfitError(`maxmemory-policy is ${policy}, and ${why}`);
  }
  const role = info.get('role');
  if (role !== 'master') throw new Error(`is no primary, but a ${role}`);
}

/** A line feed at the end is the editor's, not the password's. */
async function readPassword(file: string): Promise<string> {
  return (await readText(file)).replace(/\r?\n$/, '');
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new UnfitError(`${file}: ${fileProblem(error)}`);
  }
}
