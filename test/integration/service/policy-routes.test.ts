import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningService } from '../../../src/app/service.js';
import { BUILT_IN_POLICIES } from '../../../src/policy/document/built-in-policies.js';
import { base64Url, call, LabService, lenientPolicy, NONCE, post as postText, sha256Hex } from './lab-service.js';

const OWN = lenientPolicy('own', { rules: [{ id: 'privileged', cel: 'snp.vmpl == 0' }] });
const STRICT = lenientPolicy('strict', { minimums: { snp: { Milan: { microcode: 254 } } } });
const RELEASE = {
  version: '1.0.0',
  anyOf: [
    {
      authority: 'https://sharedweu.weu.attest.azure.net',
      allOf: [
        { claim: 'x-ms-isolation-tee.x-ms-attestation-type', equals: 'sevsnpvm' },
        { claim: 'x-ms-isolation-tee.x-ms-compliance-status', equals: 'azure-compliant-cvm' },
      ],
    },
  ],
};

let lab: LabService;
let service: RunningService;
let evidence: object;

beforeAll(async () => {
  lab = await LabService.create();
  await lab.writePolicy(OWN);
  await lab.writePolicy(STRICT);
  await lab.writePolicy(JSON.stringify(RELEASE), 'disk-key.json');
  await lab.writePolicy('cases: []', 'own.test.yaml');
  service = await lab.start({ policies: { directory: lab.policyFolder, shadow: ['strict', 'own'] } });
  evidence = JSON.parse(lab.verifyBody()).evidence;
});

afterAll(() => lab.close());

const post = (path: string, body: object) => postText(service.url, path, JSON.stringify(body));
const get = (path: string) => call(service.url, path);

describe('GET /policies', () => {
  it('lists the policies in use, each with its text', async () => {
    const { status, body } = await get('/policies');
    expect(status).toBe(200);
    expect(body.policies.map(({ id }: { id: string }) => id)).toEqual([
      ...BUILT_IN_POLICIES.map(({ id }) => id),
      'disk-key',
      'own',
      'strict',
    ]);
    expect(body.policies.at(-2)).toEqual({
      id: 'own',
      version: 1,
      description: null,
      sha256: sha256Hex(OWN),
      text: OWN,
    });
  });

  it('has one of them by its id', async () => {
    expect((await get('/policies/own')).body).toMatchObject({ id: 'own', text: OWN });
    expect(await get('/policies/none')).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });

  it('writes none', async () => {
    for (const path of ['/policies', '/policies/own']) {
      expect(await post(path, {})).toMatchObject({ status: 405, body: { code: 'method_not_allowed' } });
    }
  });
});

describe('the log and the metrics', () => {
  it('name a route as it is served, with one colon', async () => {
    const before = lab.output.length;
    await post('/policies:lint', { text: OWN });
    await post('/policies:evaluate', { text: OWN, type: 'az-snp-vtpm', claims: { snp: { vmpl: 0 } } });
    const figures = String((await call(service.url, '/metrics')).body);
    for (const route of ['/policies:lint', '/policies:evaluate']) {
      expect(lab.output.slice(before)).toContain(`"route":"${route}"`);
      expect(figures).toContain(`route="${route}"`);
    }
    expect(`${lab.output}${figures}`).not.toContain('::lint');
    expect(`${lab.output}${figures}`).not.toContain('::evaluate');
  });
});

describe('POST /policies:lint', () => {
  it('says what is wrong, and what to do', async () => {
    const { status, body } = await post('/policies:lint', { text: OWN.replace('snp.vmpl', 'snp.vmpll') });
    expect(status).toBe(200);
    expect(body.problems).toEqual([
      {
        code: 'rule_type',
        pointer: '/rules/0/cel',
        message: 'snp has no claim "vmpll"; did you mean vmpl?',
        remedy: expect.stringMatching(/./),
        severity: 'error',
      },
    ]);
  });

  it('lints a release policy by the issuers that are accepted', async () => {
    const other = JSON.stringify(RELEASE).replace('sharedweu.weu', 'mine.weu');
    const codes = async (text: string) =>
      (await post('/policies:lint', { text })).body.problems.map(({ code }: { code: string }) => code);
    expect(await codes(JSON.stringify(RELEASE))).toEqual(['akv_no_debug']);
    expect(await codes(other)).toEqual(['akv_authority', 'akv_no_debug']);
  });

  it.each([
    [{}, 'schema'],
    [{ text: 7 }, 'schema'],
    [{ text: OWN, id: 'own' }, 'unknown_property'],
  ])('refuses %j', async (body, code) => {
    expect(await post('/policies:lint', body)).toMatchObject({ status: 400, body: { code } });
  });
});

