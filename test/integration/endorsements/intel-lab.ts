import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SourcedCollateral, TdxCollateralRequest, Unavailable } from '../../../src/core/endorsement.js';
import type { TdxCollateral } from '../../../src/core/evidence.js';
import {
  type OpenEarlyCollateral,
  openEarlyCollateral,
} from '../../../src/endorsements/intel/open-early-collateral.js';
import {
  type IntelEndorsementsOptions,
  type IntelTuning,
  type OpenIntelEndorsements,
  openIntelEndorsements,
} from '../../../src/endorsements/intel/open-intel-endorsements.js';
import { parseCrl } from '../../../src/formats/x509-crl.js';
import { DEFAULT_RESILIENCE } from '../../../src/outside/resilient-fetch.js';
import { encodeCollateralFile } from '../../../src/tee/tdx/intel/collateral-file.js';
import { parseTcbInfo } from '../../../src/tee/tdx/intel/tcb-info.js';
import type { CollateralOptions } from '../../lab/collateral-builder.js';
import { createIntelPki } from '../../lab/intel-pki.js';
import { LabPcs, type LabPcsOptions } from '../../lab/pcs.js';
import { TdxPlatform } from '../../lab/tdx-platform.js';
import { TlsAuthority } from '../../lab/tls-authority.js';
import { ManualClock } from '../../unit/endorsements/manual-clock.js';
import { RecordingLog } from '../../unit/endorsements/recording-log.js';
import { labLookup } from '../lab-lookup.js';

export const NOW = new Date('2026-03-01T12:00:00Z');
export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** How long a test waits for what happens in the background. It is over long before, or something is broken. */
export const PATIENT = { timeout: 20_000 };

export const pki = createIntelPki({ at: NOW });
export const platform = new TdxPlatform({ pki });
export const { fmspc } = platform;

/** As in production, but for the times of an attempt: a test ends those itself. */
export const PAUSES = { refreshMs: DAY_MS, retryMs: HOUR_MS, timeoutMs: 20_000, askMs: 20_000, cooldownMs: MINUTE_MS };

export const RESILIENT = { ...DEFAULT_RESILIENCE, pauseMs: 1, longestPauseMs: 5, openMs: 20 };

/** Nothing waits for long and nothing starts by itself. */
const TUNING: IntelTuning = {
  folderPollMs: 3_600_000,
  duePollMs: 3_600_000,
  pauses: PAUSES,
  attemptTimeoutMs: 60_000,
  resilience: RESILIENT,
};

export interface OpenedIntel extends OpenIntelEndorsements {
  readonly log: RecordingLog;
}

interface Asked {
  readonly request?: Partial<TdxCollateralRequest>;
  /** The lab's clock if left out. */
  readonly at?: Date;
  readonly historical?: boolean;
  readonly signal?: AbortSignal;
}

/** A lab of Intel's: a PCS with the collateral of one platform, folders, a clock, and endorsement sources on them. */
export class IntelLab {
  readonly clock = new ManualClock(NOW);
  /** Whether names resolve. */
  resolves = true;
  readonly pcs: LabPcs;
  readonly #tls: TlsAuthority;
  readonly #root: string;
  readonly #servers: LabPcs[] = [];
  readonly #opened: { close(): Promise<void> }[] = [];

  private constructor(tls: TlsAuthority, pcs: LabPcs, root: string) {
    this.#tls = tls;
    this.pcs = pcs;
    this.#root = root;
    this.#servers.push(pcs);
  }

  static async start(options: LabPcsOptions = {}): Promise<IntelLab> {
    const tls = new TlsAuthority();
    const pcs = await LabPcs.start({ ...options, tls });
    const lab = new IntelLab(tls, pcs, await mkdtemp(join(tmpdir(), 'veritee-collateral-')));
    lab.serve();
    return lab;
  }

