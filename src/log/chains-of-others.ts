import type { ChainEnd, LogStore } from '../core/decision-log.js';
import type { JsonObject } from '../core/json.js';
import { isIntact } from './chain.js';
import { HeadKeys, verifyHead } from './heads.js';
import { recordAt } from './record-at.js';
import { readContent } from './record-content.js';

/** Records at the end of a chain that are searched for its last head: the service signs one every 1 000 records. */
const LAST_RECORDS = 2000;

type ReadLog = Pick<LogStore, 'records' | 'heads'>;

/**
 * Finds chains that no head of these keys covers, and that no chain with such a head names. Reads only the heads of the first and
 * the last records: `verifyLog` reads all.
 *
 * @param chains all of the log
 * @param jwks public keys
 * @throws {StoreUnavailableError}
 */
export async function chainsOfOthers(
  log: ReadLog,
  chains: readonly ChainEnd[],
  jwks: readonly JsonObject[],
): Promise<readonly string[]> {
  const keys = new HeadKeys();
  for (const jwk of jwks) await keys.add(jwk);
  const own: string[] = [];
  const others = new Set<string>();
  for (const end of chains) {
    if (await isSigned(log, end, keys)) own.push(end.chain);
    else others.add(end.chain);
  }
  for (const chain of own) {
    if (others.size === 0) break;
    const first = await recordAt(log, { chain, seq: 0 });
    const content = first?.content == null || !isIntact(first) ? null : readContent(first.content);
    for (const named of content?.began ?? []) others.delete(named.chain);
  }
  return [...others];
}

async function isSigned(log: ReadLog, { chain, seq }: ChainEnd, keys: HeadKeys): Promise<boolean> {
  const first = await log.heads(chain, 0, 0);
  const last = await log.heads(chain, Math.max(1, seq - LAST_RECORDS), seq);
  for (const { jws } of [...first, ...last.toReversed()]) {
    const head = await verifyHead(jws, keys);
    if ('why' in head || head.chain !== chain) continue;
    if ((await recordAt(log, head))?.hash === head.hash) return true;
  }
  return false;
}
