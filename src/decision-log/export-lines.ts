import type { ChainEnd, KeptObject, LogStore, RecordPosition, SignedHead } from '../model/decision-log.js';
import { recordLine } from './record-lines.js';
import { byChain, RECORDS_AT_ONCE } from './verify-log.js';
import { OBJECTS_AT_ONCE } from './verify-objects.js';

/** What the first line of an export says. */
export const EXPORT_FORMAT = { format: 'veritee-decision-log', version: 1 } as const;

/** What the last line of an export says of all before it. */
export interface ExportedCounts {
  readonly records: number;
  readonly heads: number;
  /** Kept objects. */
  readonly objects: number;
}

/** What an export is made from: a store that nobody writes to, or one as it was at one time. */
export type ExportedLog = Pick<LogStore, 'records' | 'heads' | 'objects'>;

/**
 * A whole log as lines of JSON, several in each text: what it is, then kept objects in the order of their digests, then records
 * in the order of chain and place, each page of them followed by its signed heads, then how much there was.
 *
 * @returns how much there was
 */
export async function* exportLines(log: ExportedLog): AsyncGenerator<string, ExportedCounts> {
  yield line(EXPORT_FORMAT);
  let [records, heads, objects] = [0, 0, 0];
  for (let after: string | null = null; ; ) {
    const page: readonly KeptObject[] = await log.objects(after, OBJECTS_AT_ONCE);
    yield page.map(objectLine).join('');
    objects += page.length;
    after = page.at(-1)?.sha256 ?? null;
    if (after === null) break;
  }
  const ends = new Map<string, ChainEnd>();
  for (let after: RecordPosition | null = null; ; ) {
    const page = await log.records(after, RECORDS_AT_ONCE);
    for (const part of byChain(page)) {
      const [first, last] = [part[0] as ChainEnd, part.at(-1) as ChainEnd];
      const signed = await log.heads(last.chain, first.seq, last.seq);
      yield [...part.map(recordLine), ...signed.map(headLine)].join('');
      ends.set(last.chain, last);
      records += part.length;
      heads += signed.length;
    }
    after = page.at(-1) ?? null;
    if (after === null) break;
  }
  // Of records that are not there: whoever verifies the export has to see them too.
  for (const { chain, seq } of ends.values()) {
    const signed = await log.heads(chain, seq + 1, Number.MAX_SAFE_INTEGER);
    yield signed.map(headLine).join('');
    heads += signed.length;
  }
  yield line({ end: { records, heads, objects } });
  return { records, heads, objects };
}

function objectLine({ sha256, bytes }: KeptObject): string {
  return line({ sha256, bytes: Buffer.from(bytes).toString('base64') });
}

function headLine({ chain, seq, jws }: SignedHead): string {
  return line({ chain, seq, head: jws });
}

function line(value: object): string {
  return `${JSON.stringify(value)}\n`;
}
