import { hex } from '../core/bytes.js';
import { nullIfMalformed } from '../core/errors.js';
import { decodeBase64 } from '../formats/base64.js';
import type { HardwareVerdict, Subtle } from './hardware-signature.js';
import type { Decision } from './service.js';
import { type FoundBytes, readBytes } from './structures.js';
import { unshared } from './web-crypto.js';

/** Endorsements by digest, as `Service` requests them. */
export interface EndorsementGiver {
  endorsement(sha256: string): Promise<{ readonly value: string }>;
}

export type FetchedEndorsements =
  | { readonly state: 'fetched'; readonly found: readonly FoundBytes[] }
  /** The bytes from the service do not match the digest in its decision: none of them is used. */
  | { readonly state: 'failed'; readonly verdict: HardwareVerdict };

/** Certificates between a report or quote and its vendor's root. */
const CERTIFICATES: ReadonlySet<string> = new Set(['vcek', 'vlek', 'ask', 'asvk', 'ark', 'pck', 'pck-ca', 'sgx-root']);
/** More than any decision names. */
const MOST = 16;

/** Their place among the structures of the evidence. */
const LABEL = 'given by the service';

/**
 * Fetches the certificates of a decision that are not in the evidence, by their digests, which the page recomputes.
 * A certificate that the service no longer has is left out.
 */
export async function fetchEndorsements(
  { endorsements }: Pick<Decision, 'endorsements'>,
  service: EndorsementGiver,
  subtle: NonNullable<Subtle>,
): Promise<FetchedEndorsements> {
  const wanted = endorsements.filter(({ kind, source }) => CERTIFICATES.has(kind) && source !== 'evidence');
  const found: FoundBytes[] = [];
  for (const { kind, sha256 } of wanted.slice(0, MOST)) {
    const answer = await service.endorsement(sha256).catch(() => null);
    if (answer === null) continue;
    const bytes = nullIfMalformed(() => decodeBase64(answer.value));
    if (bytes === null || (await browserSha256(bytes, subtle)) !== sha256)
      return { state: 'failed', verdict: otherBytes(kind) };
    const read = readBytes(bytes, `${kind.toUpperCase()} ${LABEL}`);
    if (read !== null) found.push(read);
  }
  return { state: 'fetched', found };
}

function otherBytes(kind: string): HardwareVerdict {
  const what = `the service gave the ${kind.toUpperCase()} that its decision names`;
  return { state: 'failed', steps: [{ what, holds: false }] };
}

async function browserSha256(bytes: Uint8Array, subtle: NonNullable<Subtle>): Promise<string> {
  return hex(new Uint8Array(await subtle.digest('SHA-256', unshared(bytes))));
}
