import { expect } from 'vitest';
import { AMD_LINES, type AmdLines } from '../../../src/core/amd-lines.js';
import type { CheckResult } from '../../../src/core/check.js';
import type { SnpProduct } from '../../../src/core/claims.js';
import type { CheckId, MalformedCode } from '../../../src/core/codes.js';
import { type EndorsementSet, NO_ENDORSEMENTS } from '../../../src/core/endorsement.js';
import type { AzSnpVtpmEvidence, SnpEvidence } from '../../../src/core/evidence.js';
import type { JsonObject } from '../../../src/core/json.js';
import type { BindingPem } from '../../../src/core/request.js';
import type { Verification, VerificationContext } from '../../../src/core/verification.js';
import { AzSnpVtpmVerifier } from '../../../src/tee/azure/az-snp-vtpm-verifier.js';
import type { AkRoots } from '../../../src/tee/shared/attestation-key/ak-roots.js';
import { expectedBinding } from '../../../src/tee/shared/binding/expected-binding.js';
import type { ParavisorFloors } from '../../../src/tee/shared/paravisor/paravisor-claims.js';
import type { AmdRootPins } from '../../../src/tee/snp/amd/roots.js';
import { AmdSnpReportVerifier } from '../../../src/tee/snp/snp-report-verifier.js';
import { SnpVerifier } from '../../../src/tee/snp/snp-verifier.js';
import { Tpm2QuoteVerifier } from '../../../src/tee/tpm/tpm-quote-verifier.js';
import { AZURE_ID_KEY_DIGEST, createAmdPki } from '../../lab/index.js';

/** Verifiers that trust the lab's roots, and what verifications came to. */

export const AT = new Date('2026-06-01T12:00:00Z');

/** The PKI that the verifiers here pin. */
export const PKI = createAmdPki({ at: AT });
/** One with the same names and other keys. */
export const FOREIGN_PKI = createAmdPki({ at: AT, keys: 'foreign' });

export const NONCE = Uint8Array.from({ length: 32 }, (_, index) => 0x40 + index);
export const OTHER_NONCE = Uint8Array.from({ length: 32 }, (_, index) => 0x80 + index);

export const JWK: JsonObject = {
  kty: 'EC',
  crv: 'P-256',
  x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
  y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
};
export const OTHER_JWK: JsonObject = { ...JWK, x: 'AAAAJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU' };

export interface Judging {
  readonly nonce?: Uint8Array | null;
  readonly jwk?: JsonObject | null;
  readonly pem?: BindingPem;
  readonly at?: Date;
  readonly endorsements?: EndorsementSet;
  readonly refuse?: readonly SnpProduct[];
  /** Product lines of a configuration beside those that are built in, and roots of all. */
  readonly served?: { readonly lines: AmdLines; readonly pins: AmdRootPins };
  /** Roots of certificates of attestation keys; none if left out. */
  readonly akRoots?: AkRoots;
  /** Floors of paravisors by ID_KEY_DIGEST; if left out, 0 for that of the lab. */
  readonly floors?: ParavisorFloors;
}

export const NO_AK_ROOTS: AkRoots = { azure: new Set(), configured: new Set(), paravisorsSince: null };

export function contextOf({
  nonce = null,
  jwk = null,
  pem,
  at = AT,
  endorsements = NO_ENDORSEMENTS,
}: Judging): VerificationContext {
  return { at, endorsements, binding: nonce === null ? null : expectedBinding(nonce, jwk, pem) };
}

const PINS = PKI.pins();
const NO_FLOOR: ParavisorFloors = new Map([[AZURE_ID_KEY_DIGEST, 0]]);

function reportVerifier({ refuse = [], served = { lines: AMD_LINES, pins: PINS } }: Judging): AmdSnpReportVerifier {
  return new AmdSnpReportVerifier({ refuseProducts: new Set(refuse), ...served });
}

function floorsOf({ floors = NO_FLOOR }: Judging): ParavisorFloors {
  return floors;
}

const REPORTS = reportVerifier({});

function reportsFor(judging: Judging): AmdSnpReportVerifier {
  return judging.refuse === undefined && judging.served === undefined ? REPORTS : reportVerifier(judging);
}

export function snpVerifier(judging: Judging = {}): SnpVerifier {
  return new SnpVerifier(reportsFor(judging), floorsOf(judging));
}

export function azureVerifier(judging: Judging = {}): AzSnpVtpmVerifier {
  const { akRoots = NO_AK_ROOTS } = judging;
  return new AzSnpVtpmVerifier(reportsFor(judging), new Tpm2QuoteVerifier(), floorsOf(judging), akRoots, 2 ** 20);
}

export async function verifySnp(evidence: SnpEvidence, judging: Judging = {}): Promise<Verification> {
  return snpVerifier(judging).open(evidence).verify(contextOf(judging));
}

export async function verifyAzure(evidence: AzSnpVtpmEvidence, judging: Judging = {}): Promise<Verification> {
  return azureVerifier(judging).open(evidence).verify(contextOf(judging));
}

/** Ids of the checks with a result, each once, in the order in which they ran. */
export function idsWith(found: Pick<Verification, 'checks'>, result: CheckResult): readonly CheckId[] {
  return [...new Set(found.checks.filter((check) => check.result === result).map(({ id }) => id))];
}

export function failed(found: Pick<Verification, 'checks'>): readonly CheckId[] {
  return idsWith(found, 'fail');
}

/**
 * Asserts that every check that must have an outcome passed, and that there is no other outcome, but for the warning
 * that is there wherever evidence of the lab brings its own CRL.
 */
export function expectVerified(found: Verification): void {
  const others = found.checks.filter(({ id, result }) => !(id === 'crl_unconfirmed' && result === 'warn'));
  expect(others.filter(({ result }) => result !== 'pass')).toEqual([]);
  expect(found.required.filter((id) => !found.checks.some((check) => check.id === id))).toEqual([]);
}

/** Asserts that exactly these checks failed, and that each required one that did not run is listed. */
export function expectFailed(found: Verification, ...ids: readonly CheckId[]): void {
  expect(failed(found)).toEqual(ids);
  expect(found.required.filter((id) => !found.checks.some((check) => check.id === id))).toEqual([]);
}

/** Asserts that the evidence is malformed, of this code and at this place. */
export async function expectMalformed(
  verifying: Promise<unknown>,
  code: MalformedCode,
  pointer?: string,
): Promise<void> {
  await expect(verifying).rejects.toMatchObject({
    name: 'FormatError',
    code,
    ...(pointer === undefined ? {} : { pointer }),
  });
}
