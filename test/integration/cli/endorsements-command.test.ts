import { mkdir, readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AMD_LINES, SNP_PRODUCTS } from '../../../src/core/amd-lines.js';
import { lineOf } from '../../../src/tee/snp/amd/product-lines.js';
import { readTcb } from '../../../src/tee/snp/amd/tcb.js';
import { parseSnpReport } from '../../../src/tee/snp/format/snp-report.js';
import { productsOf } from '../../configured-lines.js';
import { createAmdPki, createSnpGuest, createVirtualMachine, SnpPlatform } from '../../lab/index.js';
import { LabKds } from '../../lab/kds.js';
import { wireEvidence } from '../../lab/wire-evidence.js';
import { azSnpEvidenceOf, NO_INPUT, nonceOf } from '../../real-evidence.js';
import { haveVectors, readVector, vector } from '../../vectors.js';
import { CommandLine } from './command-line.js';
import { runInProcess } from './command-line-in-process.js';

const PKI = createAmdPki();

let cli: CommandLine;
let isolated: CommandLine;
let kds: LabKds;
/** Lets a process trust the TLS certificate of the emulated KDS, as it starts. What KDS serves is another matter. */
let environment: Readonly<Record<string, string>>;

beforeAll(async () => {
  cli = await CommandLine.create();
  isolated = await CommandLine.create();
  kds = await LabKds.start();
  environment = { NODE_EXTRA_CA_CERTS: await cli.write('authority.pem', kds.authorityPem) };
});

afterAll(async () => {
  await cli.close();
  await isolated.close();
  await kds.close();
});

const run = (args: readonly string[]) => runInProcess(cli, args);
const runIsolated = (args: readonly string[], input = '') => runInProcess(isolated, args, { input });

/** Configuration of a machine with a folder of endorsements of its own. */
async function machine(name: string, source: string = 'off'): Promise<readonly string[]> {
  const file = await cli.write(`${name}.yaml`, JSON.stringify({ amd: { kds: source, chains: cli.path(name) } }));
  return ['--config', file];
}

async function folder(name: string, files: { readonly [file: string]: string | Uint8Array }): Promise<string> {
  await mkdir(cli.path(name), { recursive: true });
  for (const [file, content] of Object.entries(files)) await cli.write(`${name}/${file}`, content);
  return cli.path(name);
}

const held = (name: string): Promise<readonly string[]> => readdir(cli.path(name)).catch(() => []);

describe('veritee endorsements import', () => {
  it('refuses with 2 what no root of AMD vouches for, file by file, and keeps nothing', async () => {
    const { vek } = new SnpPlatform({ pki: PKI });
    const bundle = await folder('forged', {
      'chain.pem': PKI.chainPem('Milan'),
      'list.crl': PKI.issueCrl({ product: 'Milan' }),
      'vcek.der': vek.der,
      'nonsense.der': Buffer.alloc(100, 0x30),
      'escape\u001b[2J.der': Buffer.alloc(100, 0x30),
    });
    const imported = await run(['endorsements', 'import', bundle, ...(await machine('fooled'))]);
    expect(imported.exitCode).toBe(2);
    expect(imported.stdout).not.toContain('imported');
    for (const name of ['chain.pem', 'list.crl', 'vcek.der', 'nonsense.der']) {
      expect(imported.stdout).toMatch(new RegExp(`^refused ${name}[^:]*: .`, 'm'));
    }
    expect(imported.stdout).toContain('refused escape\\u001b[2J.der: ');
    expect(await held('fooled')).toEqual([]);
  });

  it('ends with 1 for a folder that is not there', async () => {
    const missing = await cli.run(['endorsements', 'import', cli.path('nowhere'), ...(await machine('none'))]);
    expect([missing.exitCode, missing.stdout]).toEqual([1, '']);
    expect(missing.stderr).toContain('nowhere: no such folder');
  });

  it.each([
    ['is empty', {}, /: is empty; a bundle holds certificates and CRLs/],
    ['has nothing to import', { 'readme.txt': 'hello' }, /: has nothing to import; a bundle holds certificates/],
  ])('ends with 1 for a folder that %s, and says so', async (name, files, what) => {
    const bundle = await folder(name, files);
    const imported = await run(['endorsements', 'import', bundle, ...(await machine('none'))]);
    expect([imported.exitCode, imported.stdout]).toEqual([1, '']);
    expect(imported.stderr).toMatch(what);
  });

  it('ends with 1 for a file in the place of a folder, and says so', async () => {
    const file = await cli.write('chain-alone.pem', PKI.chainPem('Milan'));
    const imported = await run(['endorsements', 'import', file, ...(await machine('none'))]);
    expect([imported.exitCode, imported.stdout]).toEqual([1, '']);
    expect(imported.stderr).toContain('chain-alone.pem: is not a folder');
  });
});

