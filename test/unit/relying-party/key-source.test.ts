import { describe, expect, it } from 'vitest';
import { fixedKeySet } from '../../../src/relying-party/key-source.js';

const KEY = { kid: 'one', kty: 'OKP' };

describe('fixedKeySet', () => {
  it.each([
    ['nothing', undefined, 'this is no JWK Set'],
    ['a list', [KEY], 'this is no JWK Set'],
    ['a text', JSON.stringify({ keys: [KEY] }), 'this is no JWK Set'],
    ['keys that are none', { keys: ['one'] }, 'this is no JWK Set'],
    ['no key', { keys: [] }, 'this JWK Set has no key'],
    ['65 keys', { keys: Array.from({ length: 65 }, () => KEY) }, 'this JWK Set has more than 64 keys'],
  ])('is not made of %s', (_what, keySet, message) => {
    expect(() => fixedKeySet(keySet)).toThrow(message);
    expect(() => fixedKeySet(keySet)).toThrow(TypeError);
  });

  it('finds all keys of a name, and does not change with what it was made of', async () => {
    const keySet = { keys: [KEY, { ...KEY, kty: 'EC' }, { kid: 'two' }] };
    const source = fixedKeySet(keySet);
    keySet.keys.pop();
    expect([(await source.find('one')).length, (await source.find('two')).length]).toEqual([2, 1]);
    expect(await source.find('three')).toEqual([]);
  });
});
