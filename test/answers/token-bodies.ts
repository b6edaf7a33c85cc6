import type { JsonObject } from '../../src/core/json.js';
import {
  boundValue,
  type MembersChange,
  nonceRuntimeData,
  reportDataOver,
  type TokenMaking,
  type TrustAuthorityTokenOptions,
} from '../lab/index.js';
import { type Asked, type Body, verifyBody } from './body.js';
import { JWK, LAB_AT, LAB_NONCE, type Lab, OTHER_NONCE } from './lab.js';
import { ITA_POLICY } from './policies.js';
import { LAB_MAA, OPEN_MAA, ROOTED_ITA } from './setting.js';

/** Tokens of the lab's issuers: as evidence, and as other verifiers' results beside hardware. */

type Token = readonly [name: string, token: string];

const ALONE = ['tokens', 'strict-tokens', 'azure-maa-baseline'];
const BESIDE = ['permissive', 'careful', 'routes', 'strict-routes', 'azure-cvm-baseline'];
const HOUR = 60 * 60;
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');

export function tokenBodies(lab: Lab): readonly Body[] {
  const maa = maaTokens(lab);
  const ita = itaTokens(lab);
  return [
    ...maa.flatMap((token) => alone('maa-token', token)),
    ...ita.flatMap((token) => alone('ita-token', token)),
    ...maa.flatMap((token) => beside(lab, 'maa-token', token)),
    ...ita.flatMap((token) => beside(lab, 'ita-token', token)),
    ...severalBeside(lab, maa[0]?.[1] ?? '', ita[0]?.[1] ?? ''),
  ];
}

function alone(type: string, [name, token]: Token): readonly Body[] {
  const evidence = () => ({ type, token });
  const base: Asked = {
    name,
    kind: `lab ${type}`,
    service: 'lab',
    at: LAB_AT.toISOString(),
    nonce: LAB_NONCE,
    evidence,
  };
  const bound = () => ({ binding: { jwk: JWK } });
  return [
    ...ALONE.map((policy) => verifyBody({ ...base, policy })),
    verifyBody({ ...base, policy: 'tokens', name: `${name} with a key`, members: bound }),
    verifyBody({ ...base, policy: 'tokens', name: `${name} without nonce`, nonce: null }),
    verifyBody({ ...base, policy: 'tokens', name: `${name} now`, at: null }),
    verifyBody({ ...base, policy: ALONE, query: '?checks=all' }),
  ];
}

function besideOf({ vm, tdVm }: Lab, results: readonly JsonObject[]): readonly Omit<Asked, 'name'>[] {
  const wires = [vm.wireEvidence({ nonce: LAB_NONCE }), tdVm.wireEvidence({ nonce: LAB_NONCE })];
  return wires.map((evidence) => ({
    kind: 'lab results',
    service: 'lab',
    at: LAB_AT.toISOString(),
    nonce: LAB_NONCE,
    evidence: () => evidence,
    members: () => ({ attestationResults: results }),
  }));
}

function beside(lab: Lab, type: string, [name, token]: Token): readonly Body[] {
  return besideOf(lab, [{ type, token }]).flatMap((base, index) =>
    BESIDE.map((policy) => verifyBody({ ...base, policy, name: `${type} ${name} beside ${['SNP', 'TDX'][index]}` })),
  );
}

function severalBeside(lab: Lab, maa: string, ita: string): readonly Body[] {
  const tokens = [
    { type: 'maa-token', token: maa },
    { type: 'ita-token', token: ita },
  ];
  const lists = [tokens, tokens.toReversed(), [...tokens, ...tokens], [], [{ type: 'maa-token', token: ita }]];
  return lists.flatMap((list, index) =>
    besideOf(lab, list).flatMap((base, kind) =>
      BESIDE.map((policy) => verifyBody({ ...base, policy, name: `list ${index} beside ${['SNP', 'TDX'][kind]}` })),
    ),
  );
}

