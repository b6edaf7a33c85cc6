import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { buildConnector } from 'undici';
import type { SubmissionResult, TdxSubmission } from '../../../src/core/verification.js';
import {
  type OpenTrustAuthorityOptions,
  openTrustAuthority,
} from '../../../src/outside/attestation-services/open-services.js';
import type { TrustAuthority } from '../../../src/outside/attestation-services/trust-authority.js';
import { DEFAULT_BREAKER } from '../../../src/outside/origin-breaker.js';
import { createIntelPki } from '../../lab/intel-pki.js';
import { createTdxGuest } from '../../lab/tdx-guest.js';
import { TdxPlatform } from '../../lab/tdx-platform.js';
import { createTdxVirtualMachine, type TdxVirtualMachine } from '../../lab/tdx-virtual-machine.js';
import { LabTrustAuthority } from '../../lab/trust-authority.js';
import { ManualClock } from '../../unit/endorsements/manual-clock.js';
import { RecordingLog } from '../../unit/endorsements/recording-log.js';
import { labLookup } from '../lab-lookup.js';
import { OPEN_MS } from './azure-lab.js';

export const POLICY = '1a2b3c4d-0000-4000-8000-0123456789ab';

const platform = new TdxPlatform({ pki: createIntelPki() });
const guest = createTdxGuest({ platform });
const NONCE = Uint8Array.from({ length: 32 }, (_, index) => 0x40 + index);

/** Verified evidence of a bare TD that holds its caller's nonce, in runtime data or in the report data itself. */
export function bareTd(runtimeData?: 'nonce'): TdxSubmission {
  const evidence = guest.evidence({ nonce: NONCE, ...(runtimeData === undefined ? {} : { runtimeData }) });
  return { tee: 'tdx', quote: evidence.quote, runtimeData: evidence.runtimeData };
}

export interface OpenedTrustAuthority {
  readonly service: TrustAuthority;
  readonly log: RecordingLog;
}

/** Trust Authority on loopback, a clock, a file with the key, and clients of all that. */
export class TrustAuthorityLab {
  readonly clock = new ManualClock(new Date());
  readonly ita: LabTrustAuthority;
  readonly vm: TdxVirtualMachine;
  readonly keyFile: string;
  /** Whether names resolve. */
  resolves = true;
  readonly #folder: string;
  readonly #opened: TrustAuthority[] = [];

  private constructor(folder: string, ita: LabTrustAuthority, vm: TdxVirtualMachine) {
    this.#folder = folder;
    this.keyFile = join(folder, 'key');
    this.ita = ita;
    this.vm = vm;
  }

  static async start(): Promise<TrustAuthorityLab> {
    const folder = await mkdtemp(join(tmpdir(), 'veritee-ita-'));
    const [ita, vm] = await Promise.all([LabTrustAuthority.start(), createTdxVirtualMachine({ platform })]);
    const lab = new TrustAuthorityLab(folder, ita, vm);
    await lab.writeKey(`${ita.apiKey}\n`);
    return lab;
  }

  open(options: Partial<OpenTrustAuthorityOptions> = {}): OpenedTrustAuthority {
    const log = new RecordingLog();
    const service = openTrustAuthority({
      api: this.ita.origin,
      apiKeyFile: this.keyFile,
      issuers: new Set([this.ita.issuer]),
      policyIds: [],
      policyMustMatch: false,
      signingAlgorithm: 'PS384',
      deadlineMs: 20_000,
      leewaySeconds: 60,
      clock: this.clock,
      log,
      connect: this.#connect,
      health: { ...DEFAULT_BREAKER, openMs: OPEN_MS },
      ...options,
    });
    this.#opened.push(service);
    return { service, log };
  }

  /** Verified evidence of the Azure VM: its user-data is what the caller wanted, and no hash of the service's making. */
  azureTd(): TdxSubmission {
    const options = { nonce: NONCE };
    return { tee: 'tdx', quote: this.vm.tdQuote(options), runtimeData: this.vm.runtimeClaims(options) };
  }

  async writeKey(content: string): Promise<void> {
    await writeFile(this.keyFile, content);
  }

  /** Everything is in order again. */
  async heal(): Promise<void> {
    this.resolves = true;
    this.ita.alter(null);
    this.ita.requests.length = 0;
    this.ita.received.length = 0;
    await Promise.all([this.ita.heal(), this.writeKey(`${this.ita.apiKey}\n`)]);
  }

  async close(): Promise<void> {
    await Promise.all(this.#opened.map((service) => service.close()));
    await this.ita.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  get #connect(): buildConnector.BuildOptions {
    return { ca: this.ita.authorityPem, lookup: labLookup(() => this.resolves) };
  }
}

export function attestTd(
  { service }: OpenedTrustAuthority,
  signal = new AbortController().signal,
): Promise<SubmissionResult> {
  return service.attest(bareTd(), signal);
}
