import { describe, expect, it } from 'vitest';
import { base64, fromUtf8 } from '../../../src/core/bytes.js';
import type { JsonObject } from '../../../src/core/json.js';
import { hashed } from '../../../src/crypto/digest.js';
import { parsePemCertificates } from '../../../src/formats/pem.js';
import { readIntake } from '../../../src/inspector/intake.js';
import { type Decision, ServiceFault } from '../../../src/inspector/service.js';
import { type Looked, look, lookAtExample, type Means } from '../../../src/inspector/subject.js';
import { createAmdPki, createVirtualMachine } from '../../lab/index.js';
import { ISSUER, receiptWith } from '../relying-party/sample-receipt.js';
import { NONCE } from '../tee/fixture.js';

const { subtle } = globalThis.crypto;
const pki = createAmdPki();
const vm = await createVirtualMachine({ pki });
const EVIDENCE = vm.wireEvidence({ nonce: NONCE }) as unknown as JsonObject;
const BODY = { evidence: EVIDENCE, nonce: 'AAAA', policy: 'payments' };
/** Its certificates are for the service to fetch. */
const BARE = { evidence: { ...EVIDENCE, endorsements: {} } };
const ID = '019bc1f0-5a3c-7b52-9d9f-3a0e8d0f5c11';

const NO_OPTIONS = { policy: '', nonce: '', audience: '' };
const DECISION = { decision: 'deny', receipt: null, historical: false, endorsements: [] } as unknown as Decision;
const FAULT = new ServiceFault('no such policy', { status: 404, code: 'not_found' });

const request = (body: JsonObject): Looked => ({ kind: 'request', body });

/** A service that answers so, and notes what it was asked. */
function serviceWith(change: Partial<NonNullable<Means['service']>> = {}) {
  const asked: unknown[] = [];
  const noting =
    <A extends unknown[], R>(name: string, answer: (...args: A) => Promise<R>) =>
    (...args: A) => {
      asked.push([name, ...args]);
      return answer(...args);
    };
  const none = () => Promise.reject(FAULT);
  const { verify = async () => DECISION, decision = none, example = none, endorsement = none } = change;
  const service: NonNullable<Means['service']> = {
    origin: ISSUER,
    issuer: async () => null,
    verify: noting('verify', verify),
    decision: noting('decision', decision),
    example: noting('example', example),
    endorsement: noting('endorsement', endorsement),
  };
  return { asked, service };
}

describe('what is looked at', () => {
  it('is read, verified here, and judged by the service', async () => {
    const { asked, service } = serviceWith();
    const subject = await look(request(BODY), NO_OPTIONS, { service, subtle });
    expect(asked).toEqual([['verify', BODY]]);
    expect(subject).toMatchObject({ body: BODY, decision: DECISION, fault: null, receipt: null, recorded: null });
    expect(subject.found.map(({ pointer }) => pointer)).toContain('/evidence/hclReport');
    // The root of the lab is pinned nowhere.
    expect(subject.nonceBy).toBe('body');
    expect(subject.hardware).toMatchObject({ state: 'failed' });
  });

  it('is judged by what was filled in, in place of what the body says', async () => {
    const { asked, service } = serviceWith();
    const options = { policy: 'other', nonce: 'BBBB', audience: 'gate' };
    const subject = await look(request(BODY), options, { service, subtle });
    expect(asked).toEqual([['verify', { ...BODY, ...options }]]);
    expect(subject.body).toEqual({ ...BODY, ...options });
  });

  it.each([
    ['came with the body', BODY, '', 'body'],
    ['was filled in', BODY, 'BBBB', 'caller'],
    ['is not there', { evidence: EVIDENCE }, '', 'caller'],
  ])('says whose nonce was judged, which %s', async (_what, body, nonce, nonceBy) => {
    const { service } = serviceWith();
    const subject = await look(request(body), { ...NO_OPTIONS, nonce }, { service, subtle });
    expect(subject.nonceBy).toBe(nonceBy);
  });

  it('is sent nowhere without a service, and verified all the same', async () => {
    const subject = await look(request(BODY), NO_OPTIONS, { service: null, subtle });
    expect(subject).toMatchObject({ body: BODY, decision: null, fault: null, hardware: { state: 'failed' } });
  });

  it('is not sent where it cannot be judged by itself', async () => {
    const { asked, service } = serviceWith();
    const [der = new Uint8Array()] = parsePemCertificates(pki.chainPem('Milan'), 'cert_format');
    const subject = await look(readIntake(der) as Looked, NO_OPTIONS, { service, subtle });
    expect(asked).toEqual([]);
    expect(subject).toMatchObject({ found: [{ kind: 'certificate' }], body: null, decision: null });
  });

  it('is a report by itself as evidence', async () => {
    const { asked, service } = serviceWith();
    const report = vm.hclReport({ nonce: NONCE }).subarray(32, 32 + 0x4a0);
    await look(readIntake(report) as Looked, NO_OPTIONS, { service, subtle });
    expect(asked).toEqual([['verify', { evidence: { type: 'snp', report: base64(report, 'base64url') } }]]);
  });

  it('is shown with the fault where the service judges nothing, and fails where the page does', async () => {
    const { service } = serviceWith({ verify: () => Promise.reject(FAULT) });
    expect(await look(request(BODY), NO_OPTIONS, { service, subtle })).toMatchObject({ decision: null, fault: FAULT });
    const broken = serviceWith({ verify: () => Promise.reject(new TypeError('a bug')) });
    await expect(look(request(BODY), NO_OPTIONS, { service: broken.service, subtle })).rejects.toThrow('a bug');
  });

  it('is nothing where the page has an error while it verifies, whatever the service would say', async () => {
    const { asked, service } = serviceWith();
    const broken = { importKey: () => Promise.reject(new TypeError('a bug')) } as unknown as typeof subtle;
    await expect(look(request(BODY), NO_OPTIONS, { service, subtle: broken })).rejects.toThrow('a bug');
    expect(asked).toEqual([]);
  });

  it('has the receipt of the answer', async () => {
    const receipt = receiptWith();
    const { service } = serviceWith({ verify: async () => ({ ...DECISION, receipt }) });
    const options = { ...NO_OPTIONS, audience: 'gate' };
    const subject = await look(request(BODY), options, { service, subtle });
    expect(subject.receipt).toMatchObject({
      receipt,
      issuer: { value: ISSUER, by: 'caller' },
      audience: { value: 'gate', by: 'caller' },
      nonce: { value: 'AAAA', by: 'body' },
    });
  });
});

