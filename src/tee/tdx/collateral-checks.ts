import { hex } from '../../core/bytes.js';
import type { Checks } from '../../core/check.js';
import type {
  CollateralOrigins,
  EndorsementOrigin,
  EndorsementSet,
  Provenance,
  SourcedCollateral,
} from '../../core/endorsement.js';
import { FormatError } from '../../core/errors.js';
import type { TdxCollateral } from '../../core/evidence.js';
import type { CollateralIssued } from '../../core/verification.js';
import { checkValidity, earliestEnd } from '../../crypto/certificate-path.js';
import type { X509Certificate } from '../../formats/x509-certificate.js';
import type { CollateralProblem, CollateralReading, SignedCollateral } from './intel/collateral.js';

/** Available collateral, the sources of its parts, and whether a source confirms that it is the newest. */
export interface CollateralAtHand extends Pick<SourcedCollateral, 'unconfirmed'> {
  readonly value: SignedCollateral;
  readonly from: { readonly [Part in keyof CollateralOrigins]: Provenance };
}

/**
 * Takes the collateral of the request or of a source. Invalid collateral in the request is a deny; invalid collateral
 * from a source counts as unavailable.
 *
 * @returns null if there is no valid collateral; the checks give the reason
 * @throws {FormatError} if a member in the request is malformed
 */
export function takeCollateral(
  checks: Checks,
  read: (collateral: TdxCollateral) => CollateralReading,
  found: EndorsementSet['tdx'],
  { at, fmspc }: { readonly at: Date; readonly fmspc: Uint8Array },
): CollateralAtHand | null {
  const faults = [`FMSPC ${hex(fmspc)}`];
  if (found === null || found === undefined) {
    checks.unavailable('collateral_unavailable', { detail: 'no source for the collateral', retryable: false, faults });
    return null;
  }
  if ('code' in found) {
    checks.unavailable(found.code, found.code === 'collateral_unavailable' ? { ...found, faults } : found);
    return null;
  }
  const { origin } = found;
  const reading = readFrom(origin, checks.about, () => read(found.value));
  const problems = reading.ok ? expiredSigners(reading.value, at) : reading.problems;
  if (reading.ok && problems.length === 0) {
    recordGenuine(checks, reading.value, origin);
    const { unconfirmed } = found;
    return { value: reading.value, from: partsFrom(found), ...(unconfirmed === undefined ? {} : { unconfirmed }) };
  }
  if (origin === 'evidence') {
    checks.pass('collateral_unavailable', { detail: 'the request supplied collateral' });
    for (const { code, member, detail } of problems) {
      checks.inside(`/${member}`).fail(code, { detail, faults: [`a certificate of ${member}`] });
    }
  } else {
    const details = [...new Set(problems.map(({ detail }) => detail))].join('; ');
    const detail = `the material of the ${origin} does not verify: ${details}`;
    checks.unavailable('collateral_unavailable', { detail, retryable: true, faults });
  }
  return null;
}

function partsFrom({ origin, partOrigins, partsFetchedAt = {} }: SourcedCollateral): CollateralAtHand['from'] {
  const from = (part: keyof CollateralOrigins): Provenance => {
    const fetchedAt = partsFetchedAt[part];
    return { origin: partOrigins?.[part] ?? origin, ...(fetchedAt === undefined ? {} : { fetchedAt }) };
  };
  return {
    tcbInfo: from('tcbInfo'),
    qeIdentity: from('qeIdentity'),
    pckCrl: from('pckCrl'),
    rootCaCrl: from('rootCaCrl'),
  };
}

/**
 * Reads collateral. A malformed member in the request is an error; a malformed member from a source is one more
 * problem.
 */
function readFrom(origin: EndorsementOrigin, about: string, read: () => CollateralReading): CollateralReading {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    const { code, message, pointer } = error;
    if (origin === 'evidence')
      throw new FormatError(code, message, { pointer: `${about}${pointer ?? ''}`, cause: error });
    return { ok: false, problems: [{ code: 'collateral_unavailable', member: '', detail: message }] };
  }
}

function expiredSigners(collateral: SignedCollateral, at: Date): readonly CollateralProblem[] {
  const members = [
    ['tcb_info_issuer_chain', collateral.tcbInfo.chain],
    ['qe_identity_issuer_chain', collateral.qeIdentity.chain],
    ['pck_crl_issuer_chain', collateral.pckCrl.chain],
  ] as const;
  return members.flatMap(([member, chain]) => {
    const problem = checkValidity(chain, at);
    return problem === null ? [] : [{ code: problem.code, member, detail: problem.detail }];
  });
}

function recordGenuine(checks: Checks, { tcbInfo, qeIdentity }: SignedCollateral, origin: EndorsementOrigin): void {
  checks.pass('collateral_unavailable', { actual: origin });
  checks.inside('/tcb_info').pass('tdx_tcb_info', {
    actual: { evaluationDataNumber: tcbInfo.value.evaluationDataNumber },
    detail: 'Intel signed the TCB info, with a key that is certified for it',
  });
  checks.inside('/qe_identity').pass('tdx_qe_identity', {
    actual: { evaluationDataNumber: qeIdentity.value.evaluationDataNumber },
    detail: 'Intel signed the QE identity, with a key that is certified for it',
  });
}

