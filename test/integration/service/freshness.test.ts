import { createHash, generateKeyPairSync } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningService } from '../../../src/app/service.js';
import { createSnpGuest } from '../../lab/index.js';
import {
  base64Url,
  challenge,
  LabService,
  lenientPolicy,
  MovableClock,
  NONCE,
  PKI,
  post,
  verdictOf,
  WITHOUT_ENDORSEMENTS,
} from './lab-service.js';

const BASELINE = 'azure-cvm-baseline';
const CHALLENGED = lenientPolicy('challenged', { freshness: 'required', nonce: 'challenge' });
const ANY_NONCE = lenientPolicy('any-nonce', { nonce: 'any' });
const STRICT = lenientPolicy('strict', { freshness: 'strict' });
const BOUND = lenientPolicy('bound', { binding: 'required' });

let lab: LabService;
let service: RunningService;

beforeAll(async () => {
  lab = await LabService.create();
  for (const policy of [CHALLENGED, ANY_NONCE, STRICT, BOUND]) await lab.writePolicy(policy);
  service = await lab.start();
});

afterAll(() => lab.close());

describe('a challenge', () => {
  it('TPM-09 is good for one decision: the same quote again is denied', async () => {
    const nonce = await challenge(service);
    const body = lab.verifyBody({ nonce });
    const [first, again] = [await post(service.url, '/verify', body), await post(service.url, '/verify', body)];
    expect([verdictOf(first), verdictOf(again)]).toEqual([['allow'], ['deny', 'nonce_used']]);
  });

  it('TPM-09 does not make an old quote fresh: it holds the nonce that it was made with', async () => {
    const [nonce, second] = [await challenge(service), await challenge(service)];
    expect(verdictOf(await lab.verify(service, { nonce }))).toEqual(['allow']);
    const answer = await lab.verify(service, { nonce, members: { nonce: base64Url(second) } });
    expect(verdictOf(answer)).toEqual(['deny', 'nonce_mismatch']);
  });

  it('FRS-07 counts as used under a policy that takes any nonce', async () => {
    const nonce = await challenge(service);
    const asked = { nonce, members: { policy: 'any-nonce' } };
    expect(verdictOf(await lab.verify(service, asked))).toEqual(['allow']);
    expect(verdictOf(await lab.verify(service, asked))).toEqual(['deny', 'nonce_used']);
  });

  it('FRS-07 with one bit changed is the caller’s own, which a policy that asks for a challenge denies', async () => {
    const nonce = await challenge(service);
    const changed = Uint8Array.from(nonce, (byte, index) => (index === 0 ? byte ^ 1 : byte));
    const own = await lab.verify(service, { nonce: changed, members: { policy: 'challenged' } });
    expect(verdictOf(own)).toEqual(['deny', 'nonce_missing']);
    expect(verdictOf(await lab.verify(service, { nonce: changed, members: { policy: BASELINE } }))).toEqual(['allow']);
    const genuine = await lab.verify(service, { nonce, members: { policy: 'challenged' } });
    expect(verdictOf(genuine)).toEqual(['allow']);
  });

  it('FRS-04 stays used where the evidence turns out malformed', async () => {
    const nonce = await challenge(service);
    const hclReport = base64Url(lab.vm.hclReport({ nonce }).subarray(0, 1000));
    const evidence = { ...lab.vm.wireEvidence({ nonce, endorsements: WITHOUT_ENDORSEMENTS }), hclReport };
    const malformed = await lab.verify(service, { nonce, members: { evidence } });
    expect(verdictOf(malformed)).toEqual([400, 'hcl_format']);
    expect(verdictOf(await lab.verify(service, { nonce }))).toEqual(['deny', 'nonce_used']);
  });

  it('FRS-04 twin: a body that breaks the schema uses nothing up', async () => {
    const nonce = await challenge(service);
    expect(verdictOf(await lab.verify(service, { nonce, members: { surplus: 1 } }))).toEqual([400, 'unknown_property']);
    expect(verdictOf(await lab.verify(service, { nonce }))).toEqual(['allow']);
  });
});