describe('a release policy with a comma too many', () => {
  const text = JSON.stringify(RELEASE).replace(/}$/, ',}');

  it('is refused by POST /policies:lint and POST /policies:evaluate, since Key Vault takes JSON alone', async () => {
    const { body } = await post('/policies:lint', { text });
    const where = `is not JSON, and Key Vault takes nothing else, from column ${text.length} on: there is a comma too many before }`;
    expect(body.problems).toEqual([
      expect.objectContaining({ code: 'policy_schema', pointer: '', message: `line 1: ${where}` }),
    ]);
    const tried = await post('/policies:evaluate', { text, claims: {} });
    expect(tried.status).toBe(400);
    expect(tried.body).toMatchObject({
      code: 'schema',
      detail: `the policy does not load: line 1: ${where} (policy_schema)`,
    });
  });
});

it.each(['/policies:lint', '/policies:evaluate'])(
  'a body that is itself a policy is told so by POST %s',
  async (path) => {
    const detail = 'member is missing: the body is itself a policy; put the policy into text, as a JSON string';
    for (const policy of [RELEASE, { apiVersion: 'veritee/v1', id: 'own' }]) {
      expect(await post(path, policy)).toMatchObject({
        status: 400,
        body: { code: 'schema', pointer: '/text', detail },
      });
    }
  },
);

