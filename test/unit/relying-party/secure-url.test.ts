import { describe, expect, it } from 'vitest';
import { secureUrl } from '../../../src/relying-party/secure-url.js';

describe('secureUrl', () => {
  it.each([
    'https://veritee.example',
    'https://veritee.example:8443/under',
    'http://localhost:8080',
    'http://127.0.0.1',
    'http://127.1.2.3:1',
    'http://[::1]:8080/',
  ])('takes %s', (text) => {
    expect(secureUrl(text, 'url')).toEqual(new URL(text));
  });

  it.each([
    ['', 'url is no URL'],
    ['veritee.example', 'url is no URL'],
    [undefined, 'url is no URL'],
    [new URL('https://veritee.example'), 'url is no URL'],
    ['http://veritee.example', 'url is not an https URL'],
    ['http://127.0.0.1.veritee.example', 'url is not an https URL'],
    ['http://localhost.veritee.example', 'url is not an https URL'],
    ['http://10.0.0.1', 'url is not an https URL'],
    ['ftp://localhost', 'url is not an https URL'],
    ['data:application/json,{}', 'url is not an https URL'],
    ['https://user@veritee.example', 'url has a user, a query or a fragment'],
    ['https://:secret@veritee.example', 'url has a user, a query or a fragment'],
    ['https://veritee.example?a=b', 'url has a user, a query or a fragment'],
    ['https://veritee.example#a', 'url has a user, a query or a fragment'],
  ])('does not take %s', (text, message) => {
    expect(() => secureUrl(text, 'url')).toThrow(message);
    expect(() => secureUrl(text, 'url')).toThrow(TypeError);
  });
});
