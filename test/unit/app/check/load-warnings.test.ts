import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { checkPolicies } from '../../../../src/app/check/check-policies.js';
import { gateWarnings, logWarnings, missingFolders, policyWarnings } from '../../../../src/app/check/load-warnings.js';
import { loadConfiguration } from '../../../../src/config/load-configuration.js';
import { BUILT_IN_POLICIES } from '../../../../src/policy/document/built-in-policies.js';
import { parsePolicy } from '../../../../src/policy/document/policy-document.js';
import { RecordingLog } from '../../endorsements/recording-log.js';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'veritee-'));
});
afterEach(() => rm(root, { recursive: true }));

async function warnings(keys: object, what = 'does not exist'): Promise<readonly object[]> {
  const log = new RecordingLog();
  logWarnings(await missingFolders(loadConfiguration({ text: JSON.stringify(keys), environment: {} })), log);
  return log.of(new RegExp(`^configured folder ${what}, continuing without it$`));
}

it('warns of folders that the configuration names and that are not there', async () => {
  const [amd, intel] = [join(root, 'amd'), join(root, 'intel')];
  expect(await warnings({ amd: { chains: amd }, intel: { collateral: intel } })).toEqual([
    { key: 'amd.chains', folder: amd, why: 'there is no such folder' },
    { key: 'intel.collateral', folder: intel, why: 'there is no such folder' },
  ]);
});

it('twin: says nothing of folders that are there, or that nobody named', async () => {
  await mkdir(join(root, 'amd'));
  expect(await warnings({ amd: { chains: join(root, 'amd') } })).toEqual([]);
});

it('does not say of a folder that links to itself that it does not exist', async () => {
  const loop = join(root, 'amd');
  await symlink(loop, loop);
  expect(await warnings({ amd: { chains: loop } })).toEqual([]);
  expect(await warnings({ amd: { chains: loop } }, 'cannot be reached')).toEqual([
    { key: 'amd.chains', folder: loop, why: 'cannot be read: its name is a symbolic link that leads in a circle' },
  ]);
});

const DEFAULTS = loadConfiguration({ text: '', environment: {} });

function warningsOf(policy: object, releasePolicyId?: string): readonly object[] {
  const read = parsePolicy(JSON.stringify(policy), releasePolicyId === undefined ? {} : { releasePolicyId });
  const warnings = policyWarnings([{ tenant: 'default', policy: read }], DEFAULTS);
  return warnings.map(({ fields, message }) => ({ ...fields, message }));
}

const RELEASE = {
  version: '1.0.0',
  anyOf: [
    {
      authority: 'https://sharedweu.weu.attest.azure.net',
      allOf: [
        { claim: 'x-ms-isolation-tee.x-ms-sevsnpvm-is-debuggable', equals: false },
        { claim: 'x-ms-isolation-tee.x-ms-sevsnpvm-vmpl', equals: '0' },
      ],
    },
  ],
};
const TOKENS = { apiVersion: 'veritee/v1', id: 'p', version: 1, accepts: ['maa-token'], minimums: 'any' };

const NAMED = { require: { maa: { issuers: ['https://sharedweu.weu.attest.azure.net'] } } };

it('TOK-31 warns of a policy of the operator that names no issuer, and not of one that is built in', () => {
  expect(warningsOf({ ...TOKENS, routes: { hardware: 'off' } })).toMatchObject([
    { policy: 'p', pointer: '', code: 'token_issuer_unnamed' },
  ]);
  const builtIn = BUILT_IN_POLICIES.map((policy) => ({ tenant: 'default', policy }));
  expect(policyWarnings(builtIn, DEFAULTS)).toEqual([]);
});

it('warns of rules with the code of lint and the id of the policy, of release policies too', () => {
  const message =
    'x-ms-isolation-tee.x-ms-sevsnpvm-vmpl is a number and the value a text, which strict comparison does not meet: write 0';
  const rules = [
    { id: 'release', akv: RELEASE },
    { id: 'always', cel: 'evidence.type == "maa-token"' },
  ];
  const policy = { ...TOKENS, ...NAMED, routes: { hardware: 'off' }, rules };
  expect(warningsOf(policy)).toEqual([
    {
      policy: 'p',
      pointer: '/rules/1/cel',
      code: 'rule_always',
      message: 'is met by every evidence that the policy accepts',
    },
    { policy: 'p', pointer: '/rules/0/akv/anyOf/0/allOf/1', code: 'akv_coerced', message },
  ]);
  expect(warningsOf(RELEASE, 'bare')).toEqual([
    { policy: 'bare', pointer: '/anyOf/0/allOf/1', code: 'akv_coerced', message },
  ]);
});

it('warns of runtime claims that nobody known wrote', () => {
  const rules = [{ id: 'boot', cel: 'hcl.vmConfiguration.secureBoot' }];
  const policy = { ...TOKENS, accepts: ['az-snp-vtpm'], paravisor: 'any', rules };
  expect(warningsOf(policy)).toMatchObject([
    { pointer: '/minimums', code: 'snp_floor_low' },
    { pointer: '', code: 'boot_unpinned' },
    { pointer: '/rules/0/cel', code: 'rule_always' },
  ]);
});

