import { access, constants, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FormatError } from '../core/errors.js';
import { fileProblem, isSystemError } from '../core/file-problem.js';
import type { JsonObject } from '../core/json.js';
import { boundValue } from '../crypto/bound-value.js';
import { PEM_TEXT_BYTES, parsePemCertificates } from '../formats/pem.js';
import { TD_REPORT_LENGTH } from '../tee/tdx/format/td-report.js';
import { certificateIn } from './ak-certificate.js';
import { bindingKey } from './binding-key.js';
import { CollectError } from './collect-error.js';
import { EVENT_LOGS, readEventLogs, readLog } from './event-logs.js';
import {
  azureSnpEvidence,
  azureTdxEvidence,
  certificationEndorsements,
  requestBody,
  type TpmParts,
  tpmEvidence,
  tsmEvidence,
} from './evidence-body.js';
import { hasCode, readRegularFile, UnfitFileError } from './files.js';
import { AZURE_TPM, GuestTpm, handle, NOTHING_OF_AZURE, type NvIndex, requireFits } from './guest-tpm.js';
import { withLock } from './lock-file.js';
import { AZURE_METADATA, MetadataService } from './metadata-service.js';
import { type RunTool, TPM_DEVICE } from './tool-run.js';
import { readTsmReport, TSM_FOLDER, type TsmEntry } from './tsm-report.js';
import { readFreshReport, readHclReport } from './user-data.js';

/** The sources of a guest's evidence. The product has one set of them; tests have others. */
export interface GuestPlaces {
  /** Device of the TPM; null if `TPM2TOOLS_TCTI` names another TPM, which only the tools can reach. */
  readonly tpm: string | null;
  readonly metadata: string;
  readonly lock: string;
  readonly tsm: string;
  readonly logs: { readonly firmware: string; readonly system: string; readonly ccel: string };
}

/** Only root can write in this folder: elsewhere, any user could hold the lock, or replace it by a link or a pipe. */
const LOCK_FILE = '/run/veritee-collect.lock';

export const GUEST_PLACES: GuestPlaces = {
  tpm: TPM_DEVICE,
  metadata: AZURE_METADATA,
  lock: LOCK_FILE,
  tsm: TSM_FOLDER,
  logs: EVENT_LOGS,
};

export interface CollectRequest {
  /** 8 to 64 bytes without the prefix of a value that binds a key. */
  readonly nonce: Uint8Array;
  /** File of a private key to bind; null for none. */
  readonly keyFile: string | null;
  readonly pcrs: readonly number[];
  /**
   * Whether evidence of a confidential VM includes the AK certificate, which is optional: a verifier without its
   * issuers would deny the evidence.
   */
  readonly akCertificate: boolean;
  /** File with the issuers of the AK certificate; null for none. */
  readonly akChainFile: string | null;
  /** Whether evidence includes the event logs. Without a log, the boot is unknown. */
  readonly eventLog: boolean;
}

/** A request with its files read. */
interface Prepared extends Pick<CollectRequest, 'pcrs' | 'akCertificate' | 'eventLog'> {
  readonly x: Uint8Array;
  /** PEM. */
  readonly akChain: string | null;
}

export interface GuestMachine {
  readonly places: GuestPlaces;
  readonly run: RunTool;
  readonly openTsmEntry: (folder: string) => Promise<TsmEntry>;
  /** Ends the collection; changes are undone all the same. */
  readonly signal: AbortSignal;
  /** Waits for the time that a new report takes; defaults to a timer. */
  readonly pass?: (ms: number) => Promise<void>;
  /** Reports a missing part without ending the collection. */
  readonly warn: (message: string) => void;
}

/**
 * Collects the evidence of this machine, as a /verify body.
 *
 * X is computed here, from the nonce and a key of this guest. The only input that is used as X unchanged
 * is a nonce that cannot be such a value: no other party can bind its key through this guest.
 *
 * @throws {CollectError}
 */
export async function collect(request: CollectRequest, machine: GuestMachine): Promise<string> {
  const key = request.keyFile === null ? null : await bindingKey(request.keyFile);
  const x = key === null ? request.nonce : boundValue(request.nonce, key.jkt);
  const prepared = { ...request, x, akChain: await readAkChain(request.akChainFile) };
  const evidence = await inOwnFolder((folder) => new Collection(prepared, machine, folder).evidence());
  return requestBody(evidence, request.nonce, key?.jwk ?? null);
}

/** One run. */
class Collection {
  readonly #prepared: Prepared;
  readonly #machine: GuestMachine;
  readonly #tpm: GuestTpm;

  constructor(prepared: Prepared, machine: GuestMachine, folder: string) {
    this.#prepared = prepared;
    this.#machine = machine;
    this.#tpm = new GuestTpm(machine.run, folder);
  }

