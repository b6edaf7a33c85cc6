import {
  constants,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type JsonWebKey,
  publicEncrypt,
} from 'node:crypto';
import { CompactEncrypt, importJWK, type JWK } from 'jose';
import { FormatError } from '../core/errors.js';
import type { AllowedRelease, HeldKey, ReleasedValue } from '../core/held-key.js';
import type { JsonObject } from '../core/json.js';
import { ReleaseUnavailableError } from '../core/key-release.js';
import { thumbprintMembers } from '../crypto/jwk-thumbprint.js';
import { unlessAborted } from '../outside/bounded-signal.js';

const BOUND_KEY = '/binding/jwk';

/** Curves of key agreement (RFC 7518, section 4.6; RFC 8037). */
const AGREEMENT_CURVES: ReadonlySet<unknown> = new Set(['P-256', 'P-384', 'P-521', 'X25519']);
/** 65537, the only accepted exponent. */
const EXPONENT = 'AQAB';
const LEAST_RSA_BITS = 2048;

export interface LocalKeyOptions extends Pick<HeldKey, 'policy' | 'tenant' | 'anyMachine'> {
  /**
   * Reads the bytes of the key into memory of their own, which is overwritten after use.
   * @throws {Error} if they cannot be read
   */
  readonly read: () => Promise<Uint8Array>;
}

/**
 * A key of the service itself: the bytes of a file, read for each release, encrypted to the bound key, and
 * overwritten. They are never a string, which cannot be overwritten.
 */
export class LocalKey implements HeldKey {
  readonly kind = 'local';
  readonly policy: string;
  readonly tenant: string;
  readonly anyMachine: boolean;
  readonly #read: LocalKeyOptions['read'];
  /** Resolves with the last read that was started. */
  #before: Promise<unknown> = Promise.resolve();
  /** Whether an abandoned read is still running: its file system does not answer. */
  #isStuck = false;

  constructor({ policy, tenant, anyMachine, read }: LocalKeyOptions) {
    this.policy = policy;
    this.tenant = tenant;
    this.anyMachine = anyMachine;
    this.#read = read;
  }

  requireFit(boundKey: JsonObject): void {
    const alg = keyManagementOf(boundKey);
    try {
      tryOut(publicHalf(boundKey) as JsonWebKey, alg);
    } catch {
      throw new FormatError('schema', 'is no point of its curve, or no key at all', { pointer: BOUND_KEY });
    }
  }

  describe() {
    return { type: 'local' } as const;
  }

  async release({ request, decision }: AllowedRelease, signal: AbortSignal): Promise<ReleasedValue> {
    const jwk = request.bindingJwk ?? {};
    const alg = keyManagementOf(jwk);
    const recipient = await importJWK(publicHalf(jwk), alg);
    const bytes = await this.#bytes(signal);
    try {
      // The thumbprint tells the holder which key to use.
      const header = { alg, enc: 'A256GCM', kid: decision.binding?.jkt ?? '' } as const;
      return { value: await new CompactEncrypt(bytes).setProtectedHeader(header).encrypt(recipient), keyVersion: null };
    } finally {
      bytes.fill(0);
    }
  }

  /**
   * Reads within the time of the request, one file at a time: a stuck read blocks a thread of the process. Until it ends,
   * further requests fail at once.
   */
  async #bytes(signal: AbortSignal): Promise<Uint8Array> {
    if (this.#isStuck) throw unanswered(NO_ANSWER);
    let isBegun = false;
    const reading = this.#before.then(() => {
      if (signal.aborted) return null;
      isBegun = true;
      return this.#read();
    });
    this.#before = reading.catch(() => undefined);
    const bytes = await unlessAborted(reading, signal, () => null).catch((cause: unknown) => {
      throw new ReleaseUnavailableError('the file of the key cannot be read', { remedy: UNREADABLE, cause });
    });
    if (bytes !== null) return bytes;
    // The file system is not at fault: verification, or earlier reads, took the time.
    if (!isBegun) throw unanswered(TOO_LATE);
    this.#isStuck = true;
    const over = (late: Uint8Array | null) => {
      late?.fill(0);
      this.#isStuck = false;
    };
    void reading.then(over, () => over(null));
    throw unanswered(NO_ANSWER);
  }
}

function unanswered(remedy: string): ReleaseUnavailableError {
  return new ReleaseUnavailableError('the file of the key is not read in time', { remedy });
}

/** A test key. Nothing is encrypted with it. */
const { privateKey: PROBE } = generateKeyPairSync('x25519', {
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});

/** Some keys parse but then fail: points of small order, even moduli. A release would then fail with its challenge used up. */
function tryOut(jwk: JsonWebKey, alg: ReturnType<typeof keyManagementOf>): void {
  const key = createPublicKey({ key: jwk, format: 'jwk' });
  if (alg === 'RSA-OAEP-256') {
    publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }, new Uint8Array(32));
  } else if (key.asymmetricKeyType === 'x25519') {
    // On the other curves, each point that parses is valid.
    diffieHellman({ publicKey: key, privateKey: createPrivateKey(PROBE) });
  }
}

const TOO_LATE =
  'The caller should try again with a new challenge: the time of the request was over before the file was read.';
const NO_ANSWER = 'The operator should see why the file system of the key does not answer.';
const UNREADABLE = 'The operator should see in the log why the file of the key cannot be read.';

/**
 * How a content key is encrypted to a key (RFC 7518, section 4).
 * @throws {FormatError} `schema` for a key that cannot be used for encryption
 */
function keyManagementOf({ kty, crv, e, n }: JsonObject): 'RSA-OAEP-256' | 'ECDH-ES+A256KW' {
  if (kty === 'RSA') {
    if (e !== EXPONENT)
      throw new FormatError('schema', 'has another exponent than 65537', { pointer: `${BOUND_KEY}/e` });
    if (bitsOf(String(n)) < LEAST_RSA_BITS) {
      throw new FormatError('schema', `has fewer than ${LEAST_RSA_BITS} bits`, { pointer: `${BOUND_KEY}/n` });
    }
    return 'RSA-OAEP-256';
  }
  if (AGREEMENT_CURVES.has(crv)) return 'ECDH-ES+A256KW';
  const kinds = `RSA, ${[...AGREEMENT_CURVES].join(', ')}`;
  throw new FormatError('schema', `is no key that something can be encrypted to: ${kinds}`, { pointer: BOUND_KEY });
}

/** The members that the thumbprint covers, and no others. */
function publicHalf(jwk: JsonObject): JWK {
  return (thumbprintMembers(jwk) ?? {}) as JWK;
}

function bitsOf(modulus: string): number {
  const bytes = Buffer.from(modulus, 'base64url');
  return bytes.byteLength * 8 - Math.clz32(bytes[0] ?? 0) + 24;
}