describe('POST /policies:evaluate', () => {
  it('tries a policy on evidence, as /verify judges it', async () => {
    const nonce = base64Url(NONCE);
    const { status, body } = await post('/policies:evaluate', { text: OWN, evidence, nonce });
    expect(status).toBe(200);
    expect(body).toMatchObject({ outcome: 'allow', unmatched: [] });
    expect(body.matched).toContain('privileged');
    expect(Object.keys(body).sort()).toEqual(['explanation', 'matched', 'outcome', 'unmatched']);
    const denied = await post('/policies:evaluate', { text: STRICT, evidence, nonce });
    expect(denied.body).toMatchObject({ outcome: 'deny', unmatched: ['snp_tcb_low'] });
  });

  it('FRS-07 uses no challenge up', async () => {
    const { body: challenge } = await post('/challenges', {});
    const nonce = Buffer.from(challenge.nonce, 'base64url');
    const bound = JSON.parse(lab.verifyBody({ nonce })).evidence;
    const asked = { evidence: bound, nonce: challenge.nonce };
    for (let i = 0; i < 2; i++) {
      const tried = await post('/policies:evaluate', {
        text: lenientPolicy('tried', { nonce: 'challenge' }),
        ...asked,
      });
      expect(tried.body.outcome).toBe('allow');
    }
    const judged = async () => (await post('/verify', { ...asked, policy: 'own' })).body;
    expect((await judged()).decision).toBe('allow');
    expect((await judged()).reasons).toEqual(['nonce_used']);
  });

  it('tries rules and reference values on claims', async () => {
    const claims = { snp: { vmpl: 0 } };
    const asked = { text: OWN, type: 'snp', claims };
    const { body } = await post('/policies:evaluate', asked);
    expect(body).toMatchObject({ outcome: 'allow', matched: ['policy_evidence_type', 'rule_not_met', 'privileged'] });
    const other = await post('/policies:evaluate', { ...asked, claims: { snp: { vmpl: 2 } } });
    expect(other.body).toMatchObject({ outcome: 'deny', unmatched: ['rule_not_met', 'privileged'] });
    const [rule] = other.body.explanation.parts.filter(({ text }: { text: string }) => text === 'rule_not_met');
    expect(rule.parts[0]).toMatchObject({ text: 'snp.vmpl == 0', state: 'value', value: false });
    expect(rule.parts[0].parts[0]).toMatchObject({ text: 'snp.vmpl', value: 2 });
  });

  it('takes the accepted type that has all of the claims, where none is named', async () => {
    const byType = (type: string) =>
      lenientPolicy('typed', { rules: [{ id: 'type', cel: `evidence.type == '${type}'` }] });
    const bare = { snp: { vmpl: 0 } };
    const azure = { ...bare, hcl: {}, tpm: {} };
    expect((await post('/policies:evaluate', { text: byType('snp'), claims: bare })).body.outcome).toBe('allow');
    expect((await post('/policies:evaluate', { text: byType('az-snp-vtpm'), claims: azure })).body.outcome).toBe(
      'allow',
    );
  });

  it('refuses a type beside evidence, which has one', async () => {
    const { status, body } = await post('/policies:evaluate', { text: OWN, evidence, type: 'snp' });
    expect([status, body.code, body.pointer]).toEqual([400, 'schema', '/type']);
  });

  it('denies a release policy on evidence that does not verify, whatever it says', async () => {
    const { hclReport } = evidence as { readonly hclReport: string };
    const bytes = Buffer.from(hclReport, 'base64url');
    // In the signature of the report, which begins at 0x20.
    bytes[0x20 + 0x2a1] = ~(bytes[0x20 + 0x2a1] ?? 0);
    const forged = { ...evidence, hclReport: bytes.toString('base64url') };
    const { body } = await post('/policies:evaluate', { text: JSON.stringify(RELEASE), evidence: forged });
    expect(body).toMatchObject({ outcome: 'deny', matched: [], unmatched: ['release-policy'] });
    const genuine = await post('/policies:evaluate', { text: JSON.stringify(RELEASE), evidence });
    expect(genuine.body.outcome).not.toBe('allow');
  });

  it('tries a release policy on the claims of a token', async () => {
    const claims = {
      iss: 'https://sharedweu.weu.attest.azure.net',
      'x-ms-isolation-tee': {
        'x-ms-attestation-type': 'sevsnpvm',
        'x-ms-compliance-status': 'azure-compliant-cvm',
      },
    };
    const text = JSON.stringify(RELEASE);
    const outcome = async (members: object) => (await post('/policies:evaluate', { text, ...members })).body.outcome;
    expect(await outcome({ claims })).toBe('allow');
    expect(await outcome({ claims: { ...claims, iss: `${claims.iss}/` } })).toBe('deny');
    expect(await outcome({ claims: { ...claims, iss: `${claims.iss}/` }, comparison: 'compatible' })).toBe('allow');
    expect(await outcome({ claims: { iss: claims.iss } })).toBe('deny');
  });

  it('tries a release policy on evidence: what only Azure Attestation states is open', async () => {
    const text = JSON.stringify(RELEASE);
    expect((await post('/policies:evaluate', { text, evidence })).body.outcome).toBe('indeterminate');
    const ofTds = text.replace('sevsnpvm', 'tdxvm');
    expect((await post('/policies:evaluate', { text: ofTds, evidence })).body.outcome).toBe('deny');
  });

  it('tries a release policy on evidence: what an instance issues by its own policy is open', async () => {
    const outcome = async (claim: string, equals: string) => {
      const [{ authority, allOf }] = RELEASE.anyOf as [(typeof RELEASE.anyOf)[number]];
      const text = JSON.stringify({ ...RELEASE, anyOf: [{ authority, allOf: [...allOf, { claim, equals }] }] });
      return (await post('/policies:evaluate', { text, evidence })).body.outcome;
    };
    expect(await outcome('x-ms-policy.tier', 'gold')).toBe('indeterminate');
    expect(await outcome('vm-role', 'db')).toBe('indeterminate');
    expect(await outcome('x-ms-isolation-tee.x-ms-sevsnpvm-hostdata', 'ab'.repeat(32))).toBe('deny');
  });

  it.each([
    ['neither claims nor evidence', {}, 'schema', ''],
    ['both', { claims: {}, evidence: {} }, 'schema', ''],
    ['claims of another name', { claims: { snp: { vmpll: 0 } } }, 'schema', '/claims/snp'],
    ['a nonce for claims', { claims: {}, nonce: 'AAAAAAAAAAAAAAAA' }, 'schema', '/nonce'],
    ['a text that is no policy', { text: 'id: x', claims: {} }, 'schema', '/text'],
    ['a past time that is not configured', { at: '2020-01-01T00:00:00Z', claims: {} }, null, null],
    ['an unknown member', { claims: {}, policy: 'own' }, 'unknown_property', '/policy'],
    ['an unknown type', { claims: {}, type: 'sgx' }, 'type_unsupported', '/type'],
  ])('answers to %s', async (_what, members, code, pointer) => {
    const answer = await post('/policies:evaluate', { text: OWN, ...members });
    if (code === null) expect(answer.status).toBe(200);
    else expect(answer).toMatchObject({ status: 400, body: { code, pointer } });
  });
});

