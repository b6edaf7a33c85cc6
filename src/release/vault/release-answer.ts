import { FormatError, UnfitError, unfitIfMalformed } from '../../core/errors.js';
import { isObject, type JsonObject, type JsonValue, memberOf } from '../../core/json.js';
import type { ReleaseAsk, ReleasedKey } from '../../core/key-release.js';
import { vaultKeyId } from '../../core/key-vault-key.js';
import { equalInConstantTime } from '../../crypto/constant-time.js';
import { verifyJws } from '../../crypto/jws-signature.js';
import { type Jws, parseClaimsSet, parseJws } from '../../formats/jws.js';
import type { X509Certificate } from '../../formats/x509-certificate.js';
import { signerOf } from './answer-signer.js';
import { readWrappedKey } from './wrapped-key.js';

/** The request, and the rules for the signer of the answer. */
export interface ReleaseQuestion extends Pick<ReleaseAsk, 'enc' | 'at'> {
  readonly key: Pick<ReleaseAsk['key'], 'host' | 'name' | 'version'>;
  /** Null if none was sent: then the answer may be of any time, so that is only for later verification. */
  readonly nonce: string | null;
  /** The trust anchors for the signer's certificate. */
  readonly roots: readonly X509Certificate[];
}

/**
 * Verifies the answer of a vault to a release call: a JWS signed with RS256 by the service of the vault's domain, about
 * this key, this nonce and this way of encryption. Until the signature is verified, an attacker may have written it; the
 * payload is not read before.
 *
 * Ignores unknown members where Microsoft may add some: in the header (except critical ones, such as RFC 7515 `crit`, which
 * are rejected), in the payload, and in the description of the key. In `key_hsm` all unknown members are
 * rejected.
 *
 * Not checked: `request.kid`, `attributes` and `release_policy`, which describe the vault, not the request;
 * `kid` and `typ` of the header; revocation of the certificate.
 *
 * @param value `value` of the answer
 * @throws {UnfitError} with the fault, in words of this service, as the end of a sentence about the answer
 */
export async function verifyReleaseAnswer(value: string, question: ReleaseQuestion): Promise<ReleasedKey> {
  const jws = readJws(value);
  await requireSignature(value, jws, question);
  const { request, key } = releaseParts(unfitIfMalformed(() => parseClaimsSet(jws.payload)));
  requireSameRequest(request, question);
  const keyVersion = versionOf(key['kid'], question.key);
  return { value, keyVersion, wrappingKid: readWrappedKey(key['key_hsm'], question.enc).kid };
}

function readJws(value: string): Jws {
  try {
    return parseJws(value);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    // A message about the token of a request would be wrong here.
    throw new UnfitError(error.code === 'token_format' ? 'it is not a JWS' : `its header: ${error.message}`);
  }
}

async function requireSignature(value: string, { header }: Jws, { key, roots, at }: ReleaseQuestion): Promise<void> {
  if (header.alg !== 'RS256') throw new UnfitError('it is not signed with RS256');
  const signer = signerOf(header, { host: key.host, roots, at });
  if (!(await verifyJws(value, 'RS256', signer))) throw new UnfitError('its signature does not verify');
}

/** `request`, and `response.key.key`. */
function releaseParts({ request, response }: JsonObject): { readonly request: JsonObject; readonly key: JsonObject } {
  const key = memberOf(memberOf(response, 'key'), 'key');
  if (!isObject(request) || !isObject(key)) throw new UnfitError('it is no answer to a release call');
  return { request, key };
}

/** Each answer repeats its request. The nonce ties it to one call. */
function requireSameRequest({ nonce, enc }: JsonObject, question: ReleaseQuestion): void {
  if (question.nonce === null && nonce !== undefined) throw new UnfitError('it has a nonce, and none was sent');
  if (question.nonce !== null && !equalsText(nonce, question.nonce)) {
    throw new UnfitError('it does not have the nonce that was sent');
  }
  if (enc !== question.enc) throw new UnfitError(`it is not about wrapping by ${question.enc}`);
}

function equalsText(value: JsonValue | undefined, text: string): boolean {
  return typeof value === 'string' && equalInConstantTime(Buffer.from(value), Buffer.from(text));
}

/** @returns the version of the released key */
function versionOf(kid: JsonValue | undefined, { host, name, version }: ReleaseQuestion['key']): string {
  const id = typeof kid === 'string' ? vaultKeyId(kid) : null;
  if (id === null) throw new UnfitError('it does not name the key that was released');
  if (id.host !== host) throw new UnfitError('it is about a key of another vault');
  // Names of keys are compared without case (Key Vault object identifiers).
  if (id.name.toLowerCase() !== name.toLowerCase()) throw new UnfitError('it is about another key of the vault');
  if (version !== null && id.version !== version) throw new UnfitError('it is about another version of the key');
  return id.version;
}