describe('certificates that the evidence lacks', () => {
  const vcek = { kind: 'vcek', sha256: 'ab'.repeat(32), source: 'network' };
  const naming = (change: object) => async () =>
    ({ ...DECISION, endorsements: [vcek], ...change }) as unknown as Decision;

  it('are asked for by their digests', async () => {
    const { asked, service } = serviceWith({ verify: naming({}) });
    const subject = await look(request(BARE), NO_OPTIONS, { service, subtle });
    expect(asked.at(-1)).toEqual(['endorsement', vcek.sha256]);
    expect(subject.hardware).toMatchObject({ state: 'open' });
  });

  it('are those that the decision names, or nothing is verified', async () => {
    const endorsement = async () => ({ value: 'AAAA' }) as never;
    const { service } = serviceWith({ verify: naming({}), endorsement });
    const subject = await look(request(BARE), NO_OPTIONS, { service, subtle });
    expect(subject.hardware).toEqual({
      state: 'failed',
      steps: [{ what: 'the service gave the VCEK that its decision names', holds: false }],
    });
    expect(subject.found.map(({ pointer }) => pointer)).not.toContain('VCEK given by the service');
  });

  it('are joined with what was found', async () => {
    const { der, sha256 } = hashed(vm.platform.vek.der);
    const endorsement = async () => ({ value: base64(der, 'base64url') }) as never;
    const { service } = serviceWith({ verify: naming({ endorsements: [{ ...vcek, sha256 }] }), endorsement });
    const subject = await look(request(BARE), NO_OPTIONS, { service, subtle });
    expect(subject.found.map(({ pointer }) => pointer)).toContain('VCEK given by the service');
    expect(subject.hardware).toMatchObject({
      state: 'open',
      why: expect.stringMatching(/^the certificate .* did not come/),
    });
  });

  it.each([
    ['the decision is about the past', request(BARE), { historical: true }, subtle],
    ['the page has no WebCrypto', request(BARE), {}, null],
    ['there were enough', request(BODY), {}, subtle],
  ])('are not asked for where %s', async (_why, intake, change, crypto) => {
    const { asked, service } = serviceWith({ verify: naming(change) });
    await look(intake, NO_OPTIONS, { service, subtle: crypto });
    expect(asked).toHaveLength(1);
  });
});

describe('a receipt, a record and an example', () => {
  it('are looked at without being judged: a receipt', async () => {
    const { asked, service } = serviceWith();
    const intake = readIntake(fromUtf8(receiptWith())) as Looked;
    const options = { ...NO_OPTIONS, audience: 'gate' };
    const subject = await look(intake, options, { service, subtle });
    expect(asked).toEqual([]);
    const receipt = {
      issuer: { value: ISSUER, by: 'caller' },
      audience: { value: 'gate', by: 'caller' },
      answer: null,
    };
    expect(subject).toMatchObject({ decision: null, receipt });
    const alone = await look(intake, NO_OPTIONS, { service: null, subtle });
    expect(alone.receipt).toMatchObject({ issuer: null, audience: null });
  });

  it('are looked at without being judged: a record', async () => {
    const recorded = { decision: 'deny', checks: [], record: { seq: 1 } } as never;
    const { asked, service } = serviceWith({ decision: async () => recorded });
    const subject = await look({ kind: 'decision', id: ID }, NO_OPTIONS, { service, subtle });
    expect(asked).toEqual([['decision', ID]]);
    expect(subject).toMatchObject({ recorded, decision: { decision: 'deny', receipt: null }, found: [], body: null });
    // The log does not say who chose the nonce.
    expect(subject.nonceBy).toBe('unknown');
  });

  it('are looked at without being judged: an example', async () => {
    const example = { body: BODY, answer: DECISION, title: 'Azure', shows: '', recordedAt: '' };
    const { asked, service } = serviceWith({ example: async () => example as never });
    const listed = { path: '/inspector/examples/azure.json', title: 'Azure', shows: '' };
    const subject = await lookAtExample(listed, service, subtle);
    expect(asked).toEqual([['example', listed.path]]);
    expect(subject).toMatchObject({ body: BODY, decision: DECISION, example: { example, state: 'recorded' } });
    expect(subject.hardware).toMatchObject({ state: 'failed' });
  });

  it('are a fault where the log does not have the record, and an error without a service', async () => {
    const { service } = serviceWith();
    const intake = { kind: 'decision', id: ID } as const;
    expect(await look(intake, NO_OPTIONS, { service, subtle })).toMatchObject({ decision: null, fault: FAULT });
    await expect(look(intake, NO_OPTIONS, { service: null, subtle })).rejects.toThrow(
      'A recorded decision is asked of a service, and this page has none.',
    );
  });
});
