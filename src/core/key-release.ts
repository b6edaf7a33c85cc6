import { vaultKeyId } from './key-vault-key.js';

/**
 * How a released key is encrypted (`enc` of a release call): RSA-OAEP with SHA-1, SHA-256 or SHA-384 of an AES-256 key, then
 * AES key wrap with padding (RFC 5649).
 */
export const RELEASE_ENCS = ['CKM_RSA_AES_KEY_WRAP', 'RSA_AES_KEY_WRAP_256', 'RSA_AES_KEY_WRAP_384'] as const;
export type ReleaseEnc = (typeof RELEASE_ENCS)[number];

/** A configured key that an Azure Key Vault or a Managed HSM may release. */
export interface ReleasableKey {
  /** Host name of the vault, in lower case. */
  readonly host: string;
  readonly name: string;
  /** 32 digits of hex; null: the vault's newest version at that time. */
  readonly version: string | null;
  /** The scope of an access token for the vault, such as `https://vault.azure.net/.default`. */
  readonly scope: string;
  /** DER of the roots for the certificate of the answer; null: those that Node trusts for TLS. */
  readonly roots: readonly Uint8Array[] | null;
}

const NO_VERSION = '0'.repeat(32);

/**
 * Makes a releasable key from its configuration.
 * @param vault its origin, as `https://NAME.vault.azure.net`
 * @returns null if `vault` is no vault of a known cloud, or name or version is invalid
 */
export function releasableKey(
  vault: string,
  name: string,
  version: string | null,
  roots: readonly Uint8Array[] | null = null,
): ReleasableKey | null {
  const id = vaultKeyId(`${vault.replace(/\/$/, '')}/keys/${name}/${version ?? NO_VERSION}`);
  return id && { host: id.host, name: id.name, version, scope: id.scope, roots };
}

/** The request to a vault. */
export interface ReleaseAsk {
  readonly key: ReleasableKey;
  /** The token that the vault verifies, and takes the wrapping key from: sent byte for byte. */
  readonly target: string;
  /** New for each call; the answer repeats it. */
  readonly nonce: string;
  readonly enc: ReleaseEnc;
  /** Verification time of the answer's certificates. */
  readonly at: Date;
  /** Principal of the caller, for fair turns at the vault. */
  readonly principal: string;
}

/** A key that a vault released, encrypted: the holder of the private wrapping key can decrypt it. */
export interface ReleasedKey {
  /** JWS Compact Serialization, as the vault signed it. */
  readonly value: string;
  readonly keyVersion: string;
  /** `kid` of the key in the token that the vault encrypted to. The caller compares it with the expected one. */
  readonly wrappingKid: string;
}

/** Releases keys. */
export interface ReleaseVault {
  /**
   * Requests a key release, in one call, or two if the vault rejects the first access token. The result is
   * verified, except `wrappingKid`.
   * @throws {ReleaseRefusedError} `release_refused`
   * @throws {ReleaseUnavailableError} `release_unavailable`
   */
  release(ask: ReleaseAsk, signal: AbortSignal): Promise<ReleasedKey>;
}

/** The details of a failed release. The message is one sentence, lower case, no period. */
export interface ReleaseFailure {
  /** The remedy for the caller or the operator. One sentence. */
  readonly remedy: string;
  readonly cause?: unknown;
}

/** The vault refused, or its answer does not match the request. Nothing of it may be released. */
export class ReleaseRefusedError extends Error {
  override readonly name = 'ReleaseRefusedError';
  readonly code = 'release_refused';
  readonly remedy: string;

  constructor(detail: string, { remedy, cause }: ReleaseFailure) {
    super(detail, cause === undefined ? undefined : { cause });
    this.remedy = remedy;
  }
}

/** The vault did not answer, so that another attempt may succeed. */
export class ReleaseUnavailableError extends Error {
  override readonly name = 'ReleaseUnavailableError';
  readonly code = 'release_unavailable';
  readonly remedy: string;
  /** When to retry, in whole seconds; null if no time is known. */
  readonly retryAfterSeconds: number | null;

  constructor(
    detail: string,
    { remedy, cause, retryAfterSeconds = null }: ReleaseFailure & { retryAfterSeconds?: number | null },
  ) {
    super(detail, cause === undefined ? undefined : { cause });
    this.remedy = remedy;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
