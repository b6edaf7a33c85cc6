import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningService } from '../../../src/app/service.js';
import type { JsonObject } from '../../../src/core/json.js';
import {
  type AttestationInfoOptions,
  type AzureEvidenceOptions,
  azureGuestEvidence,
  type CertifyOptions,
  jwkThumbprint,
} from '../../lab/index.js';
import {
  base64Url,
  challenge,
  LabService,
  lenientPolicy,
  NONCE,
  post,
  verdictOf,
  WITHOUT_ENDORSEMENTS,
} from './lab-service.js';

/** attestationInfo over HTTP, judged by the service as it is put together for production but for the roots. */

const BOUND = lenientPolicy('bound', { binding: 'required', freshness: 'required', nonce: 'challenge' });
const { n = '', e = '' } = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' });
const EPHEMERAL: JsonObject = { kty: 'RSA', n, e };
const JKT = base64Url(jwkThumbprint(EPHEMERAL));

let lab: LabService;
let service: RunningService;

beforeAll(async () => {
  lab = await LabService.create();
  await lab.writePolicy(BOUND);
  service = await lab.start();
});

afterAll(() => lab.close());

interface Asked extends AttestationInfoOptions {
  readonly nonce?: Uint8Array;
  readonly native?: AzureEvidenceOptions;
  readonly certify?: CertifyOptions;
  readonly body?: object;
  readonly target?: string;
}

function ask({ nonce = NONCE, native, certify, body, target = '/verify?checks=all', ...options }: Asked = {}) {
  const { vm } = lab;
  const whole = vm.evidence({ nonce, endorsements: WITHOUT_ENDORSEMENTS, ...native });
  const certifiedKey = vm.vtpm.certify(EPHEMERAL, certify);
  const evidence = azureGuestEvidence(whole, { akPublic: vm.vtpm.akPublic(), certifiedKey, form: 'text', ...options });
  return post(service.url, target, JSON.stringify({ evidence, nonce: base64Url(nonce), ...body }));
}

describe('attestationInfo of an Azure VM', () => {
  it('is allowed under the baseline, with the key that it certifies', async () => {
    const answer = await ask();
    expect(verdictOf(answer)).toEqual(['allow']);
    const { binding, claims, evidence, freshness } = answer.body;
    expect(evidence.type).toBe('az-snp-vtpm');
    expect(binding).toBeNull();
    expect(freshness.bound).toEqual(['tpm.extraData', 'hcl.userData']);
    expect(claims.tpm.certifiedKey).toEqual({ jkt: JKT, jwk: EPHEMERAL });
    expect(claims.hcl.paravisor).toEqual({ known: true, by: 'idKeyDigest' });
  });

  it('binds the certified key under a policy that requires one', async () => {
    const nonce = await challenge(service);
    const body = { policy: 'bound', binding: { jwk: EPHEMERAL } };
    const answer = await ask({ nonce, body });
    expect(verdictOf(answer)).toEqual(['allow']);
    expect(answer.body.binding).toEqual({ jkt: JKT });
  });

  it('without binding.jwk binds nothing, whatever key it certifies', async () => {
    const nonce = await challenge(service);
    expect(verdictOf(await ask({ nonce, body: { policy: 'bound' } }))).toEqual(['deny', 'binding_missing']);
  });

  it('FRS-05 does not bind a key that other software of the machine could use', async () => {
    const nonce = await challenge(service);
    const body = { policy: 'bound', binding: { jwk: EPHEMERAL } };
    const answer = await ask({ nonce, body, certify: { authPolicy: new Uint8Array() } });
    expect(verdictOf(answer)).toEqual(['deny', 'nonce_mismatch']);
    expect(answer.body.claims.tpm).not.toHaveProperty('certifiedKey');
  });

  it('TPM-03 of the stock client, whose quote has no nonce, is denied', async () => {
    const answer = await ask({ native: { nonce: NONCE, quote: { extraData: new Uint8Array() } } });
    expect(verdictOf(answer)).toEqual(['deny', 'nonce_mismatch']);
  });

  it('says what to do about a certification that does not hold', async () => {
    const answer = await ask({ certify: { info: { type: 0x8018 } } });
    expect(verdictOf(answer)).toEqual(['deny', 'tpm_not_quote']);
    const check = answer.body.checks.find(({ id, result }: JsonObject) => id === 'tpm_not_quote' && result === 'fail');
    expect(check).toMatchObject({ about: '/evidence/certifiedKey/info', expected: '0x8017', actual: '0x8018' });
    expect(check.remedy).toContain('TPM2_Certify');
  });

  it('is inspected field by field', async () => {
    const { status, body } = await ask({ target: '/inspect' });
    expect(status).toBe(200);
    expect(body.structures.map(({ name, about }: JsonObject) => [name, about])).toEqual([
      ['runtime data', '/hclReport'],
      ['ATTESTATION_REPORT', '/hclReport'],
      ['TPMS_ATTEST', '/tpmQuote/message'],
      ['PCR values', '/tpmQuote/pcrs'],
      ['TPM2B_PUBLIC', '/akPublic'],
      ['TPMS_ATTEST', '/certifiedKey/info'],
      ['TPM2B_PUBLIC', '/certifiedKey/publicArea'],
      ['configuration', '/hclReport'],
    ]);
  });
});
