import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compactDecrypt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningService } from '../../../src/app/service.js';
import type { JsonObject } from '../../../src/core/json.js';
import { parseHclReport } from '../../../src/tee/azure/format/hcl-report.js';
import type { Answer } from '../http/exchange.js';
import { base64Url, call, LabService, lenientPolicy, post, sha256Hex, WITHOUT_ENDORSEMENTS } from './lab-service.js';

/** The release of a local key over HTTP, from the challenge to the guest that opens it. */

const KEY = 'sesame-gate';
const GATE = 'https://gate.example';
const SECRET = Buffer.from('the-sesame-bytes-of-the-disk');
const HEADERS = { authorization: `Bearer ${KEY}` };
const guest = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const publicJwk = (key: KeyObject): JsonObject => {
  const { kty = '', crv = '', x = '', y = '' } = key.export({ format: 'jwk' });
  return { kty, crv, x, y };
};
const JWK = publicJwk(guest.publicKey);

/** Every warning that genuine evidence of the lab has is waived. */
const WAIVERS = ['snp_product_advisory', 'snp_tcb_floor_missing'].map((check) => ({
  check,
  reason: 'a lab',
  approver: 'the lab',
  expires: '2999-01-01',
}));

const POLICY = {
  accepts: ['az-snp-vtpm', 'snp'],
  freshness: 'strict',
  nonce: 'challenge',
  binding: 'required',
  referenceValues: [{ hcl: { vmUniqueId: ['7df7b373-b947-4aaa-96e5-c358f2a03d20'] } }],
  waivers: WAIVERS,
};

/** The paravisor of the lab. */
const MEASURED = { snp: { measurement: ['5a'.repeat(48)] } };
const MEASURED_POLICY = { ...POLICY, accepts: ['snp'], referenceValues: [MEASURED] };

let lab: LabService;
let service: RunningService;

beforeAll(async () => {
  lab = await LabService.create();
  await lab.writePolicy(lenientPolicy('keys', POLICY));
  await lab.writePolicy(lenientPolicy('warned', { ...POLICY, waivers: WAIVERS.slice(1) }));
  await lab.writePolicy(lenientPolicy('measured', MEASURED_POLICY));
  await writeFile(join(lab.root, 'disk.key'), SECRET);
  await writeFile(join(lab.root, 'emptied.key'), SECRET);
  service = await lab.start(configuration());
});
afterAll(() => lab.close());

function configuration(changes: object = {}): Record<string, unknown> {
  const local = join(lab.root, 'disk.key');
  const caller = (members: object) => ({ expires: '2999-01-01', ...members });
  return {
    keys: {
      disk: { local, policy: 'keys' },
      warned: { local, policy: 'warned' },
      measured: { local, policy: 'measured' },
      anywhere: { local, policy: 'measured', anyMachine: true },
      foreign: { local, policy: 'keys', tenant: 'other' },
      unlisted: { local, policy: 'keys' },
      emptied: { local: join(lab.root, 'emptied.key'), policy: 'keys' },
    },
    callers: {
      gate: caller({
        apiKeySha256: sha256Hex(KEY),
        roles: ['release', 'verify', 'audit:read', 'metrics'],
        policies: ['warned'],
        audience: [GATE],
        keys: ['disk', 'warned', 'emptied', 'measured', 'anywhere'],
      }),
      auditor: caller({ apiKeySha256: sha256Hex('sesame-auditor'), roles: ['verify', 'audit:read'], keys: ['disk'] }),
    },
    policies: { directory: lab.policyFolder, shadow: ['keys', 'warned'] },
    tenants: lab.tenants('other'),
    historical: true,
    ...changes,
  };
}

async function challenge({ url } = service): Promise<Uint8Array> {
  const { body } = await post(url, '/challenges', '{}', HEADERS);
  return Buffer.from(body.nonce, 'base64url');
}

interface Asked {
  readonly nonce?: Uint8Array;
  readonly jwk?: JsonObject;
  readonly keyId?: string;
  readonly query?: string;
  readonly members?: object;
  readonly headers?: Record<string, string>;
}

