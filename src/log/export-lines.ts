import type { ChainEnd, KeptObject, LogStore, RecordPosition, SignedHead } from '../core/decision-log.js';
import { recordLine } from './record-lines.js';
import { byChain, RECORDS_AT_ONCE } from './verify-log.js';
import { OBJECTS_AT_ONCE } from './verify-objects.js';

/** The content of the first line of an export. */
export const EXPORT_FORMAT = { format: 'veritee-decision-log', version: 1 } as const;

/** The content of the last line of an export: counts of all lines before it. */
export interface ExportedCounts {
  readonly records: number;
  readonly heads: number;
  /** Kept objects. */
  readonly objects: number;
}

/** The sources of an export. Records written meanwhile are not exported. */
export type ExportedLog = Pick<LogStore, 'chains' | 'records' | 'heads' | 'objects'>;

/**
 * Writes a whole log as lines of JSON, several in each text: the format, then kept objects in the order of their digests, then
 * records in the order of chain and position, each page followed by its signed heads, then the counts.
 *
 * @returns the counts
 */
export async function* exportLines(log: ExportedLog): AsyncGenerator<string, ExportedCounts> {
  yield line(EXPORT_FORMAT);
  const ends = await endsOf(log);
  // Heads beyond the end of their chain: the verifier of the export must see them too.
  const beyond = await headsBeyond(log, ends);
  let [records, heads, objects] = [0, 0, 0];
  for (let after: string | null = null; ; ) {
    const page: readonly KeptObject[] = await log.objects(after, OBJECTS_AT_ONCE);
    yield page.map(objectLine).join('');
    objects += page.length;
    after = page.at(-1)?.sha256 ?? null;
    if (after === null) break;
  }
  for (let after: RecordPosition | null = null; ; ) {
    const page = await log.records(after, RECORDS_AT_ONCE);
    for (const part of byChain(page.filter(({ chain, seq }) => seq <= (ends.get(chain)?.seq ?? -1)))) {
      const [first, last] = [part[0] as ChainEnd, part.at(-1) as ChainEnd];
      const signed = await log.heads(last.chain, first.seq, last.seq);
      yield [...part.map(recordLine), ...signed.map(headLine)].join('');
      records += part.length;
      heads += signed.length;
    }
    after = page.at(-1) ?? null;
    if (after === null) break;
  }
  yield beyond.map(headLine).join('');
  heads += beyond.length;
  yield line({ end: { records, heads, objects } });
  return { records, heads, objects };
}

async function endsOf(log: ExportedLog): Promise<ReadonlyMap<string, ChainEnd>> {
  return new Map((await log.chains()).map((end) => [end.chain, end]));
}

/** Heads beyond the ends of chains, except heads whose records were stored meanwhile. */
async function headsBeyond(log: ExportedLog, ends: ReadonlyMap<string, ChainEnd>): Promise<readonly SignedHead[]> {
  const heads: SignedHead[] = [];
  for (const { chain, seq } of ends.values()) heads.push(...(await log.heads(chain, seq + 1, Number.MAX_SAFE_INTEGER)));
  if (heads.length === 0) return heads;
  const later = await endsOf(log);
  return heads.filter(({ chain, seq }) => seq > (later.get(chain)?.seq ?? -1));
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
