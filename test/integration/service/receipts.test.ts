import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compactVerify, createLocalJWKSet, decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningService } from '../../../src/app/service.js';
import { refusedBy } from '../../receipts/relying-party.js';
import type { Expectation } from '../../receipts/vectors.js';
import {
  base64Url,
  call,
  challenge,
  LabService,
  lenientPolicy,
  MovableClock,
  NONCE,
  verdictOf,
} from './lab-service.js';

const AUDIENCE = 'https://gate.example';
const BASELINE = 'azure-cvm-baseline';
const STRICT = lenientPolicy('strict', { accepts: ['snp'], minimums: 'any' });

let lab: LabService;
let service: RunningService;
let publishes = '';

beforeAll(async () => {
  lab = await LabService.create();
  await lab.writePolicy(STRICT);
  await lab.writePolicy(lenientPolicy('lenient'));
  service = await lab.start({ policies: { directory: lab.policyFolder } });
  publishes = service.url;
});

afterAll(() => lab.close());

const keySet = async ({ url } = { url: publishes }) => (await call(url, '/.well-known/jwks.json')).body;
const nowInSeconds = () => Math.floor(Date.now() / 1000);

const expected = (members: Partial<Expectation> = {}): Expectation => ({
  issuer: service.url,
  audience: AUDIENCE,
  nonce: base64Url(NONCE),
  subject: `default:${BASELINE}`,
  policies: [],
  evidenceTypes: ['az-snp-vtpm'],
  ...members,
});

/** A file with a private key. */
async function keyFile(name: string, key: KeyObject): Promise<string> {
  const file = join(lab.root, name);
  await writeFile(file, key.export({ type: 'pkcs8', format: 'pem' }));
  return file;
}

const p256 = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const kidOf = (receipt: string) => decodeProtectedHeader(receipt).kid;

describe('a receipt', () => {
  it('of an allow passes every check of a relying party', async () => {
    const nonce = await challenge(service);
    const { body } = await lab.verify(service, { nonce, members: { audience: AUDIENCE } });
    expect(body.decision).toBe('allow');
    const policies = body.policies.map(({ id, sha256 }: { id: string; sha256: string }) => ({ id, sha256 }));
    const wanted = expected({ nonce: base64Url(nonce), policies });
    expect(refusedBy(body.receipt, await keySet(), wanted, nowInSeconds())).toBeNull();
    expect(decodeJwt(body.receipt)).toMatchObject({
      jti: body.decisionId,
      exp: Math.floor(Date.parse(body.validUntil) / 1000),
      evidence: body.evidence,
    });
  });

  it('DEC-11 of a deny is refused by software that checks issuer, audience and expiry alone', async () => {
    const { body } = await lab.verify(service, { members: { audience: AUDIENCE, policy: 'strict' } });
    expect(body.decision).toBe('deny');
    const { iss, aud, exp = 0, decision } = decodeJwt(body.receipt);
    expect([iss, aud, decision]).toEqual([service.url, 'urn:veritee:not-allowed', 'deny']);
    expect(exp).toBeGreaterThan(nowInSeconds());
    const wanted = expected({ subject: 'default:strict' });
    expect(refusedBy(body.receipt, await keySet(), wanted, nowInSeconds())).toBe(6);
  });

  it('DEC-07 is of one audience, nonce and evidence, and says which policy text judged it', async () => {
    const { body } = await lab.verify(service, { members: { audience: AUDIENCE } });
    const keys = await keySet();
    const policies = body.policies.map(({ id, sha256 }: { id: string; sha256: string }) => ({ id, sha256 }));
    const step = (members: Partial<Expectation>, now = nowInSeconds()) =>
      refusedBy(body.receipt, keys, expected({ policies, ...members }), now);
    expect(step({})).toBeNull();
    expect(step({ audience: 'https://other.example' })).toBe(6);
    expect(step({ nonce: base64Url(new Uint8Array(32)) })).toBe(7);
    expect(step({}, nowInSeconds() + 301)).toBe(8);
    expect(step({ policies: [{ id: BASELINE, sha256: 'ab'.repeat(32) }] })).toBe(10);
    expect(step({ evidenceTypes: ['snp'] })).toBe(11);
  });

  it('names the bound key', async () => {
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' };
    const { body } = await lab.verify(service, { jwk, members: { audience: AUDIENCE } });
    expect(body.decision).toBe('allow');
    expect(decodeJwt(body.receipt)).toMatchObject({ cnf: { jwk } });
  });

  it('is the whole answer for whoever wants it alone', async () => {
    const headers = { accept: 'application/eat+jwt' };
    const { body } = await lab.verify(service, { members: { audience: AUDIENCE }, headers });
    expect(decodeJwt(body)).toMatchObject({ aud: AUDIENCE, decision: 'allow' });
  });

  it.each([
    ['without an audience', {}],
    ['of the past', { audience: AUDIENCE, at: new Date(Date.now() - 1000).toISOString() }],
  ])('there is none for a decision %s', async (_title, members) => {
    const past = await lab.start({ historical: true }, {}, 'historical');
    const { status, body } = await lab.verify(past, { members });
    expect([status, body.receipt]).toEqual([200, null]);
  });

  it('is none of /policies:evaluate', async () => {
    const request = JSON.parse(lab.verifyBody({ members: { audience: AUDIENCE } }));
    const { evidence, nonce } = request;
    const { body } = await call(service.url, '/policies:evaluate', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ text: lenientPolicy('tried'), evidence, nonce }),
    });
    expect([body.outcome, 'receipt' in body]).toEqual(['allow', false]);
  });
});

