import { describe, expect, it } from 'vitest';
import type { Check } from '../../../../../src/core/check.js';
import type { JsonValue } from '../../../../../src/core/json.js';
import { expectedBinding } from '../../../../../src/tee/shared/binding/expected-binding.js';
import { withHexNoncesNamed } from '../../../../../src/tee/shared/binding/nonce-in-hex.js';
import { boundValue } from '../../../../lab/index.js';
import { JWK, NONCE, OTHER_JWK, OTHER_NONCE } from '../../fixture.js';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
/** A request whose caller wrote a nonce in hex: base64url reads the digits as other bytes. */
const asHex = (nonce: Uint8Array) => Buffer.from(hex(nonce), 'base64url');
const SENT = expectedBinding(asHex(NONCE), JWK);
const X = hex(boundValue(NONCE, JWK));
const SAID = `The caller should send the nonce as ${Buffer.from(NONCE).toString('base64url')}, which is base64url: it sent the bytes of the evidence as hex.`;

const failing = (actual: JsonValue, changed: Partial<Check> = {}): Check => ({
  id: 'nonce_mismatch',
  result: 'fail',
  about: '/evidence/tpmQuote/message',
  expected: hex(SENT.value),
  actual,
  detail: 'another value',
  policy: null,
  ...changed,
});

describe('a nonce in hex beside a bound key', () => {
  it.each<[string, JsonValue]>([
    ['extraData of a quote', X],
    ['a field of 64 bytes', X.padEnd(128, '0')],
    ['one place of a token', { 'maa.runtimeNonce': '00', 'maa.userData': X.padEnd(128, '0') }],
  ])('FRS-06 is named with its base64url form, where %s holds its bytes and the key', (_title, actual) => {
    const check = failing(actual);
    expect(withHexNoncesNamed([check], SENT)).toEqual([{ ...check, remedy: SAID }]);
  });

  it('is named in digits of either case', () => {
    const upper = expectedBinding(Buffer.from(hex(NONCE).toUpperCase(), 'base64url'), JWK);
    expect(withHexNoncesNamed([failing(X)], upper)[0]?.remedy).toBe(SAID);
  });

  it.each<[string, Check]>([
    ['another nonce', failing(hex(boundValue(OTHER_NONCE, JWK)))],
    ['another key', failing(hex(boundValue(NONCE, OTHER_JWK)))],
    ['more behind it', failing(`${X}01`)],
    ['less of it', failing(X.slice(0, -2))],
    ['nothing', failing(null)],
    ['another check', failing(X, { id: 'tpm_pcr_digest' })],
    ['a check that passed', failing(X, { result: 'pass' })],
  ])('changes nothing for %s', (_title, check) => {
    expect(withHexNoncesNamed([check], SENT)).toEqual([check]);
  });

  it('changes nothing where no nonce is sent, no key is bound, or the nonce is no hex', () => {
    const check = failing(X);
    const bindings = [null, expectedBinding(asHex(NONCE), null), expectedBinding(NONCE, JWK)];
    for (const binding of bindings) expect(withHexNoncesNamed([check], binding)).toEqual([check]);
  });
});
