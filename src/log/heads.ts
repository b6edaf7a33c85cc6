import { calculateJwkThumbprint, compactVerify, decodeProtectedHeader } from 'jose';
import type { ChainEnd } from '../core/decision-log.js';
import { isObject, type JsonObject, type JsonValue } from '../core/json.js';
import { canonicalJson } from '../formats/canonical-json.js';
import { isDigest, isPosition } from './record-content.js';

/** `typ` of a signed head. */
const HEAD_TYP = 'veritee-head+jwt';

const ALGORITHMS = ['ES256', 'EdDSA', 'RS256'];

/** Signs with a key that outlives the process. */
export interface HeadSigner {
  /**
   * @returns a JWS in compact form; null if the only key is temporary, so that the head could never be verified later
   * @throws {Error} if the key cannot be used now
   */
  sign(header: { readonly typ: string }, payload: Uint8Array): Promise<string | null>;
  /** Public signing keys in the form of a key set: empty if the only key is temporary. */
  keys(): readonly JsonObject[];
}

/** Signs the end of a chain. Returns null if there is no signing key. */
export function signHead(signer: HeadSigner, { chain, seq, hash }: ChainEnd, time: Date): Promise<string | null> {
  const payload = canonicalJson({ chain, seq, hash, time: time.toISOString() });
  return signer.sign({ typ: HEAD_TYP }, Buffer.from(payload));
}

/** The content of a head, once its signature verifies. */
export interface VerifiedHead extends ChainEnd {
  readonly time: string;
  readonly kid: string;
}

/** Public keys that heads may be signed with, by their thumbprints. */
export class HeadKeys {
  readonly #keys = new Map<string, JsonObject>();

  /** Adds a key by its thumbprint (RFC 7638), which heads name. The key's own `kid` is not trusted. Ignores values that are no key. */
  async add(jwk: JsonObject): Promise<void> {
    const thumbprint = await calculateJwkThumbprint(jwk).catch(() => null);
    if (thumbprint !== null && !this.#keys.has(thumbprint)) this.#keys.set(thumbprint, jwk);
  }

  get(thumbprint: string): JsonObject | undefined {
    return this.#keys.get(thumbprint);
  }
}

/** Why a head does not verify. */
export interface UnverifiedHead {
  readonly why: string;
  /** Whether the only problem is that its key is not among the given keys. */
  readonly isOfUnknownKey: boolean;
}

export async function verifyHead(jws: string, keys: HeadKeys): Promise<VerifiedHead | UnverifiedHead> {
  try {
    const { kid, typ } = decodeProtectedHeader(jws);
    if (typ !== HEAD_TYP) return unverified('it is no signed head');
    const jwk = kid === undefined ? undefined : keys.get(kid);
    if (kid === undefined || jwk === undefined) {
      return { why: `its key ${JSON.stringify(kid ?? null)} is not known`, isOfUnknownKey: true };
    }
    const { payload } = await compactVerify(jws, jwk, { algorithms: ALGORITHMS });
    return readHead(JSON.parse(Buffer.from(payload).toString('utf8')), kid);
  } catch {
    return unverified('its signature does not verify');
  }
}

function unverified(why: string): UnverifiedHead {
  return { why, isOfUnknownKey: false };
}

function readHead(payload: JsonValue, kid: string): VerifiedHead | UnverifiedHead {
  const { chain, seq, hash, time } = isObject(payload) ? payload : {};
  const position = { chain, seq };
  if (!isPosition(position) || !isDigest(hash) || typeof time !== 'string')
    return unverified('it does not name a record');
  return { ...position, hash, time, kid };
}
