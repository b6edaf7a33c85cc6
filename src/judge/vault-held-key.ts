import { createHash } from 'node:crypto';
import { tokenRouteOf } from '../core/evidence-traits.js';
import type { AllowedRelease, HeldKey, ReleasedValue } from '../core/held-key.js';
import { type ReleasableKey, type ReleaseEnc, ReleaseRefusedError, type ReleaseVault } from '../core/key-release.js';
import type { AskedVaultKey } from '../core/key-release-record.js';
import type { Clock } from '../core/ports.js';
import type { VerifyRequest } from '../core/request.js';
import { wrappingKeys } from './wrapping-keys.js';

export interface VaultHeldKeyOptions extends Pick<HeldKey, 'policy' | 'tenant' | 'anyMachine'> {
  readonly key: ReleasableKey;
  readonly enc: ReleaseEnc;
  readonly vault: ReleaseVault;
  readonly clock: Pick<Clock, 'now'>;
}

/** A key of Azure Key Vault or Managed HSM. The vault wraps it to the only encryption key in the token. */
export class VaultHeldKey implements HeldKey {
  readonly kind = 'vault';
  readonly policy: string;
  readonly tenant: string;
  readonly anyMachine: boolean;
  readonly #options: VaultHeldKeyOptions;

  constructor(options: VaultHeldKeyOptions) {
    this.policy = options.policy;
    this.tenant = options.tenant;
    this.anyMachine = options.anyMachine;
    this.#options = options;
  }

  /** Does nothing: the token determines the wrapping key, and a check compares that key with the bound key. */
  requireFit(): void {}

  describe({ request, decision }: AllowedRelease): AskedVaultKey {
    const { key, enc } = this.#options;
    return {
      type: 'vault',
      host: key.host,
      name: key.name,
      version: key.version,
      enc,
      targetSha256: createHash('sha256').update(targetOf(request)).digest('hex'),
      jkt: decision.binding?.jkt ?? '',
    };
  }

  async release({ request, decision, principal }: AllowedRelease, signal: AbortSignal): Promise<ReleasedValue> {
    const { key, enc, vault, clock } = this.#options;
    // The nonce is the challenge. The guest has it, and can detect a replayed answer with it.
    const nonce = Buffer.from(request.nonce ?? []).toString('base64url');
    const target = targetOf(request);
    const { value, keyVersion, wrappingKid } = await vault.release(
      { key, target, nonce, enc, at: clock.now(), principal },
      signal,
    );
    const [wrapping] = wrappingKeys(decision.claims.maa?.claims ?? {});
    if (wrapping?.['kid'] === wrappingKid) return { value, keyVersion };
    throw new ReleaseRefusedError('the vault wrapped the key to another key than the bound one', {
      remedy: 'The guest should have exactly one key for encryption in x-ms-runtime of its token, and bind that one.',
    });
  }
}

/** The verified token, byte for byte. */
function targetOf({ attestationResults }: VerifyRequest): string {
  const target = attestationResults.find(({ type }) => tokenRouteOf(type) === 'maa');
  if (target === undefined) throw new Error('a release by a vault without its token');
  return target.token;
}