describe('the text of a policy in a request', () => {
  const LARGE = `[${'1,'.repeat(4_000)}1]`;

  it('is linted only up to 4 000 tokens', async () => {
    const { status, body } = await post('/policies:lint', { text: LARGE });
    expect(status).toBe(200);
    expect(body.problems).toMatchObject([{ code: 'policy_schema', pointer: '' }]);
    expect(body.problems[0].message).toContain('has more than 4000 YAML tokens');
  });

  it('is tried only up to 4 000 tokens', async () => {
    const { status, body } = await post('/policies:evaluate', { text: LARGE, claims: {} });
    expect([status, body.code, body.pointer]).toEqual([400, 'schema', '/text']);
    expect(body.detail).toContain('has more than 4000 YAML tokens');
  });
});

describe('shadow policies', () => {
  it('are judged beside, and never decide', async () => {
    const { body } = await lab.verify(service, { members: { policy: 'own' } });
    expect(body.decision).toBe('allow');
    expect(body.policies.map(({ id }: { id: string }) => id)).toEqual(['own']);
    expect(body.shadow).toMatchObject([
      { id: 'strict', outcome: 'deny', reasons: ['snp_tcb_low'], collateral: 'standard', expectedFrom: null },
      { id: 'own', outcome: 'allow', reasons: [] },
    ]);
  });

  it('are told to nobody who may not name them', async () => {
    const key = `vk_${'k'.repeat(40)}`;
    const roles = ['verify', 'policy:read'];
    const caller = { apiKeySha256: sha256Hex(key), expires: '2099-01-01', roles, policies: ['own'] };
    const restricted = await lab.start({
      policies: { directory: lab.policyFolder, default: 'own', shadow: ['strict', 'own'] },
      callers: { ci: caller },
    });
    const headers = { authorization: `Bearer ${key}` };
    const { body } = await lab.verify(restricted, { members: { policy: 'own' }, headers });
    expect(body.shadow.map(({ id }: { id: string }) => id)).toEqual(['own']);
    const listed = await call(restricted.url, '/policies', { headers });
    expect(listed.body.policies.map(({ id }: { id: string }) => id)).toEqual(['own']);
    const other = await call(restricted.url, '/policies/strict', { headers });
    const told = 'this caller may not use the policy "strict"; allowed: own';
    expect([other.status, other.body.code, other.body.detail]).toEqual([403, 'forbidden', told]);
    expect(other.body.pointer).toBe('/id');
  });

  it('are in the log and in the metrics where they would have decided otherwise', async () => {
    const before = lab.output.length;
    await lab.verify(service, { members: { policy: 'own' } });
    const records = lab.output
      .slice(before)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(records.find(({ route }) => route === '/verify')).toMatchObject({
      shadowFlips: [{ policy: 'strict', outcome: 'deny', rules: ['snp_tcb_low'] }],
    });
    const figures = String((await call(service.url, '/metrics')).body);
    const flips = figures.split('\n').filter((line) => line.startsWith('veritee_shadow_flips_total{'));
    expect(flips).toEqual([
      expect.stringMatching(
        /^veritee_shadow_flips_total\{tenant="default",policy="strict",outcome="deny",rule="snp_tcb_low"\} [1-9]\d*$/,
      ),
    ]);
  });

  it('have to be there', async () => {
    const shadow = { policies: { directory: lab.policyFolder, shadow: ['none'] } };
    await expect(lab.start(shadow, {}, 'refused')).rejects.toThrow('there is no policy none');
  });
});

describe('?explain=tree', () => {
  it('has the checks as a tree, and the parts of rules', async () => {
    const { body } = await lab.verify(service, { members: { policy: 'own' }, query: '?explain=tree' });
    expect(body.explanation).toMatchObject({ text: 'allow', result: 'pass' });
    const texts = body.explanation.parts.map(({ text }: { text: string }) => text);
    expect(texts).toEqual(expect.arrayContaining(['AMD SEV-SNP', 'vTPM', 'Endorsements', 'policy own version 1']));
    const without = await lab.verify(service, { members: { policy: 'own' } });
    expect(without.body).not.toHaveProperty('explanation');
  });
});
