import { expect, it } from 'vitest';
import {
  type AppraisalOptions,
  trustAuthorityRequest,
} from '../../../../src/outside/attestation-services/trust-authority.js';

const quote = Uint8Array.of(0xfb, 0xff, 0xfe, 0);
const POLICY = '1a2b3c4d-0000-4000-8000-0123456789ab';
const PARAVISOR = '{"keys":[{"kid":"HCLEkPub"},{"kid":"HCLAkPub"}],"user-data":"00"}';

function requestOf(runtimeData: string | null, options: Partial<AppraisalOptions> = {}) {
  const { path, body } = trustAuthorityRequest(
    { tee: 'tdx', quote, runtimeData: runtimeData === null ? null : Buffer.from(runtimeData) },
    { policyIds: [], policyMustMatch: false, signingAlgorithm: 'PS384', ...options },
  );
  return { path, body: JSON.parse(body) };
}

it('is the quote in standard base64, and how the token is to be signed', () => {
  expect(requestOf(null)).toEqual({
    path: '/appraisal/v2/attest',
    body: { policy_must_match: false, token_signing_alg: 'PS384', tdx: { quote: '+//+AA==' } },
  });
});

it('names the policies', () => {
  const { body } = requestOf(null, { policyIds: [POLICY], policyMustMatch: true, signingAlgorithm: 'RS256' });
  expect(body).toMatchObject({ policy_ids: [POLICY], policy_must_match: true, token_signing_alg: 'RS256' });
});

it('goes to the call for Azure with the runtime claims of its paravisor, byte for byte', () => {
  const { path, body } = requestOf(PARAVISOR);
  expect(path).toBe('/appraisal/v2/attest/azure');
  expect(Buffer.from(body.tdx.runtime_data, 'base64').toString()).toBe(PARAVISOR);
});

it.each([
  '{"nonce":"AAECAwQFBgcICQ"}',
  '{"keys":[{"kid":"HCLEkPub"}]}',
  '{"keys":[{"kid":"HCLAkPub"}],"keys":[]}',
  '[]',
  'not JSON',
  '',
])('leaves other runtime data out, whose hash is one that the service does not make: %s', (runtimeData) => {
  expect(requestOf(runtimeData)).toEqual(requestOf(null));
});

it.each([null, PARAVISOR])('has no nonce, which would have to be in the quote', (runtimeData) => {
  expect(Object.keys(requestOf(runtimeData).body.tdx)).not.toContain('verifier_nonce');
});