  get folder(): string {
    return join(this.#root, 'collateral');
  }

  get cacheFolder(): string {
    return join(this.#root, 'cache');
  }

  /** Another folder of the lab. */
  path(name: string): string {
    return join(this.#root, name);
  }

  /** Serves the platform's collateral as of the lab's clock. */
  serve(options: Parameters<LabPcs['serve']>[1] = {}, server = this.pcs): TdxCollateral {
    return server.serve(platform, { at: this.clock.now(), ...options });
  }

  /** Another server, such as Azure's cache, with the platform's collateral. */
  async startServer(options: LabPcsOptions = {}, collateral: CollateralOptions = {}): Promise<LabPcs> {
    const server = await LabPcs.start({ ...options, tls: this.#tls });
    this.#servers.push(server);
    this.serve(collateral, server);
    return server;
  }

  open(options: Partial<IntelEndorsementsOptions> = {}, tuning: Partial<IntelTuning> = {}): OpenedIntel {
    const log = new RecordingLog();
    const opened = openIntelEndorsements({
      pins: pki.pins,
      pcs: this.pcs.origin,
      thim: null,
      folder: this.folder,
      cacheFolder: this.cacheFolder,
      clock: this.clock,
      log,
      connect: { ca: this.#tls.pem, lookup: this.#lookup },
      ...options,
      tuning: { ...TUNING, ...tuning },
    });
    this.#opened.push(opened);
    return { ...opened, log };
  }

  /** The source of early collateral. It knows nothing of folders. */
  openEarly(): OpenEarlyCollateral & { readonly log: RecordingLog } {
    const log = new RecordingLog();
    const opened = openEarlyCollateral({
      pins: pki.pins,
      pcs: this.pcs.origin,
      clock: this.clock,
      log,
      connect: { ca: this.#tls.pem, lookup: this.#lookup },
      tuning: TUNING,
    });
    this.#opened.push(opened);
    return { ...opened, log };
  }

  /** Asks for the platform's collateral. */
  find({ source }: OpenIntelEndorsements, asked: Asked = {}): Promise<SourcedCollateral | Unavailable> {
    const { at = this.clock.now(), historical = false, signal = new AbortController().signal } = asked;
    const request: TdxCollateralRequest = {
      kind: 'intel-tdx',
      fmspc,
      ca: 'platform',
      supplied: null,
      ...asked.request,
    };
    return source.find(request, { at, historical, signal });
  }

  /** The same, as where from and what it is. */
  async told(opened: OpenIntelEndorsements, asked: Asked = {}): Promise<string> {
    return toldOf(await this.find(opened, asked));
  }

  /** Writes files into the operator's folder: bytes as they are, collateral as a file has it. */
  async fill(files: { readonly [name: string]: string | TdxCollateral }, folder = this.folder): Promise<void> {
    await mkdir(folder, { recursive: true });
    for (const [name, content] of Object.entries(files)) {
      await writeFile(join(folder, name), typeof content === 'string' ? content : encodeCollateralFile(content));
    }
  }

  /** Names of the files in the cache that begin so. */
  async cached(prefix = ''): Promise<readonly string[]> {
    const names = await readdir(this.cacheFolder).catch(() => []);
    return names.filter((name) => name.startsWith(prefix)).sort();
  }

  async close(): Promise<void> {
    for (const opened of this.#opened) await opened.close();
    for (const server of this.#servers) await server.close();
    await rm(this.#root, { recursive: true, force: true });
  }

  readonly #lookup = labLookup(() => this.resolves);
}

/** Origin and evaluation number of what was found, or the code of why nothing was. */
export function toldOf(found: SourcedCollateral | Unavailable): string {
  return 'code' in found ? found.code : `${found.origin} ${parseTcbInfo(found.value.tcbInfo).evaluationDataNumber}`;
}

/** The same as `find`, with the collateral as a file has it: bytes are the same whatever array holds them. */
export function asFile(found: SourcedCollateral | Unavailable) {
  if ('code' in found) return found;
  const { partsFetchedAt: _fetched, ...sourced } = found;
  return { ...sourced, value: encodeCollateralFile(found.value) };
}

/** When the PCK CRL of what was found was made. */
export function pckListOf(found: SourcedCollateral | Unavailable): string | null {
  return 'code' in found ? null : (parseCrl(found.value.pckCrl).thisUpdate?.toISOString() ?? null);
}

/** An instant so many days from now. */
export const day = (days: number) => new Date(NOW.getTime() + days * DAY_MS);

/** The platform's collateral, made by other ones than Intel's. */
export function collateral(options: CollateralOptions = {}): TdxCollateral {
  return platform.collateral({ at: NOW, ...options });
}