describe('callers', () => {
  const KEY = 'k'.repeat(43);
  const headers = { authorization: `Bearer ${KEY}` };
  const withCaller = (members: object) => ({
    tenants: lab.tenants('red'),
    callers: {
      ci: {
        apiKeySha256: createHash('sha256').update(KEY).digest('hex'),
        expires: '2099-01-01',
        roles: ['verify'],
        tenant: 'red',
        ...members,
      },
    },
  });

  it('REC-02 get receipts for their audiences alone, and without any for none', async () => {
    const some = await lab.start(withCaller({ audience: [AUDIENCE] }), {}, 'some');
    const none = await lab.start(withCaller({}), {}, 'none');
    const ask = (where: RunningService, audience?: string) =>
      lab.verify(where, { headers, members: audience === undefined ? {} : { audience } });
    const { body } = await ask(some, AUDIENCE);
    expect(decodeJwt(body.receipt)).toMatchObject({ aud: AUDIENCE, sub: `red:${BASELINE}` });
    const refused = await ask(some, 'https://other.example');
    expect([...verdictOf(refused), refused.body.pointer]).toEqual([403, 'forbidden', '/audience']);
    expect(refused.body.detail).toContain('may not use the audience "https://other.example"; allowed: ');
    expect(verdictOf(await ask(none, AUDIENCE))).toEqual([403, 'forbidden']);
    expect(verdictOf(await ask(none))).toEqual(['allow']);
  });
});

