import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../src/core/json.js';
import { RELEASE_ENCS } from '../../../../src/core/key-release.js';
import { type ReleaseQuestion, verifyReleaseAnswer } from '../../../../src/release/vault/release-answer.js';
import { type ReleaseMaking, releaseAnswer, unwrapReleasedKey } from '../../../lab/key-release.js';
import { namedRsaKey } from '../../../lab/lab-keys.js';
import {
  answer,
  guestKey,
  HOST,
  KID,
  MATERIAL,
  NONCE,
  pki,
  problemOf,
  QUESTION,
  stranger,
  VERSION,
  wrapping,
} from './answer-fixture.js';

const OTHER_VERSION = '0'.repeat(32);

describe('the answer to a release call', () => {
  it.each(RELEASE_ENCS)('that is wrapped by %s is handed out as it is, and opens in the guest', async (enc) => {
    const value = releaseAnswer({ nonce: NONCE, enc, asked: KID, kid: KID }, MATERIAL, wrapping, pki);
    const released = await verifyReleaseAnswer(value, { ...QUESTION, enc });
    expect(released).toEqual({ value, keyVersion: VERSION, wrappingKid: 'TpmEphemeralEncryptionKey' });
    expect(Buffer.from(unwrapReleasedKey(released.value, guestKey))).toEqual(Buffer.from(MATERIAL));
    expect(() => unwrapReleasedKey(value, namedRsaKey('strangers-answers-leaf', 2048).privateKey)).toThrow();
  });

  it('says which version it is about where none is configured', async () => {
    const kid = `https://${HOST}/keys/disk/${OTHER_VERSION}`;
    const value = answer({ described: { kid } });
    const key = { ...QUESTION.key, version: null };
    expect(await verifyReleaseAnswer(value, { ...QUESTION, key })).toMatchObject({ keyVersion: OTHER_VERSION });
  });

  it.each<[string, ReleaseMaking]>([
    ['the name of the key in other letters', { described: { kid: `https://${HOST}/keys/Disk/${VERSION}` } }],
    ['a vault in other letters', { described: { kid: `https://Lab.vault.azure.net/keys/disk/${VERSION}` } }],
    ['new members of the header', { header: { 'x-ms-new': true } }],
    ['new members of the payload', { claims: (claims) => ({ ...claims, new: 1 }) }],
    ['new members of the request', { request: { new: 1 } }],
    ['new members of the key', { described: { new: 1 } }],
    ['the generator of a transfer blob', { hsm: { generator: 'lab' } }],
    ['no thumbprints', { header: ({ x5t: _1, 'x5t#S256': _2, ...rest }) => rest }],
  ])('may have %s', async (_what, making) => {
    expect(await problemOf(answer(making))).toBeNull();
  });
});

