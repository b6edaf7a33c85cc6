import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { readVerifyRequest } from '../../../src/wire/read-requests.js';
import { formatErrorOf } from '../../format-error-of.js';
import { base64url, bodyOf, EC_JWK, type Json, NONCE, snpEvidence } from './sample-bodies.js';

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const PEM = publicKey.export({ format: 'pem', type: 'spki' }).toString();
const TEXT = PEM.slice(0, -1);
const PRIVATE = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();

const bodyWith = (binding: Json, evidence: Json = snpEvidence()) =>
  bodyOf({ evidence, nonce: base64url(NONCE), binding });
const errorOf = (binding: Json, evidence?: Json) => formatErrorOf(() => readVerifyRequest(bodyWith(binding, evidence)));

describe('a bound key as PEM', () => {
  it.each([
    ['without a line feed at its end', TEXT, TEXT],
    ['with one, which is not hashed', PEM, TEXT],
    ['with lines that CRLF ends', TEXT.replaceAll('\n', '\r\n'), TEXT.replaceAll('\n', '\r\n')],
    ['with a line feed before it', `\n${PEM}`, `\n${TEXT}`],
  ])('is read as sent: %s', (_name, pem, hashed) => {
    const { bindingPem, bindingJwk } = readVerifyRequest(bodyWith({ pem }));
    expect(Buffer.from(bindingPem?.text ?? []).toString()).toBe(hashed);
    expect(Buffer.from(bindingPem?.spki ?? [])).toEqual(publicKey.export({ format: 'der', type: 'spki' }));
    expect(bindingJwk).toBeNull();
  });

  it.each([
    ['two keys', `${PEM}${PEM}`],
    ['a certificate', PEM.replaceAll('PUBLIC KEY', 'CERTIFICATE')],
    ['a key of PKCS #1', PEM.replaceAll('PUBLIC KEY', 'RSA PUBLIC KEY')],
    ['text before it', `key:\n${PEM}`],
    ['text behind it', `${PEM}end`],
    ['no end', TEXT.slice(0, -5)],
    ['no PEM', base64url(NONCE)],
    ['nothing', ''],
  ])('is refused: %s', (_name, pem) => {
    expect(errorOf({ pem })).toMatchObject({ code: 'schema', pointer: '/binding/pem' });
  });

  it('is refused where it is a private key, which has to be replaced', () => {
    expect(errorOf({ pem: PRIVATE })).toEqual({ code: 'schema', pointer: '/binding/pem' });
    expect(() => readVerifyRequest(bodyWith({ pem: PRIVATE }))).toThrow(
      /^this is a private key: .*replace this private key/,
    );
  });

  it('is one key: not beside a JWK, and not none', () => {
    expect(errorOf({ pem: PEM, jwk: EC_JWK })).toMatchObject({ code: 'schema', pointer: '/binding/pem' });
    expect(errorOf({})).toMatchObject({ code: 'schema', pointer: '/binding/jwk' });
    expect(errorOf({ pem: 1 })).toMatchObject({ code: 'schema', pointer: '/binding/pem' });
  });

  it('is not for other evidence', () => {
    const tdx = { type: 'tdx', quote: 'AAAA' };
    expect(errorOf({ pem: PEM }, tdx)).toEqual({ code: 'schema', pointer: '/binding/pem' });
    expect(() => readVerifyRequest(bodyWith({ pem: PEM }, tdx))).toThrow(
      'tdx evidence binds no key as PEM, which is for SEV-SNP: send binding.jwk',
    );
  });

  it('needs a nonce', () => {
    const body = bodyOf({ evidence: snpEvidence(), binding: { pem: PEM } });
    expect(formatErrorOf(() => readVerifyRequest(body))).toMatchObject({ code: 'schema', pointer: '/nonce' });
  });
});