it('twin: says nothing of a policy that lint finds nothing in but what its author chose', () => {
  expect(warningsOf({ ...TOKENS, ...NAMED, routes: { hardware: 'off' } })).toEqual([]);
});

it('lists for a start what a check lists, at the same places', async () => {
  const directory = join(root, 'policies');
  await mkdir(directory);
  const snp = { apiVersion: 'veritee/v1', version: 1, accepts: ['snp'], nonce: 'challenge', binding: 'required' };
  const boot = { tpm: { boot: { commandLines: ['linux'] } } };
  const pcr7 = [{ tpm: { pcrs: { sha256: { 7: ['ab'.repeat(32)] } } } }];
  const azure = { ...snp, accepts: ['az-snp-vtpm'] };
  const documents = [
    { ...snp, id: 'floor', minimums: { snp: 'any' } },
    { ...azure, id: 'boot', minimums: 'any', referenceValues: [boot] },
    { ...azure, id: 'firmware', minimums: 'any', paravisor: 'known', referenceValues: pcr7 },
  ];
  for (const each of documents) await writeFile(join(directory, `${each.id}.json`), JSON.stringify(each));
  const codesOf = async (keys: object) => {
    const text = JSON.stringify({ policies: { directory }, keys });
    const configuration = loadConfiguration({ text, environment: {} });
    const { problems, files } = await checkPolicies(configuration, null);
    const started = policyWarnings(files, configuration).map(
      ({ fields }) => fields as { code: string; pointer: string },
    );
    const placed = ({ code, pointer }: { code: string; pointer: string }) => `${code} ${pointer}`;
    expect(started.map(placed)).toEqual(problems.map(placed));
    return started.map(({ code }) => code);
  };
  const codes = await codesOf({});
  expect(codes).toEqual(expect.arrayContaining(['snp_floor_low', 'boot_unpinned']));
  expect(codes).not.toContain('release_firmware_only');
  const local = { local: join(root, 'key'), policy: 'firmware' };
  expect(await codesOf({ k: local })).toContain('release_firmware_only');
});

it('warns of gates whose policy binds a key, and that have no url that a proof could be for', () => {
  const gates = {
    closed: { audience: 'a', policy: 'bound' },
    open: { audience: 'a', policy: 'bound', url: 'https://app.example' },
    bearer: { audience: 'a', policy: 'free' },
  };
  const nonce = 'challenge';
  const configuration = loadConfiguration({ text: JSON.stringify({ gates }), environment: {} });
  const named = (tenant: string, id: string, binding: 'required' | 'optional') => ({
    tenant,
    policy: parsePolicy(
      JSON.stringify({ ...TOKENS, id, routes: { hardware: 'off', maa: 'required' }, binding, nonce }),
    ),
  });
  const policies = [
    named('other', 'free', 'required'),
    named('default', 'bound', 'required'),
    named('default', 'free', 'optional'),
    named('other', 'bound', 'optional'),
  ];
  expect(gateWarnings(configuration, policies)).toEqual([
    { path: ['gates', 'closed', 'url'], what: expect.stringMatching(/^is missing: the policy bound has binding: /) },
  ]);
});

it('GAT-03 warns of gates that accept own nonces, and of gates that refuse what their policy accepts', () => {
  const gates = {
    old: { audience: 'a', policy: 'any', ownNonces: true },
    narrow: { audience: 'a', policy: 'any' },
    built: { audience: 'a', policy: 'azure-cvm-baseline' },
    fresh: { audience: 'a', policy: 'fresh' },
    redundant: { audience: 'a', policy: 'fresh', ownNonces: true },
    unknown: { audience: 'a', policy: 'absent' },
  };
  const configuration = loadConfiguration({ text: JSON.stringify({ gates }), environment: {} });
  const policies = (['any', 'challenge'] as const).map((nonce) => ({
    tenant: 'default',
    policy: parsePolicy(
      JSON.stringify({ ...TOKENS, id: nonce === 'any' ? 'any' : 'fresh', routes: { hardware: 'off' }, nonce }),
    ),
  }));
  const accepts = /^the gate accepts a receipt whose nonce the caller chose/;
  const refuses = (id: string) => new RegExp(`^the policy ${id} has nonce: any, and this gate refuses a receipt`);
  expect(gateWarnings(configuration, policies)).toEqual([
    { path: ['gates', 'old', 'ownNonces'], what: expect.stringMatching(accepts) },
    { path: ['gates', 'narrow', 'policy'], what: expect.stringMatching(refuses('any')) },
    { path: ['gates', 'built', 'policy'], what: expect.stringMatching(refuses('azure-cvm-baseline')) },
    { path: ['gates', 'redundant', 'ownNonces'], what: expect.stringMatching(accepts) },
  ]);
});
