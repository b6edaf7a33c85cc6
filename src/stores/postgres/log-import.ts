import type { AppendedChains, LogReader, LogRecord, RecordPosition } from '../../core/decision-log.js';
import { groupedBy } from '../../core/grouped.js';
import { shareLog } from './log-lock.js';
import { insertEntries, insertHeads, insertLinks, insertObjects, insertRecords, insertReleases } from './log-rows.js';
import type { Session } from './session.js';

/** Records and objects in one statement. */
const AT_ONCE = 256;

const NOTHING = { records: 0, known: 0, heads: 0, objects: 0 };

/** Runs within a transaction. */
export async function appendChains(session: Session, staged: LogReader): Promise<AppendedChains> {
  await shareLog(session);
  const known = await chainsAmong(
    session,
    (await staged.chains()).map(({ chain }) => chain),
  );
  const conflicts = await conflictsOf(session, staged, known);
  if (conflicts.length > 0) return { conflicts, ...NOTHING };
  return { conflicts, ...(await new ChainImport(session, staged, known).run()) };
}

async function chainsAmong(session: Session, named: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await session.rows<Pick<RecordPosition, 'chain'>>(
    'SELECT chain FROM chains WHERE chain = ANY ($1::text[])',
    [named],
  );
  return new Set(rows.map(({ chain }) => chain));
}

/** For each chain in both stores, finds the first record that this store lacks or has in a different form. */
async function conflictsOf(
  session: Session,
  staged: LogReader,
  known: ReadonlySet<string>,
): Promise<readonly RecordPosition[]> {
  const conflicts = new Map<string, RecordPosition>();
  for await (const records of runsOf(staged)) {
    const [{ chain, seq: from }, to] = [records[0] as LogRecord, (records.at(-1) as LogRecord).seq];
    if (!known.has(chain) || conflicts.has(chain)) continue;
    const rows = await session.rows<{ readonly seq: string; readonly hash: string }>(
      'SELECT seq, hash FROM records WHERE chain = $1 AND seq BETWEEN $2 AND $3',
      [chain, from, to],
    );
    const hashes = new Map(rows.map(({ seq, hash }) => [Number(seq), hash]));
    const first = records.find(({ seq, hash }) => hashes.get(seq) !== hash);
    if (first !== undefined) conflicts.set(chain, { chain, seq: first.seq });
  }
  return [...conflicts.values()];
}

/** Yields runs of consecutive records of one chain, up to a bounded length. */
async function* runsOf(staged: LogReader): AsyncGenerator<readonly LogRecord[]> {
  for (let after: RecordPosition | null = null; ; ) {
    const page: readonly LogRecord[] = await staged.records(after, AT_ONCE);
    if (page.length === 0) return;
    yield* groupedBy(page, ({ chain }) => chain).values();
    after = page.at(-1) as LogRecord;
  }
}

class ChainImport {
  readonly #session: Session;
  readonly #staged: LogReader;
  readonly #known: ReadonlySet<string>;
  readonly #counts = { ...NOTHING };
  /** Digests of the objects that imported decisions reference. */
  readonly #digests = new Set<string>();

  constructor(session: Session, staged: LogReader, known: ReadonlySet<string>) {
    this.#session = session;
    this.#staged = staged;
    this.#known = known;
  }

  async run(): Promise<Omit<AppendedChains, 'conflicts'>> {
    for (const { chain, seq, hash } of await this.#staged.chains()) {
      if (this.#known.has(chain)) continue;
      await this.#session.run('INSERT INTO chains (chain, seq, hash) VALUES ($1, $2, $3)', [chain, seq, hash]);
      const heads = await this.#staged.heads(chain, 0, Number.MAX_SAFE_INTEGER);
      this.#counts.heads += await insertHeads(this.#session, heads);
    }
    for await (const records of runsOf(this.#staged)) {
      if (this.#known.has((records[0] as LogRecord).chain)) this.#counts.known += records.length;
      else await this.#takeRecords(records);
    }
    await this.#takeObjects();
    return this.#counts;
  }

  async #takeRecords(records: readonly LogRecord[]): Promise<void> {
    const [{ chain, seq: from }, to] = [records[0] as LogRecord, (records.at(-1) as LogRecord).seq];
    this.#counts.records += await insertRecords(this.#session, records);
    const entries = await this.#staged.entries(chain, from, to);
    await insertEntries(
      this.#session,
      entries.map((entry) => ({ ...entry, chain })),
    );
    const releases = await this.#staged.releaseEntries(chain, from, to);
    await insertReleases(
      this.#session,
      releases.map((release) => ({ ...release, chain })),
    );
    const ids = new Map(entries.map(({ seq, decisionId }) => [seq, decisionId]));
    const links = await this.#staged.objectsOf(chain, from, to);
    for (const { sha256 } of links) this.#digests.add(sha256);
    await insertLinks(
      this.#session,
      links.map(({ seq, sha256 }) => ({ decisionId: String(ids.get(seq)), sha256 })),
    );
  }

  /** Inserts objects in the order of their digests, as appends do, so that no two transactions deadlock. */
  async #takeObjects(): Promise<void> {
    for (let after: string | null = null; ; ) {
      const objects: Awaited<ReturnType<LogReader['objects']>> = await this.#staged.objects(after, AT_ONCE);
      after = objects.at(-1)?.sha256 ?? null;
      if (after === null) return;
      const named = objects.filter(({ sha256 }) => this.#digests.has(sha256));
      this.#counts.objects += await insertObjects(this.#session, named);
    }
  }
}
