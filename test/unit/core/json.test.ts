import { describe, expect, it } from 'vitest';
import { camelCase, isObject, type JsonValue, parsedObject } from '../../../src/core/json.js';

describe('camelCase', () => {
  it('writes names with hyphens as the contract does, and leaves others', () => {
    expect(['secure-boot', 'vmUniqueId', 'a-b-c', 'tpm-2'].map(camelCase)).toEqual([
      'secureBoot',
      'vmUniqueId',
      'aBC',
      'tpm-2',
    ]);
  });
});

describe('isObject', () => {
  it('holds for objects, and neither for null nor for lists', () => {
    const values: readonly (JsonValue | undefined)[] = [{}, Object.create(null), null, [], 'a', 1, true, undefined];
    expect(values.map(isObject)).toEqual([true, true, false, false, false, false, false, false]);
  });
});

describe('parsedObject', () => {
  it('is the object of a text, and null for any other text', () => {
    expect(parsedObject('{"a":[1]}')).toEqual({ a: [1] });
    expect(['[]', 'null', '"{}"', '{', ''].map(parsedObject)).toEqual([null, null, null, null, null]);
  });
});
