import { isRevoked, judgeRevocationListTime } from '../../crypto/revocation-list.js';
import type { CheckList } from '../../model/check.js';
import type { SnpProduct } from '../../model/claims.js';
import type { EndorsementOrigin, SnpEndorsementSet, Unavailable, UsedEndorsement } from '../../model/endorsement.js';
import { nullIfMalformed, within } from '../../model/errors.js';
import type { ListReading, RevocationList, RevocationLists } from './revocation-lists.js';
import type { VekPath } from './vek-path.js';

/** What the CRL of a product line says of an intermediate. */
export interface RevocationVerdict {
  readonly state: UsedEndorsement['revocation'];
  /** The CRL that was relied on; null without one. */
  readonly crl: UsedEndorsement | null;
}

interface Candidate extends RevocationList {
  readonly origin: EndorsementOrigin;
}

/**
 * Judges ASK or ASVK by AMD's CRL (issued by the ARK). Of several valid ones the newest counts, wherever it is from;
 * one that a request brings and that does not verify denies.
 *
 * VEKs all have serial 0 and cannot be listed; AMD revokes them by raising the TCB. The ARK has no issuer that could.
 */
export function verifyRevocation(
  checks: CheckList,
  lists: RevocationLists,
  path: VekPath,
  product: SnpProduct,
  brought: readonly Uint8Array[],
  found: SnpEndorsementSet | null,
  at: Date,
  about: string,
): RevocationVerdict {
  const sent = brought.map((der, index) => within(`${about}/crls/${index}`, () => lists.read(der, path)));
  // One that a request brings and that does not hold is not replaced by one that is held; an older one is.
  const fault = sent.map((reading) => faultOf(reading, at)).find((problem) => problem !== null);
  if (fault !== undefined) {
    checks.fail('crl_invalid', `${about}/crls`, { detail: fault.detail });
    checks.skip(['crl_unavailable'], `${about}/crls`, 'a revocation list of the request is invalid');
    return { state: 'unavailable', crl: null };
  }
  const own = sent.flatMap((reading) => candidatesOf(reading, 'evidence'));
  const genuine = [...own, ...heldCandidates(lists, path, found, product)];
  return choose(checks, path, genuine, found, product, at, about);
}

/** What is wrong with a list whenever it is looked at, or since it is from the future. */
function faultOf(reading: ListReading, at: Date): { readonly detail: string } | null {
  if (!reading.ok) return reading.problem;
  const untimely = judgeRevocationListTime(reading.list, at);
  return untimely?.code === 'crl_invalid' ? untimely : null;
}

function candidatesOf(reading: ListReading, origin: EndorsementOrigin): readonly Candidate[] {
  return reading.ok ? [{ list: reading.list, sha256: reading.sha256, origin }] : [];
}

/** What a source holds and cannot be read is out of reach, never the caller's fault. */
function heldCandidates(
  lists: RevocationLists,
  path: VekPath,
  found: SnpEndorsementSet | null,
  product: SnpProduct,
): readonly Candidate[] {
  const held = found?.crls.get(product);
  if (held === undefined) return [];
  return nullIfMalformed(() => candidatesOf(lists.read(held.value, path), held.origin)) ?? [];
}

function choose(
  checks: CheckList,
  path: VekPath,
  genuine: readonly Candidate[],
  found: SnpEndorsementSet | null,
  product: SnpProduct,
  at: Date,
  about: string,
): RevocationVerdict {
  const place = `${about}/crls`;
  const timely = genuine.filter(({ list }) => judgeRevocationListTime(list, at) === null);
  const newest = newestOf(timely);
  if (newest === null) return recordMissing(checks, genuine, { found, product, at, place });
  checks.pass('crl_unavailable', place, {
    actual: newest.list.nextUpdate?.toISOString() ?? null,
    detail: `revocation list of ${product} from ${newest.origin}, valid until the time shown`,
  });
  const revoked = isRevoked(newest.list, path.intermediate.serial);
  checks.require(!revoked, 'cert_revoked', about, {
    detail: 'the intermediate certificate is not revoked',
    otherwise: 'AMD has revoked the intermediate certificate',
  });
  return { state: revoked ? 'revoked' : 'good', crl: crlEndorsement(newest) };
}

function newestOf(candidates: readonly Candidate[]): Candidate | null {
  return candidates.reduce<Candidate | null>(
    (best, next) => (best === null || isNewer(next, best) ? next : best),
    null,
  );
}

function isNewer(a: Candidate, b: Candidate): boolean {
  const [left, right] = [a.list.crlNumber ?? -1n, b.list.crlNumber ?? -1n];
  const began = ({ list }: Candidate) => list.thisUpdate?.getTime() ?? 0;
  return left === right ? began(a) > began(b) : left > right;
}

interface MissingList {
  readonly found: SnpEndorsementSet | null;
  readonly product: SnpProduct;
  readonly at: Date;
  readonly place: string;
}

/**
 * No list is valid at the instant. That one is at hand and does not count is another finding than that none is:
 * `crl_unavailable` passes beside `crl_stale` and `crl_rollback`.
 */
function recordMissing(
  checks: CheckList,
  genuine: readonly Candidate[],
  { found, product, at, place }: MissingList,
): RevocationVerdict {
  const problem = found?.crlProblems.get(product);
  const unusable =
    problem === undefined || problem.code === 'crl_unavailable' ? staleOf(genuine, product, at) : problem;
  if (unusable !== null) {
    checks.pass('crl_unavailable', place, { detail: `a revocation list of ${product} is at hand` });
    checks.unavailable(unusable.code, place, unusable.detail, unusable.retryable);
  } else {
    const detail = problem?.detail ?? `no revocation list of ${product} is at hand`;
    checks.unavailable('crl_unavailable', place, detail, problem?.retryable ?? false);
  }
  return { state: 'unavailable', crl: null };
}

/** Where lists are at hand, and none is valid at the instant. */
function staleOf(genuine: readonly Candidate[], product: SnpProduct, at: Date): Unavailable | null {
  const last = newestOf(genuine);
  if (last === null) return null;
  const detail = `${product}: ${judgeRevocationListTime(last.list, at)?.detail}`;
  return { code: 'crl_stale', detail, retryable: true };
}

function crlEndorsement({ list, sha256, origin }: Candidate): UsedEndorsement {
  return {
    kind: 'crl',
    sha256,
    source: origin,
    notAfter: list.nextUpdate ?? new Date(0),
    revocation: 'not_applicable',
  };
}