interface Window {
  readonly member: string;
  readonly begins: Date | null;
  /** Null if it states no end. It then counts as stale, because it may be old. */
  readonly ends: Date | null;
}

/**
 * Verifies that all parts are valid at the verification time, both ends included, without leeway.
 *
 * @returns whether all parts are valid
 */
export function checkWindows(checks: Checks, collateral: SignedCollateral, at: Date): boolean {
  const windows = windowsOf(collateral);
  const early = windows.filter(({ begins }) => begins === null || at < begins);
  const late = windows.filter(({ ends }) => ends === null || at > ends);
  const inTime = checks.require(early.length === 0, 'collateral_not_yet', {
    expected: at.toISOString(),
    actual: dates(early, ({ begins }) => begins),
    otherwise: `issued after the verification time: ${names(early)}`,
  });
  if (late.length > 0) {
    const which = late
      .map(({ member, ends }) => `${member} (${ends?.toISOString() ?? 'does not say when'})`)
      .join(', ');
    const detail = `past its next update at the verification time: ${which}`;
    const faults = late.map(
      ({ member, ends }) => `${member} ended at ${ends?.toISOString() ?? 'no time that it states'}`,
    );
    checks.unavailable('collateral_stale', { detail, retryable: true, faults });
    return false;
  }
  checks.pass('collateral_stale', {
    expected: at.toISOString(),
    actual: dates(windows, ({ ends }) => ends),
    detail: 'no part of the collateral is past its next update',
  });
  return inTime;
}

/**
 * Verifies the age of collateral that only the request supplies. If Intel's service could not be reached, the
 * collateral has to be new. Otherwise a sender could choose old collateral by overloading the connection to Intel.
 *
 * @returns whether the collateral can be relied on
 */
export function checkConfirmation(checks: Checks, { value, unconfirmed }: CollateralAtHand): boolean {
  if (unconfirmed === undefined) return true;
  const { why, issuedSince } = unconfirmed;
  const issues = issuesOf(value);
  const compared = {
    expected: issuedSince?.toISOString() ?? null,
    actual: Object.fromEntries(issues.map(({ member, issued }) => [member, issued?.toISOString() ?? null])),
  };
  const old = issues.filter(({ issued }) => issuedSince !== null && (issued === null || issued < issuedSince));
  if (old.length > 0) {
    const detail = `issued more than 48 hours ago (${names(old)}), and no source confirms it: ${why}`;
    const faults = old.map(({ member }) => `${member} was issued more than 48 hours ago`);
    checks.unavailable('collateral_unavailable', { ...compared, detail, retryable: true, faults });
    return false;
  }
  const detail = `no source confirms the collateral that the request supplied: ${why}`;
  checks.warn('collateral_unconfirmed', { ...compared, detail });
  return true;
}

/** The issue times of the parts that are valid for a month. The root CA CRL is left out: it is valid for a year. */
export function collateralIssued({ tcbInfo, qeIdentity, pckCrl }: SignedCollateral): CollateralIssued {
  return {
    tcbInfo: tcbInfo.value.issueDate,
    qeIdentity: qeIdentity.value.issueDate,
    pckCrl: pckCrl.value.thisUpdate,
  };
}

function issuesOf(value: SignedCollateral) {
  const { tcbInfo, qeIdentity, pckCrl } = collateralIssued(value);
  return [
    { member: 'tcb_info', issued: tcbInfo },
    { member: 'qe_identity', issued: qeIdentity },
    { member: 'pck_crl', issued: pckCrl },
  ];
}

/** The earliest end of all parts of the collateral and their certificates. */
export function collateralEnd(collateral: SignedCollateral): Date {
  const ends = windowsOf(collateral).map(({ ends: end }) => end?.getTime() ?? 0);
  const chains: readonly X509Certificate[] = [collateral.tcbInfo, collateral.qeIdentity, collateral.pckCrl].flatMap(
    ({ chain }) => chain,
  );
  return new Date(Math.min(...ends, earliestEnd(chains).getTime()));
}

function windowsOf({ tcbInfo, qeIdentity, pckCrl, rootCrl }: SignedCollateral): readonly Window[] {
  return [
    { member: 'tcb_info', begins: tcbInfo.value.issueDate, ends: tcbInfo.value.nextUpdate },
    { member: 'qe_identity', begins: qeIdentity.value.issueDate, ends: qeIdentity.value.nextUpdate },
    { member: 'pck_crl', begins: pckCrl.value.thisUpdate, ends: pckCrl.value.nextUpdate },
    { member: 'root_ca_crl', begins: rootCrl.value.thisUpdate, ends: rootCrl.value.nextUpdate },
  ];
}

function names(parts: readonly Pick<Window, 'member'>[]): string {
  return parts.map(({ member }) => member).join(', ');
}

function dates(
  windows: readonly Window[],
  read: (window: Window) => Date | null,
): { readonly [member: string]: string | null } {
  return Object.fromEntries(windows.map((window) => [window.member, read(window)?.toISOString() ?? null]));
}
