import { setTimeout as sleep } from 'node:timers/promises';
import { FormatError } from '../core/errors.js';
import { equalInConstantTime } from '../crypto/constant-time.js';
import { isZero } from '../formats/byte-reader.js';
import { type HclReport, parseHclReport } from '../tee/azure/format/hcl-report.js';
import { decodeUserData, readRuntimeClaims, readRuntimeObject } from '../tee/shared/format/runtime-claims.js';
import { CollectError } from './collect-error.js';
import { AZURE_TPM, type GuestTpm, handle, type NvIndex, USER_DATA_LENGTH } from './guest-tpm.js';

/** The paravisor creates a report at most once in 2 s: this long after the last read it creates a new one. */
const REFRESH_MS = 3_000;

/** Attempts to read a report with the written data. */
const READ_ATTEMPTS = 3;

export interface Waiting {
  readonly signal: AbortSignal;
  /** Reports a fault without ending the command. */
  readonly warn: (message: string) => void;
  /** Waits; defaults to a timer that ends with the signal. */
  readonly pass?: (ms: number) => Promise<void>;
}

/**
 * Reads a report of the paravisor that is newer than X. Writes X to the index that the paravisor reads, and
 * restores the previous content in any case.
 *
 * @param x up to 64 bytes; zeros follow
 * @param before the public data of the index; undefined if it is not defined
 * @throws {CollectError} `nv_unusable`, `report_stale` if other software writes the index too
 */
export async function readFreshReport(
  tpm: GuestTpm,
  x: Uint8Array,
  before: NvIndex | undefined,
  waiting: Waiting,
): Promise<Uint8Array> {
  const padded = new Uint8Array(USER_DATA_LENGTH);
  padded.set(x);
  const restore = await prepare(tpm, before);
  try {
    await tpm.write(AZURE_TPM.userData, padded);
    return await readReportWith(tpm, padded, waiting);
  } finally {
    await restore().catch((error: unknown) => {
      const why = error instanceof CollectError ? `${error.code}: ${error.message}` : 'failed';
      waiting.warn(`NV index 0x01400002 could not be put back as it was: ${why}`);
    });
  }
}

/** @returns a function that restores the index */
async function prepare(tpm: GuestTpm, before: NvIndex | undefined): Promise<() => Promise<void>> {
  if (before === undefined) {
    await tpm.define(AZURE_TPM.userData, USER_DATA_LENGTH);
    return () => tpm.undefine(AZURE_TPM.userData);
  }
  if (before.size !== USER_DATA_LENGTH) {
    throw new CollectError('nv_unusable', `NV index 0x01400002 has ${before.size} bytes, expected ${USER_DATA_LENGTH}`);
  }
  // An index cannot become unwritten again; zeros mean that there is no user data.
  const content = before.written ? await tpm.read(AZURE_TPM.userData) : new Uint8Array(USER_DATA_LENGTH);
  return () => tpm.write(AZURE_TPM.userData, content);
}

async function readReportWith(tpm: GuestTpm, userData: Uint8Array, waiting: Waiting): Promise<Uint8Array> {
  const { signal, pass = (ms) => sleep(ms, undefined, { signal }) } = waiting;
  for (let attempt = 0; attempt < READ_ATTEMPTS; attempt++) {
    await pass(REFRESH_MS);
    const report = await tpm.read(AZURE_TPM.hclReport);
    if (mayHold(report, userData)) return report;
  }
  throw new CollectError('report_stale', `the report does not hold the nonce after ${READ_ATTEMPTS} readings`);
}

/** The paravisors of 2022 write no user data; the verifier decides about other reasons for its absence. */
function mayHold(report: Uint8Array, userData: Uint8Array): boolean {
  const claims = readRuntimeObject(readHclReport(report).runtimeClaims);
  const members = claims.ok ? readRuntimeClaims(claims.value) : claims;
  if (!members.ok || members.value.userData === null) return true;
  const held = decodeUserData(members.value.userData);
  return held === null || isZero(held) || equalInConstantTime(held, userData);
}

/** @throws {CollectError} `report_malformed` */
export function readHclReport(bytes: Uint8Array): HclReport {
  try {
    return parseHclReport(bytes);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new CollectError('report_malformed', `NV index ${handle(AZURE_TPM.hclReport)}: ${error.message}`, {
      cause: error,
    });
  }
}
