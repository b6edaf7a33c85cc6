import { vaultKeyId } from './key-vault-key.js';

/**
 * How a released key is wrapped (`enc` of a release call): RSA-OAEP with SHA-1, SHA-256 or SHA-384 of an AES-256 key, then
 * AES key wrap with padding (RFC 5649).
 */
export const RELEASE_ENCS = ['CKM_RSA_AES_KEY_WRAP', 'RSA_AES_KEY_WRAP_256', 'RSA_AES_KEY_WRAP_384'] as const;
export type ReleaseEnc = (typeof RELEASE_ENCS)[number];

/** A key that an Azure Key Vault or a Managed HSM may release, as it is configured. */
export interface ReleasableKey {
  /** Host name of the vault, in lower case. */
  readonly host: string;
  readonly name: string;
  /** 32 digits of hex; null: the version that is the vault's newest at the time. */
  readonly version: string | null;
  /** The scope of an access token for the vault, such as `https://vault.azure.net/.default`. */
  readonly scope: string;
  /** DER of the roots that the certificate of the answer may chain to; null: those that Node trusts for TLS. */
  readonly roots: readonly Uint8Array[] | null;
}

const NO_VERSION = '0'.repeat(32);

/**
 * A releasable key by what a configuration says of it.
 * @param vault its origin, as `https://NAME.vault.azure.net`
 * @returns null where `vault` is the origin of no vault of a known cloud, or name or version is none
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
  /** The token that the vault verifies, and has the wrapping key from: sent byte for byte. */
  readonly target: string;
  /** New for each call: comes back in the answer. */
  readonly nonce: string;
  readonly enc: ReleaseEnc;
  /** Verification time of the answer's certificates. */
  readonly at: Date;
  /** Principal of the caller, for fair turns at the vault. */
  readonly principal: string;
}

/** A key as a vault released it, wrapped: whoever has the private half of the wrapping key opens it. */
export interface ReleasedKey {
  /** JWS Compact Serialization, as the vault signed it. */
  readonly value: string;
  readonly keyVersion: string;
  /** `kid` of the key of the token that the vault wrapped to. Whether it is the expected one is for the caller. */
  readonly wrappingKid: string;
}

/** Releases keys. */
export interface ReleaseVault {
  /**
   * Has a key released, in one call, or two where the vault did not take the first access token. What is returned was
   * verified, save for `wrappingKid`.
   * @throws {ReleaseRefusedError} `release_refused`
   * @throws {ReleaseUnavailableError} `release_unavailable`
   */
  release(ask: ReleaseAsk, signal: AbortSignal): Promise<ReleasedKey>;
}

/** The note about a failed release beside the message, which is one sentence, lower case, no period. */
export interface ReleaseFailure {
  /** The remedy for the caller or the operator. One sentence. */
  readonly remedy: string;
  readonly cause?: unknown;
}

/** The vault said no, or gave an answer that is not the one that was asked for. Nothing of it may be handed out. */
export class ReleaseRefusedError extends Error {
  override readonly name = 'ReleaseRefusedError';
  readonly code = 'release_refused';
  readonly remedy: string;

  constructor(detail: string, { remedy, cause }: ReleaseFailure) {
    super(detail, cause === undefined ? undefined : { cause });
    this.remedy = remedy;
  }
}

/** There was no answer of the vault: nobody said no, and another attempt may succeed. */
export class ReleaseUnavailableError extends Error {
  override readonly name = 'ReleaseUnavailableError';
  readonly code = 'release_unavailable';
  readonly remedy: string;
  /** When another attempt is worth while, in whole seconds; null where nobody says. */
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