describe('the key of receipts', () => {
  it.each([
    ['ES256', p256()],
    ['EdDSA', generateKeyPairSync('ed25519').privateKey],
    ['RS256', generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey],
  ])('is that of a file, and signs with %s', async (alg, key) => {
    const file = await keyFile(`${alg}.pem`, key);
    const issuer = 'https://veritee.example';
    const configured = await lab.start({ receipts: { key: file, issuer } }, {}, alg);
    const { body } = await lab.verify(configured, { members: { audience: AUDIENCE } });
    const policies = body.policies.map(({ id, sha256 }: { id: string; sha256: string }) => ({ id, sha256 }));
    const keys = await keySet(configured);
    expect(refusedBy(body.receipt, keys, expected({ issuer, policies }), nowInSeconds())).toBeNull();
    expect(decodeProtectedHeader(body.receipt).alg).toBe(alg);
    const { body: discovery } = await call(configured.url, '/.well-known/openid-configuration');
    expect(discovery).toMatchObject({ issuer, id_token_signing_alg_values_supported: [alg] });
  });

  it('that comes next and those of before are published', async () => {
    const names = ['now', 'next', 'before'] as const;
    const [key = '', next = '', before = ''] = await Promise.all(names.map((name) => keyFile(`${name}.pem`, p256())));
    const configured = await lab.start({ receipts: { key, next, previous: [before] } }, {}, 'three');
    const { keys } = await keySet(configured);
    const { body } = await lab.verify(configured, { members: { audience: AUDIENCE } });
    expect([keys.length, kidOf(body.receipt)]).toEqual([3, keys[0].kid]);
  });

  it('REC-04 changes under load, and each receipt verifies with a key set of five minutes before', async () => {
    const [first, second] = [p256(), p256()];
    const file = await keyFile('rotated.pem', first);
    const clock = new MovableClock();
    const rotated = await lab.start({ receipts: { key: file } }, { clock }, 'rotated');
    const ask = async () =>
      (await lab.verify(rotated, { members: { audience: AUDIENCE, policy: 'lenient' } })).body.receipt as string;
    const kids = new Set([kidOf(await ask())]);
    await keyFile('rotated.pem', second);
    await rotated.reload();
    let published = await keySet(rotated);
    for (let minute = 0; minute <= 15; minute++) {
      const receipts = await Promise.all([ask(), ask(), ask()]);
      for (const receipt of receipts) {
        kids.add(kidOf(receipt));
        const { payload } = await compactVerify(receipt, createLocalJWKSet(published));
        expect(JSON.parse(Buffer.from(payload).toString())).toMatchObject({ iss: rotated.url, decision: 'allow' });
      }
      // A cache of five minutes, at its oldest.
      if (minute % 5 === 4) published = await keySet(rotated);
      clock.advance(60_000);
    }
    expect(kids.size).toBe(2);
  });

  it('REC-04 changes to the next under load, beside those of before, and each receipt verifies as above', async () => {
    const [retired, first, second] = [p256(), p256(), p256()];
    const [previous, key, next] = await Promise.all([
      keyFile('rotation-previous.pem', retired),
      keyFile('rotation-key.pem', first),
      keyFile('rotation-next.pem', second),
    ]);
    const clock = new MovableClock();
    const rotated = await lab.start({ receipts: { key, next, previous: [previous] } }, { clock }, 'rotation');
    const ask = async () =>
      (await lab.verify(rotated, { members: { audience: AUDIENCE, policy: 'lenient' } })).body.receipt as string;
    let published = await keySet(rotated);
    const kids: string[] = [];
    for (let minute = 0; minute <= 30; minute++) {
      for (const receipt of await Promise.all([ask(), ask(), ask()])) {
        if (kids.at(-1) !== kidOf(receipt)) kids.push(kidOf(receipt) as string);
        const { payload } = await compactVerify(receipt, createLocalJWKSet(published));
        expect(JSON.parse(Buffer.from(payload).toString())).toMatchObject({ iss: rotated.url, decision: 'allow' });
      }
      // The next one signs by now: it becomes the key, the key is kept as a previous one, and another comes next.
      if (minute === 15) {
        await Promise.all([
          keyFile('rotation-previous.pem', first),
          keyFile('rotation-key.pem', second),
          keyFile('rotation-next.pem', retired),
        ]);
        await rotated.reload();
      }
      // A cache of five minutes, at its oldest.
      if (minute % 5 === 4) published = await keySet(rotated);
      clock.advance(60_000);
    }
    expect(published.keys).toHaveLength(3);
    // Each signs from ten minutes after it was published, the one that comes back too.
    expect(kids).toHaveLength(3);
    expect(new Set(kids).size).toBe(3);
  });

  it('stays what it was where its file is wrong at a reload, and the log says so', async () => {
    const file = await keyFile('broken.pem', p256());
    const configured = await lab.start({ receipts: { key: file } }, {}, 'broken');
    const before = await keySet(configured);
    await writeFile(file, 'no key');
    await configured.reload();
    expect(await keySet(configured)).toEqual(before);
    expect(lab.output).toContain(`receipts.key: ${file}: neither a private key in PEM nor a JWK`);
  });

  it('keeps the service from starting where its file is wrong', async () => {
    const file = join(lab.root, 'none.pem');
    await expect(lab.start({ receipts: { key: file } }, {}, 'wrong')).rejects.toMatchObject({
      problems: [`receipts.key: ${file}: there is no such file`],
    });
  });
});
