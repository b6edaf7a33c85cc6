import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../../../../src/core/json.js';
import { TDX_STATUSES } from '../../../../src/core/tdx-status.js';
import { trustAuthorityClaims } from '../../../lab/trust-authority-claims.js';
import { expectFailed, expectVerified, idsWith } from '../fixture.js';
import { type Judging, type TokenOptions, tokenOf, verifyToken } from './fixture.js';

const VERSIONS = [1, 2] as const;

const POLICY = '1a2b3c4d-0000-4000-8000-0123456789ab';
const OTHER_POLICY = '1a2b3c4d-0000-4000-8000-ba9876543210';

function verify(options: TokenOptions, judging: Judging = {}) {
  return verifyToken(tokenOf(options), judging);
}

/** A token in which a member about the TD has another value; undefined for none. */
function verifyTd(version: 1 | 2, member: string, value: JsonValue | undefined) {
  const change = (object: JsonObject): JsonObject => {
    const { [member]: _, ...others } = object;
    return value === undefined ? others : { ...others, [member]: value };
  };
  const claims = (genuine: JsonObject): JsonObject =>
    version === 1 ? change(genuine) : { ...genuine, tdx: change(genuine['tdx'] as JsonObject) };
  return verify({ version, claims });
}

describe.each(VERSIONS)('claims of a token of version %i', (version) => {
  it('are read from their place', async () => {
    const found = await verify({ version });
    expectVerified(found);
    expect(found.claims.ita?.attestationType).toBe('TDX');
  });

  it.each(['SGX', 'TPM', 'tdx', 'TDX ', '', 7, null, ['TDX']])('TOK-19 refuses the attester type %j', async (type) => {
    const found = await verifyTd(version, 'attester_type', type);
    expectFailed(found, 'token_claim_type');
    expect(idsWith(found, 'skipped')).toEqual(['ita_tcb_status', 'ita_debug', 'ita_policy']);
  });

  it.each(['attester_type', 'tdx_mrtd', 'tdx_report_data'])('TOK-19 refuses a token without %s', async (member) => {
    expectFailed(await verifyTd(version, member, undefined), 'token_claim_type');
  });

  it.each([
    ['attester_tcb_status', 0],
    ['attester_tcb_status', ['UpToDate']],
    ['attester_tcb_status', null],
    ['attester_advisory_ids', 'INTEL-SA-00586'],
    ['attester_advisory_ids', [586]],
    ['attester_held_data', {}],
    ['attester_runtime_data', 'eyJ9'],
    ['attester_runtime_data', []],
    ['attester_runtime_data', null],
    ['tdx_mrtd', 7],
    ['tdx_rtmr3', null],
    ['tdx_seamsvn', '5'],
    ['tdx_is_migratable', 'false'],
    ['tdx_td_attributes_perfmon', 0],
    ['tdx_collateral', 'none'],
    ['verifier_nonce', 'text'],
    ['verifier_nonce', null],
    ['verifier_nonce', { val: 7 }],
    ['verifier_nonce', {}],
  ])('refuse %s as %j', async (member, value) => {
    expectFailed(await verifyTd(version, member, value), 'token_claim_type');
  });

  it.each([
    ['attester_advisory_ids', null],
    ['attester_advisory_ids', ['INTEL-SA-00586']],
    ['attester_held_data', ''],
    ['attester_runtime_data', {}],
    ['attester_user_data', { anything: true }],
    ['a_claim_of_tomorrow', 7],
  ])('take %s as %j', async (member, value) => {
    expectVerified(await verifyTd(version, member, value));
  });

  it('TOK-19 take the TCB status UpToDate', async () => {
    expectVerified(await verifyTd(version, 'attester_tcb_status', 'UpToDate'));
  });

  it.each(TDX_STATUSES)('TOK-23 twin: may have the TCB status %s, which policies then judge', async (status) => {
    const found = await verifyTd(version, 'attester_tcb_status', status);
    expectVerified(found);
    expect(found.claims.ita?.stated.tcbStatus).toBe(status);
  });

  it.each([
    ['Revoked', 'Intel Trust Authority calls the platform Revoked'],
    ['OUT_OF_DATE', 'Intel Trust Authority states a TCB status that Intel does not define'],
    ['uptodate', 'Intel Trust Authority states a TCB status that Intel does not define'],
    ['UpToDate ', 'Intel Trust Authority states a TCB status that Intel does not define'],
    ['', 'Intel Trust Authority states a TCB status that Intel does not define'],
    [undefined, 'Intel Trust Authority does not state the TCB status of the platform'],
  ])('TOK-19, TOK-23 refuse the TCB status %s', async (status, detail) => {
    const found = await verifyTd(version, 'attester_tcb_status', status);
    expectFailed(found, 'ita_tcb_status');
    expect(found.checks.find(({ id }) => id === 'ita_tcb_status')?.detail).toBe(detail);
  });

  it('TOK-23 have the TCB status that Intel states alone, and not that of a cloud', async () => {
    const tdx = { attester_tcb_status: 'OutOfDate', gcp_attester_tcb_status: 'UpToDate' };
    expect((await verify({ version, tdx })).claims.ita?.stated.tcbStatus).toBe('OutOfDate');
    const revoked = { attester_tcb_status: 'Revoked', gcp_attester_tcb_status: 'UpToDate' };
    expectFailed(await verify({ version, tdx: revoked }), 'ita_tcb_status');
  });

  it.each([
    ['dbgstat', 'enabled'],
    ['dbgstat', 'disabled-since-boot'],
    ['dbgstat', 'Disabled'],
    ['dbgstat', 0],
    ['dbgstat', undefined],
    ['tdx_is_debuggable', true],
    ['tdx_is_debuggable', 'false'],
    ['tdx_is_debuggable', 0],
    ['tdx_is_debuggable', null],
    ['tdx_is_debuggable', undefined],
    ['tdx_td_attributes_debug', true],
    ['tdx_td_attributes_debug', null],
    ['tdx_td_attributes_debug', 'false'],
  ])('TOK-19 refuse %s as %j', async (member, value) => {
    expectFailed(await verifyTd(version, member, value), 'ita_debug');
  });

  it('take debug as off where the attribute is not shown beside', async () => {
    expectVerified(await verifyTd(version, 'tdx_td_attributes_debug', undefined));
  });

  it.each([
    ['null', null],
    ['empty', []],
  ])('TOK-19 take policies that are %s', async (_, list) => {
    expectVerified(await verify({ version, claims: { policy_ids_matched: list, policy_ids_unmatched: list } }));
  });

  it('TOK-19 take matched policies, and no members about policies', async () => {
    expectVerified(await verify({ version, policies: { matched: ['91488e12-f39e-4f3e-8435-d49c813decb5'] } }));
    const claims = ({ policy_ids_matched: _, policy_ids_unmatched: __, ...others }: JsonObject) => others;
    expectVerified(await verify({ version, claims }));
  });

  it('TOK-19 refuse an unmatched policy, also beside a matched one', async () => {
    const found = await verify({ version, policies: { matched: ['a'], unmatched: ['b', 'c'] } });
    expectFailed(found, 'ita_policy');
    expect(found.checks.find(({ id }) => id === 'ita_policy')?.actual).toEqual(['b', 'c']);
  });

  it('TOK-21 twin: take a token that matched every configured policy, in either case', async () => {
    const policies = { matched: [POLICY.toUpperCase(), OTHER_POLICY] };
    expectVerified(await verify({ version, policies }, { policyIds: [POLICY, OTHER_POLICY] }));
    expectVerified(await verify({ version, policies }, { policyIds: [OTHER_POLICY] }));
  });

  it.each([
    ['names no policy', {}],
    ['matched another policy', { matched: ['11111111-0000-4000-8000-0123456789ab'] }],
    ['matched one policy of two', { matched: [POLICY] }],
    ['did not match one', { matched: [POLICY], unmatched: [OTHER_POLICY] }],
    ['matched and did not match one', { matched: [POLICY, OTHER_POLICY], unmatched: [OTHER_POLICY] }],
  ])('TOK-21 refuse a token that %s, where policies are configured', async (_, policies) => {
    expectFailed(await verify({ version, policies }, { policyIds: [POLICY, OTHER_POLICY] }), 'ita_policy');
  });

  it('TOK-21 say which setting lists the policies', async () => {
    const found = await verify({ version }, { policyIds: [POLICY] });
    expect(found.checks.find(({ id }) => id === 'ita_policy')).toMatchObject({
      expected: [POLICY],
      actual: [],
      detail:
        'Intel Trust Authority does not say that every policy of ita.issuers[].policyIds and ita.submit.policyIds matches',
    });
  });

  it.each(['policy_ids_matched', 'policy_ids_unmatched'])('TOK-19 refuse %s of another type', async (member) => {
    for (const value of ['', 0, false, {}, ['id'], [null], [{}], [{ id: 7 }]]) {
      expectFailed(await verify({ version, claims: { [member]: value } }), 'token_claim_type');
    }
  });

  it('are all judged, whatever the others say', async () => {
    const tdx = { attester_tcb_status: 'Revoked', dbgstat: 'enabled' };
    const found = await verify({ version, tdx, policies: { unmatched: ['a'] } });
    expectFailed(found, 'ita_tcb_status', 'ita_debug', 'ita_policy');
  });
});

