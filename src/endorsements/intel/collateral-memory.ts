import { type CrlAge, isOlder } from '../../crypto/revocation-list.js';
import type { CollateralKey, IntelCollateral } from '../../tee/tdx/intel/collateral-parts.js';
import { CrlMemory, isDamaged, type Marks, type MarksOptions, RollbackMarks } from '../files/rollback-marks.js';
import type { WatchedFolder } from '../files/watched-folder.js';

/** The source of collateral: Intel's service or a PCCS, Azure's cache, or an import by the operator. */
export type CollateralSourceName = 'pcs' | 'thim' | 'store';

/** What collateral of a source must not be older than. */
interface SourceMarks {
  /** Collateral that is held: the own marks, and where one is missing, the highest. */
  readonly held: CollateralMarks;
  /** Any other. */
  readonly highest: CollateralMarks;
}

/** The newest that a source gave for a kind of platform; null where it gave nothing yet. */
export interface CollateralMarks {
  /** Evaluation number of the TCB info, and that of the QE identity: Intel does not raise both at once. */
  readonly tcbInfo: bigint | null;
  readonly qeIdentity: bigint | null;
  readonly pckList: CrlAge | null;
  readonly rootList: CrlAge | null;
}

/** Whether any part of collateral is older than an earlier one. */
export function isBehind({ tcbInfo, qeIdentity, pckList, rootList }: IntelCollateral, marks: CollateralMarks): boolean {
  return (
    (marks.tcbInfo !== null && tcbInfo.number < marks.tcbInfo) ||
    (marks.qeIdentity !== null && qeIdentity.number < marks.qeIdentity) ||
    (marks.pckList !== null && isOlder(pckList, marks.pckList)) ||
    (marks.rootList !== null && isOlder(rootList, marks.rootList))
  );
}

/** A number above 32 bits, so that every real number is lower. */
const DAMAGED = 2n ** 64n;

/** Whether one of the marks is unreadable, so that older collateral cannot be detected. */
export function isUnknown({ tcbInfo, qeIdentity, pckList, rootList }: CollateralMarks): boolean {
  return tcbInfo === DAMAGED || qeIdentity === DAMAGED || isDamaged(pckList) || isDamaged(rootList);
}

/**
 * The newest values that a source ever supplied: evaluation numbers of TCB info and QE identity, by FMSPC, and CRLs, by
 * issuer. Marks only increase, so that an attacker cannot replace collateral by older one. The service raises them with
 * fetched or imported collateral, never with collateral of a request.
 *
 * CRLs are also compared by date: so far, all of Intel's CRLs have the number 1.
 *
 * Each source has its own marks, since Azure's cache lags behind Intel on purpose. Marks are in the cache folder, one small file each.
 */
export class CollateralMemory {
  readonly #sources: Readonly<Record<CollateralSourceName, { numbers: RollbackMarks<bigint>; lists: CrlMemory }>>;
  readonly #directory: Pick<WatchedFolder, 'changes'>;
  /** The marks of a source and platform, and how often one had been raised when they were read. */
  readonly #read = new Map<string, { readonly marks: SourceMarks; readonly changes: number }>();

  /**
   * @param urls of the services; null for those that are off
   * @param directory the operator's folder: marks are looked up again when it has something else
   */
  constructor(
    marks: Omit<MarksOptions, 'source'>,
    urls: Readonly<Record<Exclude<CollateralSourceName, 'store'>, string | null>>,
    directory: Pick<WatchedFolder, 'changes'>,
  ) {
    this.#directory = directory;
    const open = (source: string | null) => ({
      numbers: new RollbackMarks({ ...marks, ...NUMBERS, source }),
      lists: new CrlMemory({ ...marks, source }),
    });
    this.#sources = { pcs: open(urls.pcs), thim: open(urls.thim), store: open(null) };
  }

  /**
   * Returns marks at once if nothing has changed since they were read. The cache may have changed by the time that a promise
   * resolves: compare with its content at that time.
   */
  marksOf(key: CollateralKey, source: CollateralSourceName): SourceMarks | Promise<SourceMarks> {
    const read = this.#read.get(markName(key, source));
    return read?.changes === this.#changes ? read.marks : this.#readMarks(key, source);
  }