describe('REL-02 nothing of an answer is handed out', () => {
  const cut = (count: number) => (token: string) => token.split('.').slice(0, count).join('.');
  const replaced = (index: number, part: string) => (token: string) => token.split('.').with(index, part).join('.');
  const flipped = (index: number) => (token: string) => {
    const [part = ''] = token.split('.').slice(index);
    return token
      .split('.')
      .with(index, `${part.startsWith('A') ? 'B' : 'A'}${part.slice(1)}`)
      .join('.');
  };

  it.each<[string, ReleaseMaking, string]>([
    ['is no JWS', { afterSigning: () => JSON.stringify({ schema_version: '1.0' }) }, 'it is not a JWS'],
    ['is empty', { afterSigning: () => '' }, 'it is not a JWS'],
    ['has no signature', { afterSigning: cut(2) }, 'it is not a JWS'],
    ['has padding', { afterSigning: (token) => `${token}=` }, 'it is not a JWS'],
    ['has a line feed', { afterSigning: (token) => `${token}\n` }, 'it is not a JWS'],
    ['is too long', { described: { new: 'x'.repeat(65_536) } }, 'it is not a JWS'],
    ['has a header that is no object', { headerText: () => '[]' }, 'its header: the header is not an object'],
    ['names no algorithm', { header: { alg: 7 } }, 'its header: the header names no algorithm'],
    [
      'has alg twice',
      { headerText: (text) => text.replace('{', '{"alg":"none",') },
      'its header: member appears twice',
    ],
    ['is critical', { header: { crit: ['exp'] } }, 'its header: the header has crit'],
    ['brings its own key', { header: { jwk: {} } }, 'its header: the header has jwk'],
    ['is of alg none', { header: { alg: 'none' }, afterSigning: replaced(2, '') }, 'it is not signed with RS256'],
    ['is signed with PS256', { algorithm: 'PS256' }, 'it is not signed with RS256'],
    ['is signed with RS512', { algorithm: 'RS512' }, 'it is not signed with RS256'],
    ['is signed with HS256 under the public key', { algorithm: 'HS256' }, 'it is not signed with RS256'],
    ['says RS256 of PS256', { algorithm: 'PS256', header: { alg: 'RS256' } }, 'its signature does not verify'],
    ['is signed by another key', { key: stranger.leaf.privateKey }, 'its signature does not verify'],
    ['has a changed signature', { afterSigning: flipped(2) }, 'its signature does not verify'],
    ['has a changed payload', { afterSigning: replaced(1, 'e30') }, 'its signature does not verify'],
    ['has an empty signature', { afterSigning: replaced(2, '') }, 'its signature does not verify'],
    ['has no claims', { claimsText: () => '7' }, 'the claims are not an object'],
    ['has request twice', { claimsText: (text) => text.replace('{', '{"request":{},') }, 'member appears twice'],
    ['has no request', { claims: { request: null } }, 'it is no answer to a release call'],
    ['has no response', { claims: { response: 'x' } }, 'it is no answer to a release call'],
    ['has no key', { claims: { response: { key: {} } } }, 'it is no answer to a release call'],
    ['has an old nonce', { request: { nonce: 'b2xk' } }, 'it does not have the nonce that was sent'],
    ['has no nonce', { request: ({ nonce: _, ...rest }) => rest }, 'it does not have the nonce that was sent'],
    ['has a nonce of another type', { request: { nonce: [NONCE] } }, 'it does not have the nonce that was sent'],
    [
      'was asked for otherwise wrapped',
      { request: { enc: 'CKM_RSA_AES_KEY_WRAP' } },
      'it is not about wrapping by RSA_AES_KEY_WRAP_384',
    ],
    [
      'does not say how it was asked for',
      { request: ({ enc: _, ...rest }) => rest },
      'it is not about wrapping by RSA_AES_KEY_WRAP_384',
    ],
    ['has no kid', { described: { kid: null } }, 'it does not name the key that was released'],
    [
      'has a kid without version',
      { described: { kid: `https://${HOST}/keys/disk` } },
      'it does not name the key that was released',
    ],
    [
      'has a kid of elsewhere',
      { described: { kid: `https://lab.vault.example/keys/disk/${VERSION}` } },
      'it does not name the key that was released',
    ],
    [
      'is of another vault',
      { described: { kid: `https://other.vault.azure.net/keys/disk/${VERSION}` } },
      'it is about a key of another vault',
    ],
    [
      'is of an HSM of the name',
      { described: { kid: `https://lab.managedhsm.azure.net/keys/disk/${VERSION}` } },
      'it is about a key of another vault',
    ],
    [
      'is another key',
      { described: { kid: `https://${HOST}/keys/disk2/${VERSION}` } },
      'it is about another key of the vault',
    ],
    [
      'is another version',
      { described: { kid: `https://${HOST}/keys/disk/${OTHER_VERSION}` } },
      'it is about another version of the key',
    ],
    ['has no key_hsm', { described: { key_hsm: null } }, 'the answer has no wrapped key (key_hsm)'],
    ['has a key_hsm that is no base64url', { described: { key_hsm: '{}' } }, 'the answer has no wrapped key (key_hsm)'],
    ['has a key_hsm that is no object', { hsmText: () => '[]' }, 'the answer has no wrapped key (key_hsm)'],
    [
      'has a kid in key_hsm twice',
      { hsmText: (text) => text.replace('"kid"', '"kid":"x","kid"') },
      'the answer has no wrapped key (key_hsm)',
    ],
    ['has a key_hsm of another version', { hsm: { schema_version: '2.0' } }, 'key_hsm is not of version 1.0'],
    [
      'has a key_hsm without version',
      { hsm: ({ schema_version: _, ...rest }) => rest },
      'key_hsm is not of version 1.0',
    ],
    ['has more in key_hsm', { hsm: { iv: 'AA' } }, 'key_hsm has a member that its version does not have'],
    ['has no header in key_hsm', { hsm: { header: 'x' } }, 'key_hsm has no header'],
    [
      'has more in the header of key_hsm',
      header({ zip: 'DEF' }),
      'the header of key_hsm has a member that it may not have',
    ],
    ['has another alg in key_hsm', header({ alg: 'RSA-OAEP' }), 'key_hsm is of another algorithm than dir'],
    ['is otherwise wrapped', header({ enc: 'RSA_AES_KEY_WRAP_256' }), 'key_hsm is not wrapped by RSA_AES_KEY_WRAP_384'],
    ['names no wrapping key', header({ kid: '' }), 'key_hsm does not name the key that it is wrapped to'],
    ['names a wrapping key by a number', header({ kid: 7 }), 'key_hsm does not name the key that it is wrapped to'],
    ['has no ciphertext', { hsm: { ciphertext: '' } }, 'key_hsm has no ciphertext'],
    ['has a ciphertext of another type', { hsm: { ciphertext: null } }, 'key_hsm has no ciphertext'],
    ['has a ciphertext that is no base64url', { hsm: { ciphertext: 'A B' } }, 'key_hsm has no ciphertext'],
  ])('that %s', async (_what, making, problem) => {
    expect(await problemOf(answer(making))).toBe(problem);
  });

  it.each<[string, Partial<ReleaseQuestion>, string]>([
    ['has a nonce where none was sent', { nonce: null }, 'it has a nonce, and none was sent'],
    ['is for another nonce', { nonce: NONCE.slice(1) }, 'it does not have the nonce that was sent'],
  ])('that %s', async (_what, question, problem) => {
    expect(await problemOf(answer(), question)).toBe(problem);
  });

  function header(members: JsonObject): ReleaseMaking {
    return { hsm: ({ header: genuine, ...rest }) => ({ ...rest, header: { ...(genuine as JsonObject), ...members } }) };
  }
});