describe('a challenge in time', () => {
  it('TPM-09, FRS-07 is denied from its expiry on, used or not', async () => {
    const clock = new MovableClock();
    const timed = await lab.start({ challenges: { lifetimeSeconds: 100 } }, { clock }, 'timed');
    const [unused, used, early] = [await challenge(timed), await challenge(timed), await challenge(timed)];
    expect(verdictOf(await lab.verify(timed, { nonce: used }))).toEqual(['allow']);
    clock.advance(50_000);
    expect(verdictOf(await lab.verify(timed, { nonce: early }))).toEqual(['allow']);
    clock.advance(50_000);
    for (const nonce of [unused, used]) {
      expect(verdictOf(await lab.verify(timed, { nonce }))).toEqual(['deny', 'nonce_expired']);
    }
  });

  it('FRS-07, STO-01 is void after a restart, and a used one stays used', async () => {
    const before = await lab.start({}, {}, 'restarted');
    const [unused, used] = [await challenge(before), await challenge(before)];
    expect(verdictOf(await lab.verify(before, { nonce: used }))).toEqual(['allow']);
    await before.close();
    const after = await lab.start({}, {}, 'restarted');
    expect(verdictOf(await lab.verify(after, { nonce: unused }))).toEqual(['indeterminate', 'nonce_store']);
    expect(verdictOf(await lab.verify(after, { nonce: used }))).toEqual(['deny', 'nonce_used']);
    expect(verdictOf(await lab.verify(after, { nonce: await challenge(after) }))).toEqual(['allow']);
  });

  it('FRS-07 that was used is no challenge any more without its key, which the log says where it makes another', async () => {
    const message =
      "there was no challenge key, so one was created: a challenge issued with another key counts as the caller's own nonce";
    const said = (from: number) =>
      lab.output
        .slice(from)
        .split('\n')
        .filter((line) => line.includes('challenge key'))
        .map((line) => JSON.parse(line));
    const first = lab.output.length;
    const before = await lab.start({}, {}, 'loses-its-key');
    expect(said(first)).toMatchObject([
      { level: 'warn', file: expect.stringMatching(/challenges\.key$/), msg: message },
    ]);
    const { file } = said(first)[0];
    await before.close();
    const second = lab.output.length;
    await (await lab.start({}, {}, 'loses-its-key')).close();
    expect(said(second)).toEqual([]);
    await rm(file);
    await lab.start({}, {}, 'loses-its-key');
    expect(said(second)).toMatchObject([{ level: 'warn', file, msg: message }]);
  });

  it('FRS-07 twin: where none is outstanding nothing is lost', async () => {
    const before = await lab.start({}, {}, 'loses-nothing');
    expect(verdictOf(await lab.verify(before, { nonce: await challenge(before) }))).toEqual(['allow']);
    const logged = lab.output.length;
    await before.close();
    expect(lab.output.slice(logged)).not.toContain('challenges in memory are lost');
  });

  it('FRS-07 of another service is the caller’s own', async () => {
    const other = await lab.start({}, {}, 'other');
    const nonce = await challenge(other);
    const answer = await lab.verify(service, { nonce, members: { policy: 'challenged' } });
    expect(verdictOf(answer)).toEqual(['deny', 'nonce_missing']);
  });
});

describe('a challenge sent many times at once', () => {
  it('FRS-02 gets exactly one allow', async () => {
    const nonce = await challenge(service);
    const body = lab.verifyBody({ nonce });
    const dispatcher = new Agent({ connections: 50, pipelining: 1 });
    const ask = async () => {
      const answer = await request(`${service.url}/verify`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
        dispatcher,
      });
      // biome-ignore lint/suspicious/noExplicitAny: compared below, member by member
      const read: any = await answer.body.json();
      return answer.statusCode === 200
        ? [read.decision, ...read.reasons].join(' ')
        : `${answer.statusCode} ${read.code}`;
    };
    const answers = await Promise.all(Array.from({ length: 300 }, ask));
    await dispatcher.close();
    expect(answers.filter((answer) => answer === 'allow')).toHaveLength(1);
    // A busy machine may shed load, which decides nothing.
    const others = new Set(answers.filter((answer) => answer !== 'allow' && answer !== '503 overloaded'));
    expect([...others]).toEqual(['deny nonce_used']);
  });
});

