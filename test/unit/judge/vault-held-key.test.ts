import { createHash } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import type { Decision } from '../../../src/core/decision.js';
import type { AllowedRelease } from '../../../src/core/held-key.js';
import type { JsonObject } from '../../../src/core/json.js';
import { type ReleasedKey, ReleaseRefusedError, releasableKey } from '../../../src/core/key-release.js';
import type { VerifyRequest } from '../../../src/core/request.js';
import { VaultHeldKey } from '../../../src/judge/vault-held-key.js';

const NOW = new Date('2026-01-15T12:00:00Z');
const VERSION = '78deebed173b48e48f55abf87ed4cf71';
const TOKEN = 'a.maa.token';
/** Bytes whose base64url is not their base64. */
const NONCE = Buffer.alloc(32, 0xfb);
const NEVER = new AbortController().signal;

const KEY = releasableKey('https://lab.vault.azure.net', 'db-key', VERSION, null);
if (KEY === null) throw new Error('no key');

const wrap = (kid: string): JsonObject => ({ kid, kty: 'RSA', use: 'enc', n: 'n', e: 'AQAB' });

function held(answer: Partial<ReleasedKey> = {}) {
  const release = vi.fn(async () => ({ value: 'jws', keyVersion: VERSION, wrappingKid: 'wrap', ...answer }));
  const named = { policy: 'keys', tenant: 'red', anyMachine: false };
  const options = { ...named, key: KEY as NonNullable<typeof KEY>, clock: { now: () => NOW } };
  return { release, key: new VaultHeldKey({ ...options, enc: 'RSA_AES_KEY_WRAP_384', vault: { release } }) };
}

/** The token is not the first one that was sent. */
function allowed(keys: readonly JsonObject[] = [wrap('wrap')], types = ['ita-token', 'maa-token']): AllowedRelease {
  const attestationResults = types.map((type) => ({ type, token: type === 'maa-token' ? TOKEN : 'another.token.of' }));
  const claims = { maa: { claims: { 'x-ms-runtime': { keys } } } };
  return {
    request: { nonce: NONCE, attestationResults } as unknown as VerifyRequest,
    decision: { binding: { jkt: 'of wrap' }, claims } as unknown as Decision,
    principal: 'guests',
  };
}

describe('a key of a vault', () => {
  it('is asked for with the token of Azure Attestation, the challenge as it was given out, and the time of now', async () => {
    const { key, release } = held();
    expect(await key.release(allowed(), NEVER)).toEqual({ value: 'jws', keyVersion: VERSION });
    const nonce = NONCE.toString('base64url');
    expect(release.mock.calls).toEqual([
      [{ key: KEY, target: TOKEN, nonce, enc: 'RSA_AES_KEY_WRAP_384', at: NOW, principal: 'guests' }, NEVER],
    ]);
  });

  it('is recorded with what is asked for, and with the token by its digest', () => {
    expect(held().key.describe(allowed())).toEqual({
      type: 'vault',
      host: 'lab.vault.azure.net',
      name: 'db-key',
      version: VERSION,
      enc: 'RSA_AES_KEY_WRAP_384',
      targetSha256: createHash('sha256').update(TOKEN).digest('hex'),
      jkt: 'of wrap',
    });
    expect(held().key).toMatchObject({ kind: 'vault', policy: 'keys', tenant: 'red' });
  });

  it.each([
    ['another key', 'other', [wrap('wrap')]],
    ['a key of the token that does not encrypt', 'HCLAkPub', [wrap('HCLAkPub'), wrap('wrap')]],
    ['a key without a name', '', [wrap('wrap')]],
    ['a key of a token without one', 'wrap', []],
  ])('REL-02 is not handed out where the vault wrapped it to %s', async (_, wrappingKid, keys) => {
    const releasing = held({ wrappingKid }).key.release(allowed(keys), NEVER);
    const refused = await releasing.catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ReleaseRefusedError);
    expect(refused).toMatchObject({
      code: 'release_refused',
      message: 'the vault wrapped the key to another key than the bound one',
    });
  });

  it('is not asked for without the token', async () => {
    const { key, release } = held();
    await expect(key.release(allowed([], ['ita-token']), NEVER)).rejects.toThrow('without its token');
    expect(release).not.toHaveBeenCalled();
  });
});
