import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { SnpSubmission } from '../../../../src/core/verification.js';
import { parsePemCertificates } from '../../../../src/formats/pem.js';
import { sevSnpBody, tdxVmBody } from '../../../../src/outside/attestation-services/azure-attestation.js';
import { createAmdPki } from '../../../lab/amd-pki.js';

const pki = createAmdPki();
const [ask, ark] = pki.chainDer('Milan');
const report = Uint8Array.from({ length: 1184 }, (_, index) => index & 0xff);

function bodyOf(runtimeData: Uint8Array | string | null) {
  const bytes = typeof runtimeData === 'string' ? Buffer.from(runtimeData) : runtimeData;
  const submission: SnpSubmission = { tee: 'snp', report, certificates: [ask, ask, ark], runtimeData: bytes };
  return JSON.parse(sevSnpBody(submission, 'the-nonce'));
}

const decoded = (text: string) => Buffer.from(text, 'base64url');

describe('sevSnpBody', () => {
  it('encodes the report twice, and the chain as PEM from the leaf on', () => {
    const body = bodyOf(null);
    expect(Object.keys(body)).toEqual(['report', 'nonce']);
    expect(body.nonce).toBe('the-nonce');
    const evidence = JSON.parse(decoded(body.report).toString());
    expect(Object.keys(evidence)).toEqual(['SnpReport', 'VcekCertChain']);
    expect(decoded(evidence.SnpReport)).toEqual(Buffer.from(report));
    const chain = parsePemCertificates(decoded(evidence.VcekCertChain).toString(), 'cert_chain');
    expect(chain.map((der) => Buffer.from(der))).toEqual([ask, ask, ark].map((der) => Buffer.from(der)));
    expect(new X509Certificate(chain[2] ?? '').verify(new X509Certificate(Buffer.from(ark)).publicKey)).toBe(true);
  });

  it('uses base64url without padding throughout', () => {
    const { report: text, runtimeData } = bodyOf(Uint8Array.of(0xfb, 0xff, 0xfe, 0xff));
    expect(`${text}${runtimeData.data}`).toMatch(/^[A-Za-z0-9_-]+$/);
    expect(runtimeData.data).toBe('-__-_w');
  });

  it.each([
    ['{}', 'JSON'],
    ['{"keys":[]}', 'JSON'],
    [' {"a":1}\n', 'JSON'],
    ['[]', 'Binary'],
    ['"text"', 'Binary'],
    ['null', 'Binary'],
    ['7', 'Binary'],
    ['', 'Binary'],
    ['{"a":1', 'Binary'],
    ['{"a":1,"a":2}', 'Binary'],
    [Uint8Array.of(0xff), 'Binary'],
  ])('says what runtime data are: %j is %s', (data, dataType) => {
    const { runtimeData } = bodyOf(data);
    expect(runtimeData.dataType).toBe(dataType);
    expect(decoded(runtimeData.data)).toEqual(Buffer.from(data));
  });
});

const quote = Uint8Array.of(0xfb, 0xff, 0xfe, 0, 0);

it('has the quote with the zeros at its end, in base64url without padding', () => {
  const body = JSON.parse(tdxVmBody({ tee: 'tdx', quote, runtimeData: null }, 'the-nonce'));
  expect(body).toEqual({ quote: '-__-AAA', nonce: 'the-nonce' });
});

it.each([
  ['{"keys":[]}', 'JSON'],
  ['{"a":1,"a":2}', 'Binary'],
])('has runtime data as what they are: %s is %s', (text, dataType) => {
  const runtimeData = Buffer.from(text);
  const body = JSON.parse(tdxVmBody({ tee: 'tdx', quote, runtimeData }, 'n'));
  expect(body.runtimeData).toEqual({ data: runtimeData.toString('base64url'), dataType });
});
