import { describe, expect, it } from 'vitest';
import {
  isAboutQuote,
  readAttestationAnswer,
} from '../../../../src/outside/attestation-services/attestation-answer.js';
import { FetchError } from '../../../../src/outside/fetch-error.js';

const read = (status: number, text: string) => readAttestationAnswer({ status, headers: {}, body: Buffer.from(text) });

function failure(status: number, text: string): FetchError {
  try {
    read(status, text);
  } catch (error) {
    if (error instanceof FetchError) return error;
  }
  throw new Error('expected a FetchError');
}

describe('readAttestationAnswer', () => {
  it('reads the token, whatever else is said', () => {
    expect(read(200, '{"token":"a.b.c"}')).toEqual({ token: 'a.b.c' });
    expect(read(200, '{"token":"a.b.c","more":1}')).toEqual({ token: 'a.b.c' });
  });

  it.each([
    ['', 'nothing'],
    ['token', 'no JSON'],
    ['"a.b.c"', 'no object'],
    ['null', 'null'],
    ['[{"token":"a"}]', 'a list'],
    ['{"token":"a","token":"b"}', 'two tokens'],
    ['{"token":"a","tok\\u0065n":"b"}', 'two tokens in disguise'],
    ['{"token":"a"} {}', 'more after it'],
    ['\ufeff{"token":"a"}', 'a byte order mark'],
    ['{"token":""}', 'an empty token'],
    ['{"token":["a"]}', 'a list as token'],
    ['{"Token":"a"}', 'another name'],
  ])('takes %j (%s) as no token', (text) => {
    expect(failure(200, text)).toMatchObject({ fault: 'content_type', unhealthy: true });
  });

  it.each([
    '{"error":{"code":"PolicyEvaluationError"}}',
    '{"Error":{"Code":"PolicyEvaluationError","Message":"m"}}',
    '{"error":{"code":"InvalidParameter","message":"m"}}',
    '{"error":{"code":"InvalidOperation"}}',
  ])('TOK-26 reads a refusal: %s', (text) => {
    expect(read(400, text)).toHaveProperty('refused');
  });

  it.each([
    [401, '{"error":{"code":"PolicyEvaluationError"}}', 'PolicyEvaluationError'],
    [400, '{"error":{"code":"policyevaluationerror"}}', 'policyevaluationerror'],
    [400, '{"error":{"code":"UnsupportedApiVersionValue","message":"m"}}', 'UnsupportedApiVersionValue'],
    [400, '{"error":{"code":"PolicyParsingError"}}', 'PolicyParsingError'],
    [400, '{"error":{"code":"constructor"}}', 'constructor'],
    [400, '{"error":"PolicyEvaluationError"}', undefined],
    [400, '{"error":{"code":["PolicyEvaluationError"]}}', undefined],
    [400, '{"error":{"code":"<script>"}}', undefined],
    [400, 'PolicyEvaluationError', undefined],
    [403, '', undefined],
  ])('LOG-03 keeps the code of another error for the log alone: %i %s', (status, text, cause) => {
    const error = failure(status, text);
    expect(error).toMatchObject({ fault: 'status', status, message: `answered with status ${status}` });
    expect(error.cause).toBe(cause);
  });
});

describe('isAboutQuote', () => {
  it('TOK-26 takes a 422 for a no likewise', () => {
    expect(about({ error: 'quote verification failed' }, 422)).toBe(true);
    expect(about({ error: 'policy_ids are not UUIDs' }, 422)).toBe(false);
  });

  const about = (body: unknown, status = 400) =>
    isAboutQuote({ status, headers: {}, body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)) });

  it.each([
    { error: 'Invalid nonce and/or run time data' },
    { error: 'failed to verify quote' },
    { message: 'The Quote is not valid' },
    { error: { message: 'report_data does not hold the hash of user data' } },
    { error: 'Bad Request', message: 'tcb of the platform is revoked' },
    { error: ['Quotes do not verify'] },
    { errors: [{ message: 'failed to verify quote' }] },
    { error: 'Debug TD is not allowed' },
    { error: 'wrong signature' },
    'Invalid nonce and/or run time data',
    '{"error":"quote","error":"quote"}',
    { error: 'verifier_nonce is invalid' },
    { error: 'tdx_quote verification failed' },
    { code: 'QuoteVerificationFailed' },
    { error: 'PCK of the platform' },
    { error: 'Invalid TDXQuote' },
    { error: 'TCBStatus OutOfDate' },
    { code: 'FMSPCNotFound' },
    { code: 'PCKCertificateUnknown' },
    { error: 'certificate is not valid' },
    { error: 'it is revoked' },
    { error: 'Attestation failed' },
    { error: 'attester_tcb_status is OutOfDate' },
    { error: 'report_data_mismatch' },
    { error: 'user_data_hash mismatch' },
    { error: 'RuntimeData does not fit' },
  ])('TOK-26 takes a 400 for a no to the evidence: %j', (body) => {
    expect(about(body)).toBe(true);
  });

  it.each<[unknown, number]>([
    [{ error: 'this version of the interface is retired' }, 400],
    [{ error: 'policy_ids are not UUIDs' }, 400],
    ['null', 400],
    ['', 400],
    [{ error: 'token_signing_alg: unsupported signature algorithm' }, 400],
    [{ error: 'policy id not found', request: 'debug-7f' }, 400],
    [{ error: 'attestation policy not found' }, 400],
    [{ error: 'Unable to verify API key' }, 400],
    ['<html>400 Bad Request: debug id 42, no quote</html>', 400],
    [{ error: 'failed to verify quote' }, 401],
    [{ error: 'failed to verify quote' }, 404],
  ])('TOK-26 takes nothing else for one: %j with status %i', (body, status) => {
    expect(about(body, status)).toBe(false);
  });
});
