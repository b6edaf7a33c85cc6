import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import engine from 'libsql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RELEASE_INPUTS_VERSION } from '../../../src/log/kept-names.js';
import { requireConforming } from '../../contract/conforms.js';
import { rewriteRecords } from '../../unit/log/rewrite-records.js';
import { call, challenge, LabService, lenientPolicy, MovableClock, post, verdictOf } from './lab-service.js';

let lab: LabService;

beforeAll(async () => {
  lab = await LabService.create();
  await lab.writePolicy(lenientPolicy('payments'));
  await lab.writePolicy(lenientPolicy('nothing', { accepts: ['tdx'] }));
});

afterAll(() => lab.close());

const start = (data: string, keys: object = {}, world: Parameters<LabService['start']>[1] = {}) =>
  lab.start({ historical: true, decisions: { keepEvidence: 'full' }, ...keys }, world, data);

type Service = Awaited<ReturnType<typeof start>>;

async function replay(service: Service, decisionId: string, at: 'then' | 'now') {
  const answer = await post(service.url, `/decisions/${decisionId}:replay`, JSON.stringify({ at }));
  requireConforming('POST', '/decisions/{id}:replay', answer);
  return answer;
}

describe('a decision judged again as it was', () => {
  it('is equal, whatever has changed since', async () => {
    const clock = new MovableClock();
    const service = await start('then', {}, { clock });
    const nonce = await challenge(service);
    const allowed = await lab.verify(service, { nonce, members: { policy: 'payments' } });
    const denied = await lab.verify(service, { nonce, members: { policy: 'payments' } });
    const baseline = await lab.verify(service, { members: { policy: ['azure-cvm-baseline', 'payments'] } });
    expect([verdictOf(allowed), verdictOf(denied)]).toEqual([['allow'], ['deny', 'nonce_used']]);
    await lab.writePolicy(
      lenientPolicy('payments', { minimums: { snp: { Milan: { snp: 255, microcode: 255 } } }, version: 2 }),
    );
    await service.reload();
    expect(verdictOf(await lab.verify(service, { members: { policy: 'payments' } }))).toEqual(['deny', 'snp_tcb_low']);
    for (const { body } of [allowed, denied, baseline]) {
      const { body: again } = await replay(service, body.decisionId, 'then');
      expect(again).toMatchObject({
        at: 'then',
        decisionId: body.decisionId,
        equal: true,
        decision: { recorded: body.decision, replayed: body.decision },
        differences: [],
        checks: [],
      });
      expect(body.claims).toMatchObject({ snp: { vmpl: 0, measurement: again.replayed.claims.snp.measurement } });
    }
    await lab.writePolicy(lenientPolicy('payments'));
    await service.close();
  });

  it('needs neither the vendor nor the keys and folders of then', async () => {
    const first = await start('moved');
    const { body } = await lab.verify(first, { members: { policy: 'payments', audience: 'https://gate.example' } });
    await first.close();
    const other = await start('moved', {
      amd: { kds: 'off', chains: join(lab.root, 'nothing'), refuseProducts: ['Milan'] },
      time: { tokenLeewaySeconds: 0 },
    });
    expect((await replay(other, body.decisionId, 'then')).body).toMatchObject({ equal: true });
    await other.close();
  });

  it('is equal where endorsements were out of reach then', async () => {
    const service = await start('unreachable', { amd: { kds: 'off' } });
    const answer = await lab.verify(service, { members: { policy: 'payments' } });
    expect(answer.body.decision).toBe('indeterminate');
    expect((await replay(service, answer.body.decisionId, 'then')).body).toMatchObject({ equal: true });
    const inCapitals = answer.body.decisionId.toUpperCase();
    expect((await replay(service, inCapitals, 'then')).body).toMatchObject({ equal: true });
  });

  it('is equal for a past verification time', async () => {
    const service = await start('past');
    const at = new Date(Date.now() - 3_600_000).toISOString();
    const answer = await lab.verify(service, { members: { policy: 'payments', at } });
    expect(answer.body.historical).toBe(true);
    expect((await replay(service, answer.body.decisionId, 'then')).body).toMatchObject({ equal: true });
  });

  it('says where nobody was told of it', async () => {
    const service = await start('untold');
    const { body } = await lab.verify(service, { members: { policy: 'payments' } });
    expect((await replay(service, body.decisionId, 'then')).body.withdrawn).toBe(false);
    const file = new engine(join(lab.root, 'untold', 'veritee.db'));
    file.exec('UPDATE decisions SET withdrawn = 1');
    file.close();
    for (const at of ['then', 'now'] as const) {
      expect((await replay(service, body.decisionId, at)).body).toMatchObject({ equal: true, withdrawn: true });
    }
  });

  it('AUD-01 is refused where its record was changed, which is not shown either', async () => {
    const service = await start('changed');
    const { body } = await lab.verify(service, { members: { policy: 'payments' } });
    const file = new engine(join(lab.root, 'changed', 'veritee.db'));
    file.exec(`UPDATE records SET content = replace(content, '"vmpl":0', '"vmpl":3')`);
    file.close();
    const again = await replay(service, body.decisionId, 'then');
    expect([again.status, again.body.code]).toEqual([409, 'evidence_not_kept']);
    expect(again.body.detail).toContain('is not what was recorded: the store was changed');
    const shown = await fetch(`${service.url}/decisions/${body.decisionId}`);
    expect([shown.status, await shown.json()]).toMatchObject([500, { code: 'internal_error' }]);
  });

  it('AUD-01 differs where its record was changed with its digest and hash', async () => {
    const service = await start('rewritten');
    const { body } = await lab.verify(service, { members: { policy: 'payments' } });
    rewriteRecords(join(lab.root, 'rewritten', 'veritee.db'), (content) => content.replace('"vmpl":0', '"vmpl":3'));
    const { body: again } = await replay(service, body.decisionId, 'then');
    expect(again).toMatchObject({
      equal: false,
      decision: { recorded: 'allow', replayed: 'allow' },
      differences: expect.arrayContaining([{ pointer: '/claims/snp/vmpl', recorded: 3, replayed: 0 }]),
    });
  });

  it('AUD-01 is refused where the record of another decision was put in its place', async () => {
    const service = await start('exchanged');
    const { body: allowed } = await lab.verify(service, { members: { policy: 'payments' } });
    const { body: denied } = await lab.verify(service, { members: { policy: 'nothing' } });
    const file = new engine(join(lab.root, 'exchanged', 'veritee.db'));
    file.exec(
      `UPDATE decisions SET seq = (SELECT seq FROM decisions WHERE decision_id = '${allowed.decisionId}')
       WHERE decision_id = '${denied.decisionId}'`,
    );
    file.close();
    const again = await replay(service, denied.decisionId, 'then');
    expect([again.status, again.body.code]).toEqual([409, 'evidence_not_kept']);
    expect((await fetch(`${service.url}/decisions/${denied.decisionId}`)).status).toBe(500);
    expect((await replay(service, allowed.decisionId, 'then')).body).toMatchObject({ equal: true });
  });

  it('AUD-01 is refused where its record does not have its form, which is shown nowhere either', async () => {
    const service = await start('formless');
    const { body } = await lab.verify(service, { members: { policy: 'payments' } });
    const { body: other } = await lab.verify(service, { members: { policy: 'payments' } });
    const file = new engine(join(lab.root, 'formless', 'veritee.db'));
    for (const [table, column] of [
      ['decisions', 'summary'],
      ['records', 'content'],
    ]) {
      const changed = `replace(${column}, '"reasons":[]', '"reasons":7')`;
      file.exec(
        `UPDATE ${table} SET ${column} = ${changed} WHERE ${column} LIKE '%"decisionId":"${body.decisionId}"%'`,
      );
    }
    file.close();
    for (const at of ['then', 'now'] as const) {
      const again = await replay(service, body.decisionId, at);
      expect([again.status, again.body.code]).toEqual([409, 'evidence_not_kept']);
    }
    const shown = await fetch(`${service.url}/decisions/${body.decisionId}`);
    expect([shown.status, await shown.json()]).toMatchObject([500, { code: 'internal_error' }]);
    const listed = await fetch(`${service.url}/decisions`);
    expect(await listed.json()).toMatchObject({ decisions: [{ decisionId: other.decisionId }], next: null });
    expect(lab.output).toContain('"type":"ChangedDecisionError"');
  });

  it('is refused, and not shown, where a later version recorded it, which is no change', async () => {
    const service = await start('later');
    const { body } = await lab.verify(service, { members: { policy: 'payments' } });
    const from = lab.output.length;
    rewriteRecords(join(lab.root, 'later', 'veritee.db'), (content) => content.replace('"v":1,', '"v":2,'));
    for (const at of ['then', 'now'] as const) {
      const again = await replay(service, body.decisionId, at);
      expect([again.status, again.body.code]).toEqual([409, 'evidence_not_kept']);
      expect(again.body.detail).toContain('recorded by a later version of veritee');
    }
    const shown = await fetch(`${service.url}/decisions/${body.decisionId}`);
    expect([shown.status, await shown.json()]).toMatchObject([500, { code: 'internal_error' }]);
    const logged = lab.output.slice(from);
    expect(logged).toContain('"type":"LaterVersionError"');
    expect(logged).not.toContain('ChangedDecisionError');
  });

  it('is refused where a later version kept what it rested on', async () => {
    const service = await start('later-inputs');
    const { body } = await lab.verify(service, { members: { policy: 'payments' } });
    const path = join(lab.root, 'later-inputs', 'veritee.db');
    const later = Buffer.from(`{"v":${RELEASE_INPUTS_VERSION + 1}}`);
    const sha256 = createHash('sha256').update(later).digest('hex');
    const file = new engine(path);
    file.prepare('INSERT INTO objects (sha256, bytes) VALUES (?, ?)').run(sha256, later);
    file.close();
    rewriteRecords(path, (content) => content.replace(/"inputs":"[0-9a-f]{64}"/, `"inputs":"${sha256}"`));
    const again = await replay(service, body.decisionId, 'then');
    expect([again.status, again.body.code]).toEqual([409, 'evidence_not_kept']);
    expect(again.body.detail).toContain('kept by a later version of veritee');
  });

  it('is refused where something that it rested on was changed', async () => {
    const service = await start('lost-object');
    const { body } = await lab.verify(service, { members: { policy: 'payments' } });
    const file = new engine(join(lab.root, 'lost-object', 'veritee.db'));
    file.exec(
      "UPDATE objects SET bytes = CAST('{}' AS BLOB) WHERE length(bytes) = (SELECT max(length(bytes)) FROM objects)",
    );
    file.close();
    const again = await replay(service, body.decisionId, 'then');
    expect([again.status, again.body.code]).toEqual([409, 'evidence_not_kept']);
  });
});

