import { createHash } from 'node:crypto';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningService } from '../../../src/app/service.js';
import { call } from '../http/exchange.js';
import { challenge, LabService, lenientPolicy, post, verdictOf } from './lab-service.js';

const KEY = (name: string) => `key-of-${name}-`.padEnd(43, 'k');
const as = (name: string) => ({ 'x-api-key': KEY(name) });
const GATE = 'https://gate.example';

const caller = (name: string, members: object = {}) => ({
  apiKeySha256: createHash('sha256').update(KEY(name)).digest('hex'),
  expires: '2099-01-01',
  roles: ['verify', 'policy:read', 'audit:read'],
  policies: ['payments', 'tracking', 'azure-cvm-baseline', 'only-red'],
  audience: [GATE],
  ...members,
});

let lab: LabService;
let service: RunningService;

const folderOf = (tenant: string) => join(lab.root, `policies-${tenant}`);

async function writePolicyOf(tenant: string, id: string, members: object = {}): Promise<void> {
  await mkdir(folderOf(tenant), { recursive: true });
  await writeFile(join(folderOf(tenant), `${id}.json`), lenientPolicy(id, members));
}

const MEMBERS = () => ({
  tenants: {
    red: { policies: { directory: folderOf('red'), default: 'payments' } },
    blue: { policies: { directory: folderOf('blue'), shadow: ['tracking'] } },
  },
  callers: {
    red: caller('red', { tenant: 'red' }),
    blue: caller('blue', { tenant: 'blue' }),
    'red-only-default': caller('red-only-default', { tenant: 'red', policies: undefined }),
    own: caller('own', { roles: ['verify', 'policy:read', 'audit:read', 'metrics'] }),
  },
  gates: {
    'of-red': { audience: GATE, policy: 'payments', tenant: 'red' },
    'of-blue': { audience: GATE, policy: 'payments', tenant: 'blue' },
  },
});

beforeAll(async () => {
  lab = await LabService.create();
  // The same id, and other texts: the one of blue accepts no such evidence.
  await writePolicyOf('red', 'payments');
  const waiver = { check: 'crl_unconfirmed', reason: 'known', approver: 'alice', expires: '2026-01-01' };
  await writePolicyOf('red', 'only-red', { waivers: [waiver] });
  await writePolicyOf('blue', 'payments', { accepts: ['snp'] });
  for (const tenant of ['red', 'blue']) {
    await writePolicyOf(tenant, 'tracking', { require: { tpm: { trackResets: true } } });
  }
  service = await lab.start(MEMBERS());
});

afterAll(() => lab.close());

const verify = (name: string, members: object = {}) => lab.verify(service, { headers: as(name), members });
const get = (name: string, path: string) => call(service.url, path, { headers: as(name) });

