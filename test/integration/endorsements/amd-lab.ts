import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SnpProduct, SnpTcb } from '../../../src/core/claims.js';
import type {
  SnpEndorsementRequest,
  SnpEndorsementSet,
  SnpSigningKey,
  SuppliedVek,
} from '../../../src/core/endorsement.js';
import { hashed } from '../../../src/crypto/digest.js';
import type { AmdTuning } from '../../../src/endorsements/amd/amd-parts.js';
import { crlFileName } from '../../../src/endorsements/amd/bundle-files.js';
import {
  type AmdEndorsementsOptions,
  type OpenAmdEndorsements,
  openAmdEndorsements,
} from '../../../src/endorsements/amd/open-amd-endorsements.js';
import { DEFAULT_RESILIENCE } from '../../../src/outside/resilient-fetch.js';
import { isIssued, VekPaths } from '../../../src/tee/snp/amd/vek-path.js';
import { AmdPki } from '../../lab/amd-pki.js';
import { LabKds } from '../../lab/kds.js';
import { ManualClock } from '../../unit/endorsements/manual-clock.js';
import { RecordingLog } from '../../unit/endorsements/recording-log.js';

export const NOW = new Date('2026-03-01T12:00:00Z');
export const DAY_MS = 24 * 60 * 60_000;
export const CHIP = Uint8Array.from({ length: 64 }, (_, index) => index + 1);
export const TURIN_CHIP = Uint8Array.from({ length: 64 }, (_, index) => (index < 8 ? 0xa0 + index : 0));
export const TCB: SnpTcb = { bootloader: 4, tee: 0, snp: 24, microcode: 219 };
export const TURIN_TCB: SnpTcb = { fmc: 1, bootloader: 1, tee: 1, snp: 4, microcode: 71 };

/** How long a test waits for what happens in the background. It is over long before, or something is broken. */
export const PATIENT = { timeout: 20_000 };

export const pki = new AmdPki({ at: NOW });
export const PINS = pki.pins();

/** Nothing waits for long and nothing starts by itself. */
const TUNING: AmdTuning = {
  folderPollMs: 3_600_000,
  crlPollMs: 3_600_000,
  crlRefreshPauseMs: 60_000,
  crlRefreshTimeoutMs: 20_000,
  crlAskTimeoutMs: 20_000,
  attemptTimeoutMs: 60_000,
  resilience: { ...DEFAULT_RESILIENCE, pauseMs: 1, longestPauseMs: 5, openMs: 20 },
  cachedFiles: 100,
  cachedInMemory: 100,
};

export interface Opened extends OpenAmdEndorsements {
  readonly log: RecordingLog;
}

export interface Asked {
  readonly at?: Date;
  readonly historical?: boolean;
  readonly signal?: AbortSignal;
}

/** A lab of AMD's: a KDS that serves Milan and one chip of it, folders, a clock, and endorsement sources on them. */
export class AmdLab {
  readonly kds: LabKds;
  readonly clock = new ManualClock(NOW);
  readonly #root: string;
  readonly #opened: Opened[] = [];

  private constructor(kds: LabKds, root: string) {
    this.kds = kds;
    this.#root = root;
  }

  static async start(): Promise<AmdLab> {
    const lab = new AmdLab(await LabKds.start(), await mkdtemp(join(tmpdir(), 'veritee-endorsements-')));
    lab.kds.serveLine(pki, 'Milan');
    lab.kds.serveVcek('Milan', CHIP, TCB, VCEK);
    return lab;
  }

  get folder(): string {
    return join(this.#root, 'chains');
  }

  get cacheFolder(): string {
    return join(this.#root, 'cache');
  }

  /** Another folder of the lab. */
  path(name: string): string {
    return join(this.#root, name);
  }

  open(options: Partial<AmdEndorsementsOptions> = {}, tuning: Partial<AmdTuning> = {}): Opened {
    const log = new RecordingLog();
    const opened = openAmdEndorsements({
      pins: PINS,
      kds: this.kds.origin,
      folder: this.folder,
      cacheFolder: this.cacheFolder,
      clock: this.clock,
      log,
      connect: { ca: this.kds.authorityPem },
      ...options,
      tuning: { ...TUNING, ...tuning },
    });
    this.#opened.push({ ...opened, log });
    return { ...opened, log };
  }

  /** Writes files into the operator's folder. */
  async fill(files: { readonly [name: string]: string | Uint8Array }, folder = this.folder): Promise<void> {
    await mkdir(folder, { recursive: true });
    for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  }

  /** Names of the files in the cache. */
  async cached(folder = 'cache'): Promise<readonly string[]> {
    try {
      return (await readdir(this.path(folder))).sort();
    } catch {
      return [];
    }
  }

  async close(): Promise<void> {
    for (const opened of this.#opened) await opened.close();
    await this.kds.close();
    await rm(this.#root, { recursive: true, force: true });
  }
}

export const VCEK = pki.issueVcek({ product: 'Milan', chipId: CHIP, tcb: TCB }).der;

const paths = new VekPaths(PINS);
const vek = paths.readVek(hashed(VCEK));
/** The same in a request. */
export const SUPPLIED_VCEK: SuppliedVek = {
  sha256: vek.sha256,
  namesIssuer: true,
  isIssuedBy: (chain) => isIssued(paths.verify(vek, chain)),
};

export function requestFor(changes: Partial<SnpEndorsementRequest> = {}): SnpEndorsementRequest {
  return {
    kind: 'amd-snp',
    signingKey: 'vcek',
    products: ['Milan'],
    chipId: CHIP,
    chipIdBytes: (product: SnpProduct) => (product === 'Turin' ? 8 : 64),
    reportedTcb: (product: SnpProduct) => (product === 'Turin' ? TURIN_TCB : TCB),
    supplied: { vek: null, chain: false, crls: false },
    hasPath: () => true,
    ...changes,
  };
}

/** A CRL of Milan with a number, from one day to another, both counted from now. */
export function issueCrl(number: number, fromDays: number, toDays: number): Uint8Array {
  const day = (days: number) => new Date(NOW.getTime() + days * DAY_MS);
  return pki.issueCrl({
    product: 'Milan',
    number,
    overrides: { thisUpdate: day(fromDays), nextUpdate: day(toDays) },
  });
}

/** A list of Milan under the name that an export gives it, which keeps the series. */
export function exported(crl: Uint8Array, series: SnpSigningKey = 'vcek'): { readonly [name: string]: Uint8Array } {
  return { [crlFileName('Milan', series, crl)]: crl };
}

/** Asks a source for everything that one report needs. */
export async function find(
  { source }: OpenAmdEndorsements,
  request: SnpEndorsementRequest = requestFor(),
  { at = NOW, historical = false, signal = new AbortController().signal }: Asked = {},
): Promise<SnpEndorsementSet> {
  const { snp } = await source.fetch([request], { at, historical, signal });
  if (snp === null) throw new Error('no endorsements of an SNP report');
  return snp;
}

/** The answer about each part: its origin, or the code of its absence. */
export function summary({ vek, chains, chainProblem, crls, crlProblems }: SnpEndorsementSet) {
  const [chain] = [...chains.values()];
  const [crl] = [...crls.values()];
  const [crlProblem] = [...crlProblems.values()];
  return {
    vek: vek === null ? null : 'code' in vek ? vek.code : vek.origin,
    chain: chain?.origin ?? chainProblem?.code ?? null,
    crl: crl?.origin ?? crlProblem?.code ?? null,
  };
}
