import { createHash, generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningService } from '../../../src/app/service.js';
import { createSnpGuest } from '../../lab/index.js';
import { type ClientKey, clientKey, makeProof, type ProofChanges } from '../../unit/receipts/gates/proofs.js';
import { p256 } from '../../unit/receipts/keys.js';
import type { Call } from '../http/exchange.js';
import {
  type Asked,
  base64Url,
  call,
  challenge,
  LabService,
  lenientPolicy,
  MovableClock,
  NONCE,
  PKI,
  post,
  WITHOUT_ENDORSEMENTS,
} from './lab-service.js';

const AUDIENCE = 'https://app.example';
const URL_OF_GATE = 'https://app.example';
const KEY = clientKey();

const GATES = {
  web: { audience: AUDIENCE, policy: 'open' },
  other: { audience: 'https://other.example', policy: 'open' },
  red: { audience: AUDIENCE, policy: 'open', tenant: 'red' },
  snp: { audience: AUDIENCE, policy: 'snp' },
  bound: { audience: AUDIENCE, policy: 'bound', url: URL_OF_GATE },
  unproved: { audience: AUDIENCE, policy: 'bound' },
  provable: { audience: AUDIENCE, policy: 'open', url: URL_OF_GATE },
  old: { audience: AUDIENCE, policy: 'open', ownNonces: true },
};

let lab: LabService;
let service: RunningService;
const clock = new MovableClock();

beforeAll(async () => {
  lab = await LabService.create();
  await lab.writePolicy(lenientPolicy('open'));
  await lab.writePolicy(lenientPolicy('snp', { accepts: ['snp'] }));
  await lab.writePolicy(lenientPolicy('challenged', { nonce: 'challenge' }));
  await lab.writePolicy(lenientPolicy('bound', { freshness: 'required', binding: 'required' }));
  service = await lab.start({ gates: GATES, tenants: lab.tenants('red') }, { clock });
});

afterAll(() => lab.close());

const receiptOf = async (
  where: RunningService,
  members: object = {},
  more: Pick<Asked, 'nonce'> & { readonly jwk?: ClientKey['jwk']; readonly headers?: Record<string, string> } = {},
) => {
  const asked = { audience: AUDIENCE, policy: 'open', ...members };
  const { nonce = await challenge(where, {}, more.headers) } = more;
  const { body } = await lab.verify(where, { members: asked, ...more, nonce });
  if (typeof body.receipt !== 'string') throw new Error(`no receipt: ${JSON.stringify(body)}`);
  return body.receipt as string;
};

const ask = (receipt: string | null, gate = 'web', options: Call = {}, where = service) =>
  call(where.url, `/authorize/${gate}/page?query=1`, {
    ...options,
    headers: { ...(receipt === null ? {} : { 'x-veritee-receipt': receipt }), ...options.headers },
  });

/** Why the last request was refused, as the log has it. */
const lastCode = () => {
  const lines = lab.output
    .trim()
    .split('\n')
    .filter((line) => line.includes('"route":"/authorize"'));
  return JSON.parse(lines.at(-1) ?? '{}').code;
};