async function release(asked: Asked = {}, { url } = service): Promise<Answer> {
  const { nonce = await challenge(), jwk = JWK, keyId = 'disk', query = '', members = {}, headers = HEADERS } = asked;
  const evidence = lab.vm.wireEvidence({ nonce, jwk, endorsements: WITHOUT_ENDORSEMENTS });
  const body = { evidence, nonce: Buffer.from(nonce).toString('base64url'), binding: { jwk }, ...members };
  return post(url, `/keys/${keyId}/release${query}`, JSON.stringify(body), headers);
}

const isAllowed = async (nonce: Uint8Array) => (await release({ nonce })).body.decision;

describe('the release of a local key', () => {
  it('gives the guest that holds the bound key what it opens, and nobody else', async () => {
    const { status, body } = await release();
    expect([status, body.decision, body.reasons]).toEqual([200, 'allow', []]);
    expect(body.release.keyVersion).toBeNull();
    expect(body.receipt).toBeNull();
    const { plaintext } = await compactDecrypt(body.release.value, guest.privateKey);
    expect(Buffer.from(plaintext)).toEqual(SECRET);
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    await expect(compactDecrypt(body.release.value, other.privateKey)).rejects.toThrow();
  });

  it('is in the decision log: asked for, attempted, released', async () => {
    const { body } = await release();
    const recorded = await call(service.url, `/decisions/${body.decisionId}`, { headers: HEADERS });
    expect(recorded.body.release).toMatchObject({ keyId: 'disk', dryRun: false, state: 'released', keyVersion: null });
  });

  it('of a dry run is null, with the decision and no attempt', async () => {
    const { status, body } = await release({ query: '?dryRun=true' });
    expect([status, body.decision, body.release]).toEqual([200, 'allow', null]);
    const recorded = await call(service.url, `/decisions/${body.decisionId}`, { headers: HEADERS });
    expect(recorded.body.release).toMatchObject({ keyId: 'disk', dryRun: true, state: 'not_attempted' });
  });

  it('REL-03 of a challenge that was used is refused', async () => {
    const nonce = await challenge();
    expect(await isAllowed(nonce)).toBe('allow');
    const { body } = await release({ nonce });
    expect([body.decision, body.release]).toEqual(['deny', null]);
    expect(body.reasons).toEqual(['nonce_used', 'release_warning']);
  });

  it('REL-03 of a nonce of the caller is refused', async () => {
    const { body } = await release({ nonce: new Uint8Array(32).fill(9) });
    expect([body.decision, body.release]).toEqual(['deny', null]);
    expect(body.reasons).toContain('release_warning');
  });

  it('REL-03 with a warning that nothing waives is refused', async () => {
    const { body } = await release({ keyId: 'warned' });
    expect([body.decision, body.reasons, body.release]).toEqual(['deny', ['release_warning'], null]);
    const [check] = body.checks.filter(({ id }: { id: string }) => id === 'release_warning');
    expect(check.detail).toBe('the warning snp_product_advisory is not waived');
  });

  it('REL-03 for the receipt of a deny in place of evidence is refused, whatever that is called', async () => {
    const evidence = lab.vm.wireEvidence({ nonce: new Uint8Array(32), jwk: JWK, endorsements: WITHOUT_ENDORSEMENTS });
    const other = Buffer.alloc(32, 9).toString('base64url');
    const asked = { evidence, nonce: other, audience: GATE, policy: 'warned' };
    const { body: denied } = await post(service.url, '/verify', JSON.stringify(asked), HEADERS);
    expect([denied.decision, denied.receipt]).toEqual(['deny', expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/)]);
    const given = async (type: string) => {
      const { status, body } = await release({ members: { evidence: { type, token: denied.receipt } } });
      return [status, body.code ?? body.decision, body.release ?? null];
    };
    expect(await given('receipt')).toEqual([400, 'type_unsupported', null]);
    expect(await given('maa-token')).toEqual([400, 'token_header', null]);
  });

  it('REL-03 at a past verification time is refused, and uses no challenge up', async () => {
    const nonce = await challenge();
    const at = new Date(Date.now() - 60_000).toISOString();
    const { body } = await release({ nonce, members: { at } });
    expect([body.decision, body.historical, body.release]).toEqual(['deny', true, null]);
    expect(body.reasons).toContain('release_warning');
    expect(await isAllowed(nonce)).toBe('allow');
  });

  it('of evidence that binds another key is refused', async () => {
    const nonce = await challenge();
    const other = publicJwk(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey);
    const { body } = await release({ nonce, members: { binding: { jwk: other } } });
    expect([body.decision, body.release]).toEqual(['deny', null]);
    expect(body.reasons).toContain('nonce_mismatch');
  });

  it('is in the log and in the figures, with what came of it', async () => {
    const { body } = await release();
    const line = lab.output
      .split('\n')
      .find((each) => each.includes(body.decisionId) && each.includes('"msg":"request"'));
    expect(JSON.parse(line ?? '{}').release).toEqual({ keyId: 'disk', dryRun: false, state: 'released' });
    const figures = await call(service.url, '/metrics', { headers: HEADERS });
    expect(figures.body).toMatch(/^veritee_key_releases_total\{key="disk",state="released"\} \d+$/m);
    // An increase is seen from the first failure on.
    for (const state of ['not_attempted', 'released', 'refused', 'unavailable']) {
      expect(figures.body).toContain(`veritee_key_releases_total{key="unlisted",state="${state}"} 0\n`);
    }
  });

  it('shows policies in shadow to those alone who may name them', async () => {
    const { body } = await release();
    expect(body.shadow.map(({ id }: { id: string }) => id)).toEqual(['warned']);
  });

  it('says its decision by the status where that is asked for', async () => {
    expect((await release({ query: '?enforce=true' })).status).toBe(200);
    const denied = await release({ query: '?enforce=true', nonce: new Uint8Array(32).fill(9) });
    expect([denied.status, denied.body.release]).toEqual([403, null]);
  });
});

