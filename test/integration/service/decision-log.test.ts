import { createHash, generateKeyPairSync } from 'node:crypto';
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import engine from 'libsql';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { verifyLog } from '../../../src/log/verify-log.js';
import { SqliteStore } from '../../../src/stores/sqlite/sqlite-store.js';
import { requireConforming } from '../../contract/conforms.js';
import { runInProcess } from '../cli/command-line-in-process.js';
import { call, challenge, LabService, lenientPolicy, NONCE, PKI, sha256Hex, verdictOf } from './lab-service.js';
import { expectWithout, secretsOf } from './secrets.js';

let lab: LabService;

beforeAll(async () => {
  lab = await LabService.create();
  await lab.writePolicy(lenientPolicy('payments'));
  await lab.writePolicy(lenientPolicy('nothing', { accepts: ['tdx'] }));
});

afterAll(() => lab.close());

const storeOf = (data: string) => join(lab.root, data, 'veritee.db');

/** A command about the store of a folder. */
const decisions = (data: string, ...args: readonly string[]) =>
  runInProcess({ folder: lab.root }, ['decisions', ...args], {
    environment: { VERITEE__STORES__URL: `sqlite:${storeOf(data)}` },
  });

/** With the roles of an auditor, since there are no callers. */
const start = (data: string, keys: object = {}) => lab.start({ historical: true, ...keys }, {}, data);

/** A receipt key that ends with the process. */
const EPHEMERAL = {};

const get = async (service: { readonly url: string }, target: string, headers = {}) =>
  call(service.url, target, { headers });

