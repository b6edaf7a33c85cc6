import type { Checks } from '../../core/check.js';
import type { SnpProduct } from '../../core/claims.js';
import type {
  HashedDer,
  SnpEndorsementSet,
  SourcedCrl,
  SubstituteTerms,
  Unavailable,
  UsedEndorsement,
} from '../../core/endorsement.js';
import { nullIfMalformed, within } from '../../core/errors.js';
import { type CrlAge, checkRevocationListTime, isOlder, isRevoked } from '../../crypto/revocation-list.js';
import { type ListReading, latestOf, type RevocationList, type RevocationLists } from './amd/crls.js';
import type { VekPath } from './amd/vek-path.js';

/** The revocation state of an ASK or ASVK. */
export interface RevocationVerdict {
  readonly state: UsedEndorsement['revocation'];
  /** The CRL that was relied on; null if there is none. */
  readonly crl: UsedEndorsement | null;
}

/** The certificate, and the CRLs for it. */
export interface RevocationInput {
  readonly path: VekPath;
  readonly product: SnpProduct;
  /** CRLs in the request. */
  readonly supplied: readonly HashedDer[];
  readonly found: SnpEndorsementSet | null;
  readonly at: Date;
}

interface Candidate extends RevocationList, Pick<SourcedCrl, 'origin' | 'fetchedAt' | 'unconfirmed'> {}

/** Genuine CRLs, valid at the verification time or not. */
interface Lists {
  /** The CRL of the certificate's own series, or its replacement from the source. */
  readonly own: Candidate | null;
  readonly others: readonly Candidate[];
  readonly supplied: readonly Candidate[];
}

/**
 * Verifies that AMD's CRLs, which the ARK issues, do not revoke the ASK or ASVK. AMD issues one series of CRLs for
 * VCEKs and one for VLEKs. A CRL does not name its series:
 *
 * - A certificate that any valid CRL revokes is revoked, even if a newer CRL does not list it.
 * - Only the source has the address of a CRL, so only the source can determine the certificate's own series.
 *
 * An invalid CRL in the request is a deny.
 *
 * VEKs are not looked up: they all have the serial number 0, and AMD revokes them by raising the TCB. The ARK is not
 * looked up either: it is self-signed, so no CRL revokes it.
 */
export function verifyRevocation(checks: Checks, lists: RevocationLists, input: RevocationInput): RevocationVerdict {
  const { path, supplied, found, product, at } = input;
  const crls = checks.inside('/crls');
  const sent = supplied.map((list, index) => within(crls.inside(`/${index}`).about, () => lists.read(list, path)));
  // A cached CRL does not replace an invalid CRL in the request. It replaces one that is only older.
  const fault = sent.map((reading) => faultOf(reading, at)).find((problem) => problem !== null);
  if (fault !== undefined) {
    crls.fail('crl_invalid', { detail: fault.detail });
    crls.skip(['crl_unavailable'], 'a CRL of the request is invalid');
    return { state: 'unavailable', crl: null };
  }
  // A malformed CRL from a source counts as unavailable, because the caller did not send it.
  const held = ({ value, ...from }: SourcedCrl) =>
    nullIfMalformed(() => candidateOf(lists.read(value, path), from)) ?? [];
  const own = found?.crls.get(product);
  return choose(checks, input, {
    own: own === undefined ? null : (held(own)[0] ?? null),
    others: (found?.otherCrls.get(product) ?? []).flatMap(held),
    supplied: sent.flatMap((reading) => candidateOf(reading, { origin: 'evidence' })),
  });
}

/** The reason why a CRL is invalid or not yet valid; null if there is none. */
function faultOf(reading: ListReading, at: Date): { readonly detail: string } | null {
  if (!reading.ok) return reading.problem;
  const untimely = checkRevocationListTime(reading.list, at);
  return untimely?.code === 'crl_invalid' ? untimely : null;
}

function candidateOf(reading: ListReading, from: Omit<SourcedCrl, 'value'>): readonly Candidate[] {
  return reading.ok ? [{ ...from, list: reading.list, sha256: reading.sha256 }] : [];
}

