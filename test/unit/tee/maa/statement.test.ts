import { describe, expect, it } from 'vitest';
import type { SnpProduct } from '../../../../src/core/claims.js';
import type { JsonObject, JsonValue } from '../../../../src/core/json.js';
import { TDX_STATUSES } from '../../../../src/core/tdx-status.js';
import { maaJwk } from '../../../lab/index.js';
import { AT, expectFailed, expectVerified } from '../fixture.js';
import { azureVm, keySetOf, maaVerifier, POLICY_HASH, SIGNER, sevSnpVm, tdxVm, tokenOf, verifyMaa } from './fixture.js';

const TEE = 'x-ms-isolation-tee';
const TYPE = 'x-ms-attestation-type';
const STATUS = 'x-ms-compliance-status';
const DEBUG = 'x-ms-sevsnpvm-is-debuggable';
const REPORT_DATA = 'x-ms-sevsnpvm-reportdata';

function without(claims: JsonObject, ...names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(claims).filter(([name]) => !names.includes(name)));
}

/** Claims of guest attestation whose TEE is another one. */
function azureVmWith(tee: JsonValue): JsonObject {
  return { ...azureVm(), [TEE]: tee };
}

/** The claims about the TEE in claims of guest attestation. */
const tee = () => sevSnpVm();

const judged = (claims: JsonObject) => verifyMaa(tokenOf(claims));

describe('where claims stand, and of what type they are', () => {
  it.each([
    ['without a TEE: a VM with Trusted Launch', without(azureVm(), TEE)],
    ['whose TEE is a text', azureVmWith(JSON.stringify(tee()))],
    ['whose TEE is a list', azureVmWith([tee()])],
    ['whose TEE is null', azureVmWith(null)],
    ['whose TEE is empty', azureVmWith({})],
    ['whose claims about the TEE stand at top level', { ...tee(), ...without(azureVm(), TEE) }],
    ['whose TEE names its type at top level alone', azureVmWith(without(tee(), TYPE))],
    ['whose TEE is an azurevm', azureVmWith({ ...tee(), [TYPE]: 'azurevm' })],
    ['whose TEE is of another kind than it says', azureVmWith({ ...tee(), [TYPE]: 'tdxvm' })],
    ['whose type is that of its TEE', { ...azureVm(), [TYPE]: 'sevsnpvm' }],
    ['whose runtime claims are a text', { ...azureVm(), 'x-ms-runtime': '{}' }],
    ['whose runtime claims of the TEE are a list', azureVmWith({ ...tee(), 'x-ms-runtime': [] })],
    ['whose runtime claims of the TEE are null', azureVmWith({ ...tee(), 'x-ms-runtime': null })],
  ] satisfies [string, JsonObject][])('TOK-14 refuses an azurevm token %s', async (_, claims) => {
    expectFailed(await judged(claims), 'token_claim_type');
  });

  it.each([
    ['with a TEE inside', { ...tee(), [TEE]: tee() }],
    ['in another case', { ...tee(), [TYPE]: 'SevSnpVm' }],
    ['that is a list', { ...tee(), [TYPE]: ['sevsnpvm'] }],
    ['that is a tdxvm one', { ...tee(), [TYPE]: 'tdxvm' }],
    ['that is an sgx one', { ...tee(), [TYPE]: 'sgx' }],
    ['that names no type', without(tee(), TYPE)],
    ['without report data', without(tee(), REPORT_DATA)],
    ['whose report data is no text', { ...tee(), [REPORT_DATA]: 1 }],
    ['whose vmpl is a text', { ...tee(), 'x-ms-sevsnpvm-vmpl': '0' }],
    ['whose measurement is a list', { ...tee(), 'x-ms-sevsnpvm-launchmeasurement': [] }],
    ['that is compliant in another case', { ...tee(), [STATUS]: 'Azure-Compliant-CVM' }],
    ['whose status is a list', { ...tee(), [STATUS]: ['azure-compliant-cvm'] }],
    ['whose status is true', { ...tee(), [STATUS]: true }],
  ] satisfies [string, JsonObject][])('TOK-14 refuses a sevsnpvm token %s', async (_, claims) => {
    expectFailed(await judged(claims), 'token_claim_type');
  });

  it('TOK-14 takes a status that is another one, or none, for what it is', async () => {
    for (const claims of [{ ...tee(), [STATUS]: 'azure-signed-vm' }, without(tee(), STATUS)]) {
      const found = await judged(claims);
      expectVerified(found);
      expect(found.claims.maa?.stated.complianceStatus).toBe(claims[STATUS] ?? null);
      expect(found.vouchesForParavisor).toBe(false);
    }
  });

  it('TOK-14 reads status and Secure Boot from their own places', async () => {
    const claims = { ...azureVmWith(without(tee(), STATUS)), [STATUS]: 'azure-compliant-cvm' };
    expect((await judged(claims)).claims.maa?.stated).toMatchObject({ complianceStatus: null, secureBoot: true });
    const elsewhere = { ...tee(), secureboot: true };
    expect((await judged(elsewhere)).claims.maa?.stated.secureBoot).toBeNull();
    const text = { ...azureVm(), secureboot: 'true' };
    expect((await judged(text)).claims.maa?.stated.secureBoot).toBeNull();
  });
});

