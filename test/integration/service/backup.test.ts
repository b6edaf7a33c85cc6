import { generateKeyPairSync } from 'node:crypto';
import { copyFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runInProcess } from '../cli/command-line-in-process.js';
import { call, challenge, LabService, lenientPolicy, post, verdictOf } from './lab-service.js';

let lab: LabService;
let key: string;

beforeAll(async () => {
  lab = await LabService.create();
  await lab.writePolicy(lenientPolicy('payments'));
  await lab.writePolicy(lenientPolicy('nothing', { accepts: ['tdx'] }));
  key = join(lab.root, 'receipts.pem');
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await writeFile(key, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
});

afterAll(() => lab.close());

const folder = (data: string) => join(lab.root, data);

/** Signs heads with a key that stays, and lets anyone on the machine see what was decided. */
const start = (data: string, keys: object = {}) =>
  lab.start({ historical: true, receipts: { key }, ...keys }, {}, data);

const allow = (service: { readonly url: string }) => lab.verify(service, { members: { policy: 'payments' } });
const deny = (service: { readonly url: string }) => lab.verify(service, { members: { policy: 'nothing' } });

const listed = async (service: { readonly url: string }): Promise<readonly string[]> => {
  const { body } = await call(service.url, '/decisions');
  return body.decisions.map(({ decisionId }: { decisionId: string }) => decisionId);
};

/** A command about the store of a folder. */
async function decisions(data: string, ...args: readonly string[]) {
  const environment = { VERITEE__STORES__URL: `sqlite:${join(folder(data), 'veritee.db')}` };
  return runInProcess({ folder: lab.root }, ['decisions', ...args], { environment });
}

/** The decisions of a service, in a file, and the heads that it logged. */
async function backup(
  data: string,
  decide: (service: { readonly url: string }) => Promise<void>,
  configured: object = {},
) {
  const service = await start(data, configured);
  await decide(service);
  const keys = await call(service.url, '/.well-known/jwks.json');
  await writeFile(join(lab.root, 'keys.json'), JSON.stringify(keys.body));
  await service.close();
  await writeFile(join(lab.root, 'service.log'), lab.output);
  const exported = await decisions(data, 'export', '--out', `${data}.jsonl`);
  expect(exported).toMatchObject({ exitCode: 0, stderr: '' });
}

describe('AUD-03: a backup of the decision log', () => {
  it('is restored into a new folder, where it verifies, and a service goes on', async () => {
    const made: string[] = [];
    let outstanding: Uint8Array = new Uint8Array();
    await backup('first', async (service) => {
      for (const decide of [allow, deny, allow]) made.unshift((await decide(service)).body.decisionId);
      outstanding = await challenge(service);
    });
    expect(await decisions('restored', 'import', 'first.jsonl')).toMatchObject({ exitCode: 0 });
    const evidence = ['--heads', 'service.log', '--keys', 'keys.json'];
    const verified = await decisions('restored', 'verify', ...evidence);
    expect(verified).toMatchObject({ exitCode: 0, stderr: '' });
    expect(JSON.parse(verified.stdout)).toMatchObject({
      problems: [],
      records: 5,
      decisions: 3,
      keptHeads: 2,
      chains: [{ seq: 4, keptHead: 4 }],
      ownWord: [],
    });

    await copyFile(join(folder('first'), 'challenges.key'), join(folder('restored'), 'challenges.key'));
    const service = await start('restored');
    expect(await listed(service)).toEqual(made);
    const shown = await call(service.url, `/decisions/${made[0]}`);
    expect(shown.body).toEqual(JSON.parse((await decisions('first', 'show', made[0] ?? '')).stdout));
    // A backup has no challenges: one of before is neither known to be unused nor to be used.
    const late = await lab.verify(service, { nonce: outstanding, members: { policy: 'payments' } });
    expect(verdictOf(late)).toEqual(['indeterminate', 'nonce_store']);
    const after = await allow(service);
    expect(verdictOf(after)).toEqual(['allow']);
    expect(await listed(service)).toEqual([after.body.decisionId, late.body.decisionId, ...made]);
    await service.close();
    const whole = JSON.parse((await decisions('restored', 'verify', ...evidence)).stdout);
    expect(whole).toMatchObject({ problems: [], records: 9, decisions: 5 });
    expect(whole.chains.map(({ beginsLog }: { beginsLog: boolean }) => beginsLog).sort()).toEqual([false, true]);
  });

  it('has what decisions rest on, so that a service judges them again where it is restored', async () => {
    const made: { readonly decisionId: string; readonly decision: string }[] = [];
    const full = { decisions: { keepEvidence: 'full' } };
    const decide = async (service: { readonly url: string }) => {
      for (const each of [allow, deny, allow]) made.push((await each(service)).body);
    };
    await backup('kept', decide, full);
    const imported = await decisions('judged', 'import', 'kept.jsonl');
    expect(imported).toMatchObject({ exitCode: 0, stderr: '' });
    const verified = JSON.parse((await decisions('judged', 'verify')).stdout);
    expect(verified).toMatchObject({ problems: [], decisions: 3, objects: JSON.parse(imported.stdout).objects });
    expect(verified.objects).toBeGreaterThan(6);
    // The present answers of the vendor do not matter, nor whether evidence is kept now.
    const service = await start('judged', { amd: { kds: 'off', chains: join(lab.root, 'nothing') } });
    for (const { decisionId, decision } of made) {
      const again = await post(service.url, `/decisions/${decisionId}:replay`, JSON.stringify({ at: 'then' }));
      expect(again.body).toMatchObject({
        equal: true,
        decision: { recorded: decision, replayed: decision },
        differences: [],
      });
    }
    await service.close();
  });

  it('is put beside the log of a service that runs, which goes on', async () => {
    let foreign = '';
    await backup('other', async (service) => {
      foreign = (await allow(service)).body.decisionId;
    });
    const service = await start('running');
    const own = (await allow(service)).body.decisionId;
    const [imported, after] = await Promise.all([decisions('running', 'import', 'other.jsonl'), allow(service)]);
    expect(imported).toMatchObject({ exitCode: 0 });
    expect(verdictOf(after)).toEqual(['allow']);
    await decisions('running', 'export', '--out', 'running.jsonl');
    expect(JSON.parse((await decisions('running', 'import', 'running.jsonl')).stdout)).toMatchObject({ records: 0 });
    const last = await allow(service);
    expect(new Set(await listed(service))).toEqual(
      new Set([last.body.decisionId, after.body.decisionId, own, foreign]),
    );
    await service.close();
    expect(await decisions('running', 'verify')).toMatchObject({ exitCode: 0 });
  });

  it('STO-05 in the place of the store of a service that runs is not used until the service is started again', async () => {
    const service = await start('replaced');
    await allow(service);
    expect(await decisions('replaced', 'export', '--out', 'replaced.jsonl')).toMatchObject({ exitCode: 0 });
    const unsaved = (await allow(service)).body.decisionId;
    for (const end of ['', '-wal', '-shm']) await rm(join(folder('replaced'), `veritee.db${end}`));
    expect(await decisions('replaced', 'import', 'replaced.jsonl')).toMatchObject({ exitCode: 0 });
    expect(verdictOf(await allow(service))).toEqual(['indeterminate', 'audit_unavailable']);
    await service.close();
    const again = await start('replaced');
    expect(verdictOf(await allow(again))).toEqual(['allow']);
    expect(await listed(again)).not.toContain(unsaved);
    await again.close();
    expect(await decisions('replaced', 'verify')).toMatchObject({ exitCode: 0 });
  });
});