/** As issued by the instance that the configuration names, wherever it listens. */
function of(issuer: string, making: TokenMaking = {}): TokenMaking {
  const { claims = {}, header = {} } = making;
  return {
    ...making,
    claims: (genuine) => changed({ ...genuine, iss: issuer }, claims),
    header: (genuine) => changed({ ...genuine, jku: `${issuer}/certs` }, header),
  };
}

function changed(genuine: JsonObject, change: MembersChange): JsonObject {
  return typeof change === 'function' ? change(genuine) : { ...genuine, ...change };
}

/** Faults of a token of any issuer. */
function makings(): readonly (readonly [name: string, making: TokenMaking])[] {
  const now = LAB_AT.getTime() / 1000;
  return [
    ['genuine', {}],
    ['expired', { claims: { exp: now - HOUR } }],
    ['expired within the leeway', { claims: { exp: now - 30 } }],
    ['not yet valid', { claims: { nbf: now + HOUR } }],
    ['issued in the future', { claims: { iat: now + HOUR } }],
    ['without exp', { claims: ({ exp: _, ...rest }) => rest }],
    ['of a text exp', { claims: { exp: 'tomorrow' } }],
    ['of another issuer', { claims: { iss: 'https://nobody.example' } }],
    ['without issuer', { claims: ({ iss: _, ...rest }) => rest }],
    ['without algorithm', { algorithm: 'none' }],
    ['HS256', { algorithm: 'HS256' }],
    ['another key id', { header: { kid: 'another' } }],
    ['without key id', { header: ({ kid: _, ...rest }) => rest }],
    ['a critical header', { header: { crit: ['exp'] } }],
    ['a key of its own', { header: { jwk: JWK } }],
    ['another type', { header: { typ: 'at+jwt' } }],
    ['a member twice', { claimsText: (text) => text.replace('{', '{"iss":"x",') }],
    ['a broken signature', { afterSigning: (token) => `${token.slice(0, -8)}AAAAAAAA` }],
    ['two parts', { afterSigning: (token) => token.split('.').slice(0, 2).join('.') }],
    ['blanks', { afterSigning: (token) => ` ${token}` }],
  ];
}

function maaTokens({ maa, vm, guest, tdVm }: Lab): readonly Token[] {
  const nonce = LAB_NONCE;
  const azure = (making: TokenMaking = {}, issuer = LAB_MAA) =>
    maa.issueAzureVm({ hclReport: vm.hclReport({ nonce }), clientPayloadNonce: nonce, ...of(issuer, making) });
  const td = (making: TokenMaking = {}) => maa.issueTdxVm({ ...of(LAB_MAA, making), ...ofTd });
  const claims = tdVm.runtimeClaims({ nonce });
  const ofTd = { reportData: reportDataOver(claims), runtimeData: claims };
  const runtime = nonceRuntimeData(nonce, JWK);
  const overRuntime = vm.platform.report({ fields: { reportData: reportDataOver(runtime) } });
  const bare = (jwk: JsonObject | null) => guest.evidence({ nonce, jwk }).report;
  const without = (name: string) => azure({ claims: tee(({ [name]: _, ...rest }) => rest) });
  const other = (name: string, value: JsonObject[string]) =>
    azure({ claims: tee((members) => ({ ...members, [name]: value })) });
  const statuses = ['UpToDate', 'OutOfDate', 'SWHardeningNeeded', 'Revoked', 'Splendid'];
  return [
    ...makings().map(([name, making]): Token => [name, azure(making)]),
    ['of the open instance', azure({}, OPEN_MAA)],
    ['of another policy', azure({ claims: { 'x-ms-policy-hash': 'AAAA' } })],
    ['without compliance', without('x-ms-compliance-status')],
    ['of another compliance', other('x-ms-compliance-status', 'azure-something')],
    ['of another measurement', other('x-ms-sevsnpvm-launchmeasurement', '00'.repeat(48))],
    ['of a newer microcode', other('x-ms-sevsnpvm-microcode-svn', 255)],
    ['of a debug guest', other('x-ms-sevsnpvm-is-debuggable', true)],
    ['of a text for a number', other('x-ms-sevsnpvm-vmpl', '0')],
    ['without runtime claims', without('x-ms-runtime')],
    ['without Secure Boot', azure({ claims: { secureboot: false } })],
    ['of Trusted Launch', maa.issueAzureVm({ hclReport: null, clientPayloadNonce: nonce, ...of(LAB_MAA) })],
    ['of another nonce', maa.issueAzureVm({ hclReport: vm.hclReport({ nonce: OTHER_NONCE }), ...of(LAB_MAA) })],
    ['with the nonce echoed', maa.issueSevSnpVm({ report: bare(null), nonce: base64(nonce), ...of(LAB_MAA) })],
    ['of a report', maa.issueSevSnpVm({ report: bare(null), ...of(LAB_MAA) })],
    ['of a report that binds a key', maa.issueSevSnpVm({ report: bare(JWK), ...of(LAB_MAA) })],
    ['of runtime data', maa.issueSevSnpVm({ report: overRuntime, runtimeData: runtime, ...of(LAB_MAA) })],
    ...statuses.map((status): Token => [`of a TD, ${status}`, td({ claims: { attester_tcb_status: status } })]),
    ['of a TD without status', td({ claims: ({ attester_tcb_status: _, ...rest }) => rest })],
    ['of a debug TD', td({ claims: { dbgstat: 'enabled' } })],
    ['of a bound TD', maa.issueTdxVm({ reportData: boundValue(nonce, JWK), ...of(LAB_MAA) })],
    ['of an enclave', azure({ claims: { 'x-ms-attestation-type': 'sgx' } })],
  ];
}