  get #changes(): number {
    const ofSources = Object.values(this.#sources).map(({ numbers, lists }) => numbers.changes + lists.changes);
    return ofSources.reduce((sum, changes) => sum + changes, this.#directory.changes);
  }

  async #readMarks(key: CollateralKey, source: CollateralSourceName): Promise<SourceMarks> {
    const { fmspc, ca } = key;
    const { numbers, lists } = this.#sources[source];
    const changes = this.#changes;
    const [tcbInfo, qeIdentity, pckList, rootList] = await Promise.all([
      numbers.marks(`${source}-${fmspc}`),
      numbers.marks(`${source}-${fmspc}-qe`),
      lists.marks(`${source}-${ca}`),
      lists.marks(`${source}-root`),
    ]);
    const chosen = (of: <T>(marks: Marks<T>) => T | null): CollateralMarks => ({
      tcbInfo: of(tcbInfo),
      qeIdentity: of(qeIdentity),
      pckList: of(pckList),
      rootList: of(rootList),
    });
    const marks = { held: chosen(({ own, highest }) => own ?? highest), highest: chosen(({ highest }) => highest) };
    // A damaged one is read again at each request: a repaired one takes effect at once.
    if (!isUnknown(marks.highest)) this.#read.set(markName(key, source), { marks, changes });
    return marks;
  }

  /** Of every source. */
  async marksOfAll(key: CollateralKey): Promise<Readonly<Record<CollateralSourceName, SourceMarks>>> {
    const [pcs, thim, store] = await Promise.all([
      this.marksOf(key, 'pcs'),
      this.marksOf(key, 'thim'),
      this.marksOf(key, 'store'),
    ]);
    return { pcs, thim, store };
  }

  /**
   * Records the values of a source. Older values change nothing.
   * @param hold stores the collateral, as in `KeptMarks`; called at most once
   * @returns whether no part is older than an earlier one; false if that is unknown
   */
  async advance(
    collateral: IntelCollateral,
    source: CollateralSourceName,
    hold = async (): Promise<void> => {},
  ): Promise<boolean> {
    // All four are compared before one is raised: the mark of a CRL that nobody keeps would refuse every platform of its CA.
    if (isBehind(collateral, (await this.#readMarks(collateral, source)).highest)) return false;
    return this.#raise(collateral, source, 'advance', hold);
  }

  /**
   * Records the values of collateral that replaces an older set in use, for this replica alone.
   * @returns whether no part is older than one that this replica used; false if that is unknown
   */
  async advanceOwn(
    collateral: IntelCollateral,
    source: CollateralSourceName,
    hold = async (): Promise<void> => {},
  ): Promise<boolean> {
    if (isBehind(collateral, (await this.#readMarks(collateral, source)).held)) return false;
    return this.#raise(collateral, source, 'advanceOwn', hold);
  }

  async #raise(
    collateral: IntelCollateral,
    source: CollateralSourceName,
    raise: 'advance' | 'advanceOwn',
    hold: () => Promise<void>,
  ): Promise<boolean> {
    const { fmspc, ca, tcbInfo, qeIdentity, pckList, rootList } = collateral;
    const { numbers, lists } = this.#sources[source];
    let held: Promise<void> | undefined;
    const holdOnce = () => {
      held ??= hold();
      return held;
    };
    const raised = await Promise.all([
      numbers[raise](`${source}-${fmspc}`, tcbInfo.number, holdOnce),
      numbers[raise](`${source}-${fmspc}-qe`, qeIdentity.number, holdOnce),
      lists[raise](`${source}-${ca}`, pckList, holdOnce),
      lists[raise](`${source}-root`, rootList, holdOnce),
    ]);
    return raised.every((isNoOlder) => isNoOlder);
  }
}

const markName = ({ fmspc, ca }: CollateralKey, source: CollateralSourceName) => `${source}-${fmspc}-${ca}`;

/** An evaluation number has 32 bits. */
const NUMBER = /^(\d{1,10})\n$/;

function parseNumber(text: string): bigint | null {
  const [, number] = NUMBER.exec(text) ?? [];
  return number === undefined ? null : BigInt(number);
}

const NUMBERS = {
  kind: 'tdx',
  parse: parseNumber,
  format: (number: bigint) => `${number}\n`,
  isOlder: (a: bigint, b: bigint) => a < b,
  damaged: DAMAGED,
};