describe('the version of a token', () => {
  it.each(['1.0.1', '2', '2.0', '3.0.0', 'v1.0.0', '', 2, null, undefined])('refuses %j', async (ver) => {
    const claims = ({ ver: _, ...others }: JsonObject): JsonObject => (ver === undefined ? others : { ...others, ver });
    for (const version of VERSIONS) expectFailed(await verify({ version, claims }), 'token_claim_type');
  });

  it('refuses claims of one version under the name of the other', async () => {
    expectFailed(await verify({ version: 2, claims: { ver: '1.0.0' } }), 'token_claim_type');
    expectFailed(await verify({ version: 1, claims: { ver: '2.0.0' } }), 'token_claim_type');
  });

  it.each(['tdx_mrtd', 'attester_tcb_status', 'dbgstat', 'attester_runtime_data'])(
    'TOK-19 refuses %s outside of tdx in version 2',
    async (member) => {
      const tdx = trustAuthorityClaims({ version: 2 })['tdx'] as JsonObject;
      expectFailed(await verify({ claims: { [member]: tdx[member] ?? {} } }), 'token_claim_type');
    },
  );

  it('TOK-19 refuses tdx in version 1', async () => {
    expectFailed(await verify({ version: 1, claims: { tdx: {} } }), 'token_claim_type');
  });

  it.each([['a text'], [null], [[]], [{}]])('TOK-19 refuses tdx as %j in version 2', async (tdx) => {
    expectFailed(await verify({ claims: { tdx } }), 'token_claim_type');
  });

  it('TOK-19 refuses a token of version 2 about an enclave', async () => {
    const claims = ({ tdx: _, ...others }: JsonObject) => ({ ...others, sgx: { attester_type: 'SGX' } });
    const found = await verify({ claims });
    expectFailed(found, 'token_claim_type');
    expect(found.claims.ita?.attestationType).toBe('');
  });

  it('takes a token about a TD and a GPU', async () => {
    expectVerified(await verify({ claims: { nvgpu: { 'x-nvidia-overall-att-result': true } } }));
  });
});