/** Changes members of `x-ms-isolation-tee`. */
function tee(change: (members: JsonObject) => JsonObject): MembersChange {
  return (claims) => ({ ...claims, 'x-ms-isolation-tee': change(claims['x-ms-isolation-tee'] as JsonObject) });
}

function itaTokens({ ita, tdVm }: Lab): readonly Token[] {
  const held = { attester_held_data: base64(LAB_NONCE) };
  const issue = ({ tdx, ...options }: TrustAuthorityTokenOptions = {}) =>
    ita.issue({ policies: { matched: [ITA_POLICY] }, tdx: { ...held, ...tdx }, ...options });
  const verifierNonce = (nonce: Uint8Array) => ({ val: base64(nonce), iat: '', signature: '' });
  const shown = (bytes: Uint8Array): JsonObject => JSON.parse(Buffer.from(bytes).toString());
  const td = (members: JsonObject) => issue({ tdx: members });
  const statuses = ['OutOfDate', 'SWHardeningNeeded', 'ConfigurationNeeded', 'Revoked', 'Splendid'];
  return [
    ...makings().map(([name, making]): Token => [name, issue(making)]),
    ['of version 1', issue({ version: 1 })],
    ['signed with RS256', issue({ signer: 'RS256', algorithm: 'RS256' })],
    ['of the rooted issuer', issue({ claims: { iss: ROOTED_ITA } })],
    ['of the portal', issue({ claims: { iss: 'https://portal.trustauthority.intel.com' } })],
    ['without policies', issue({ policies: {} })],
    ['of a policy that did not match', issue({ policies: { unmatched: [ITA_POLICY] } })],
    ['of its own nonce', issue({ tdx: { attester_held_data: '' }, verifierNonce: verifierNonce(LAB_NONCE) })],
    [
      'of another nonce',
      issue({ tdx: { attester_held_data: base64(OTHER_NONCE) }, verifierNonce: verifierNonce(OTHER_NONCE) }),
    ],
    ['of a bound key', td({ attester_held_data: base64(boundValue(LAB_NONCE, JWK)) })],
    ['of runtime data', td({ attester_runtime_data: shown(nonceRuntimeData(LAB_NONCE)) })],
    ['of a paravisor', td({ attester_runtime_data: shown(tdVm.runtimeClaims({ nonce: LAB_NONCE })) })],
    ['of an enclave', td({ attester_type: 'SGX' })],
    ['of a debug TD', td({ dbgstat: 'enabled', tdx_is_debuggable: true })],
    ...statuses.map((status): Token => [`of status ${status}`, td({ attester_tcb_status: status })]),
  ];
}