describe('tenants', () => {
  it('have policies of their own, under the same id too', async () => {
    const red = await verify('red', { policy: 'payments' });
    expect(verdictOf(red)).toEqual(['allow']);
    const blue = await verify('blue', { policy: 'payments' });
    expect(verdictOf(blue)).toEqual(['deny', 'policy_evidence_type']);
    expect(red.body.policies[0].sha256).not.toBe(blue.body.policies[0].sha256);
    expect(verdictOf(await verify('own', { policy: 'payments' }))).toEqual([400, 'policy_unknown']);
  });

  it('have a default policy of their own', async () => {
    expect((await verify('red')).body.policies).toMatchObject([{ id: 'payments' }]);
    expect((await verify('blue')).body.policies).toMatchObject([{ id: 'azure-cvm-baseline' }]);
  });

  it('give a caller without policies of its own their default, and no other', async () => {
    const ask = async (members: object = {}) => verdictOf(await verify('red-only-default', members));
    expect([await ask(), await ask({ policy: 'payments' })]).toEqual([['allow'], ['allow']]);
    for (const policy of ['only-red', 'azure-cvm-baseline']) expect(await ask({ policy })).toEqual([403, 'forbidden']);
    // It is told what it asked for and may use, and no name of another tenant.
    const { body } = await verify('red-only-default', { policy: 'tracking' });
    expect([body.detail, body.pointer]).toEqual([
      'this caller may not use the policy "tracking"; allowed: payments',
      '/policy',
    ]);
  });

  it('have shadow policies of their own', async () => {
    expect((await verify('red')).body.shadow).toEqual([]);
    expect((await verify('blue')).body.shadow).toMatchObject([{ id: 'tracking' }]);
  });

  it('are shown their own policies alone, and are told of no others', async () => {
    const idsOf = async (name: string) =>
      (await get(name, '/policies')).body.policies.map(({ id }: { id: string }) => id);
    expect(await idsOf('red')).toEqual(['azure-cvm-baseline', 'only-red', 'payments', 'tracking']);
    expect(await idsOf('blue')).toEqual(['azure-cvm-baseline', 'payments', 'tracking']);
    expect((await get('red', '/policies/only-red')).status).toBe(200);
    expect((await get('blue', '/policies/only-red')).body).toMatchObject({ code: 'not_found' });
    const unknown = await verify('blue', { policy: 'only-red' });
    expect(verdictOf(unknown)).toEqual([400, 'policy_unknown']);
    const challenge = (name: string) => post(service.url, '/challenges', '{"policy":"only-red"}', as(name));
    expect([(await challenge('red')).status, (await challenge('blue')).body.code]).toEqual([200, 'policy_unknown']);
  });

  it('FRS-01 have challenges of their own', async () => {
    const { body } = await post(service.url, '/challenges', '{}', as('red'));
    const nonce = Buffer.from(body.nonce, 'base64url');
    const ask = (name: string, policy: string) =>
      lab.verify(service, { nonce, headers: as(name), members: { policy } });
    expect(verdictOf(await ask('blue', 'tracking'))).toEqual(['deny', 'nonce_scope']);
    expect(verdictOf(await ask('red', 'payments'))).toEqual(['allow']);
  });

  it('GAT-01 have gates that open for no receipt of another, whatever its policy is called', async () => {
    const nonce = await challenge(service, {}, as('red'));
    const members = { policy: 'payments', audience: GATE };
    const { body } = await lab.verify(service, { nonce, headers: as('red'), members });
    const ask = async (gate: string) =>
      (await call(service.url, `/authorize/${gate}/`, { headers: { 'x-veritee-receipt': body.receipt } })).status;
    expect([await ask('of-red'), await ask('of-blue')]).toEqual([200, 403]);
  });

  it('remember the resets of vTPMs for themselves', async () => {
    const quoted = (name: string, resetCount: number) =>
      lab.verify(service, { quote: { resetCount }, headers: as(name), members: { policy: 'tracking' } });
    expect(verdictOf(await quoted('red', 7))).toEqual(['allow']);
    // Red has seen the count 7, which blue does not learn.
    expect(verdictOf(await quoted('blue', 6))).toEqual(['allow']);
    expect(verdictOf(await quoted('red', 6))).toEqual(['deny', 'tpm_reset']);
    const kept = await readdir(join(lab.root, 'data', 'tpm-resets', 'tenants'));
    expect(kept.sort()).toEqual(['blue', 'red']);
  });

  it('see their own decisions alone', async () => {
    const { body } = await verify('red', { policy: 'payments' });
    expect((await get('red', `/decisions/${body.decisionId}`)).body.record.tenant).toBe('red');
    for (const name of ['blue', 'own']) {
      expect((await get(name, `/decisions/${body.decisionId}`)).body.code).toBe('not_found');
    }
  });

  it('have decisions judged again by their own policies of now', async () => {
    const decisions = { keepEvidence: 'full' };
    const keeping = await lab.start({ ...MEMBERS(), decisions }, {}, 'keeping');
    for (const name of ['red', 'blue']) {
      const { body } = await lab.verify(keeping, { headers: as(name), members: { policy: 'payments' } });
      for (const at of ['then', 'now']) {
        const path = `/decisions/${body.decisionId}:replay`;
        const again = await post(keeping.url, path, JSON.stringify({ at }), as(name));
        const decided = { recorded: body.decision, replayed: body.decision };
        expect([name, at, again.body.equal, again.body.decision]).toEqual([name, at, true, decided]);
      }
    }
  });

  it('reload their own policies, and the others stay as they are', async () => {
    await writeFile(join(folderOf('blue'), 'wrong.json'), 'no policy');
    await writePolicyOf('red', 'later');
    await service.reload();
    // A good reload of one tenant does not hide a bad one of another.
    const metrics = String((await get('own', '/metrics')).body);
    expect(metrics).toContain('veritee_last_reload_successful{part="policies"} 0');
    expect(metrics).toContain('veritee_policies_current 0');
    await rm(join(folderOf('blue'), 'wrong.json'));
    expect(lab.output).toMatch(/"tenant":"blue","problems":\["wrong.json.*policies not reloaded/);
    expect(lab.output).toMatch(/"tenant":"red".*"added":\["later"\].*"msg":"policies reloaded"/);
  });

  it('are warned about once with each reload, also of several tenants', async () => {
    const gates = Object.entries(MEMBERS().gates).map(([name, gate]) => [name, { ...gate, ownNonces: true }]);
    // Another service of the lab may reload at this time: this one has an output of its own.
    const own = await LabService.create();
    try {
      const warned = await own.start({ ...MEMBERS(), gates: Object.fromEntries(gates) });
      const before = own.output.length;
      await warned.reload();
      const told = own.output.slice(before);
      expect(told.match(/the gate accepts a receipt whose nonce the caller chose/g)).toHaveLength(gates.length);
      expect(told.match(/"msg":"a waiver has expired/g)).toHaveLength(1);
      const ofPolicies = told.match(/"tenant":"\w+","policy":"[\w-]+","pointer":"[^"]*","code":"\w+"/g);
      expect(ofPolicies).toContainEqual(expect.stringContaining('"tenant":"red","policy":"only-red"'));
      expect(new Set(ofPolicies).size).toBe(ofPolicies?.length);
    } finally {
      await own.close();
    }
  });

  it('are named with their policies when the service starts', () => {
    const starting = lab.output.split('\n').find((line) => line.includes('"msg":"starting"')) ?? '{}';
    expect(JSON.parse(starting).policies).toContainEqual({
      tenant: 'red',
      id: 'payments',
      version: 1,
      sha256: expect.any(String),
    });
  });

  it('do not start without their folder, and say whose it is', async () => {
    const tenants = { green: { policies: { directory: join(lab.root, 'none') } } };
    await expect(lab.start({ tenants }, {}, 'green')).rejects.toMatchObject({
      problems: [expect.stringMatching(/^tenants\.green\.policies\.directory: .+ does not exist$/)],
    });
  });
});