describe('a decision of the service', () => {
  it('is stored before it leaves, and shown as it was answered', async () => {
    const service = await start('stored');
    const answer = await lab.verify(service, { members: { policy: 'payments', audience: 'https://gate.example' } });
    expect(verdictOf(answer)).toEqual(['allow']);
    const { decisionId, claims: _, maaView: __, receipt: ___, checks, endorsements, ...rest } = answer.body;
    const recorded = await get(service, `/decisions/${decisionId}`);
    requireConforming('GET', `/decisions/${decisionId}`, recorded);
    expect(recorded.body).toMatchObject({ ...rest, decisionId });
    expect((await get(service, `/decisions/${decisionId.toUpperCase()}`)).body).toEqual(recorded.body);
    const ids = (listed: readonly { readonly id: string }[]) => listed.map(({ id }) => id).sort();
    expect(ids(recorded.body.checks)).toEqual(ids(checks));
    expect(recorded.body.endorsements.map(({ sha256 }: { sha256: string }) => sha256)).toEqual(
      endorsements.map(({ sha256 }: { sha256: string }) => sha256),
    );
    expect(recorded.body.record).toMatchObject({
      seq: 1,
      principal: 'local',
      tenant: 'default',
      withdrawn: false,
      request: {
        audience: 'https://gate.example',
        policies: ['payments'],
        nonceSha256: createHash('sha256').update(NONCE).digest('hex'),
        attestationResults: [],
      },
    });
  });

  it('is listed, the newest first, and can be looked for', async () => {
    const service = await start('listed');
    const allowed = await lab.verify(service, { members: { policy: 'payments' } });
    const denied = await lab.verify(service, { members: { policy: 'nothing' } });
    expect([verdictOf(allowed), verdictOf(denied)]).toEqual([['allow'], ['deny', 'policy_evidence_type']]);
    const ids = async (query: string) => {
      const listed = await get(service, `/decisions${query}`);
      requireConforming('GET', '/decisions', listed);
      return listed.body.decisions.map(({ decisionId }: { decisionId: string }) => decisionId);
    };
    const [first, second] = [allowed.body.decisionId, denied.body.decisionId];
    expect(await ids('')).toEqual([second, first]);
    expect(await ids('?decision=deny')).toEqual([second]);
    expect(await ids('?policy=payments')).toEqual([first]);
    expect(await ids('?policy=payments&decision=deny')).toEqual([]);
    expect(await ids(`?since=${allowed.body.decidedAt}`)).toEqual([second, first]);
    expect(await ids('?since=2099-01-01T00:00:00Z')).toEqual([]);
    expect(await ids(`?cursor=${second}`)).toEqual([first]);
  });

  it('is shown to its tenant alone', async () => {
    const keyOf = (name: string) => `${name}-`.padEnd(43, 'k');
    const auditor = (name: string, tenant: string) => ({
      apiKeySha256: sha256Hex(keyOf(name)),
      roles: ['verify', 'audit:read'],
      policies: ['payments'],
      expires: '2099-01-31',
      tenant,
    });
    const callers = { red: auditor('red', 'red'), blue: auditor('blue', 'blue') };
    const service = await start('tenants', { callers, tenants: lab.tenants('red', 'blue') });
    const headers = { 'x-api-key': keyOf('red') };
    const { body } = await lab.verify(service, { members: { policy: 'payments' }, headers });
    expect((await get(service, `/decisions/${body.decisionId}`, headers)).body).toMatchObject({
      record: { principal: 'red', tenant: 'red' },
    });
    const others = { 'x-api-key': keyOf('blue') };
    const foreign = await get(service, `/decisions/${body.decisionId}`, others);
    expect([foreign.status, foreign.body.code]).toEqual([404, 'not_found']);
    expect((await get(service, '/decisions', others)).body).toEqual({ decisions: [], next: null });
  });

  it('is in a log that verifies after a stop, with heads where a key stays', async () => {
    const key = join(lab.root, 'receipts.pem');
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    await writeFile(key, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    const reportOf = async (data: string, keys: object) => {
      const service = await start(data, keys);
      await lab.verify(service, { members: { policy: 'payments' } });
      const published = (await get(service, '/.well-known/jwks.json')).body.keys;
      await service.close();
      const store = await SqliteStore.open(storeOf(data));
      const report = await verifyLog(store, { keptHeads: [], keys: keys === EPHEMERAL ? null : published });
      await store.close();
      expect(report).toMatchObject({ problems: [], records: 3, decisions: 1 });
      return report;
    };
    // At the start and at the stop.
    expect(await reportOf('verifies', { receipts: { key } })).toMatchObject({
      heads: 2,
      chains: [{ beginsLog: true, seq: 2, lastHead: 2, vouchedFor: 2 }],
    });
    expect(await reportOf('unsigned', EPHEMERAL)).toMatchObject({
      heads: 0,
      chains: [{ beginsLog: true, seq: 2, lastHead: null, vouchedFor: null }],
    });
  });

  it('DEC-06 is beside the records of policies that were reloaded, or refused', async () => {
    const service = await start('reloads');
    await lab.writePolicy(lenientPolicy('later'));
    await service.reload();
    await lab.writePolicy('{"id": "broken"}');
    await service.reload();
    const kinds = () => {
      const file = new engine(storeOf('reloads'));
      const rows = file.prepare("SELECT json_extract(content, '$.kind') FROM records").raw().all().flat();
      file.close();
      return rows;
    };
    await rename(join(lab.policyFolder, 'broken.json'), join(lab.root, 'broken.json'));
    // A watch may see what a reload has read, too.
    const seen = () => [...new Set(kinds())];
    const all = ['policies', 'policies_refused', 'reloaded', 'started'];
    await vi.waitFor(() => expect(seen().toSorted()).toEqual(all), 10_000);
    await service.close();
  });
});

describe('a reload', () => {
  it('is in the log, with digests of the configuration and of the roots that count from then on', async () => {
    const roots = join(lab.root, 'ak-roots.pem');
    const [first = '', second = ''] = PKI.chainPem('Milan', 'vcek').split(/(?<=END CERTIFICATE-----\n)/);
    await writeFile(roots, first);
    const service = await start('reloaded', { tpm: { roots: [roots] } });
    await writeFile(roots, `${first}${second}`);
    await service.reload();
    await service.close();
    const file = new engine(storeOf('reloaded'));
    const contents = file.prepare('SELECT content FROM records ORDER BY seq').raw().all().flat();
    file.close();
    const records = contents.map((content) => JSON.parse(String(content)));
    const started = records.find(({ kind }) => kind === 'started');
    const reloaded = records.find(({ kind }) => kind === 'reloaded');
    expect([started.roots.tpm.length, reloaded.roots.tpm.length]).toEqual([1, 2]);
    expect(reloaded.roots.tpm).toContain(started.roots.tpm[0]);
    expect(reloaded).toMatchObject({ configuration: expect.stringMatching(/^[0-9a-f]{64}$/), keptAsBefore: [] });
    expect(reloaded.reread).toContain('roots');
  });
});

describe('a store that is lost', () => {
  it('LOG-02, STO-05 lets no allow leave, still says why it denies, and is used again once it is back', async () => {
    const service = await start('lost');
    const members = { policy: 'payments' };
    expect(verdictOf(await lab.verify(service, { members }))).toEqual(['allow']);
    await rename(storeOf('lost'), storeOf('lost').replace('.db', '.away'));
    const withheld = await lab.verify(service, { members, query: '?enforce=true' });
    expect([withheld.status, withheld.body.decision, withheld.body.reasons]).toEqual([
      503,
      'indeterminate',
      ['audit_unavailable'],
    ]);
    expect(withheld.body.receipt).toBeNull();
    const denied = await lab.verify(service, { members: { policy: 'nothing' } });
    expect(verdictOf(denied)).toEqual(['deny', 'policy_evidence_type', 'audit_unavailable']);
    const metrics = await call(service.url, '/metrics');
    expect(metrics.body).toContain('veritee_decision_store_available 0');
    await rename(storeOf('lost').replace('.db', '.away'), storeOf('lost'));
    await vi.waitFor(async () => expect(verdictOf(await lab.verify(service, { members }))).toEqual(['allow']), 10_000);
    expect((await get(service, `/decisions/${withheld.body.decisionId}`)).status).toBe(404);
    expect(lab.output).toContain('decisions cannot be stored: no allow leaves');
    expect(lab.output).toContain('decisions are stored again');
  });

  it('FRS-03 says why no challenge is issued, also where nothing else is asked', async () => {
    const service = await start('unissued');
    const issue = async () =>
      (
        await fetch(`${service.url}/challenges`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: '{}',
        })
      ).status;
    const metric = async () =>
      /^veritee_challenge_store_available (\d)$/m.exec((await call(service.url, '/metrics')).body)?.[1];
    expect([await issue(), await metric()]).toEqual([200, '1']);
    await rename(storeOf('unissued'), storeOf('unissued').replace('.db', '.away'));
    expect([await issue(), await metric()]).toEqual([503, '0']);
    expect(lab.output).toMatch(/"why":"[^"]*unissued\/veritee\.db[^"]*","msg":"the store of challenges fails/);
    await rename(storeOf('unissued').replace('.db', '.away'), storeOf('unissued'));
    await vi.waitFor(async () => expect([await issue(), await metric()]).toEqual([200, '1']), 10_000);
  });

  it('FRS-03 uses up no challenge meanwhile', async () => {
    const service = await start('challenges');
    const nonce = await challenge(service);
    await rename(storeOf('challenges'), storeOf('challenges').replace('.db', '.away'));
    const answer = await lab.verify(service, { nonce, members: { policy: 'payments' } });
    expect(verdictOf(answer)).toEqual(['indeterminate', 'nonce_store', 'audit_unavailable']);
    await rename(storeOf('challenges').replace('.db', '.away'), storeOf('challenges'));
    await vi.waitFor(async () => {
      expect(verdictOf(await lab.verify(service, { nonce, members: { policy: 'payments' } }))).toEqual(['allow']);
    }, 10_000);
  });
});

describe('AUD-04: what is stored', () => {
  it('has no nonce, no id of chip or VM, no evidence and no key, and neither have copy and backup', async () => {
    const key = 'audited-'.padEnd(43, 'k');
    const copy = join(lab.root, 'copy.jsonl');
    const service = await start('private', {
      decisions: { copy },
      callers: {
        ci: {
          apiKeySha256: sha256Hex(key),
          expires: '2099-01-31',
          roles: ['verify'],
          policies: ['payments'],
          audience: ['https://gate.example'],
        },
      },
    });
    const headers = { authorization: `Bearer ${key}` };
    const nonce = await challenge(service, {}, headers);
    const members = { policy: 'payments', audience: 'https://gate.example' };
    const answer = await lab.verify(service, { nonce, headers, members });
    expect(verdictOf(answer)).toEqual(['allow']);
    expect(answer.body.receipt).toBeTypeOf('string');
    await service.close();
    const copied = await readFile(copy, 'latin1');
    const stored = await readFile(storeOf('private'), 'latin1');
    expect(copied.trimEnd().split('\n')).toHaveLength(3);
    const exported = await decisions('private', 'export', '--out', 'private.jsonl');
    expect(exported).toMatchObject({ exitCode: 0, stdout: 'wrote 3 records, 0 signed heads and 0 kept objects\n' });
    expect(await decisions('restored', 'import', 'private.jsonl')).toMatchObject({ exitCode: 0 });
    const backup = await readFile(join(lab.root, 'private.jsonl'), 'latin1');
    const restored = await readFile(storeOf('restored'), 'latin1');
    const secrets = [key, ...secretsOf(lab, answer, nonce)];
    for (const text of [copied, stored, backup, restored]) expectWithout(text, secrets);
  });

  it('may be read by whoever runs the service alone', async () => {
    const service = await start('modes');
    for (const end of ['', '-wal']) expect((await stat(`${storeOf('modes')}${end}`)).mode & 0o777).toBe(0o600);
    await service.close();
  });
});

describe('a service whose store cannot be used', () => {
  it('STO-05 does not start, and says why', async () => {
    await mkdir(join(lab.root, 'theirs'));
    const file = new engine(storeOf('theirs'));
    file.exec('CREATE TABLE theirs (a)');
    file.close();
    await expect(start('theirs')).rejects.toThrow(
      `stores.url: ${storeOf('theirs')}: it is a SQLite database of another program`,
    );
  });
});
