import { describe, expect, it } from 'vitest';
import { expectedBinding } from '../../../../../src/tee/shared/binding/expected-binding.js';
import { readProjectFile } from '../../../../architecture/project-files.js';
import { boundValue } from '../../../../lab/index.js';
import { JWK, NONCE, OTHER_JWK } from '../../fixture.js';

describe('the value that evidence must hold', () => {
  it('is the nonce where no key is bound', () => {
    expect(expectedBinding(NONCE, null)).toEqual({ nonce: NONCE, value: NONCE, jkt: null });
  });

  it('is bound to nonce and key where one is', () => {
    const { nonce, value, jkt } = expectedBinding(NONCE, JWK);
    expect([nonce, jkt]).toEqual([NONCE, expect.stringMatching(/^[\w-]{43}$/)]);
    expect(Uint8Array.from(value)).toEqual(boundValue(NONCE, JWK));
    expect(value).not.toEqual(expectedBinding(NONCE, OTHER_JWK).value);
  });

  it('is the one of the example in docs/what-an-allow-proves.md', () => {
    const text = readProjectFile('docs/what-an-allow-proves.md');
    const [, request = ''] = /```json\n(.*?)```/s.exec(text) ?? [];
    const { nonce, binding } = JSON.parse(request);
    const { value } = expectedBinding(Buffer.from(nonce, 'base64url'), binding.jwk);
    expect(text).toContain(`\n# ${Buffer.from(value).toString('hex')}\n`);
  });

  it.each([{}, { kty: 'oct', k: 'AA' }, { ...JWK, x: 7 }])('refuses a key without thumbprint: %j', (jwk) => {
    expect(() => expectedBinding(NONCE, jwk)).toThrow(
      expect.objectContaining({ name: 'FormatError', code: 'schema', pointer: '/binding/jwk' }),
    );
  });
});