describe('a gate', () => {
  it('opens for the receipt of an allow for it, whatever the method, and names the decision', async () => {
    const receipt = await receiptOf(service);
    const { jti, exp = 0 } = decodeJwt(receipt);
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const) {
      const { status, body, headers } = await ask(receipt, 'web', { method });
      expect([method, status, body]).toEqual([method, 200, '']);
      expect(headers).toMatchObject({
        'x-veritee-decision-id': jti,
        'x-veritee-expires': new Date(exp * 1000).toISOString(),
      });
    }
    const headers = { authorization: `Bearer ${receipt}` };
    expect((await ask(null, 'web', { headers })).status).toBe(200);
  });

  it.each<[string, string, () => Promise<string | null>, string]>([
    ['no receipt', 'web', async () => null, 'receipt_missing'],
    ['no allow', 'snp', () => receiptOf(service, { policy: 'snp' }), 'receipt_audience'],
    ['a receipt for another gate', 'other', () => receiptOf(service), 'receipt_audience'],
    [
      'a receipt under another policy',
      'web',
      () => receiptOf(service, { policy: 'bound' }, { jwk: KEY.jwk }),
      'receipt_policy',
    ],
    [
      'a receipt under more policies',
      'web',
      () => receiptOf(service, { policy: ['open', 'azure-cvm-baseline'] }),
      'receipt_policy',
    ],
    ['a receipt that was altered', 'web', async () => alteredOf(await receiptOf(service)), 'receipt_signature'],
    ['no receipt at all', 'web', async () => 'receipt', 'receipt_form'],
    ['an API key', 'web', async () => 'k'.repeat(43), 'receipt_form'],
    ['a gate that is not there', 'nowhere', () => receiptOf(service), 'gate_unknown'],
  ])('GAT-02 stays closed for %s', async (_what, gate, receipt, code) => {
    const { status, body } = await ask(await receipt(), gate);
    expect([status, body, lastCode()]).toEqual([403, '', code]);
  });

  it('GAT-03 opens for the caller’s own nonce only where ownNonces is set', async () => {
    const receipt = await receiptOf(service, {}, { nonce: NONCE });
    expect(decodeJwt(receipt)).toMatchObject({ decision: 'allow', veritee_nonce: 'own', eat_nonce: base64Url(NONCE) });
    expect([(await ask(receipt)).status, lastCode()]).toEqual([403, 'receipt_own_nonce']);
    expect((await ask(receipt, 'old')).status).toBe(200);
  });

  it('GAT-03 stays closed for a body that was recorded, also 60 days later', async () => {
    const own = lab.verifyBody({ members: { audience: AUDIENCE, policy: 'open' } });
    const answers = async () => {
      const { body } = await post(service.url, '/verify', own);
      return [body.decision, body.freshness.nonce, (await ask(body.receipt)).status, lastCode()];
    };
    expect(await answers()).toEqual(['allow', 'own', 403, 'receipt_own_nonce']);
    const issued = await challenge(service);
    const fresh = lab.verifyBody({ nonce: issued, members: { audience: AUDIENCE, policy: 'open' } });
    const { body } = await post(service.url, '/verify', fresh);
    expect(body).toMatchObject({ decision: 'allow', freshness: { nonce: 'challenge' } });
    expect((await ask(body.receipt)).status).toBe(200);
    clock.advance(60 * 24 * 3_600_000);
    expect((await answers()).slice(2)).toEqual([403, 'receipt_own_nonce']);
    // The challenge of that time has expired, and a new one does not stand in the old evidence.
    const again = await post(service.url, '/verify', fresh);
    expect([again.body.decision, (await ask(again.body.receipt)).status, lastCode()]).toEqual([
      'deny',
      403,
      'receipt_audience',
    ]);
    const nonce = base64Url(await challenge(service));
    const renewed = await post(service.url, '/verify', JSON.stringify({ ...JSON.parse(own), nonce }));
    expect(renewed.body).toMatchObject({ decision: 'deny', reasons: expect.arrayContaining(['nonce_mismatch']) });
    expect([(await ask(renewed.body.receipt)).status, lastCode()]).toEqual([403, 'receipt_audience']);
  });

  it('GAT-03 stays closed where nothing in the evidence holds the challenge, as beside a key as PEM', async () => {
    const text = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      .publicKey.export({ format: 'pem', type: 'spki' })
      .toString()
      .trimEnd();
    const guest = createSnpGuest({ pki: PKI, platform: lab.vm.platform });
    const evidence = guest.wireEvidence({ nonce: NONCE, runtimeData: { text }, endorsements: WITHOUT_ENDORSEMENTS });
    const asked = async (policy: string) => {
      const nonce = base64Url(await challenge(service));
      const members = { evidence, nonce, binding: { pem: text }, policy, audience: AUDIENCE };
      return (await post(service.url, '/verify', JSON.stringify(members))).body;
    };
    const allowed = await asked('open');
    expect(allowed).toMatchObject({ decision: 'allow', freshness: { nonce: 'challenge', bound: [] } });
    expect(decodeJwt(allowed.receipt)).not.toHaveProperty('eat_nonce');
    expect([(await ask(allowed.receipt)).status, lastCode()]).toEqual([403, 'receipt_own_nonce']);
    expect(await asked('challenged')).toMatchObject({ decision: 'deny', reasons: ['nonce_stale'] });
  });

  it('GAT-03 stays closed for a receipt of a request without a nonce', async () => {
    const { nonce: _, ...members } = JSON.parse(lab.verifyBody({ members: { audience: AUDIENCE, policy: 'open' } }));
    const { body } = await post(service.url, '/verify', JSON.stringify(members));
    expect(body).toMatchObject({ decision: 'allow', freshness: { nonce: null } });
    expect(decodeJwt(body.receipt)).not.toHaveProperty('veritee_nonce');
    expect([(await ask(body.receipt)).status, lastCode()]).toEqual([403, 'receipt_own_nonce']);
    expect((await ask(body.receipt, 'old')).status).toBe(200);
  });

  it('GAT-03 is named at the start where it accepts own nonces, and where its policy accepts more than it does', () => {
    expect(lab.output).toContain('gates.old.ownNonces: the gate accepts a receipt whose nonce the caller chose');
    expect(lab.output).toContain('gates.web.policy: the policy open has nonce: any');
    expect(lab.output).not.toContain('gates.old.policy');
  });

  it('GAT-01 stays closed once the receipt has ended', async () => {
    const receipt = await receiptOf(service);
    expect((await ask(receipt)).status).toBe(200);
    clock.advance(300_000);
    expect([(await ask(receipt)).status, lastCode()]).toEqual([403, 'receipt_time']);
  });

  it('GAT-01 stays closed for the receipt of another service, under the same name of the issuer', async () => {
    const receipts = { issuer: 'https://veritee.example' };
    const [one, other] = [
      await lab.start({ gates: GATES, receipts, tenants: lab.tenants('red') }, { clock }, 'one'),
      await lab.start({ gates: GATES, receipts, tenants: lab.tenants('red') }, { clock }, 'another'),
    ];
    const receipt = await receiptOf(one);
    expect((await ask(receipt, 'web', {}, one)).status).toBe(200);
    expect([(await ask(receipt, 'web', {}, other)).status, lastCode()]).toEqual([403, 'receipt_key']);
    expect([(await ask(receipt)).status, lastCode()]).toEqual([403, 'receipt_key']);
  });

  it('opens for receipts of its tenant alone', async () => {
    const key = 'k'.repeat(43);
    const caller = {
      apiKeySha256: createHash('sha256').update(key).digest('hex'),
      expires: '2099-01-01',
      roles: ['verify'],
      audience: [AUDIENCE],
      policies: ['open'],
      tenant: 'red',
    };
    const tenants = await lab.start(
      { gates: GATES, callers: { ci: caller }, tenants: lab.tenants('red') },
      { clock },
      'tenants',
    );
    const receipt = await receiptOf(tenants, {}, { headers: { authorization: `Bearer ${key}` } });
    expect((await ask(receipt, 'red', {}, tenants)).status).toBe(200);
    expect([(await ask(receipt, 'web', {}, tenants)).status, lastCode()]).toEqual([403, 'receipt_policy']);
    expect([(await ask(await receiptOf(service), 'red')).status, lastCode()]).toEqual([403, 'receipt_policy']);
  });

  it('GAT-01 stays closed for a receipt under the text that its policy had before', async () => {
    const receipt = await receiptOf(service);
    await lab.writePolicy(lenientPolicy('open', { version: 2 }));
    await service.reload();
    expect([(await ask(receipt)).status, lastCode()]).toEqual([403, 'receipt_policy']);
    expect((await ask(await receiptOf(service))).status).toBe(200);
  });

  it('GAT-01 stays closed after the clock has jumped', async () => {
    const jumpy = new MovableClock();
    const jumped = await lab.start({ gates: GATES, tenants: lab.tenants('red') }, { clock: jumpy }, 'jumped');
    const receipt = await receiptOf(jumped);
    expect((await ask(receipt, 'web', {}, jumped)).status).toBe(200);
    jumpy.setBy(90_000);
    expect([(await ask(receipt, 'web', {}, jumped)).status, lastCode()]).toEqual([403, 'gate_clock']);
  });

  it('keeps the service from starting where its policy does not exist', async () => {
    const gates = { web: { audience: AUDIENCE, policy: 'nobody' } };
    await expect(lab.start({ gates }, {}, 'refused')).rejects.toMatchObject({
      problems: ['gates.web.policy: there is no policy nobody'],
    });
  });

  it('keeps older policies in force where its policy is taken away', async () => {
    await lab.writePolicy(lenientPolicy('temporary'));
    const gates = { web: { audience: AUDIENCE, policy: 'temporary' } };
    const running = await lab.start({ gates }, { clock }, 'temporary');
    const receipt = await receiptOf(running, { policy: 'temporary' });
    await writeFile(join(lab.policyFolder, 'temporary.json'), lenientPolicy('renamed'));
    await running.reload();
    expect(lab.output).toContain('gates.web.policy: there is no policy temporary');
    expect((await ask(receipt, 'web', {}, running)).status).toBe(200);
    await writeFile(join(lab.policyFolder, 'temporary.json'), lenientPolicy('temporary'));
  });
});