describe('a decision judged again as of now', () => {
  it('says what differs today, and why', async () => {
    const service = await start('now');
    const { body } = await lab.verify(service, { members: { policy: 'payments' } });
    await lab.writePolicy(
      lenientPolicy('payments', { minimums: { snp: { Milan: { snp: 255, microcode: 255 } } }, version: 2 }),
    );
    await service.reload();
    const { body: again } = await replay(service, body.decisionId, 'now');
    expect(again).toMatchObject({ at: 'now', equal: false, decision: { recorded: 'allow', replayed: 'deny' } });
    expect(again.checks).toContainEqual(
      expect.objectContaining({ id: 'snp_tcb_low', policy: 'payments', replayed: 'fail' }),
    );
    expect(again.differences).toContainEqual({ pointer: '/policies/0/version', recorded: 1, replayed: 2 });
    await lab.writePolicy(lenientPolicy('payments'));
    await service.reload();
    expect((await replay(service, body.decisionId, 'now')).body).toMatchObject({ equal: true, checks: [] });
  });

  it('is of today, whatever past time the request named', async () => {
    const clock = new MovableClock();
    const service = await start('now-of-past', {}, { clock });
    const at = new Date(Date.now() - 3_600_000).toISOString();
    const { body } = await lab.verify(service, { members: { policy: 'payments', at } });
    expect([body.decision, body.at]).toEqual(['allow', at]);
    // All CRLs that the lab serves have ended by then.
    clock.advance(400 * 86_400_000);
    const { body: again } = await replay(service, body.decisionId, 'now');
    expect(again).toMatchObject({
      equal: false,
      decision: { recorded: 'allow', replayed: 'indeterminate' },
      reasons: { replayed: ['crl_stale'] },
      replayed: { historical: false },
    });
    expect(again.replayed.at).toBe(again.replayed.decidedAt);
    expect((await replay(service, body.decisionId, 'then')).body).toMatchObject({ equal: true });
    await service.close();
  });

  it('lets others compute while it waits for the vendor', async () => {
    const offline = await start('waiting', { amd: { kds: 'off' } });
    const { body } = await lab.verify(offline, { members: { policy: 'payments' } });
    await offline.close();
    const service = await start('waiting', { deadlineSeconds: 10 });
    lab.kds.fail(/./, 'half_open');
    const asked = lab.kds.requests.length;
    const again = replay(service, body.decisionId, 'now');
    await expect.poll(() => lab.kds.requests.length, { timeout: 30_000 }).toBeGreaterThan(asked);
    const { body: metrics } = await call(service.url, '/metrics');
    expect(metrics).toContain('veritee_verifications{state="running"} 1\n');
    expect(metrics).toContain('veritee_verifications{state="computing"} 0\n');
    await lab.kds.heal();
    expect((await again).body).toMatchObject({ decision: { recorded: 'indeterminate' } });
  });

  it('says that it is the recorded request that names a policy which is not there any more', async () => {
    await lab.writePolicy(lenientPolicy('gone'));
    const service = await start('policy-gone');
    const { body } = await lab.verify(service, { members: { policy: 'gone' } });
    await rm(join(lab.policyFolder, 'gone.json'));
    await service.reload();
    const again = await replay(service, body.decisionId, 'now');
    expect([again.status, again.body.code, again.body.pointer]).toEqual([400, 'policy_unknown', undefined]);
    expect(again.body.detail).toMatch(
      /^the recorded request is refused by the configuration of today: unknown policy "?gone"?/,
    );
    expect((await replay(service, body.decisionId, 'then')).body).toMatchObject({ equal: true });
  });

  it('uses up no challenge, and stores no decision', async () => {
    const service = await start('quiet');
    const nonce = await challenge(service);
    const members = { policy: 'payments' };
    // A request about the past uses up none, and as of now it is about the present.
    const at = new Date().toISOString();
    const past = await lab.verify(service, { nonce, members: { ...members, at } });
    expect([past.body.decision, past.body.historical]).toEqual(['allow', true]);
    const again = async ({ body: { decisionId } }: typeof past) => {
      expect((await replay(service, decisionId, 'then')).body).toMatchObject({ equal: true });
      expect((await replay(service, decisionId, 'now')).body).toMatchObject({ decision: { replayed: 'allow' } });
    };
    await again(past);
    const present = await lab.verify(service, { nonce, members });
    expect(verdictOf(present)).toEqual(['allow']);
    // The challenge that it used up counts as it did.
    await again(present);
    const file = new engine(join(lab.root, 'quiet', 'veritee.db'));
    expect(file.prepare('SELECT count(*) FROM decisions').raw().get()).toEqual([2]);
    file.close();
  });
});

describe('a decision whose evidence is not kept', () => {
  it('is 409 evidence_not_kept', async () => {
    const service = await start('hashed', { decisions: { keepEvidence: 'hash' } });
    const { body } = await lab.verify(service, { members: { policy: 'payments' } });
    const again = await replay(service, body.decisionId, 'then');
    expect([again.status, again.body.code]).toEqual([409, 'evidence_not_kept']);
    expect(again.body.detail).toBe(
      'the evidence of this decision was not kept: decisions.keepEvidence was hash when it was made',
    );
  });
});

describe('what is kept', () => {
  it('is kept once, however many decisions rest on it', async () => {
    const service = await start('once');
    for (let count = 0; count < 5; count++) await lab.verify(service, { members: { policy: 'payments' } });
    const file = new engine(join(lab.root, 'once', 'veritee.db'));
    const count = (sql: string) => Number(file.prepare(`SELECT count(*) FROM ${sql}`).raw().get()?.[0 as never]);
    const perDecision = count('decision_objects WHERE decision_id = (SELECT decision_id FROM decisions LIMIT 1)');
    // Request, inputs and nothing else is new with each decision.
    expect(count('objects')).toBeLessThanOrEqual(perDecision + 4 * 2);
    file.close();
  });
});
