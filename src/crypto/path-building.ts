import { isSameName } from '../formats/distinguished-name.js';
import type { X509Certificate } from '../formats/x509-certificate.js';
import { checkValidity, isIssuedBy, MAXIMUM_PATH, verifyCertificatePath } from './certificate-path.js';
import { spkiDigest } from './key-cache.js';
import type { PathProfile } from './path-profile.js';

/** Most signatures that are tried for one path. Bounds the work for a folder with many issuers of one name. */
const MAXIMUM_TRIALS = 64;

/** The candidate issuers, and the conditions on them. */
export interface Completion {
  readonly atHand: readonly X509Certificate[];
  readonly profile: PathProfile;
  readonly at: Date;
}

/**
 * Completes the certificates of a request up to a pinned key: by name and signature, since
 * a reissued issuer may have another key. The sent certificates stay unchanged, and a path that ends
 * at a pinned key is complete already.
 *
 * @param sent leaf first
 * @returns of the possible paths, one that verifies and is valid; else one that verifies; else the
 *   longest one. The caller must verify it.
 */
export function completePath(sent: readonly X509Certificate[], completion: Completion): readonly X509Certificate[] {
  const { profile, at } = completion;
  if (isPinned(sent, profile)) return sent;
  const paths = [...pathsFrom(sent, completion, { left: MAXIMUM_TRIALS })];
  const whole = paths.filter((path) => verifyCertificatePath(path, profile).length === 0);
  const valid = whole.find((path) => checkValidity(path, at) === null);
  return valid ?? whole[0] ?? furthest(paths, profile) ?? sent;
}

function* pathsFrom(
  path: readonly X509Certificate[],
  completion: Completion,
  trials: { left: number },
): Generator<readonly X509Certificate[]> {
  const issuers = isPinned(path, completion.profile) ? [] : issuersOf(path, completion, trials);
  if (issuers.length === 0) yield path;
  for (const issuer of issuers) yield* pathsFrom([...path, issuer], completion, trials);
}

/** The candidates that signed the last certificate of a path, and whose key is not in it yet. */
function issuersOf(
  path: readonly X509Certificate[],
  { atHand, profile }: Completion,
  trials: { left: number },
): readonly X509Certificate[] {
  const last = path.at(-1);
  if (last === undefined || path.length >= MAXIMUM_PATH) return [];
  const keys = new Set(path.map(spkiDigest));
  return atHand.filter((issuer) => {
    if (!isSameName(last.issuer, issuer.subject) || keys.has(spkiDigest(issuer)) || trials.left === 0) return false;
    trials.left -= 1;
    return isIssuedBy(last, issuer, profile);
  });
}

function isPinned(path: readonly X509Certificate[], { anchors }: PathProfile): boolean {
  const last = path.at(-1);
  return last !== undefined && anchors.has(spkiDigest(last));
}

function furthest(
  paths: readonly (readonly X509Certificate[])[],
  profile: PathProfile,
): readonly X509Certificate[] | undefined {
  return paths.find((path) => isPinned(path, profile)) ?? paths.toSorted((a, b) => b.length - a.length)[0];
}
