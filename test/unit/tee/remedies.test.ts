import { describe, expect, it } from 'vitest';
import type { Check, CheckResult } from '../../../src/core/check.js';
import type { CheckId } from '../../../src/core/codes.js';
import type { JsonValue } from '../../../src/core/json.js';
import { CHECK_IDS } from '../../../src/tee/catalogue.js';
import { remedyOf } from '../../../src/tee/remedies.js';

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

const hexOf = (text: string) => Buffer.from(text, 'base64url').toString('hex');
const MEANT = '00112233445566770011223344556677';
const AS_SENT = hexOf(MEANT);
const HEX_NONCES: readonly (readonly [where: string, expected: JsonValue, actual: JsonValue])[] = [
  ['the quote', AS_SENT, MEANT],
  ['a field of 64 bytes', AS_SENT.padEnd(128, '0'), MEANT.padEnd(128, '0')],
  ['runtime data', { nonce: AS_SENT, jkt: 'a' }, { nonce: MEANT, jkt: null }],
  ['one place of a token', AS_SENT, { 'maa.userData': MEANT.padEnd(128, '0') }],
];

describe('remedyOf', () => {
  it.each<CheckResult>(['pass', 'skipped', 'not_configured'])('says nothing where the result is %s', (result) => {
    for (const id of CHECK_IDS) expect(remedyOf(check(id, { result }))).toBeNull();
  });

  it.each<[string, Check, string]>([
    [
      'the digest, the GUEST_SVN and the setting of an unknown paravisor',
      check('hcl_paravisor', { actual: { idKeyDigest: 'ab12', guestSvn: 65_547 }, policy: 'p' }),
      'The operator should add the ID_KEY_DIGEST ab12 with minGuestSvn 11 (GUEST_SVN is 65547) to azure.paravisors.idKeyDigests if this is a paravisor that Microsoft signed, or the caller should send a token of an Azure Attestation instance for which maa.issuers lists policyHash.',
    ],
    [
      'no setting for a guest that no key signed',
      check('hcl_paravisor', { actual: { idKeyDigest: '00'.repeat(48), guestSvn: 12 }, policy: 'p' }),
      'The caller should send evidence of a confidential VM of Azure: this ID_KEY_DIGEST is all zero: no key signed the launch, so any guest can have it.',
    ],
    [
      'the MRTD and the setting of one below a TD',
      check('hcl_paravisor_unknown', { result: 'warn', actual: { mrtd: 'cd34' }, policy: 'p' }),
      'The operator should list this MRTD, of which Microsoft publishes none, if the VM is known to be one of Azure: azure: { paravisors: { mrtds: [cd34] } } in the configuration, or the caller should send a token of an Azure Attestation instance for which maa.issuers lists policyHash.',
    ],
    [
      'the components that are too low',
      check('snp_tcb_low', {
        expected: { part: 'Milan', tcb: 'reported', microcode: 219 },
        actual: { part: 'Milan', tcb: 'reported', microcode: 211 },
        policy: 'p',
      }),
      "The machine's owner should update its firmware to microcode 219 or later (it is 211), or the operator should waive snp_tcb_low for Milan in policy p until then, with the floor microcode 211.",
    ],
    [
      'that a guest has to be launched again',
      check('snp_tcb_low', {
        expected: { part: 'Milan', tcb: 'launch', snp: 24, microcode: 219 },
        actual: { part: 'Milan', tcb: 'launch', snp: 8, microcode: 115 },
        policy: 'p',
      }),
      "The guest's owner should launch the guest again on firmware with snp 24 or later (it was 8), microcode 219 or later (it was 115), or the operator should waive snp_tcb_low for Milan in policy p until then, with the floor snp 8, microcode 115.",
    ],
    [
      'a copy of a built-in policy, which no file can replace',
      check('snp_tcb_low', {
        expected: { part: 'Milan', tcb: 'reported', microcode: 219 },
        actual: { part: 'Milan', tcb: 'reported', microcode: 211 },
        policy: 'azure-cvm-baseline',
      }),
      "The machine's owner should update its firmware to microcode 219 or later (it is 211), or the operator should waive snp_tcb_low for Milan in a copy of policy azure-cvm-baseline until then, with the floor microcode 211.",
    ],
    [
      'no second waiver where one covers the finding',
      check('snp_tcb_low', {
        result: 'warn',
        expected: { part: 'Milan', tcb: 'reported', microcode: 219 },
        actual: { part: 'Milan', tcb: 'reported', microcode: 211 },
        policy: 'p',
      }),
      "The machine's owner should update its firmware to microcode 219 or later (it is 211), before the waiver in policy p ends.",
    ],
    [
      'the components of which TCBs contradict each other',
      check('snp_tcb_order', {
        actual: { reported: { snp: 24, tee: 0 }, committed: { snp: 24, tee: 0 }, current: { snp: 8, tee: 0 } },
      }),
      "The machine's owner should reinstall its SEV firmware, because its TCB versions contradict each other: snp is 24 in the committed TCB and 8 in the current TCB.",
    ],
    [
      'the components of a certificate that are others',
      check('snp_tcb_cert', {
        expected: { tee: 0, snp: 24, microcode: 219, fmc: null },
        actual: { tee: 0, snp: 8, microcode: 115 },
      }),
      'The caller should send the key certificate for the TCB that the report names: snp 8 (not 24), microcode 115 (not 219), or leave it out so that the service fetches it.',
    ],
    [
      'firmware that runs and is not committed',
      check('snp_provisional', {
        expected: { firmware: '1.55.29', snp: 24 },
        actual: { firmware: '1.55.20', snp: 24 },
        policy: 'p',
      }),
      "The machine's owner should commit the running SEV firmware (SNP_COMMIT): firmware 1.55.29 (not 1.55.20), or the operator should take require.snp.committedEqualsCurrent out of policy p.",
    ],
    [
      'mitigations that firmware lacks',
      check('snp_mitigation', { expected: [0, 1, 2], actual: { current: '0x1', launch: '0x1' }, policy: 'p' }),
      "The machine's owner should install firmware that sets bits 1, 2 of the mitigation vector, and the guest's owner should then launch the guest again.",
    ],
    [
      'mitigations that were missing at launch alone',
      check('snp_mitigation', { expected: [0, 1], actual: { current: '0x3', launch: '0x1' }, policy: 'p' }),
      "The guest's owner should launch the guest again, because the firmware sets bit 1 of the mitigation vector now, and did not at launch.",
    ],
    [
      'a report that does not name its chip',
      check('snp_chip_id', { actual: 'masked' }),
      "The machine's owner should let reports name their chip (MASK_CHIP_ID and MASK_CHIP_KEY of SNP_CONFIG clear), because no certificate can be compared with this one.",
    ],
    [
      'a claim that no evidence states',
      check('hcl_reference', { expected: ['ab'], setting: 'referenceValues[].hcl.vmUniqueId', policy: 'p' }),
      'The caller should send evidence that states this claim, or the operator should take referenceValues[].hcl.vmUniqueId out of policy p.',
    ],
    [
      'what is out of date, and where its status can be accepted',
      check('tdx_tcb_status', {
        expected: ['UpToDate'],
        actual: 'OutOfDate',
        faults: ['platform OutOfDate', 'sgxtcbcomponents[0] has 6, needs 8'],
        policy: 'p',
      }),
      "The machine's owner should update its firmware, TDX module and quoting enclave (platform OutOfDate, sgxtcbcomponents[0] has 6, needs 8), or the operator should add OutOfDate to minimums.tdx.acceptedStatuses of policy p or waive it there.",
    ],
    [
      'who hardens software',
      check('tdx_tcb_status', {
        expected: ['UpToDate'],
        actual: 'SWHardeningNeeded',
        faults: ['advisories INTEL-SA-00999'],
        policy: 'p',
      }),
      "The guest's owner should harden its software as Intel's advisories say (advisories INTEL-SA-00999), or the operator should add SWHardeningNeeded to minimums.tdx.acceptedStatuses of policy p or waive it there.",
    ],
    [
      'that any status passes',
      check('tdx_tcb_status', { result: 'warn', actual: 'TDRelaunchAdvised', policy: 'p' }),
      "The guest's owner should launch the TD again, so that it runs under the updated TDX module, or the operator should say in minimums.tdx.acceptedStatuses of policy p which statuses pass, because TDRelaunchAdvised passes under any.",
    ],
    [
      'a status that a waiver covers',
      check('tdx_tcb_status', { result: 'warn', expected: ['UpToDate'], actual: 'TDRelaunchAdvised', policy: 'p' }),
      "The guest's owner should launch the TD again, so that it runs under the updated TDX module, before the waiver in policy p ends.",
    ],
    [
      'a quoting enclave that is too old',
      check('tdx_qe_svn', { expected: 4, actual: 1 }),
      "The machine's owner should update its quoting enclave to ISVSVN 4 or later (it is 1).",
    ],
    [
      'a version of the quoting enclave that is revoked',
      check('tdx_qe_svn', { expected: 2, actual: 4 }),
      "The machine's owner should update its quoting enclave, because Intel has revoked ISVSVN 4.",
    ],
    [
      'attributes that a policy requires',
      check('tdx_attributes', {
        faults: ['MIGRATABLE clear', 'SEPT_VE_DISABLE set'],
        setting: 'require.tdx.allowMigratable and require.tdx.septVeDisable',
        policy: 'p',
      }),
      "The guest's owner should launch the TD with MIGRATABLE clear, SEPT_VE_DISABLE set, or the operator should change require.tdx.allowMigratable and require.tdx.septVeDisable of policy p.",
    ],
    [
      'no more than six faults',
      check('tdx_report_mismatch', {
        expected: Object.fromEntries(Array.from({ length: 8 }, (_, index) => [`RTMR${index}`, 'ab'])),
      }),
      'The caller should send the TD quote that was made from the TDREPORT in the HCL report, because they differ in RTMR0, RTMR1, RTMR2, RTMR3, RTMR4, RTMR5 and 2 more.',
    ],
    [
      'who can send a token that could not be fetched',
      check('token_compliance', { result: 'unavailable', about: '/attestationResults', policy: 'p' }),
      'The caller should try again later, or send a token in attestationResults, because none could be fetched.',
    ],
    [
      'a status that the operator can accept',
      check('token_compliance', {
        expected: ['azure-compliant-cvm'],
        actual: 'azure-other',
        setting: 'require.maa.complianceStatus',
        policy: 'p',
      }),
      "The guest's owner should find out why Azure Attestation states azure-other and not azure-compliant-cvm, or the operator should add azure-other to require.maa.complianceStatus of policy p.",
    ],
    [
      'no type of tokens that no policy can list',
      check('token_claim_type', {
        expected: ['azurevm', 'tdxvm'],
        actual: 'sgx',
        setting: 'require.maa.attestationType',
        policy: 'p',
      }),
      'The caller should send a token of the attestation type azurevm or tdxvm instead of sgx.',
    ],
    [
      'when a token is valid',
      check('token_time', {
        expected: '2026-01-15T12:00:00.000Z',
        actual: { iat: null, nbf: 1_768_470_000, exp: 1_768_474_800 },
      }),
      "The caller should send a token that is valid at 2026-01-15T12:00:00.000Z (this one is valid from 2026-01-15T09:40:00.000Z until 2026-01-15T11:00:00.000Z), or the operator should correct this service's clock if the token is current.",
    ],
    [
      'which policies of Trust Authority did not match',
      check('ita_policy', { expected: ['a1', 'b2'], actual: ['a1'], policy: 'p' }),
      'The caller should ask Intel Trust Authority for a token with the policies b2, and find out there why one does not match.',
    ],
    [
      'which counter fell',
      check('tpm_reset', {
        expected: { resetCount: 7, restartCount: 2 },
        actual: { resetCount: 7, restartCount: 1 },
        policy: 'p',
      }),
      "The guest should make a new quote, and if that is denied as well, the guest's owner should find out who restored an older state of the vTPM, because restartCount is 1, and 2 was allowed before.",
    ],
    [
      'the types that a policy accepts',
      check('policy_evidence_type', { expected: ['snp', 'tdx'], policy: 'p' }),
      'The caller should send evidence of a type that policy p accepts (snp, tdx) instead of this one, or name a policy that accepts it.',
    ],
    [
      'a value that is no reference value',
      check('snp_measurement', { actual: 'ef56', setting: 'referenceValues[].snp.measurement', policy: 'p' }),
      'The operator should add ef56 to referenceValues[].snp.measurement of policy p if it is meant to be accepted.',
    ],
    [
      'the version that a guest needs',
      check('snp_measurement', { expected: { minGuestSvn: 5 }, actual: { guestSvn: 4 }, policy: 'p' }),
      "The guest's owner should deploy an image with GUEST_SVN 5 or later (it is 4), which require.snp.minGuestSvn of policy p demands.",
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
      'The operator should update this service, which does not know this part yet, or accept it with minimums.snp: any in policy p.',
    ],
    [
      'a part that the policy has no minimum for',
      check('snp_product', { actual: 'Turin', policy: 'p' }),
      'The operator should add a minimum for Turin to minimums.snp of policy p if such processors are to be accepted.',
    ],
    [
      'a part that the policy has no minimum for, where it has others',
      check('snp_product', { expected: ['Milan'], actual: 'Turin', policy: 'p' }),
      'The operator should add a minimum for Turin to minimums.snp of policy p if such processors are to be accepted.',
    ],
    [
      'a difference of which neither side is known',
      check('disagreement', { expected: null, actual: null }),
      'The caller should send evidence and tokens of the same VM, from the same boot.',
    ],
    [
      'a chip, whose id is as long as a value of a sentence may be',
      check('snp_chip_id', { actual: 'ab'.repeat(64), policy: 'p' }),
      `The operator should add ${'ab'.repeat(64)} to require.snp.machines of policy p if the machine is one of theirs.`,
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
      'The operator should take routes.ita: required out of policy p for SEV-SNP evidence, because Intel Trust Authority issues no tokens about it.',
    ],
    ...(['token_issuer', 'token_alg'] as const).map((id): [string, Check, string] => [
      `the type with which a token has to be sent: ${id}`,
      check(id, { actual: { type: 'ita-token' } }),
      'The caller should send the token with the type ita-token.',
    ]),
    [
      'the hash of a policy that is not listed',
      check('token_issuer_policy', { actual: 'ab12' }),
      'The operator should add ab12 to policyHash of this issuer (maa.issuers[]) if that policy is the intended one.',
    ],
    [
      'the signer of a policy whose hash is listed',
      check('token_issuer_policy', { actual: { policySigner: 'ab12' } }),
      'The operator should add ab12 to policySigner of this issuer (maa.issuers[]) if whoever signed the policy is trusted with it.',
    ],
    [
      'PCRs that have to be quoted',
      check('tpm_pcr_not_quoted', { expected: [0, 4, 7], actual: [0, 16], about: '/evidence/tpmQuote', policy: 'p' }),
      'The guest should quote PCRs 4, 7 as well, because require.tpm.quotedPcrs of policy p needs them.',
    ],
    [
      'PCRs that evidence without a vTPM cannot have',
      check('tpm_pcr_not_quoted', { expected: [4, 7], actual: [], policy: 'p' }),
      'The caller should send evidence with a quote of a vTPM over PCRs 4, 7, because require.tpm.quotedPcrs of policy p needs them.',
    ],
    [
      'no command line as a PCR that has to be quoted',
      check('tpm_pcr_not_quoted', {
        expected: ['/vmlinuz ro'],
        about: '/evidence/eventLog',
        faults: ['PCR 9'],
        setting: 'referenceValues[].tpm.boot.commandLines',
        policy: 'p',
      }),
      'The guest should quote PCR 9 as well, because referenceValues[].tpm.boot.commandLines of policy p needs them.',
    ],
    [
      'where applications are that no policy lists',
      check('tpm_pcr', {
        expected: ['ab12'],
        actual: ['ab12', 'cd34'],
        faults: ['cd34'],
        setting: 'referenceValues[].tpm.boot.applications',
        policy: 'p',
      }),
      'The operator should add cd34 to referenceValues[].tpm.boot.applications of policy p if all of it is meant to be accepted.',
    ],
    [
      'a claim of a register that does not replay',
      check('eventlog_replay', { expected: ['/vmlinuz ro'], policy: 'p' }),
      'The caller should send the log of what the operating system measured as well, or the operator should take the claim out of policy p.',
    ],
    [
      'a PCR that no event explains',
      check('eventlog_replay', { expected: [9], actual: [9, 17, 23], policy: 'p' }),
      'The guest should read its event logs and the quote with no event in between, and the caller should send all of them unchanged, or the operator should list PCRs 17, 23 in require.tpm.runtimePcrs of policy p if its guest extends what the firmware does not.',
    ],
    [
      'a register that does not replay',
      check('eventlog_replay', { faults: ['RTMR 0'] }),
      'The guest should read its event logs and the quote with no event in between, and the caller should send all of them unchanged, because the logs do not replay to RTMR 0.',
    ],
    [
      'a claim that no event shows',
      check('eventlog_unverified', { expected: ['/vmlinuz ro'], policy: 'p' }),
      "The guest's owner should boot with a loader whose events show the claim, or the operator should take the claim out of policy p.",
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
    ...HEX_NONCES.map(([where, expected, actual]): [string, Check, string] => [
      `a nonce that was written in hex, where ${where} holds its bytes,`,
      check('nonce_mismatch', { expected, actual }),
      'The caller should send the nonce as ABEiM0RVZncAESIzRFVmdw, which is base64url: it sent the bytes of the evidence as hex.',
    ]),
    [
      'a nonce that was written in hex, where the evidence holds these bytes and more,',
      check('nonce_mismatch', { expected: AS_SENT, actual: `${MEANT}01` }),
      'The caller should send the nonce as base64url, because this one looks like hex, and the guest should make its evidence for the same bytes.',
    ],
    [
      'a nonce whose bytes go on behind the hex',
      check('nonce_mismatch', { expected: `${AS_SENT}01`, actual: MEANT }),
      'The guest should make new evidence for the nonce and the bound key of this request.',
    ],
    [
      'a nonce that agrees in fewer digits than the shortest has',
      check('nonce_mismatch', { expected: hexOf('00112233445566'), actual: '00112233445566' }),
      'The guest should make new evidence for the nonce and the bound key of this request.',
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
        'The caller should send a token without an audience (aud is https://gate.example), because this service has no name that an audience could be.',
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
        "The machine's owner should update its firmware until Azure Attestation calls it UpToDate and not OutOfDate, or the operator should add that status to require.maa.tcbStatus of policy p or waive it there.",
      ],
      [
        'what a policy can do about a status that Trust Authority states',
        check('ita_tcb_status', { about, actual: 'OutOfDate', policy: 'p', result: 'warn' }),
        "The machine's owner should update its firmware until Intel Trust Authority calls it UpToDate and not OutOfDate, and the operator should list in require.ita.tcbStatus of policy p which statuses pass.",
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
      'The caller should send the VCEK or VLEK and the certificate chain that AMD issues now, or leave the VCEK and the chain out so that the service fetches them, because AMD has revoked the ASK or ASVK of those used.',
    ],
    [
      'crl_stale',
      "The operator should let the service fetch AMD's current CRL from amd.kds, or put it into the folder amd.chains.",
    ],
    [
      'crl_unavailable',
      "The operator should let the service fetch AMD's CRL from amd.kds, or put the CRL into the folder amd.chains, or the caller should send the CRL in endorsements.crls.",
    ],
  ])('speaks of the vendor under %s', (id, remedy) => {
    expect(remedyOf(check(id, { about: '/evidence/endorsements/crls' }))).toBe(remedy);
  });
});