describe('debug', () => {
  it.each([
    ['is missing', without(tee(), DEBUG)],
    ['is a text', { ...tee(), [DEBUG]: 'false' }],
    ['is 0', { ...tee(), [DEBUG]: 0 }],
    ['is null', { ...tee(), [DEBUG]: null }],
    ['is an empty list', { ...tee(), [DEBUG]: [] }],
    ['stands outside the TEE', { ...azureVmWith(without(tee(), DEBUG)), [DEBUG]: false }],
    ['of a TD is missing', without(tdxVm(), 'tdx_td_attributes_debug')],
    ['of a TD is a text', { ...tdxVm(), tdx_td_attributes_debug: 'false' }],
    ['of a TD has another status', { ...tdxVm(), dbgstat: 'disabled-since-boot' }],
    ['of a TD has a status that is no text', { ...tdxVm(), dbgstat: false }],
  ] satisfies [string, JsonObject][])('TOK-15 is not known to be off where it %s', async (_, claims) => {
    expectFailed(await judged(claims), 'token_debug_unknown');
  });

  it.each([
    ['a report', { ...tee(), [DEBUG]: true }],
    ['a TEE of guest attestation', azureVmWith({ ...tee(), [DEBUG]: true })],
    ['a TD', { ...tdxVm(), tdx_td_attributes_debug: true }],
    ['a TD, by its status', { ...tdxVm(), dbgstat: 'enabled' }],
  ] satisfies [string, JsonObject][])('TOK-15 is refused where it is on in %s', async (_, claims) => {
    expectFailed(await judged(claims), 'token_debug');
  });

  it('TOK-15 is off where the token says so literally', async () => {
    expectVerified(await judged({ ...tee(), [DEBUG]: false }));
    expectVerified(await judged(without(tdxVm(), 'dbgstat')));
  });
});

describe('the policy of an issuer', () => {
  const OTHER_HASH = 'AAAAHlvTU82e8UqoOy1Yj1FBRSNkfe99-69IYDq9eWs';
  const judging = (issuer: object, claims: JsonObject = azureVm()) => verifyMaa(tokenOf(claims), { issuer });
  const withHash = (hash: JsonValue) => ({ ...azureVm(), 'x-ms-policy-hash': hash });

  it('TOK-17 holds where its hash is pinned, and then makes a paravisor known', async () => {
    const found = await judging({ policyHashes: new Set([OTHER_HASH, POLICY_HASH]) });
    expectVerified(found);
    expect(found.vouchesForParavisor).toBe(true);
  });

  it.each([
    ['another hash', OTHER_HASH],
    ['the hash in another case', POLICY_HASH.toUpperCase()],
    ['the hash with padding', `${POLICY_HASH}=`],
    ['the hash in a list', [POLICY_HASH]],
    ['a hash of null', null],
  ] satisfies [string, JsonValue][])('TOK-17 refuses %s', async (_, hash) => {
    const found = await judging({}, withHash(hash));
    expectFailed(found, 'token_issuer_policy');
    expect(found.vouchesForParavisor).toBe(false);
  });

  it('TOK-17 refuses a token without a hash', async () => {
    const token = tokenOf(azureVm(), { claims: (all) => without(all, 'x-ms-policy-hash') });
    expectFailed(await verifyMaa(token), 'token_issuer_policy');
  });

  it('TOK-17 warns where any policy is taken, and such a token makes no paravisor known', async () => {
    const found = await judging({ policyHashes: 'any' }, withHash(OTHER_HASH));
    expectFailed(found);
    expect(found.checks.filter(({ result }) => result === 'warn').map(({ id }) => id)).toEqual(['token_issuer_policy']);
    expect(found.vouchesForParavisor).toBe(false);
  });

  it('TOK-17 takes the policy of a shared provider as it is, which pins nothing', async () => {
    const found = await judging({ policyHashes: 'shared' }, withHash(OTHER_HASH));
    expect(found.checks.find(({ id }) => id === 'token_issuer_policy')?.detail).toBe(
      'the provider is a shared one (maa.shared or maa.issuers), whose policy Microsoft writes',
    );
    expectVerified(found);
    expect(found.vouchesForParavisor).toBe(false);
  });

  it('TOK-17 lets claims of a policy that issues what it likes make no paravisor known', async () => {
    const invented = azureVmWith({ ...tee(), [STATUS]: 'azure-compliant-cvm', [DEBUG]: true });
    expect((await judging({}, invented)).vouchesForParavisor).toBe(false);
    expect((await judging({}, sevSnpVm())).vouchesForParavisor).toBe(sevSnpVm()[STATUS] === 'azure-compliant-cvm');
  });
});

