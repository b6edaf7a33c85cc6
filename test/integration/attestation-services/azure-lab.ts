import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { buildConnector } from 'undici';
import type { AzureIdentity } from '../../../src/core/azure-identity.js';
import type { SnpSubmission, SubmissionResult, TdxSubmission } from '../../../src/core/verification.js';
import type { AzureAttestation } from '../../../src/outside/attestation-services/azure-attestation.js';
import {
  type OpenAzureAttestationOptions,
  openAzureAttestation,
} from '../../../src/outside/attestation-services/open-services.js';
import { DEFAULT_BREAKER } from '../../../src/outside/origin-breaker.js';
import { AmdPki } from '../../lab/amd-pki.js';
import { BearerTokens } from '../../lab/bearer-tokens.js';
import { LabEntra } from '../../lab/entra.js';
import { clientCertificate } from '../../lab/entra-assertion.js';
import { createIntelPki } from '../../lab/intel-pki.js';
import { LabMaa } from '../../lab/maa.js';
import { reportDataOver } from '../../lab/report-data.js';
import { SnpPlatform } from '../../lab/snp-platform.js';
import { TdxPlatform } from '../../lab/tdx-platform.js';
import { TlsAuthority } from '../../lab/tls-authority.js';
import { ManualClock } from '../../unit/endorsements/manual-clock.js';
import { RecordingLog } from '../../unit/endorsements/recording-log.js';
import { labLookup } from '../lab-lookup.js';

export const CLIENT_ID = '5a1c8f5e-0d3c-4c41-9c1b-7f6f2d6a9b10';
export const SECRET = 'sesame-of-the-lab-42';

/** How long a test waits for what happens in the background. It is over long before, or something is broken. */
export const PATIENT = { timeout: 20_000 };

const pki = new AmdPki({ at: new Date() });
const platform = new SnpPlatform({ pki });
const tdxPlatform = new TdxPlatform({ pki: createIntelPki() });
const certificate = clientCertificate('submitter');

const RUNTIME_JSON = Buffer.from('{"nonce":"AAECAwQFBgcICQ"}');
export const RUNTIME_BYTES = Buffer.from([0xff, 0x00, 0x7b]);

/** Verified evidence of the lab's platform, with runtime data that its report is about. */
export function submission(runtimeData: Uint8Array | null = RUNTIME_JSON): SnpSubmission {
  const [ask, ark] = pki.chainDer('Milan', 'vcek');
  return {
    tee: 'snp',
    report: platform.report(runtimeData === null ? {} : { fields: { reportData: reportDataOver(runtimeData) } }),
    certificates: [platform.vek.der, ask, ark],
    runtimeData,
  };
}

/** The same of a TD. */
export function tdSubmission(runtimeData: Uint8Array | null = RUNTIME_JSON): TdxSubmission {
  const fields = runtimeData === null ? {} : { reportData: reportDataOver(runtimeData) };
  return { tee: 'tdx', quote: tdxPlatform.quote({ fields }), runtimeData };
}

/** How long a service that keeps failing is left out. */
export const OPEN_MS = 20;

/** Nothing waits for long. */
const TUNING = { health: { ...DEFAULT_BREAKER, openMs: OPEN_MS }, credentialTimeoutMs: 1_000 };

export interface Opened {
  readonly service: AzureAttestation;
  readonly log: RecordingLog;
}

/** Azure Attestation twice and Entra on loopback, a clock, files with credentials, and clients of all that. */
export class AzureLab {
  readonly clock = new ManualClock(new Date());
  readonly maa: LabMaa;
  readonly other: LabMaa;
  readonly entra: LabEntra;
  readonly bearers: BearerTokens;
  /** Whether names resolve. */
  resolves = true;
  readonly #folder: string;
  readonly #opened: AzureAttestation[] = [];

  private constructor(folder: string, maa: LabMaa, other: LabMaa, entra: LabEntra, bearers: BearerTokens) {
    this.#folder = folder;
    this.maa = maa;
    this.other = other;
    this.entra = entra;
    this.bearers = bearers;
  }

  /** @param wanted the access tokens that the instances want; null: none */
  static async start(wanted: BearerTokens | null = null): Promise<AzureLab> {
    const tls = new TlsAuthority();
    const bearers = wanted ?? new BearerTokens();
    const options = { pki, tls, ...(wanted === null ? {} : { bearers }) };
    const [maa, other, entra] = await Promise.all([
      LabMaa.start(options),
      LabMaa.start(options),
      LabEntra.start({
        tls,
        bearers,
        // The Azure library rounds to whole seconds: what it signs may be half a second ahead.
        clock: () => new Date(Date.now() + 1_000),
        clients: [
          {
            clientId: CLIENT_ID,
            secret: SECRET,
            certificates: [certificate.certificatePem],
            federatedSubject: 'system:serviceaccount:veritee:veritee',
          },
        ],
      }),
    ]);
    return new AzureLab(await mkdtemp(join(tmpdir(), 'veritee-azure-')), maa, other, entra, bearers);
  }

  async open(options: Partial<OpenAzureAttestationOptions> = {}): Promise<Opened> {
    const log = new RecordingLog();
    const service = await openAzureAttestation({
      endpoints: [this.maa.origin],
      apiVersion: '2025-06-01',
      identity: null,
      deadlineMs: 20_000,
      environment: {},
      clock: this.clock,
      log,
      connect: this.connect,
      tuning: TUNING,
      ...options,
    });
    this.#opened.push(service);
    return { service, log };
  }

  /** Trust in the lab's authority, and a resolver that asks no real one. */
  get connect(): buildConnector.BuildOptions {
    return { ca: this.maa.authorityPem, lookup: labLookup(() => this.resolves) };
  }

  async secretIdentity(secret = `${SECRET}\n`): Promise<AzureIdentity> {
    const secretFile = await this.file('secret', secret);
    return { kind: 'client-secret', ...this.#application(), secretFile };
  }

  async certificateIdentity(): Promise<AzureIdentity> {
    const certificateFile = await this.file('certificate.pem', certificate.pem);
    return { kind: 'client-certificate', ...this.#application(), certificateFile };
  }

  async workloadIdentity(): Promise<AzureIdentity> {
    const tokenFile = await this.file('token', this.entra.federatedToken(CLIENT_ID));
    return { kind: 'workload-identity', ...this.#application(), tokenFile };
  }

  async file(name: string, content: string): Promise<string> {
    const path = join(this.#folder, name);
    await writeFile(path, content);
    return path;
  }

  async close(): Promise<void> {
    await Promise.all(this.#opened.map((service) => service.close()));
    await Promise.all([this.maa.close(), this.other.close(), this.entra.close()]);
    await rm(this.#folder, { recursive: true, force: true });
  }

  #application() {
    return { tenantId: this.entra.tenantId, clientId: CLIENT_ID, authority: this.entra.origin };
  }
}

export function attest({ service }: Opened, signal = new AbortController().signal): Promise<SubmissionResult> {
  return service.attest(submission(), signal);
}

/** Claims of a token that the lab answered. They are not verified: what is looked at is what was sent. */
export function claimsOf(result: SubmissionResult): Record<string, unknown> {
  if (!('token' in result)) throw new Error(`no token: ${JSON.stringify(result)}`);
  return JSON.parse(Buffer.from(result.token.split('.')[1] ?? '', 'base64url').toString('utf8'));
}
