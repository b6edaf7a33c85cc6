import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkConfiguration } from '../../../src/app/check/check-configuration.js';
import type { RunningService } from '../../../src/app/service.js';
import { SYSTEM_CLOCK } from '../../../src/app/system.js';
import type { JsonObject } from '../../../src/core/json.js';
import { configurationWith, productsOf } from '../../configured-lines.js';
import { createSnpGuest, createVirtualMachine, type SnpGuest, type VirtualMachine } from '../../lab/index.js';
import { wireEvidence } from '../../lab/wire-evidence.js';
import type { Answer } from '../http/exchange.js';
import {
  base64Url,
  challenge,
  LabService,
  lenientPolicy,
  NONCE,
  PKI,
  post,
  sha256Hex,
  verdictOf,
  WITHOUT_ENDORSEMENTS,
} from './lab-service.js';

/** Product lines of AMD that a configuration adds: over HTTP, with roots that the configuration alone names. */

const PRODUCTS = productsOf(PKI, 'Venice', 'Florence');
const WITH_LINES = { amd: { products: PRODUCTS } };

/** A policy that names parts and lines of the configuration wherever a policy can. */
const NAMING = lenientPolicy('naming', {
  minimums: { snp: { Venice: { fmc: 2, microcode: 41 }, Florence: { microcode: 90 } } },
  referenceValues: [{ appliesTo: { product: 'Venice' }, snp: { measurement: ['5a'.repeat(48)] } }],
  rules: [{ id: 'line', cel: "snp.product == 'Venice' && snp.part != 'Venice-Dense'" }],
  waivers: [
    {
      check: 'snp_tcb_low',
      value: { part: 'Venice', floor: { microcode: 40 } },
      reason: 'until the update',
      approver: 'the lab',
      expires: '2999-01-01',
    },
  ],
});

const HEADERS = { authorization: 'Bearer sesame' };
const CALLERS = {
  callers: {
    gate: {
      apiKeySha256: sha256Hex('sesame'),
      expires: '2999-01-01',
      roles: ['release', 'verify'],
      keys: ['warned', 'waived'],
    },
  },
};

const waiverOf = (check: string) => ({ check, reason: 'a lab', approver: 'the lab', expires: '2999-01-01' });

let lab: LabService;
let venice: VirtualMachine;
let florence: SnpGuest;
let service: RunningService;

/** The folder of policies of services that have the lines. */
const folder = () => join(lab.root, 'line-policies');
const configured = (changes: object = {}) => ({ ...WITH_LINES, policies: { directory: folder() }, ...changes });

beforeAll(async () => {
  lab = await LabService.create();
  venice = await createVirtualMachine({ pki: PKI, part: 'Venice' });
  florence = createSnpGuest({ pki: PKI, part: 'Florence', signingKey: 'vlek' });
  for (const product of Object.keys(PRODUCTS)) lab.kds.serveLine(PKI, product);
  const { product, chipId, tcb, vek } = venice.platform;
  lab.kds.serveVcek(product, chipId, tcb, vek.der);
  await mkdir(folder());
  await writeFile(join(folder(), 'naming.json'), NAMING);
  await writeFile(join(folder(), 'lenient.json'), lenientPolicy('lenient'));
  await lab.writePolicy(lenientPolicy('lenient'));
  service = await lab.start(configured(), {}, 'lines');
});

afterAll(() => lab.close());

/** Asks about a VM of Venice. */
function ask(
  { url }: RunningService,
  members: object = {},
  endorsements: object = WITHOUT_ENDORSEMENTS,
): Promise<Answer> {
  const evidence = venice.wireEvidence({ nonce: NONCE, endorsements });
  return post(url, '/verify', JSON.stringify({ evidence, nonce: base64Url(NONCE), policy: 'lenient', ...members }));
}

/** The same about a bare guest of Florence, with the VLEK that only its provider has. */
function askFlorence({ url }: RunningService, members: object = {}): Promise<Answer> {
  const { chain, crls, ...rest } = florence.platform.endorsements({ chain: null, crls: [] });
  const evidence = wireEvidence(florence.evidence({ nonce: NONCE, endorsements: { chain, crls, ...rest } }));
  return post(url, '/verify', JSON.stringify({ evidence, nonce: base64Url(NONCE), policy: 'lenient', ...members }));
}

