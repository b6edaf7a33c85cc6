import { expect } from 'vitest';
import type { CheckResult } from '../../../../src/core/check.js';
import type { CheckId, MalformedCode } from '../../../../src/core/codes.js';
import type { EndorsementOrigin, EndorsementSet } from '../../../../src/core/endorsement.js';
import type { TdxCollateral } from '../../../../src/core/evidence.js';
import type { Verification } from '../../../../src/core/verification.js';
import type { TdQuoteVerification } from '../../../../src/tee/shared/evidence/parts.js';
import { DcapTdQuoteVerifier } from '../../../../src/tee/tdx/td-quote-verifier.js';
import type { CollateralOptions } from '../../../lab/collateral-builder.js';
import { createIntelPki, type IntelPki } from '../../../lab/intel-pki.js';
import type { TdQuoteMaking } from '../../../lab/td-quote-builder.js';
import { TdxPlatform, type TdxPlatformOptions } from '../../../lab/tdx-platform.js';

/** A verifier that trusts the lab's Intel, a platform that is up to date, and what verifications came to. */

export const AT = new Date('2026-06-01T12:00:00Z');
export const HOUR_MS = 60 * 60_000;

export const PKI = createIntelPki({ at: AT });
/** One with the same names and other keys. */
export const FOREIGN_PKI = createIntelPki({ at: AT });

export const ABOUT = { quote: '/evidence/quote', collateral: '/evidence/collateral' };

export const platformOf = (options: Partial<TdxPlatformOptions> = {}) => new TdxPlatform({ pki: PKI, ...options });

export const PLATFORM = platformOf();

export interface Judging {
  readonly platform?: TdxPlatform;
  readonly quote?: TdQuoteMaking | Uint8Array;
  readonly collateral?: CollateralOptions;
  readonly endorsements?: EndorsementSet;
  readonly origin?: EndorsementOrigin;
  readonly at?: Date;
  readonly verifier?: DcapTdQuoteVerifier;
  readonly pki?: IntelPki;
}

export function endorsing(value: TdxCollateral, origin: EndorsementOrigin = 'evidence'): EndorsementSet {
  return { snp: null, tdx: { value, origin } };
}

export const newVerifier = () => new DcapTdQuoteVerifier({ pins: PKI.pins });
const VERIFIER = newVerifier();

/** Verifies a quote of the platform, with collateral that the request brings; what is left out is genuine. */
export async function verify(judging: Judging = {}): Promise<TdQuoteVerification> {
  const { platform = PLATFORM, quote = {}, collateral = {}, origin, at = AT, verifier = VERIFIER } = judging;
  const bytes = quote instanceof Uint8Array ? quote : platform.quote(quote);
  const endorsements = judging.endorsements ?? endorsing(platform.collateral(collateral), origin);
  return verifier.open(bytes, null, ABOUT).verify({ at, endorsements });
}

type Checked = Pick<Verification, 'checks' | 'required'>;

export function idsWith({ checks }: Pick<Verification, 'checks'>, result: CheckResult): readonly CheckId[] {
  return [...new Set(checks.filter((check) => check.result === result).map(({ id }) => id))];
}

/** Asserts that every check that must have an outcome passed, and that there is no other outcome. */
export function expectVerified(found: Checked): void {
  expect(found.checks.filter(({ result }) => result !== 'pass')).toEqual([]);
  expectComplete(found);
}

/** Asserts that exactly these checks failed, and that each required one that did not run is listed. */
export function expectFailed(found: Checked, ...ids: readonly CheckId[]): void {
  expect(idsWith(found, 'fail')).toEqual(ids);
  expectComplete(found);
}

/** Asserts that nothing failed, and that exactly these could not be judged. */
export function expectUndecided(found: Checked, ...ids: readonly CheckId[]): void {
  expectFailed(found);
  expect(idsWith(found, 'unavailable')).toEqual(ids);
}

function expectComplete({ checks, required }: Checked): void {
  expect(required.filter((id) => !checks.some((check) => check.id === id))).toEqual([]);
}

/** Asserts that the evidence is malformed, of this code and, where given, at this place. */
export async function expectMalformed(found: Promise<unknown>, code: MalformedCode, pointer?: string): Promise<void> {
  const place = pointer === undefined ? {} : { pointer };
  await expect(found).rejects.toMatchObject({ name: 'FormatError', code, ...place });
}