function choose(checks: Checks, input: RevocationInput, lists: Lists): RevocationVerdict {
  const { path, product, at } = input;
  const crls = checks.inside('/crls');
  const isTimely = ({ list }: Candidate) => checkRevocationListTime(list, at) === null;
  const own = lists.own === null ? [] : [lists.own];
  const revoking = [...own, ...lists.others, ...lists.supplied].find(
    (each) => isTimely(each) && isRevoked(each.list, path.intermediate.serial),
  );
  const confirmed = own.find(isTimely);
  const counting = revoking ?? confirmed ?? standIn(input, lists, isTimely);
  if (counting === null) return recordMissing(crls, input, [...own, ...lists.supplied]);
  crls.pass('crl_unavailable', {
    actual: counting.list.nextUpdate?.toISOString() ?? null,
    detail: `CRL of ${product} from ${counting.origin}, valid until the time shown`,
  });
  const isGood = checks.require(revoking === undefined, 'cert_revoked', {
    detail: 'the intermediate certificate is not revoked',
    otherwise: 'AMD has revoked the intermediate certificate',
    faults: [`the intermediate certificate of ${product}`],
  });
  const doubt = doubtOf(confirmed, product);
  if (isGood && doubt !== null) crls.warn('crl_unconfirmed', { actual: counting.sha256, detail: doubt });
  return { state: isGood ? 'good' : 'revoked', crl: crlEndorsement(counting) };
}

/** The reason why AMD did not confirm the selected CRL; null if AMD confirmed it, or if no confirmation is required. */
function doubtOf(confirmed: Candidate | undefined, product: SnpProduct): string | null {
  if (confirmed === undefined) {
    return `only the request supplied a CRL of ${product}, and AMD KDS is off or could not be asked`;
  }
  const { unconfirmed } = confirmed;
  return unconfirmed === undefined
    ? null
    : `AMD KDS has not confirmed the CRL of ${product} for more than 48 hours: ${unconfirmed}`;
}

/** Selects a CRL in the request to replace the one of the certificate's own series, if the source allows it. */
function standIn(
  { found, product }: RevocationInput,
  { supplied }: Lists,
  isTimely: (candidate: Candidate) => boolean,
): Candidate | null {
  const terms = found?.crlProblems.get(product)?.substitute ?? null;
  const fitting = supplied.filter(({ list: { crlNumber: number, thisUpdate }, sha256 }) => {
    if (number === null || thisUpdate === null) return false;
    return found === null || maySubstitute({ number, thisUpdate, sha256 }, terms);
  });
  return latestOf(fitting.filter(isTimely));
}

/** Whether a genuine CRL in the request may replace one from AMD. */
export function maySubstitute(list: CrlAge & Pick<HashedDer, 'sha256'>, terms: SubstituteTerms | null): boolean {
  if (terms === null || terms.otherSeries.includes(list.sha256)) return false;
  return terms.newest === null || !isOlder(list, terms.newest);
}

/**
 * Records that no CRL of the certificate's series can be relied on. If a CRL is present but unusable,
 * `crl_unavailable` passes, and `crl_stale` or `crl_rollback` records the reason.
 */
function recordMissing(
  checks: Checks,
  { found, product, at }: RevocationInput,
  candidates: readonly Candidate[],
): RevocationVerdict {
  const problem = found?.crlProblems.get(product);
  const unusable =
    problem === undefined || problem.code === 'crl_unavailable' ? staleOf(candidates, product, at) : problem;
  if (unusable !== null) {
    checks.pass('crl_unavailable', { detail: `a CRL of ${product} is available` });
    checks.unavailable(unusable.code, { ...unusable, faults: [product] });
  } else {
    const detail = problem?.detail ?? `no CRL of ${product} is available`;
    checks.unavailable('crl_unavailable', { detail, retryable: problem?.retryable ?? false, faults: [product] });
  }
  return { state: 'unavailable', crl: null };
}

/** The reason why the newest CRL is not valid at the verification time; null if there is no CRL, or a valid one. */
function staleOf(candidates: readonly Candidate[], product: SnpProduct, at: Date): Unavailable | null {
  const last = latestOf(candidates);
  const problems = candidates.map(({ list }) => checkRevocationListTime(list, at));
  if (last === null || problems.includes(null)) return null;
  const detail = `${product}: ${checkRevocationListTime(last.list, at)?.detail}`;
  return { code: 'crl_stale', detail, retryable: true };
}

function crlEndorsement({ list, sha256, origin, fetchedAt = null }: Candidate): UsedEndorsement {
  return {
    kind: 'crl',
    sha256,
    source: origin,
    notAfter: list.nextUpdate ?? new Date(0),
    fetchedAt,
    revocation: 'not_applicable',
  };
}