  /** The paravisor's report if there is one, else the report of the TEE's firmware, else the vTPM alone. */
  async evidence(): Promise<JsonObject> {
    const { places } = this.#machine;
    const hasTsm = await isThere(places.tsm);
    if (hasTsm && places.tpm !== null && !(await isThere(places.tpm))) return this.#ofTsm();
    await requireTpm(places.tpm);
    const indices = await this.#tpm.indices();
    if (indices.has(AZURE_TPM.hclReport)) {
      // Listed again: another collector may have used its index until now.
      return withLock(places.lock, async () => this.#ofParavisor(await this.#tpm.indices()));
    }
    if (hasTsm) return this.#ofTsm();
    if (indices.has(AZURE_TPM.akCertificate)) return this.#ofTpm(indices);
    throw new CollectError('not_confidential', NOTHING_OF_AZURE);
  }

  async #ofParavisor(indices: ReadonlyMap<number, NvIndex>): Promise<JsonObject> {
    const { reportType } = readHclReport(await this.#tpm.read(AZURE_TPM.hclReport));
    if (reportType === 'tvm') return this.#ofTpm(indices);
    if (reportType !== 'snp' && reportType !== 'tdx') {
      throw new CollectError('not_confidential', `the HCL report is of type ${reportType}`);
    }
    requireFits(this.#prepared.x);
    await this.#requireAttestationKey();
    const before = indices.get(AZURE_TPM.userData);
    const bytes = await readFreshReport(this.#tpm, this.#prepared.x, before, this.#machine);
    const tpm = await this.#tpmParts(this.#prepared.akCertificate ? await this.#akCertificate(indices) : null);
    return reportType === 'snp' ? this.#snp(bytes, tpm) : this.#tdx(bytes, tpm);
  }

  async #snp(hclReport: Uint8Array, tpm: TpmParts): Promise<JsonObject> {
    const certification = await this.#metadata().amdCertification(this.#machine.signal);
    return azureSnpEvidence(hclReport, tpm, certificationEndorsements(certification));
  }

  async #tdx(hclReport: Uint8Array, tpm: TpmParts): Promise<JsonObject> {
    const tdReport = readHclReport(hclReport).hardwareReport.subarray(0, TD_REPORT_LENGTH);
    return azureTdxEvidence(hclReport, await this.#metadata().tdQuote(tdReport, this.#machine.signal), tpm);
  }

  /** Trusted Launch: only Azure's certificate vouches for the key. */
  async #ofTpm(indices: ReadonlyMap<number, NvIndex>): Promise<JsonObject> {
    requireFits(this.#prepared.x);
    await this.#requireAttestationKey();
    const akCertificate = await this.#akCertificate(indices);
    if (akCertificate === null) {
      throw new CollectError('nv_absent', `NV index ${handle(AZURE_TPM.akCertificate)} holds no AK certificate`);
    }
    return tpmEvidence(await this.#tpmParts(akCertificate));
  }

  async #ofTsm(): Promise<JsonObject> {
    const { places, openTsmEntry, warn } = this.#machine;
    const report = await readTsmReport(this.#prepared.x, () => openTsmEntry(places.tsm));
    const tee = TSM_TEES.get(report.provider);
    if (tee === undefined) {
      throw new CollectError(
        'not_confidential',
        `the TEE is ${report.provider}, expected ${[...TSM_TEES.keys()].join(' or ')}`,
      );
    }
    const hasCcel = tee === 'tdx' && this.#prepared.eventLog;
    const ccel = hasCcel ? await readLog(places.logs.ccel, { what: 'CCEL' }, warn) : null;
    return tsmEvidence(tee, report, ccel);
  }

  async #tpmParts(akCertificate: Uint8Array | null): Promise<TpmParts> {
    const { places, signal, warn } = this.#machine;
    signal.throwIfAborted();
    const quote = await this.#tpm.quote(this.#prepared.pcrs, this.#prepared.x);
    const akChain = akCertificate === null ? null : this.#prepared.akChain;
    const eventLogs = this.#prepared.eventLog ? await readEventLogs(places.logs, warn) : [];
    return { quote, akCertificate, akChain, eventLogs };
  }

  /** A NonPersistedTPM VM may have none. */
  async #akCertificate(indices: ReadonlyMap<number, NvIndex>): Promise<Uint8Array | null> {
    if (indices.get(AZURE_TPM.akCertificate)?.written !== true) return null;
    return certificateIn(await this.#tpm.read(AZURE_TPM.akCertificate));
  }

  async #requireAttestationKey(): Promise<void> {
    if (await this.#tpm.hasAttestationKey()) return;
    throw new CollectError('ak_absent', `the TPM has no attestation key at ${handle(AZURE_TPM.ak)}`);
  }

  #metadata(): MetadataService {
    return new MetadataService(this.#machine.places.metadata);
  }
}

const TSM_TEES: ReadonlyMap<string, 'snp' | 'tdx'> = new Map([
  ['sev_guest', 'snp'],
  ['tdx_guest', 'tdx'],
]);

async function requireTpm(device: string | null): Promise<void> {
  if (device === null) return;
  await access(device, constants.R_OK | constants.W_OK).catch((cause: unknown) => {
    if (hasCode(cause, 'ENOENT')) throw new CollectError('no_tpm', `there is no ${device}`, { cause });
    throw new CollectError('permission', `this user may not open ${device}`, { cause });
  });
}

/** Only certificates leave the guest, even if the operator names a wrong file, such as one with a private key. */
async function readAkChain(path: string | null): Promise<string | null> {
  if (path === null) return null;
  try {
    const text = Buffer.from(await readRegularFile(path, PEM_TEXT_BYTES)).toString('utf8');
    parsePemCertificates(text, 'cert_chain');
    return text;
  } catch (error) {
    const isUnfit = error instanceof UnfitFileError || error instanceof FormatError;
    if (!isUnfit && !isSystemError(error)) throw error;
    throw new CollectError('ak_chain', `${path}: ${isUnfit ? error.message : fileProblem(error)}`, { cause: error });
  }
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function inOwnFolder<T>(run: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'veritee-collect-'));
  try {
    return await run(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
