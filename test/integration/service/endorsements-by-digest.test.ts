import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningService } from '../../../src/app/service.js';
import { createIntelPki, createTdxGuest, TdxPlatform, TlsAuthority } from '../../lab/index.js';
import { LabPcs } from '../../lab/pcs.js';
import { base64Url, call, LabService, lenientPolicy, NONCE, post } from './lab-service.js';

/** Endorsements by digest, over HTTP: what a decision lists is given out, but for what the evidence brought. */

interface Listed {
  readonly kind: string;
  readonly sha256: string;
  readonly source: string;
}

const KEY = (name: string) => `key-of-${name}-`.padEnd(43, 'k');
const as = (name: string) => ({ 'x-api-key': KEY(name) });
const caller = (tenant: string, members: object = {}) => ({
  apiKeySha256: createHash('sha256').update(KEY(tenant)).digest('hex'),
  expires: '2099-01-01',
  roles: ['verify', 'audit:read'],
  policies: ['lenient'],
  tenant,
  ...members,
});

const INTEL = createIntelPki();
const tls = new TlsAuthority();
let lab: LabService;
let pcs: LabPcs;
let service: RunningService;

beforeAll(async () => {
  lab = await LabService.create(tls);
  pcs = await LabPcs.start({ tls });
  await lab.writePolicy(lenientPolicy('lenient', { accepts: ['az-snp-vtpm', 'tdx'] }));
  service = await lab.start(
    {
      historical: true,
      intel: { pcs: pcs.origin },
      tenants: lab.tenants('red', 'blue', 'past'),
      callers: { red: caller('red'), blue: caller('blue'), past: caller('past') },
      policies: { directory: lab.policyFolder, default: 'lenient' },
    },
    { intelRootPins: INTEL.pins },
  );
});

afterAll(async () => {
  await lab.close();
  await pcs.close();
});

const verify = (name: string, asked: object = {}) =>
  lab.verify(service, { headers: as(name), ...asked, members: { policy: 'lenient', ...asked } });
const get = (name: string, digest: string) => call(service.url, `/endorsements/${digest}`, { headers: as(name) });
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

async function givenOut(name: string, listed: readonly Listed[]) {
  const answers = await Promise.all(listed.map((each) => get(name, each.sha256)));
  for (const [index, { status, body }] of answers.entries()) {
    if (status !== 200) continue;
    const { kind, sha256: digest } = listed[index] as Listed;
    expect([body.kind, body.sha256, sha256(Buffer.from(body.value, 'base64url'))]).toEqual([kind, digest, digest]);
    expect(Object.keys(body)).toEqual(['kind', 'sha256', 'value']);
  }
  return answers.map(({ status, body }) => (status === 200 ? 200 : [status, body.code]));
}

const NOT_FOUND = [404, 'not_found'];

describe('GET /endorsements/{sha256}', () => {
  it('gives out what a decision lists that was fetched, to callers of its tenant alone', async () => {
    const { body } = await verify('red');
    const listed: readonly Listed[] = body.endorsements;
    expect(listed.map(({ kind }) => kind)).toEqual(['vcek', 'ask', 'ark', 'crl']);
    expect(listed.map(({ source }) => source)).not.toContain('evidence');
    expect(await givenOut('red', listed)).toEqual([200, 200, 200, 200]);
    expect(await givenOut('blue', listed)).toEqual(Array(4).fill(NOT_FOUND));
    const [{ sha256: digest }] = listed as [Listed];
    expect((await get('red', digest.toUpperCase())).body.sha256).toBe(digest);
  });

  it('gives out nothing that the evidence brought', async () => {
    const { vek } = lab.vm.platform;
    const endorsements = { vek: { der: vek.der }, chain: null, crls: [] };
    const evidence = lab.vm.wireEvidence({ nonce: NONCE, endorsements });
    const body = JSON.stringify({ evidence, nonce: base64Url(NONCE), policy: 'lenient' });
    const { body: decision } = await post(service.url, '/verify', body, as('blue'));
    const listed: readonly Listed[] = decision.endorsements;
    expect(listed.map(({ source }) => source === 'evidence')).toEqual([true, false, false, false]);
    expect(await givenOut('blue', listed)).toEqual([NOT_FOUND, 200, 200, 200]);
  });

  it('gives out what was judged by at no past instant', async () => {
    const at = new Date(Date.now() - 60_000).toISOString();
    const { body } = await lab.verify(service, { headers: as('past'), members: { policy: 'lenient', at } });
    expect(body.historical).toBe(true);
    const listed: readonly Listed[] = body.endorsements;
    expect(listed.length).toBeGreaterThan(0);
    expect(await givenOut('past', listed)).toEqual(listed.map(() => NOT_FOUND));
  });

  it('gives out the texts that Intel signed, and its CRLs', async () => {
    const platform = new TdxPlatform({ pki: INTEL });
    pcs.serve(platform);
    const evidence = createTdxGuest({ platform }).wireEvidence({ nonce: NONCE, collateral: null });
    const asked = { evidence, nonce: base64Url(NONCE), policy: 'lenient' };
    const { body } = await post(service.url, '/verify', JSON.stringify(asked), as('red'));
    const listed = (body.endorsements as readonly Listed[]).filter(({ source }) => source !== 'evidence');
    expect(listed.map(({ kind }) => kind)).toEqual(['tcb-signing', 'tcb-info', 'qe-identity', 'crl', 'crl']);
    expect(await givenOut('red', listed)).toEqual(Array(5).fill(200));
    const { sha256: ofTcbInfo = '' } = listed.find(({ kind }) => kind === 'tcb-info') ?? {};
    const { value } = (await get('red', ofTcbInfo)).body;
    expect(JSON.parse(Buffer.from(value, 'base64url').toString('utf8'))).toMatchObject({ id: 'TDX' });
  });

  it('gives out nothing that a replay alone was judged by', async () => {
    const keys = { decisions: { keepEvidence: 'full' }, historical: true };
    const first = await lab.start(keys, {}, 'replayed');
    const { body } = await lab.verify(first, { members: { policy: 'lenient' } });
    await first.close();
    const again = await lab.start(keys, {}, 'replayed');
    const target = `/decisions/${body.decisionId}:replay`;
    const replay = await post(again.url, target, JSON.stringify({ at: 'now' }));
    expect([replay.status, replay.body.decision]).toEqual([200, { recorded: 'allow', replayed: 'allow' }]);
    const statuses = (body.endorsements as readonly Listed[]).map(async (each) => {
      return (await call(again.url, `/endorsements/${each.sha256}`)).status;
    });
    expect(await Promise.all(statuses)).toEqual([404, 404, 404, 404]);
  });

  it('says of a digest that nothing has that it is not held', async () => {
    expect(await givenOut('red', [{ kind: 'crl', sha256: 'ab'.repeat(32), source: 'cache' }])).toEqual([NOT_FOUND]);
  });

  it('REQ-10 refuses what is no digest, and names its place', async () => {
    const { status, body } = await get('red', 'abcd');
    expect([status, body.code, body.pointer]).toEqual([400, 'schema', '/sha256']);
  });
});