describe('the scope of a challenge', () => {
  const keyOf = (name: string) => `key-of-${name}-0123456789abcdef`;
  const as = (name: string) => ({ 'x-api-key': keyOf(name) });
  const caller = (name: string, members: object = {}) => ({
    apiKeySha256: createHash('sha256').update(keyOf(name)).digest('hex'),
    expires: '2099-01-01',
    roles: ['verify'],
    ...members,
  });
  const POLICIES = [BASELINE, 'any-nonce'];
  const AUDIENCES = ['https://gate.example', 'https://other.example'];
  let shared: RunningService;

  beforeAll(async () => {
    const callers = {
      alice: caller('alice', { tenant: 'a', audience: AUDIENCES, policies: POLICIES }),
      bob: caller('bob', { tenant: 'b', audience: AUDIENCES, policies: POLICIES }),
      colleague: caller('colleague', { tenant: 'a', audience: AUDIENCES, policies: POLICIES }),
      plain: caller('plain'),
      narrow: caller('narrow', { tenant: 'a', policies: [BASELINE], audience: ['https://gate.example'] }),
    };
    shared = await lab.start({ callers, tenants: lab.tenants('a', 'b') }, {}, 'shared');
  });

  const made = { audience: 'https://gate.example', policy: BASELINE, evidenceType: 'az-snp-vtpm' };
  const fitting = { audience: 'https://gate.example', policy: BASELINE };

  it.each([
    ['tenant', 'bob', fitting],
    ['audience', 'alice', { ...fitting, audience: 'https://other.example' }],
    ['audience, since none is named', 'alice', { policy: BASELINE }],
    ['policy', 'alice', { ...fitting, policy: 'any-nonce' }],
    ['policy, beside its own', 'alice', { ...fitting, policy: [BASELINE, 'any-nonce'] }],
  ])('FRS-01 is kept: a challenge of another %s is denied, and stays unused', async (_title, who, members) => {
    const nonce = await challenge(shared, made, as('alice'));
    expect(verdictOf(await lab.verify(shared, { nonce, members, headers: as(who) }))).toEqual(['deny', 'nonce_scope']);
    const own = await lab.verify(shared, { nonce, members: fitting, headers: as('colleague') });
    expect(verdictOf(own)).toEqual(['allow']);
  });

  it('FRS-01 is kept: a challenge of another type of evidence is denied', async () => {
    const scope = { evidenceType: 'snp' };
    const guest = createSnpGuest({ pki: PKI, platform: lab.vm.platform });
    const [nonce, fresh] = [await challenge(shared, scope, as('alice')), await challenge(shared, scope, as('alice'))];
    const azure = await lab.verify(shared, { nonce, members: { policy: 'any-nonce' }, headers: as('alice') });
    expect(verdictOf(azure)).toEqual(['deny', 'nonce_scope']);
    const evidence = guest.wireEvidence({ nonce: fresh, endorsements: WITHOUT_ENDORSEMENTS });
    const members = { evidence, policy: 'any-nonce' };
    expect(verdictOf(await lab.verify(shared, { nonce: fresh, members, headers: as('alice') }))).toEqual(['allow']);
  });

  it('is no wider than what its caller may name', async () => {
    const asked = { nonce: NONCE, headers: as('narrow') };
    const forbidden = [403, 'forbidden'];
    expect(verdictOf(await lab.verify(shared, { ...asked, members: { policy: 'any-nonce' } }))).toEqual(forbidden);
    const elsewhere = { policy: BASELINE, audience: 'https://other.example' };
    expect(verdictOf(await lab.verify(shared, { ...asked, members: elsewhere }))).toEqual(forbidden);
    const made = await post(shared.url, '/challenges', JSON.stringify({ policy: 'any-nonce' }), as('narrow'));
    expect([made.status, made.body.code, made.body.pointer]).toEqual([...forbidden, '/policy']);
    expect(made.body.detail).toContain('may not use the policy "any-nonce"; allowed: ');
    expect(verdictOf(await lab.verify(shared, { ...asked, members: fitting }))).toEqual(['allow']);
  });

  it('is no wider than the default policy for a caller whose policies are not named', async () => {
    const asked = { nonce: NONCE, headers: as('plain') };
    for (const policy of POLICIES.filter((id) => id !== 'azure-cvm-baseline')) {
      expect(verdictOf(await lab.verify(shared, { ...asked, members: { policy } }))).toEqual([403, 'forbidden']);
    }
    const members = { policy: 'azure-cvm-baseline' };
    expect((await lab.verify(shared, { ...asked, members })).body.policies).toMatchObject([{ id: members.policy }]);
  });

  it('is for callers that are known', async () => {
    const answer = await lab.verify(shared, { headers: { 'x-api-key': keyOf('nobody') } });
    expect(verdictOf(answer)).toEqual([401, 'unauthorized']);
  });
});

describe('a key as PEM', () => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const pem = publicKey.export({ format: 'pem', type: 'spki' }).toString();
  const userData = createHash('sha256').update(pem.trimEnd()).digest();
  const ask = (members: object) =>
    lab.verify(service, { nonce: NONCE, claims: { userData }, members: { policy: 'any-nonce', ...members } });

  it('is in the answer, with the warning that the report may be old, and not in the receipt', async () => {
    const answer = await ask({ binding: { pem }, audience: 'https://gate.example' });
    expect(verdictOf(answer)).toEqual(['allow']);
    expect(answer.body).toMatchObject({
      binding: { jkt: expect.stringMatching(/^[\w-]{43}$/) },
      freshness: { bound: ['tpm.extraData'] },
      checks: expect.arrayContaining([
        expect.objectContaining({ id: 'nonce_stale', result: 'warn', about: '/binding/pem' }),
      ]),
    });
    const payload = JSON.parse(Buffer.from(answer.body.receipt.split('.')[1], 'base64url').toString());
    expect(payload).not.toHaveProperty('cnf');
  });

  it('denies without it, under strict freshness, and where a bound key is required', async () => {
    expect(verdictOf(await ask({}))).toEqual(['deny', 'nonce_mismatch']);
    expect(verdictOf(await ask({ binding: { pem }, policy: 'strict' }))).toEqual(['deny', 'nonce_stale']);
    expect(verdictOf(await ask({ binding: { pem }, policy: 'bound' }))).toEqual(['deny', 'binding_missing']);
  });
});

describe('a nonce that is published', () => {
  it('is refused: nonce', async () => {
    const nonce = createHash('sha256').update('azure-cleanroom').digest();
    const { status, body } = await lab.verify(service, { nonce, members: { policy: 'any-nonce' } });
    expect([status, body.code, body.pointer]).toEqual([400, 'nonce', '/nonce']);
  });
});