const checksOf = ({ body }: Answer, id: string): readonly JsonObject[] =>
  body.checks.filter((check: JsonObject) => check['id'] === id);

describe('machines of a product line of the configuration', () => {
  it('are allowed with a warning, with all that vouches for them fetched from KDS', async () => {
    const answer = await ask(service);
    expect(verdictOf(answer)).toEqual(['allow']);
    expect(answer.body.claims.snp).toMatchObject({ product: 'Venice', part: 'Venice', tcb: { reported: { fmc: 2 } } });
    expect(checksOf(answer, 'snp_product_configured')).toMatchObject([
      { result: 'warn', actual: 'Venice', waived: false, remedy: expect.stringContaining('Venice') },
    ]);
    const found = answer.body.endorsements.map(({ kind, source }: JsonObject) => [kind, source]);
    expect(found).toEqual(['vcek', 'ask', 'ark', 'crl'].map((kind) => [kind, 'network']));
    const [vcek] = lab.kds.requests.filter((path) => path.includes('fmcSPL'));
    expect(vcek).toMatch(/^\/vcek\/v1\/Venice\/[0-9a-f]{16}\?fmcSPL=02&/);
  });

  it('are allowed with a VLEK and 64 bytes of chip id, in the layout of Milan', async () => {
    const answer = await askFlorence(service);
    expect(verdictOf(answer)).toEqual(['allow']);
    expect(answer.body.claims.snp).toMatchObject({ product: 'Florence', signingKey: 'vlek' });
    expect(answer.body.claims.snp.tcb.reported.fmc).toBeUndefined();
    expect(checksOf(answer, 'snp_product_configured')).toMatchObject([{ result: 'warn', actual: 'Florence' }]);
  });

  it('are judged by minimums, sets, rules and waivers that name the line and its parts', async () => {
    const answer = await ask(service, { policy: 'naming' });
    expect(verdictOf(answer)).toEqual(['allow']);
    expect(answer.body.policies[0].matched).toEqual(expect.arrayContaining(['line', 'snp_measurement']));
    expect(checksOf(answer, 'snp_tcb_low').map(({ result, waived }) => [result, waived])).toContainEqual([
      'warn',
      true,
    ]);
    // Florence reaches its minimum, and meets neither the set nor the rule.
    expect(verdictOf(await askFlorence(service, { policy: 'naming' }))).toEqual([
      'deny',
      'rule_not_met',
      'reference_not_applicable',
    ]);
  });

  it('fail snp_product under minimums that do not list the part', async () => {
    const text = lenientPolicy('others', { minimums: { snp: { 'Venice-Dense': { fmc: 1 } } } });
    await writeFile(join(folder(), 'others.json'), text);
    await service.reload();
    expect(verdictOf(await ask(service, { policy: 'others' }))).toEqual(['deny', 'snp_product']);
  });

  it('fail snp_product where the line is not configured, and KDS is not asked for it', async () => {
    const other = await lab.start({}, {}, 'none');
    const before = lab.kds.requests.length;
    expect(verdictOf(await ask(other))).toEqual(['deny', 'snp_product']);
    expect(lab.kds.requests.slice(before)).toEqual([]);
  });

  it('SNP-25 fail cert_untrusted where the line is not configured, whatever certificates they bring', async () => {
    const other = await lab.start({}, {}, 'none-brought');
    const before = lab.kds.requests.length;
    expect(verdictOf(await ask(other, {}, {}))).toEqual(['deny', 'cert_untrusted']);
    expect(lab.kds.requests.slice(before)).toEqual([]);
  });

  it('SNP-22 fail snp_product_refused where the operator refuses the line', async () => {
    const amd = { products: PRODUCTS, refuseProducts: ['Venice'] };
    const other = await lab.start(configured({ amd }), {}, 'refused');
    expect(verdictOf(await ask(other))).toEqual(['deny', 'snp_product_refused']);
    expect(verdictOf(await askFlorence(other))).toEqual(['allow']);
  });

  it('SNP-13 fail snp_chip_id with the VCEK of KDS where the chip id goes on after 8 bytes', async () => {
    const chipId = Uint8Array.from(venice.platform.chipId);
    chipId[63] = 1;
    const guest = createSnpGuest({ pki: PKI, platform: venice.platform });
    const endorsements = { vek: null, chain: null, crls: [] };
    const evidence = wireEvidence(guest.evidence({ nonce: NONCE, report: { fields: { chipId } }, endorsements }));
    const body = JSON.stringify({ evidence, nonce: base64Url(NONCE), policy: 'lenient' });
    expect(verdictOf(await post(service.url, '/verify', body))).toEqual(['deny', 'snp_chip_id']);
  });

  it('leave those of built-in lines as they are', async () => {
    const answer = await lab.verify(service, { members: { policy: 'lenient' } });
    expect(verdictOf(answer)).toEqual(['allow']);
    expect(checksOf(answer, 'snp_product_configured')).toEqual([]);
  });
});