describe('veritee endorsements export', () => {
  it('writes nothing of a KDS whose roots are not those of AMD, and says with 3 what is missing', async () => {
    kds.serveLine(PKI, 'Milan');
    const options = await machine('deceived', kds.origin);
    const exported = await cli.run(['endorsements', 'export', cli.path('empty'), ...options], '', environment);
    expect(exported.exitCode).toBe(3);
    expect(exported.stdout).not.toContain('wrote');
    expect(exported.stdout.match(/^missing /gm)?.length).toBe(SNP_PRODUCTS.length);
    expect(exported.stdout).toContain(
      'no CRL of Milan: the answer of AMD KDS cannot be used: signature does not verify',
    );
    expect([kds.count(/^\/vcek\/v1\/Milan\/crl$/), kds.count(/cert_chain/)]).toEqual([1, 0]);
    expect(await held('empty')).toEqual([]);
  });

  it('ends with 1 for a folder that is not empty, says so and leaves it as it is', async () => {
    const target = await folder('occupied', { 'old.crl': PKI.issueCrl({ product: 'Milan' }) });
    const asked = kds.count();
    const options = await machine('undeceived', kds.origin);
    const exported = await cli.run(['endorsements', 'export', target, ...options], '', environment);
    expect([exported.exitCode, exported.stdout]).toEqual([1, '']);
    expect(exported.stderr).toMatch(/occupied: is not empty; an export writes into a new or empty folder/);
    expect([kds.count(), await held('occupied')]).toEqual([asked, ['old.crl']]);
  });

  it('says with 3 for which file nothing can be asked', async () => {
    const platform = new SnpPlatform({ pki: PKI });
    const keyInfo = { authorKeyEn: false, maskChipKey: false, signingKey: 7 };
    const signed = await cli.write('signed.bin', platform.report());
    const unsigned = await cli.write('unsigned.bin', platform.report({ fields: { keyInfo } }));
    const options = ['--report', signed, unsigned, ...(await machine('unasked'))];
    const exported = await run(['endorsements', 'export', cli.path('unasked-bundle'), ...options]);
    expect(exported.exitCode).toBe(3);
    expect(exported.stdout).toContain(`missing vcek_unavailable: ${unsigned}: no key signed the report`);
    expect(exported.stdout).not.toContain(`${signed}: `);
  });

  it('takes reports as they are, in an HCL report, in evidence and in a body, and nothing else', async () => {
    const vm = await createVirtualMachine({ pki: PKI });
    const evidence = vm.wireEvidence();
    const { hclReport } = vm.evidence();
    const reports = [
      await cli.write('hcl.bin', hclReport),
      await cli.write('evidence.json', JSON.stringify(evidence)),
      await cli.write('body.json', JSON.stringify({ evidence })),
    ];
    const options = ['--report', ...reports, ...(await machine('bodies'))];
    const exported = await run(['endorsements', 'export', cli.path('bodies-bundle'), ...options]);
    // KDS is off: nothing can be had for any of them, which each one is told of by the report in it.
    expect([exported.exitCode, exported.stderr]).toEqual([3, '']);
    expect(exported.stdout).toMatch(/^missing vcek_unavailable: /m);
    const token = await cli.write('token.json', JSON.stringify({ type: 'maa-token', token: 'eyJ.eyJ.AA' }));
    const refused = await run(['endorsements', 'export', cli.path('none'), '--report', token]);
    expect([refused.exitCode, refused.stdout]).toEqual([1, '']);
    expect(refused.stderr).toMatch(/token\.json: is evidence of type maa-token\n--report takes /);
  });

  it('ends with 1 for a report that is none', async () => {
    const report = await cli.write('short.bin', new Uint8Array(100));
    const options = ['--report', report, ...(await machine('short'))];
    const exported = await run(['endorsements', 'export', cli.path('empty'), ...options]);
    expect([exported.exitCode, exported.stdout]).toEqual([1, '']);
    expect(exported.stderr).toMatch(
      /short\.bin: is nothing that is recognised\n--report takes an SNP report, a TD quote/,
    );
  });
});