describe('the TCB status of a TD', () => {
  const guestOf = (isolation: JsonObject): JsonObject => ({ ...azureVm(), 'x-ms-isolation-tee': isolation });
  const about = (status: JsonValue | undefined): readonly JsonObject[] => {
    const { attester_tcb_status: _, ...rest } = tdxVm();
    const claims = status === undefined ? rest : { ...rest, attester_tcb_status: status };
    return [claims, guestOf(claims)];
  };
  const detailOf = ({ checks }: Awaited<ReturnType<typeof judged>>) =>
    checks.find(({ id }) => id === 'maa_tcb_status')?.detail;

  it.each(TDX_STATUSES)('TOK-23 twin: may be %s, which policies then judge', async (status) => {
    for (const claims of about(status)) {
      const found = await judged(claims);
      expectVerified(found);
      expect(found.required).toContain('maa_tcb_status');
      expect(found.claims.maa?.stated.tcbStatus).toBe(status);
    }
  });

  it.each<[JsonValue | undefined, string]>([
    ['Revoked', 'Azure Attestation calls the platform Revoked'],
    ['uptodate', 'Azure Attestation states a TCB status that Intel does not define'],
    ['UpToDate ', 'Azure Attestation states a TCB status that Intel does not define'],
    ['', 'Azure Attestation states a TCB status that Intel does not define'],
    [undefined, 'Azure Attestation does not state the TCB status of the platform'],
  ])('TOK-23 is refused as %j', async (status, detail) => {
    for (const claims of about(status)) {
      const found = await judged(claims);
      expectFailed(found, 'maa_tcb_status');
      expect(detailOf(found)).toBe(detail);
    }
  });

  it('is read beside the claims about the TD, and nowhere else', async () => {
    const [, guest = {}] = about('Revoked');
    expectFailed(await judged({ ...guest, attester_tcb_status: 'UpToDate' }), 'maa_tcb_status');
  });

  it('is none of an SEV-SNP VM', async () => {
    const found = await judged({ ...tee(), attester_tcb_status: 'UpToDate' });
    expectVerified(found);
    expect([found.claims.maa?.stated.tcbStatus, detailOf(found)]).toEqual([null, undefined]);
    expect(found.required).not.toContain('maa_tcb_status');
  });
});

describe('the product line of an SEV-SNP VM', () => {
  const findings = async (claims: JsonObject, refuseProducts: readonly SnpProduct[] = []) => {
    const found = await verifyMaa(tokenOf(claims), { refuseProducts });
    const ofProduct = found.checks.filter(({ id }) => id.startsWith('snp_product'));
    return [found.required.includes('snp_product_refused'), ...ofProduct.map(({ id, result }) => `${id} ${result}`)];
  };

  it.each([
    ['guest attestation', azureVm()],
    ['bare evidence', tee()],
  ])('TOK-30 is not named by a token of %s that stands alone: any is refused where some are', async (_, claims) => {
    expect(await findings(claims)).toEqual([true, 'snp_product_refused pass']);
    for (const refused of ['Milan', 'Turin'] as const) {
      expect(await findings(claims, [refused])).toEqual([true, 'snp_product_refused fail']);
    }
  });

  it('TOK-30 twin: is none of a TD, nor of a token beside hardware evidence', async () => {
    expect(await findings(tdxVm(), ['Milan'])).toEqual([false]);
    const options = { refuseProducts: ['Milan'] } as const;
    const opened = maaVerifier(options).openResult({ type: 'maa-token', token: tokenOf() }, '/attestationResults/0');
    const endorsements = { snp: null, tokenKeys: keySetOf(maaJwk(SIGNER)) };
    const { checks, required } = await opened.verify({ at: AT, endorsements, binding: null });
    expect(checks.filter(({ id }) => id.startsWith('snp_product'))).toEqual([]);
    expect(required).not.toContain('snp_product_refused');
  });
});