describe('a key release to a machine of a product line of the configuration', () => {
  const SECRET = 'the bytes of the disk';

  it('REL-03 is stopped by the warning, unless the policy waives it', async () => {
    const { subtle } = globalThis.crypto;
    const { publicKey } = await subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, true, ['deriveBits']);
    const { kty = '', crv = '', x = '', y = '' } = await subtle.exportKey('jwk', publicKey);
    const jwk = { kty, crv, x, y };
    const directory = join(lab.root, 'release-policies');
    await mkdir(directory);
    const policyOf = (id: string, checks: readonly string[]) =>
      lenientPolicy(id, {
        accepts: ['snp'],
        freshness: 'strict',
        nonce: 'challenge',
        binding: 'required',
        referenceValues: [{ snp: { measurement: ['5a'.repeat(48)] } }],
        waivers: checks.map(waiverOf),
      });
    await writeFile(join(directory, 'warned.json'), policyOf('warned', ['snp_tcb_floor_missing']));
    const waived = policyOf('waived', ['snp_tcb_floor_missing', 'snp_product_configured']);
    await writeFile(join(directory, 'waived.json'), waived);
    const local = join(lab.root, 'disk.key');
    await writeFile(local, SECRET);
    const keys = { warned: { local, policy: 'warned' }, waived: { local, policy: 'waived' } };
    const releasing = await lab.start({ ...WITH_LINES, policies: { directory }, keys, ...CALLERS }, {}, 'releases');
    const guest = createSnpGuest({ pki: PKI, platform: venice.platform });
    const release = async (key: string) => {
      const nonce = await challenge(releasing, {}, HEADERS);
      const evidence = wireEvidence(guest.evidence({ nonce, jwk, endorsements: { chain: null, crls: [] } }));
      const body = JSON.stringify({ evidence, nonce: base64Url(nonce), binding: { jwk } });
      return post(releasing.url, `/keys/${key}/release`, body, HEADERS);
    };
    const stopped = await release('warned');
    expect([...verdictOf(stopped), stopped.body.release]).toEqual(['deny', 'release_warning', null]);
    expect(checksOf(stopped, 'release_warning')).toMatchObject([
      { detail: 'the warning snp_product_configured is not waived' },
    ]);
    const released = await release('waived');
    expect(verdictOf(released)).toEqual(['allow']);
    expect(released.body.release.value).toMatch(/^eyJ/);
    expect(checksOf(released, 'snp_product_configured')).toMatchObject([{ result: 'warn', waived: true }]);
  });
});