describe.skipIf(!haveVectors)('endorsements of AMD', () => {
  const chainOf = (product: string) => readVector(`roots/amd-${product.toLowerCase()}-vcek.pem`);

  it('are taken as AMD serves them, the files for VCEKs and for VLEKs of all lines, and none is refused', async () => {
    const files = SNP_PRODUCTS.flatMap((product) =>
      (['vcek', 'vlek'] as const).map((kind): readonly [string, Uint8Array] => [
        `${product}-${kind}-cert_chain.pem`,
        readVector(`roots/amd-${product.toLowerCase()}-${kind}.pem`),
      ]),
    );
    const bundle = await folder('both', Object.fromEntries(files));
    const taken = await run(['endorsements', 'import', bundle, ...(await machine('complete'))]);
    expect(taken.stdout).not.toContain('refused');
    expect([taken.exitCode, taken.stdout.match(/^imported /gm)?.length]).toEqual([0, files.length]);
    expect(await held('complete')).toHaveLength(files.length);
  });

  it('are taken, those of all lines, and a forged chain beside them is refused with 2', async () => {
    const genuine = Object.fromEntries(SNP_PRODUCTS.map((product) => [`${product}.pem`, chainOf(product)]));
    const options = await machine('taught');
    const taken = await run(['endorsements', 'import', await folder('genuine', genuine), ...options]);
    expect(taken.exitCode).toBe(0);
    expect(taken.stdout.match(/^imported /gm)?.length).toBe(SNP_PRODUCTS.length);
    const names = SNP_PRODUCTS.map((product) => `chain-${product.toLowerCase()}-vcek.pem`).sort();
    expect([...(await held('taught'))].sort()).toEqual(names);
    const mixed = await folder('mixed', { ...genuine, 'forged.pem': PKI.chainPem('Genoa') });
    const refused = await run(['endorsements', 'import', mixed, ...(await machine('careful'))]);
    expect(refused.exitCode).toBe(2);
    expect(refused.stdout).toMatch(/^refused forged\.pem[^:]*: ./m);
    expect([...(await held('careful'))].sort()).toEqual(names);
  });

  it('get from KDS to a machine without network, where the evidence that they are for is judged', async () => {
    const entry = vector('az-snp-milan-hcl1-a');
    const { endorsements, ...evidence } = azSnpEvidenceOf(entry);
    const { vek } = endorsements;
    if (vek === null || !('der' in vek)) throw new Error('no VCEK');
    const report = evidence.hclReport.subarray(32, 32 + 1184);
    const { chipId, tcb } = parseSnpReport(report);
    kds.serveVcek('Milan', chipId, readTcb(tcb.reported, lineOf('Milan', AMD_LINES)), vek.der);
    const connected = ['--report', await cli.write('report.bin', report), ...(await machine('connected', kds.origin))];
    const exported = await cli.run(['endorsements', 'export', cli.path('bundle'), ...connected], '', environment);
    // The emulated KDS cannot have a CRL that AMD has signed.
    expect(exported.exitCode).toBe(3);
    expect(exported.stdout.match(/^missing \w+/gm)).toEqual(SNP_PRODUCTS.map(() => 'missing crl_unavailable'));
    // Both machines carry the chains.
    expect(await held('bundle')).toEqual([expect.stringMatching(/^vcek-milan-/)]);

    // Another working folder: the first has a cache of what it has fetched.
    const offline = ['--config', await isolated.write('offline.yaml', 'amd: { kds: off }')];
    const body = JSON.stringify({
      evidence: wireEvidence({ ...evidence, endorsements: NO_INPUT }),
      nonce: Buffer.from(nonceOf(entry)).toString('base64url'),
    });
    const policy = await cli.write('genuine.yaml', GENUINE);
    const at = ['--at', String(entry.verifyAt)];
    const ask = async () => {
      const { exitCode, stdout } = await runIsolated(['verify', '-', '--policy', policy, ...at, ...offline], body);
      return [exitCode, ...JSON.parse(stdout).reasons];
    };
    expect(await ask()).toEqual([3, 'vcek_unavailable']);
    const imported = await runIsolated(['endorsements', 'import', cli.path('bundle'), ...offline]);
    expect([imported.exitCode, imported.stdout.match(/^imported /gm)?.length]).toEqual([0, 1]);
    expect(await ask()).toEqual([0]);
  });
});

