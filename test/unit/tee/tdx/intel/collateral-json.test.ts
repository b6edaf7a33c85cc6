import { describe, expect, it } from 'vitest';
import { FormatError } from '../../../../../src/core/errors.js';
import { cutSignedJson } from '../../../../../src/tee/tdx/intel/collateral-json.js';

const cut = (text: string) => {
  const { text: signed, signature } = cutSignedJson(Buffer.from(text), 'tcbInfo');
  return [signed, Buffer.from(signature).toString('hex')];
};

describe('cutSignedJson', () => {
  it.each([
    ['{"tcbInfo":{"a":1},"signature":"0aff"}', '{"a":1}'],
    [' {\n"signature" : "0AFF" , "tcbInfo" :\t{ "a" : "}{\\"]" , "b":[{}] } } \n', '{ "a" : "}{\\"]" , "b":[{}] }'],
    ['{"tcb\\u0049nfo":{},"signature":"0aff"}', '{}'],
    ['{"signature":"0aff","tcbInfo":{"signature":"x","é":"ü"}}', '{"signature":"x","é":"ü"}'],
  ])('takes the text byte for byte out of %s', (answer, text) => {
    expect(cut(answer)).toEqual([text, '0aff']);
  });

  it.each([
    ['no JSON', '<html>', 'schema'],
    ['a list', '[]', 'schema'],
    ['no signature', '{"tcbInfo":{}}', 'schema'],
    ['another member', '{"enclaveIdentity":{},"signature":"00"}', 'schema'],
    ['a third member', '{"tcbInfo":{},"signature":"00","x":{}}', 'schema'],
    ['text for the object', '{"tcbInfo":"{}","signature":"00"}', 'schema'],
    ['a list for the object', '{"tcbInfo":[],"signature":"00"}', 'schema'],
    ['an object for the signature', '{"tcbInfo":{},"signature":{}}', 'schema'],
    ['a signature that is not hex', '{"tcbInfo":{},"signature":"0g"}', 'encoding'],
    ['a member twice', '{"tcbInfo":{"a":1},"tcbInfo":{"a":2}}', 'duplicate_key'],
    ['a name twice inside', '{"tcbInfo":{"a":1,"a":2},"signature":"00"}', 'duplicate_key'],
  ])('refuses %s', (_what, answer, code) => {
    expect(() => cut(answer)).toThrow(expect.objectContaining({ name: FormatError.name, code }));
  });
});