describe('policies that name product lines which are not configured', () => {
  const LINE = /naming\.json: .*minimums\/snp\/Venice: there is no part Venice, neither built in nor in amd\.products/;

  it('keep the service from starting', async () => {
    const policies = { directory: folder() };
    const starting = lab.start({ policies }, {}, 'no-line');
    await expect(starting).rejects.toMatchObject({ problems: expect.arrayContaining([expect.stringMatching(LINE)]) });
  });

  it('are errors of `check`, each with its pointer, and of no other place', async () => {
    const problemsOf = async (keys: object) => {
      const file = join(lab.root, 'checked.json');
      await writeFile(file, JSON.stringify({ policies: { directory: folder() }, ...keys }));
      const problems = await checkConfiguration({ file, environment: {}, clock: SYSTEM_CLOCK });
      return problems.filter(({ severity }) => severity === 'error').map(({ code, pointer }) => [code, pointer]);
    };
    const unknown = [
      '/minimums/snp/Venice',
      '/minimums/snp/Florence',
      '/referenceValues/0/appliesTo/product',
      '/waivers/0/value',
      '/rules/0/cel',
      '/rules/0/cel',
    ];
    expect(await problemsOf({})).toEqual(expect.arrayContaining(unknown.map((pointer) => ['policy_schema', pointer])));
    expect(await problemsOf(WITH_LINES)).toEqual([]);
    // A wrong line is told as what it is: the policies that name it are not.
    const wrong = { Venice: { ...PRODUCTS['Venice'], hwid: 9 } };
    expect(await problemsOf({ amd: { products: wrong } })).toEqual([['config_schema', '/amd/products/Venice/hwid']]);
  });

  it('are not taken over by a reload: those before stay in force', async () => {
    const directory = join(lab.root, 'reloaded-policies');
    await mkdir(directory);
    const line = (product: string) => ({ rules: [{ id: 'line', cel: `snp.product == '${product}'` }] });
    await writeFile(join(directory, 'lenient.json'), lenientPolicy('lenient', line('Venice')));
    const own = await lab.start({ ...WITH_LINES, policies: { directory } }, {}, 'reloaded');
    expect(verdictOf(await ask(own))).toEqual(['allow']);
    await writeFile(join(directory, 'lenient.json'), lenientPolicy('lenient', line('Verona')));
    await own.reload();
    expect(lab.output).toContain('there is no product line Verona, neither built in nor in amd.products');
    expect(verdictOf(await ask(own))).toEqual(['allow']);
    await writeFile(join(directory, 'lenient.json'), lenientPolicy('lenient', line('Florence')));
    await own.reload();
    expect(verdictOf(await ask(own))).toEqual(['deny', 'rule_not_met']);
  });

  it('stay in force with their line where a reload finds it gone from the configuration, which needs a restart', async () => {
    const read = { readConfiguration: async () => configurationWith({}) };
    const own = await lab.start(configured(), read, 'gone');
    await own.reload();
    expect(lab.output).toMatch(/"needRestart":\[[^\]]*"amd\.products/);
    expect(verdictOf(await ask(own, { policy: 'naming' }))).toEqual(['allow']);
  });

  it('are refused by lint and evaluate, with the name that is meant', async () => {
    const text = lenientPolicy('tried', { minimums: { snp: { Venize: { fmc: 1 } } } });
    const linted = await post(service.url, '/policies:lint', JSON.stringify({ text }));
    const says = 'there is no part Venize, neither built in nor in amd.products; did you mean Venice?';
    expect(linted.body.problems).toMatchObject([
      { code: 'policy_schema', pointer: '/minimums/snp/Venize', message: says, severity: 'error' },
    ]);
    const evaluated = await post(service.url, '/policies:evaluate', JSON.stringify({ text, claims: {} }));
    expect(verdictOf(evaluated)).toEqual([400, 'schema']);
    expect(evaluated.body.detail).toContain(says);
  });
});

describe('a recorded decision about a product line of the configuration', () => {
  it('is judged again as it was, by the lines of then', async () => {
    const kept = { historical: true, decisions: { keepEvidence: 'full' } };
    const first = await lab.start(configured(kept), {}, 'kept');
    const { decisionId } = (await ask(first, { policy: 'naming' })).body;
    await first.close();
    const other = await lab.start(kept, {}, 'kept');
    const replay = async (at: string) =>
      (await post(other.url, `/decisions/${decisionId}:replay`, `{"at":"${at}"}`)).body;
    expect(await replay('then')).toMatchObject({ equal: true, differences: [] });
  });

  it('that was a deny stays one where the line is configured since', async () => {
    const kept = { historical: true, decisions: { keepEvidence: 'full' } };
    const first = await lab.start(kept, {}, 'kept-deny');
    const { body } = await ask(first);
    expect(body.reasons).toEqual(['snp_product']);
    await first.close();
    const other = await lab.start(configured(kept), {}, 'kept-deny');
    const again = await post(other.url, `/decisions/${body.decisionId}:replay`, '{"at":"then"}');
    expect(again.body).toMatchObject({ equal: true, differences: [] });
  });
});