describe('a gate whose policy binds a key', () => {
  const receiptOfKey = () => receiptOf(service, { policy: 'bound' }, { jwk: KEY.jwk });

  const proofFor = (receipt: string, changes: ProofChanges = {}, key = KEY) => {
    const iat = Math.floor(clock.now().getTime() / 1000);
    return makeProof(key, { htm: 'GET', htu: `${URL_OF_GATE}/page`, iat, receipt }, changes);
  };

  const withProof = async (receipt: string, proof: string, gate = 'bound', options: Call = {}) =>
    (await ask(receipt, gate, { ...options, headers: { dpop: proof } })).status;

  beforeAll(() => {
    // Proofs from before the start of the process are refused, and seconds are whole.
    clock.advance(1_000);
  });

  it('opens for its own url alone', async () => {
    const receipt = await receiptOfKey();
    expect(await withProof(receipt, await proofFor(receipt))).toBe(200);
    const elsewhere = await proofFor(receipt, { claims: { htu: `${service.url}/page` } });
    expect([await withProof(receipt, elsewhere), lastCode()]).toEqual([403, 'dpop_target']);
    expect([await withProof(receipt, await proofFor(receipt), 'unproved'), lastCode()]).toEqual([403, 'dpop_url']);
  });

  it('takes the receipt with the scheme DPoP, and not as Bearer', async () => {
    const receipt = await receiptOfKey();
    const sent = async (scheme: string) => {
      const headers = { authorization: `${scheme} ${receipt}`, dpop: await proofFor(receipt) };
      return (await ask(null, 'bound', { headers })).status;
    };
    expect(await sent('DPoP')).toBe(200);
    expect([await sent('Bearer'), lastCode()]).toEqual([403, 'dpop_scheme']);
  });

  it('GAT-02 stays closed for a proof that was used', async () => {
    const receipt = await receiptOfKey();
    const proof = await proofFor(receipt);
    expect(await withProof(receipt, proof)).toBe(200);
    expect([await withProof(receipt, proof), lastCode()]).toEqual([403, 'dpop_replayed']);
    clock.advance(61_000);
    expect([await withProof(receipt, proof), lastCode()]).toEqual([403, 'dpop_time']);
  });

  it('GAT-02 takes one of many equal proofs that come at once', async () => {
    const receipt = await receiptOfKey();
    const proof = await proofFor(receipt);
    const statuses = await Promise.all(Array.from({ length: 8 }, () => withProof(receipt, proof)));
    expect(statuses.toSorted()).toEqual([200, ...Array.from({ length: 7 }, () => 403)]);
  });

  it('GAT-02 stays closed for a proof that was used before a restart, whatever its time', async () => {
    const key = join(lab.root, 'receipts.pem');
    await writeFile(key, p256().export({ type: 'pkcs8', format: 'pem' }));
    const keys = { gates: GATES, tenants: lab.tenants('red'), receipts: { key, issuer: 'https://veritee.example' } };
    const start = () => lab.start(keys, { clock }, 'restarted');
    const before = await start();
    const receipt = await receiptOf(before, { policy: 'bound' }, { jwk: KEY.jwk });
    const iat = Math.floor(clock.now().getTime() / 1000) + 30;
    const headers = { dpop: await proofFor(receipt, { claims: { iat } }) };
    expect((await ask(receipt, 'bound', { headers }, before)).status).toBe(200);
    await before.close();
    expect([(await ask(receipt, 'bound', { headers }, await start())).status, lastCode()]).toEqual([
      403,
      'dpop_replayed',
    ]);
  });

  it.each<[string, (receipt: string) => Promise<string | null>, string]>([
    ['without a proof', async () => null, 'dpop_missing'],
    ['by another key', (receipt) => proofFor(receipt, {}, clientKey()), 'dpop_key'],
    ['for another method', (receipt) => proofFor(receipt, { claims: { htm: 'POST' } }), 'dpop_method'],
    ['for another receipt', () => proofFor('another'), 'dpop_receipt'],
  ])('GAT-02 stays closed %s', async (_what, proof, code) => {
    const receipt = await receiptOfKey();
    const made = await proof(receipt);
    const headers = made === null ? {} : { dpop: made };
    expect([(await ask(receipt, 'bound', { headers })).status, lastCode()]).toEqual([403, code]);
  });

  it('GAT-02 stays closed for a proof where the receipt names no key', async () => {
    const receipt = await receiptOf(service);
    const headers = { dpop: await proofFor(receipt) };
    expect([(await ask(receipt, 'provable', { headers })).status, lastCode()]).toEqual([403, 'receipt_binding']);
    expect((await ask(receipt, 'provable')).status).toBe(200);
  });

  it('is said to stay closed where it has no url', () => {
    expect(lab.output).toContain('gates.unproved.url: is missing: the policy bound has binding: required');
    expect(lab.output).not.toContain('gates.bound.url');
  });
});

/** A receipt with another bit in its signature. */
function alteredOf(receipt: string): string {
  const [header, payload, signature = ''] = receipt.split('.');
  const bytes = Buffer.from(signature, 'base64url');
  bytes.writeUInt8(bytes.readUInt8(10) ^ 1, 10);
  return `${header}.${payload}.${bytes.toString('base64url')}`;
}