describe('a release that cannot be decided', () => {
  const verdict = ({ body }: Answer) => [body.decision, body.reasons, body.release];

  it('is indeterminate while AMD KDS is out of reach, and a deny for a used challenge', async () => {
    const offline = await lab.start(configuration({ amd: { kds: 'off' } }), {}, 'offline');
    const nonce = await challenge(offline);
    expect(verdict(await release({ nonce }, offline))).toEqual(['indeterminate', ['vcek_unavailable'], null]);
    const { body } = await release({ nonce }, offline);
    expect([body.decision, body.release]).toEqual(['deny', null]);
    expect(body.reasons).toContain('nonce_used');
  });

  it('FRS-03 is indeterminate while the store of challenges is out of reach', async () => {
    const service = await lab.start(configuration(), {}, 'away');
    const nonce = await challenge(service);
    const file = join(lab.root, 'away', 'veritee.db');
    await rename(file, `${file}.away`);
    const reasons = ['nonce_store', 'audit_unavailable'];
    expect(verdict(await release({ nonce }, service))).toEqual(['indeterminate', reasons, null]);
    await rename(`${file}.away`, file);
  });
});

describe('a request for a key', () => {
  it.each([
    ['audience', { audience: 'https://gate.example' }, 'unknown_property', '/audience'],
    ['policy', { policy: 'keys' }, 'unknown_property', '/policy'],
    ['no nonce', { nonce: undefined }, 'schema', '/nonce'],
    ['no binding', { binding: undefined }, 'schema', '/binding'],
    ['a receipt for evidence', { evidence: { type: 'receipt', token: 'eyJ' } }, 'type_unsupported', '/evidence/type'],
  ])('with %s is malformed', async (_, members, code, pointer) => {
    const { status, body } = await release({ members });
    expect([status, body.code, body.pointer]).toEqual([400, code, pointer]);
  });

  it.each([
    ['RSA of 1024 bits', { modulusLength: 1024 }],
    ['an exponent of 3', { modulusLength: 2048, publicExponent: 3 }],
  ])('REL-06 with a bound key of %s is malformed, and uses no challenge up', async (_, options) => {
    const nonce = await challenge();
    const jwk = generateKeyPairSync('rsa', options).publicKey.export({ format: 'jwk' }) as JsonObject;
    const { status, body } = await release({ nonce, members: { binding: { jwk } } });
    expect([status, body.code]).toEqual([400, 'schema']);
    expect(await isAllowed(nonce)).toBe('allow');
  });

  it.each([
    ['P-224', { kty: 'EC', crv: 'P-224', x: 'AA', y: 'AA' }],
    ['a private key', guest.privateKey.export({ format: 'jwk' })],
    ['a key that only signs', generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' })],
  ])('REL-06 with %s is malformed, and uses no challenge up', async (_, jwk) => {
    const nonce = await challenge();
    const { status, body } = await release({ nonce, members: { binding: { jwk } } });
    expect([status, body.code]).toEqual([400, 'schema']);
    expect(await isAllowed(nonce)).toBe('allow');
  });

  it.each(['unlisted', 'foreign', 'unknown'])(
    'REL-04 %s is forbidden to a caller that does not list it',
    async (keyId) => {
      const { status, body } = await release({ keyId });
      expect([status, body.code, body.pointer]).toEqual([403, 'forbidden', '/keyId']);
      expect(body.detail).toMatch(new RegExp(`^this caller may not release the key "${keyId}"; allowed: `));
      expect(body.detail.split('; ')[1]).not.toMatch(/unlisted|foreign|unknown/);
    },
  );

  it('REL-04 is forbidden to a caller that lists the key and lacks the role', async () => {
    const { status, body } = await release({ headers: { authorization: 'Bearer sesame-auditor' } });
    expect([status, body.code]).toEqual([403, 'forbidden']);
    expect(body.detail).toContain('release');
  });

  it.each([
    ['?dryrun=true', 'unknown_property'],
    ['?dryRun=yes', 'schema'],
    ['?dryRun=true&dryRun=false', 'schema'],
    ['?audience=a', 'unknown_property'],
  ])('with the query %s is malformed', async (query, code) => {
    const { status, body } = await release({ query });
    expect([status, body.code]).toEqual([400, code]);
  });
});

describe('REL-04 a policy that releases no key', () => {
  it.each([
    [{ freshness: 'none' }, 'freshness: strict or required'],
    [{ nonce: 'any' }, 'nonce: challenge'],
    [{ binding: 'optional' }, 'binding: required'],
    [{ paravisor: 'any' }, 'paravisor: known'],
    [
      {
        accepts: ['maa-token'],
        waivers: [],
        referenceValues: [],
        routes: { hardware: 'off', maa: 'required' },
        require: { maa: { complianceStatus: ['azure-compliant-cvm'] } },
      },
      'routes: { hardware: required }',
    ],
  ])('%j: the service does not start', async (members, lacks) => {
    await lab.writePolicy(lenientPolicy('unfit', { ...POLICY, ...members }));
    const keys = { disk: { local: join(lab.root, 'disk.key'), policy: 'unfit' } };
    await expect(lab.start({ keys }, {}, 'unfit')).rejects.toThrow(
      `keys.disk.policy: no key is released by the policy unfit, which lacks ${lacks}`,
    );
  });

  it('that is not there: the service does not start', async () => {
    const keys = { disk: { local: join(lab.root, 'disk.key'), policy: 'absent' } };
    await expect(lab.start({ keys }, {}, 'unfit')).rejects.toThrow('keys.disk.policy: there is no policy absent');
  });

  it('does not replace one that does, at a reload', async () => {
    await lab.writePolicy(lenientPolicy('keys', { ...POLICY, nonce: 'any' }));
    await service.reload();
    await lab.writePolicy(lenientPolicy('keys', POLICY));
    expect(lab.output).toContain('no key is released by the policy keys, which lacks nonce: challenge');
    expect((await release()).body.decision).toBe('allow');
  });
});

describe('REL-07 a policy that pins neither code nor machine', () => {
  const pcr8 = { tpm: { pcrs: { sha256: { 8: ['e6'.repeat(32)] } } } };
  const OPEN = { ...POLICY, referenceValues: [...POLICY.referenceValues, pcr8] };
  const disk = (members: object) => ({ disk: { local: join(lab.root, 'disk.key'), policy: 'open', ...members } });

  it('keeps the service from starting, which names key, policy, set and both ways out', async () => {
    await lab.writePolicy(lenientPolicy('open', OPEN));
    await expect(lab.start({ keys: disk({}) }, {}, 'open')).rejects.toThrow(
      /^keys\.disk\.policy: the policy open pins neither code nor machine: see \/referenceValues\/1; pin .*, or write anyMachine: true/m,
    );
  });

  it('loads for a key that may go to any VM, with a warning at each start', async () => {
    const warned = () =>
      lab.output.split('keys.disk.anyMachine: any VM that the policy allows gets the key').length - 1;
    for (const times of [1, 2]) {
      await lab.start({ keys: disk({ anyMachine: true }) }, {}, `any-${times}`);
      expect(warned()).toBe(times);
    }
  });

  it('does not replace one that does, at a reload', async () => {
    await lab.writePolicy(lenientPolicy('keys', { ...POLICY, referenceValues: [] }));
    await service.reload();
    await lab.writePolicy(lenientPolicy('keys', POLICY));
    expect(lab.output).toContain('keys.disk.policy: the policy keys pins neither code nor machine');
    expect((await release()).body.decision).toBe('allow');
  });

  it('of firmware alone is a warning at the start, and none of the decision', async () => {
    await lab.writePolicy(lenientPolicy('open', { ...POLICY, accepts: ['snp'], referenceValues: [MEASURED] }));
    await lab.start({ keys: disk({}) }, {}, 'firmware');
    expect(lab.output).toMatch(/"level":"warn".*"code":"release_firmware_only".*pins firmware alone: /);
  });
});

describe('REL-07 bare evidence with the runtime data of a paravisor', () => {
  async function asBare(keyId: string): Promise<Answer> {
    const nonce = await challenge();
    const { hardwareReport, runtimeClaims } = parseHclReport(lab.vm.evidence({ nonce, jwk: JWK }).hclReport);
    const evidence = { type: 'snp', report: base64Url(hardwareReport), runtimeData: base64Url(runtimeClaims) };
    return release({ nonce, keyId, members: { evidence } });
  }

  it('gets no key by a policy that pins its measurement, which every tenant has', async () => {
    const { body } = await asBare('measured');
    expect([body.decision, body.reasons, body.release]).toEqual(['deny', ['policy_evidence_type'], null]);
    expect(body.policies[0].unmatched).toContain('policy_evidence_type');
  });

  it('twin: gets it by a policy that pins the VM, and where any VM may have it', async () => {
    expect((await asBare('disk')).body.decision).toBe('allow');
    expect((await asBare('anywhere')).body.decision).toBe('allow');
  });
});

it('a file of a key that is not there is a problem of the configuration', async () => {
  const keys = { disk: { local: join(lab.root, 'absent.key'), policy: 'keys' } };
  await expect(lab.start({ keys }, {}, 'absent')).rejects.toThrow(/keys\.disk\.local: .*there is no such file/);
});

it('a file of a key that holds none any more keeps the key back, and the log says which file and why', async () => {
  await writeFile(join(lab.root, 'emptied.key'), '');
  const { body } = await release({ keyId: 'emptied' });
  expect([body.decision, body.reasons, body.release]).toEqual(['indeterminate', ['release_unavailable'], null]);
  expect(JSON.stringify(body)).not.toContain('emptied.key');
  const line = lab.output.split('\n').find((each) => each.includes('a key was not released')) ?? '{}';
  const { keyId, decisionId, reason, err } = JSON.parse(line);
  expect([keyId, decisionId, reason]).toEqual(['emptied', body.decisionId, 'the file of the key cannot be read']);
  expect(err.cause.message).toBe(`keys.emptied.local: ${join(lab.root, 'emptied.key')}: is empty`);
});

it('nothing of a key is in the log or in the files of the service', async () => {
  await release();
  const files = await readdir(join(lab.root, 'data'), { withFileTypes: true, recursive: true });
  const paths = files.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name));
  expect(paths).toContain(join(lab.root, 'data', 'veritee.db'));
  const written = await Promise.all(paths.map((path) => readFile(path)));
  const digest = createHash('sha256').update(SECRET).digest('hex');
  for (const form of [SECRET.toString(), SECRET.toString('base64url'), SECRET.toString('hex'), digest]) {
    expect(lab.output).not.toContain(form);
    expect(paths.filter((_, index) => written[index]?.includes(form))).toEqual([]);
  }
});
