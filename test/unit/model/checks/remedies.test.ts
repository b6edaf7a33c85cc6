import { describe, expect, it } from 'vitest';
import type { Check, CheckResult } from '../../../../src/model/check.js';
import { remedyOf } from '../../../../src/model/checks/catalogue.js';
import { CHECK_IDS, type CheckId } from '../../../../src/model/codes.js';
import type { JsonValue } from '../../../../src/model/json.js';

function check(id: CheckId, members: Partial<Check> = {}): Check {
  const compared = { expected: null, actual: null, policy: null };
  return { id, result: 'fail', about: '/evidence', detail: 'it is not', ...compared, ...members };
}

const COMPARED: readonly (readonly [string, JsonValue])[] = [
  ['nothing', null],
  ['a text', 'Milan'],
  ['a number', 7],
  ['a truth value', false],
  ['a list', ['a', 'b']],
  ['an empty list', []],
  ['an object', { part: 'Milan', tcb: 'reported', snp: 24, microcode: 219 }],
  ['an empty object', {}],
  ['more than a sentence holds', 'x'.repeat(10_000)],
];

/** One sentence: it begins with a capital, ends with a full stop, and has none in between. */
const SENTENCE = /^[A-Z](?:(?!\. )[^\n])*\.$/;
const NO_WORDS = /undefined|null|NaN|\[object|\(\)|: \.|, ,| {2}/;

describe.each(CHECK_IDS)('the remedy of %s', (id) => {
  it.each(COMPARED)('is one plain sentence where %s was compared', (_, value) => {
    for (const policy of [null, 'payments']) {
      for (const result of ['fail', 'warn', 'unavailable'] as const) {
        const remedy = remedyOf(check(id, { expected: value, actual: value, policy, result })) ?? '';
        expect(remedy).toMatch(SENTENCE);
        expect(remedy).not.toMatch(NO_WORDS);
        expect(remedy.length).toBeLessThan(500);
      }
    }
  });
});

describe('remedyOf', () => {
  it.each<CheckResult>(['pass', 'skipped', 'not_configured'])('says nothing where the result is %s', (result) => {
    for (const id of CHECK_IDS) expect(remedyOf(check(id, { result }))).toBeNull();
  });

  it.each<[string, Check, string]>([
    [
      'the digest, the GUEST_SVN and the setting of an unknown paravisor',
      check('hcl_paravisor', { actual: { idKeyDigest: 'ab12', guestSvn: 65_547 }, policy: 'p' }),
      'The operator should add the ID_KEY_DIGEST ab12 with minGuestSvn 11 (GUEST_SVN is 65547) to azure.paravisors.idKeyDigests if this is a paravisor that Microsoft signed, or the caller should send an Azure Attestation token.',
    ],
    [
      'the MRTD and the setting of one below a TD',
      check('hcl_paravisor_unknown', { result: 'warn', actual: { mrtd: 'cd34' }, policy: 'p' }),
      'The operator should add the MRTD cd34 to azure.paravisors.mrtds if this is a paravisor that Microsoft built, or the caller should send an Azure Attestation token.',
    ],
    [
      'the components that are too low',
      check('snp_tcb_low', { expected: { part: 'Milan', tcb: 'reported', microcode: 219 }, policy: 'p' }),
      "The machine's owner should update its firmware to microcode 219 or later, or the operator can waive snp_tcb_low for this part until then.",
    ],
    [
      'the types that a policy accepts',
      check('policy_evidence_type', { expected: ['snp', 'tdx'], policy: 'p' }),
      'The caller should send evidence of a type that the policy accepts (snp, tdx), or name another policy.',
    ],
    [
      'a value that is no reference value',
      check('snp_measurement', { actual: 'ef56', policy: 'p' }),
      'The operator should add ef56 to the reference values of the policy if it is meant to be accepted.',
    ],
    [
      'the version that a guest needs',
      check('snp_measurement', { expected: { minGuestSvn: 5 }, actual: { guestSvn: 4 }, policy: 'p' }),
      "The guest's owner should deploy an image with GUEST_SVN 5 or later.",
    ],
    [
      'that no policy accepts a revoked platform',
      check('tdx_tcb_status', { actual: 'Revoked', policy: 'p' }),
      "The machine's owner should update its firmware and TDX module, because Intel has revoked this TCB and no policy can accept it.",
    ],
    [
      'that no policy accepts a status that Intel does not define',
      check('tdx_tcb_status', { actual: 'Splendid' }),
      "The operator should look up the status in Intel's current documentation and update this service once it knows it, because no policy can accept it until then.",
    ],
    [
      'who has to bring a token that nothing is configured to fetch',
      check('route_missing', { expected: 'maa', policy: 'p' }),
      'The caller should send a token for the route maa in attestationResults, or the operator should configure the service to fetch one (maa.submit).',
    ],
    [
      'what another verifier has against evidence that was submitted',
      check('disagreement', { expected: 'hardware' }),
      'The operator should find out why that verifier refuses the evidence, because its policy or the machine has to change.',
    ],
    [
      'a claim that a token does not state',
      check('disagreement', { expected: 'ab12' }),
      'The caller should send a token that states this claim (Azure Attestation states runtime claims that it was sent as JSON).',
    ],
    [
      'claims that differ',
      check('disagreement', { expected: 'ab12', actual: 'cd34' }),
      'The caller should send evidence and tokens of the same VM, from the same boot.',
    ],
    [
      'a part that nobody has documented',
      check('snp_product', { actual: 'unknown', policy: 'p' }),
      'The operator should update this service, which does not know this part yet, or accept it with minimums.snp: any in the policy.',
    ],
    [
      'a part that the policy has no minimum for',
      check('snp_product', { actual: 'Turin', policy: 'p' }),
      'The operator should add a minimum for Turin to the policy if such processors are to be accepted.',
    ],
    [
      'a part that the policy has no minimum for, where it has others',
      check('snp_product', { expected: ['Milan'], actual: 'Turin', policy: 'p' }),
      'The operator should add a minimum for Turin to the policy if such processors are to be accepted.',
    ],
    [
      'a difference of which neither side is known',
      check('disagreement', { expected: null, actual: null }),
      'The caller should send evidence and tokens of the same VM, from the same boot.',
    ],
    [
      'a chip, whose id is as long as a value of a sentence may be',
      check('snp_chip_id', { actual: 'ab'.repeat(64), policy: 'p' }),
      `The operator should add ${'ab'.repeat(64)} to require.snp.machines of the policy if the machine is one of theirs.`,
    ],
    [
      'a product line without a root',
      check('snp_product', { expected: ['Milan', 'Genoa', 'Turin'] }),
      'The operator should update this service, because it has no AMD root key for this product line.',
    ],
    [
      'a service TD that no quote states',
      check('tdx_service_td'),
      "The guest's owner should launch the TD without a service TD, or the caller should send a quote with a TD 1.5 body, which states its hash.",
    ],
    [
      'who has to bring a token that was not asked for',
      check('route_missing', { expected: 'maa', actual: 'not asked', policy: 'p' }),
      'The caller should send a token for the route maa in attestationResults, because the service asks for none at a verification time in the past, or about evidence that fails a check.',
    ],
    [
      'that no configuration fetches a token about a token',
      check('route_missing', { expected: 'maa', actual: 'never fetched', policy: 'p' }),
      'The caller should send a token for the route maa in attestationResults, because the service fetches none where the evidence itself is a token.',
    ],
    [
      'that there is no token of Trust Authority about SEV-SNP',
      check('route_missing', { expected: 'ita', actual: 'never issued', policy: 'p' }),
      'The operator should not require the route ita in a policy for SEV-SNP evidence, because Intel Trust Authority issues no tokens about it.',
    ],
    ...(['token_issuer', 'token_alg'] as const).map((id): [string, Check, string] => [
      `the type with which a token has to be sent: ${id}`,
      check(id, { actual: { type: 'ita-token' } }),
      'The caller should send the token with the type ita-token.',
    ]),
    [
      'the hash of a policy that is not listed',
      check('token_issuer_policy', { actual: 'ab12' }),
      'The operator should add ab12 to policyHash of this issuer if that policy is the intended one.',
    ],
    [
      'the signer of a policy whose hash is listed',
      check('token_issuer_policy', { actual: { policySigner: 'ab12' } }),
      'The operator should add ab12 to policySigner of this issuer if whoever signed the policy is trusted with it.',
    ],
    [
      'PCRs that have to be quoted',
      check('tpm_pcr_not_quoted', { expected: [4, 7], policy: 'p' }),
      'The guest should quote the PCRs that the policy needs as well: PCRs 4, 7.',
    ],
    [
      'no command line as a PCR that has to be quoted',
      check('tpm_pcr_not_quoted', { expected: ['/vmlinuz ro'], policy: 'p' }),
      'The guest should quote the PCRs that the policy needs as well: the detail names them.',
    ],
    [
      'where applications are that no policy lists',
      check('tpm_pcr', { expected: ['ab12'], actual: ['ab12', 'cd34'], policy: 'p' }),
      'The operator should add what the detail lists to the reference values of the policy if it is meant to be accepted.',
    ],
    [
      'a claim of a register that does not replay',
      check('eventlog_replay', { expected: ['/vmlinuz ro'], policy: 'p' }),
      'The caller should send the log of what the operating system measured as well, or the operator should take the claim out of the reference values.',
    ],
    [
      'a PCR that no event explains',
      check('eventlog_replay', { expected: [23], policy: 'p' }),
      'The guest should read its event logs and the quote with no event in between, and the caller should send all of them unchanged; a PCR that has no event in them at all can be listed in runtimePcrs.',
    ],
    [
      'a claim that no event shows',
      check('eventlog_unverified', { expected: ['/vmlinuz ro'], policy: 'p' }),
      "The guest's owner should boot with a loader whose events show the claim, or the operator should take it out of the reference values.",
    ],
    [
      'a log that was changed',
      check('eventlog_unverified'),
      'The caller should send the event log unchanged, because the data of an event is not what was measured.',
    ],
    [
      'that a policy has no signer',
      check('token_issuer_policy', { actual: { policySigner: null } }),
      'The operator should have the policy of this issuer signed by a signer that policySigner lists, because the token names none.',
    ],
    [
      'the file that lacks a key',
      check('token_key', { expected: { setting: 'maa.issuers[].keys' } }),
      'The operator should put the keys that the issuer publishes now into the file that maa.issuers[].keys names, and have it read again (SIGHUP).',
    ],
    [
      'that an issuer publishes no such key',
      check('token_key'),
      'The caller should send the token exactly as its issuer made it, or get a new one, because the issuer publishes no key that fits this one.',
    ],
    [
      'a chain of another product line',
      check('cert_untrusted', { actual: 'Genoa' }),
      'The caller should send the certificate chain for the product line of the key certificate, which is not Genoa, or leave the chain out so that the service fetches it.',
    ],
    [
      'a root of nobody',
      check('cert_untrusted'),
      "The caller should send the vendor's own certificate chain, because a chain that ends at any other root, such as a test root, is never accepted.",
    ],
    [
      'a nonce that was written in hex',
      check('nonce_mismatch', {
        expected: Buffer.from('0123456789abcdef0123456789abcdef', 'base64url').toString('hex'),
      }),
      'The caller should send the nonce as base64url, because this one looks like hex, and the guest should make its evidence for the same bytes.',
    ],
    [
      'a nonce that is another',
      check('nonce_mismatch', { expected: '00'.repeat(64), actual: '01'.repeat(64) }),
      'The guest should make new evidence for the nonce and the bound key of this request.',
    ],
  ])('names %s', (_, found, remedy) => {
    expect(remedyOf(found)).toBe(remedy);
  });
});

/** Remedies of certificates under a report make no sense for those of a token's key, which share their ids. */
describe.each(['/evidence/token', '/attestationResults/0/token', '/attestationResults'])(
  'remedyOf a check about %s',
  (about) => {
    const LISTS =
      "The operator should let the service reach the issuer's keys and the CRLs that their certificates name, or put a current CRL beside the roots in the file of ita.issuers[].roots.";

    it.each<[string, Check, string]>([
      [
        'where roots of an issuer are configured',
        check('cert_untrusted', { about }),
        "The operator should add the issuer's root to the file of ita.issuers[].roots if the key of the token is the issuer's own, because its certificate chain ends at no root in that file.",
      ],
      [
        'when certificates of the key have to be valid',
        check('cert_validity', { about, expected: '2026-01-15T12:00:00.000Z' }),
        'The caller should get a token that is signed with a key whose certificates are valid at 2026-01-15T12:00:00.000Z.',
      ],
      [
        'that another key is needed where one is revoked',
        check('cert_revoked', { about }),
        'The caller should get a token that is signed with another key, because a certificate of the key that signed this one has been revoked.',
      ],
      ['where a current list comes from', check('crl_stale', { about, result: 'unavailable' }), LISTS],
      ['where a list comes from', check('crl_unavailable', { about, result: 'unavailable' }), LISTS],
      [
        'what nobody has looked at in a protected signer',
        check('crl_unavailable', { about, result: 'warn' }),
        "The operator should check whether AMD has revoked the issuer of the report in the certificate of the token's key, because the service has no CRL for it.",
      ],
      [
        'that tokens have no audience',
        check('token_audience', { about, actual: 'https://gate.example' }),
        'The caller should send a token without an audience (aud), because this service has no name that an audience could be.',
      ],
      [
        'that no policy can accept a status that Intel does not define',
        check('maa_tcb_status', { about, actual: 'Splendid' }),
        'The caller should get a token that states a TCB status which Intel defines, because no policy can accept any other.',
      ],
      [
        'that Azure Attestation calls the TCB revoked',
        check('maa_tcb_status', { about, actual: 'Revoked' }),
        "The machine's owner should update its firmware, because Intel has revoked this TCB and no policy can accept it.",
      ],
      [
        'what a policy can do about a status that it does not accept',
        check('maa_tcb_status', { about, actual: 'OutOfDate', policy: 'p' }),
        "The machine's owner should update its firmware, or the operator can accept or waive the status OutOfDate in the policy.",
      ],
    ])('names %s', (_, found, remedy) => {
      expect(remedyOf(found)).toBe(remedy);
    });
  },
);

describe('remedyOf a check about the certificates under a report', () => {
  it.each<[CheckId, string]>([
    [
      'cert_revoked',
      "The guest's owner should move the guest to another machine, because the vendor has revoked a certificate that this evidence rests on.",
    ],
    [
      'crl_stale',
      "The operator should let the service fetch the vendor's current CRL, or put it into the folder amd.chains.",
    ],
    [
      'crl_unavailable',
      "The operator should let the service fetch the vendor's CRL, or put the CRL and the certificate chain into the folder amd.chains (the chain of a request does not count for that), or the caller should send the CRL in endorsements.crls.",
    ],
  ])('speaks of the vendor under %s', (id, remedy) => {
    expect(remedyOf(check(id, { about: '/evidence/endorsements/crls' }))).toBe(remedy);
  });
});