describe('endorsements of a product line of the configuration', () => {
  const NONCE = Buffer.alloc(32, 7);
  const products = productsOf(PKI, 'Venice');
  const guest = createSnpGuest({ pki: PKI, part: 'Venice' });
  const evidence = guest.evidence({ nonce: NONCE, endorsements: NO_INPUT });

  it('are exported where KDS is, and imported where it is not, and a report verifies there', async () => {
    const { product, chipId, tcb, vek } = guest.platform;
    kds.serveLine(PKI, product);
    kds.serveVcek(product, chipId, tcb, vek.der);
    const report = await cli.write('venice.bin', evidence.report);
    const amd = { kds: kds.origin, chains: cli.path('venice'), products };
    const connected = await cli.write('venice.yaml', JSON.stringify({ amd }));
    const options = ['--report', report, '--config', connected];
    const exported = await cli.run(['endorsements', 'export', cli.path('of-venice'), ...options], '', environment);
    expect([exported.exitCode, exported.stderr]).toEqual([3, '']);
    // Of the built-in lines the emulated KDS has nothing that AMD has signed.
    expect(exported.stdout.match(/^missing \w+/gm)).toEqual(SNP_PRODUCTS.map(() => 'missing crl_unavailable'));
    expect([...(await held('of-venice'))].sort()).toEqual([
      'chain-venice-vcek.pem',
      expect.stringMatching(/^crl-venice-vcek-/),
      expect.stringMatching(/^vcek-venice-/),
    ]);

    const configured = (settings: object) => isolated.write('venice.yaml', JSON.stringify(settings));
    const withLine = ['--config', await configured({ amd: { kds: 'off', products } })];
    const imported = await runIsolated(['endorsements', 'import', cli.path('of-venice'), ...withLine]);
    expect([imported.exitCode, imported.stdout.match(/^imported /gm)?.length]).toEqual([0, 3]);
    const policy = await cli.write('of-venice.yaml', OF_VENICE);
    const body = JSON.stringify({ evidence: wireEvidence(evidence), nonce: NONCE.toString('base64url') });
    const verify = (...more: readonly string[]) => runIsolated(['verify', '-', '--policy', policy, ...more], body);
    const verified = await verify(...withLine);
    expect([verified.exitCode, JSON.parse(verified.stdout).reasons]).toEqual([0, []]);
    expect(verified.stdout).toContain('snp_product_configured');

    const without = ['--config', await configured({ amd: { kds: 'off' } })];
    const refused = await verify(...without);
    expect([refused.exitCode, refused.stdout]).toEqual([1, '']);
    expect(refused.stderr).toContain('there is no part Venice, neither built in nor in amd.products');
    const nothing = await runIsolated(['endorsements', 'import', cli.path('of-venice'), ...without]);
    expect(nothing.exitCode).toBe(2);
    expect(nothing.stdout).not.toContain('imported');
  });
});

const OF_VENICE = `apiVersion: veritee/v1
id: of-venice
version: 1
accepts: [snp]
minimums: { snp: { Venice: { fmc: 2, microcode: 40 } } }
`;

const GENUINE = `apiVersion: veritee/v1
id: genuine
version: 1
accepts: [az-snp-vtpm]
minimums: any
revocation: best-effort
`;
