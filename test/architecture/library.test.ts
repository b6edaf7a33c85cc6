import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadedBy } from '../../scripts/size/reach.js';
import { PROJECT } from './project-files.js';

const VERIFIER = 'src/library/verifier.ts';
const POLICY = 'src/library/policy.ts';

/** Rooms of what decides an allow. All others are the service, its sources and its pages. */
const ROOMS = ['boot', 'core', 'crypto', 'formats', 'library', 'policy', 'schema', 'tee'];

describe('what the library loads', () => {
  it.each([
    [VERIFIER, ['jose', 'lru-cache', 'node:crypto']],
    [POLICY, ['@marcbachmann/cel-js', 'node:crypto', 'yaml']],
  ])('for %s is no other package or core module', async (entry, packages) => {
    expect((await loadedBy(entry)).packages).toEqual(packages);
  });

  it('is no room of the service', async () => {
    const { files } = await loadedBy(VERIFIER, POLICY);
    const rooms = new Set(files.map((path) => path.split('/')[1]));
    expect([...rooms].sort()).toEqual(ROOMS);
  });

  it('for verifying is no policy', async () => {
    const { files } = await loadedBy(VERIFIER);
    expect(files.filter((path) => /^src\/(policy|schema)\//.test(path))).toEqual([]);
  });

  it('for deciding is no lint, no learning and no test of policies', async () => {
    const { files } = await loadedBy(POLICY);
    expect(files).toContain('src/policy/appraise/decide.ts');
    expect(files.filter((path) => /^src\/policy\/((lint|learn|test-cases)\/|lint-|akv\/lint)/.test(path))).toEqual([]);
  });
});

/** Replaces all through which a process reaches anything outside of it. What is used is in `used`. */
const TRAPS = `
  import { createRequire, syncBuiltinESMExports } from 'node:module';
  const used = new Set();
  const trap = (name) => function () { used.add(name); throw new Error('uses ' + name); };
  const streams = [process.stdout, process.stderr];
  const write = process.stdout.write.bind(process.stdout);
  const require = createRequire(import.meta.url);
  const REACHING = ['fs', 'fs/promises', 'net', 'tls', 'dns', 'dns/promises', 'http', 'http2', 'https', 'dgram', 'child_process',
    'worker_threads', 'os', 'timers', 'timers/promises', 'perf_hooks'];
  for (const name of REACHING) {
    const module = require('node:' + name);
    for (const [member, { value, writable }] of Object.entries(Object.getOwnPropertyDescriptors(module))) {
      if (typeof value === 'function' && writable) module[member] = trap(name + '.' + member);
    }
  }
  syncBuiltinESMExports();
  for (const name of ['fetch', 'WebSocket', 'setTimeout', 'setInterval', 'setImmediate']) globalThis[name] = trap(name);
  for (const name of Object.keys(console)) console[name] = trap('console.' + name);
  for (const stream of streams) stream.write = trap('stream.write');
  Math.random = trap('Math.random');
  performance.now = trap('performance.now');
  for (const name of ['hrtime', 'cwd', 'uptime', 'emitWarning', 'getBuiltinModule']) process[name] = trap('process.' + name);
  Object.defineProperty(process, 'env', { get: trap('process.env') });
  globalThis.Date = new Proxy(Date, {
    apply: trap('Date()'),
    construct: (target, given, self) => (given.length === 0 ? trap('new Date()')() : Reflect.construct(target, given, self)),
    get: (target, name) => (name === 'now' ? trap('Date.now') : Reflect.get(target, name)),
  });
`;

/** Recordings of real machines, and what each is verified by. */
const RECORDINGS = `
  const at = new Date('2026-07-10T12:00:00Z');
  const file = (name) => readFileSync('examples/real/' + name);
  const { ask, ark } = CARRIED_CERTIFICATES.get('Milan');
  const endorsements = { vek: { der: file('azure-milan/vcek.der') }, chain: ask + ark, certificateTable: null, crls: [file('azure-milan/amd.crl')] };
  const pcrs = file('azure-milan/pcrs.bin');
  const banks = new Map([['sha256', new Map(Array.from({ length: pcrs.length / 32 }, (_, index) => [index, pcrs.subarray(index * 32, index * 32 + 32)]))]]);
  const tpmQuote = { message: file('azure-milan/quote.msg'), signature: file('azure-milan/quote.sig'), pcrs: banks };
  const tokenKeys = { value: { keys: parseKeySet(file('maa-token/keys.json')).keys, crls: [] }, origin: 'store' };
  const policyOf = (name) => parsePolicy(file('policies/' + name + '.yaml').toString());
  const asked = [
    [{ type: 'az-snp-vtpm', hclReport: file('azure-milan/hcl.bin'), tpmQuote, endorsements, ak: null, eventLog: null },
      { at: new Date('2026-01-15T12:00:00Z'), binding: expectedBinding(Buffer.from('challenge'), null) }, BUILT_IN_POLICIES[0]],
    [{ type: 'tdx', quote: file('tdx-gcp/td-quote.bin'), runtimeData: null, collateral: parseCollateralFile(file('tdx-gcp/collateral.json')), ccel: null },
      { at }, policyOf('tdx')],
    [{ type: 'tdx', quote: file('tdx-ccel/td-quote.bin'), runtimeData: null, collateral: parseCollateralFile(file('tdx-ccel/collateral.json')), ccel: file('tdx-ccel/ccel.bin') },
      { at }, policyOf('tdx')],
    [{ type: 'maa-token', token: file('maa-token/token.jwt').toString().trim() },
      { at: new Date('2022-12-24T00:00:00Z'), endorsements: { snp: null, tokenKeys } }, policyOf('maa')],
  ];
`;

const DECIDE = `
  const decisions = [];
  for (const [evidence, context, policy] of asked) {
    const verification = await verify(open(evidence), context);
    const input = appraisalInput(verification);
    decisions.push(decide([appraise(policy, input)]).decision);
  }
  write(JSON.stringify({ used: [...used], decisions }));
`;

describe('the library', () => {
  let folder = '';

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'veritee-library-'));
    await build({
      entryPoints: { verifier: join(PROJECT, VERIFIER), policy: join(PROJECT, POLICY) },
      outdir: folder,
      bundle: true,
      splitting: true,
      platform: 'node',
      format: 'esm',
      outExtension: { '.js': '.mjs' },
      banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    });
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** What a process with the traps prints. The library is loaded before them: reading its own files is no use of the disk. */
  function inTraps(code: string) {
    const file = join(folder, 'run.mjs');
    const imports = `
      import { readFileSync } from 'node:fs';
      import * as verifier from './verifier.mjs';
      import * as policy from './policy.mjs';
      const { CARRIED_CERTIFICATES, expectedBinding, open, parseCollateralFile, parseKeySet, verify } = verifier;
      const { appraisalInput, appraise, BUILT_IN_POLICIES, decide, parsePolicy } = policy;
    `;
    writeFileSync(file, `${imports}${RECORDINGS}${TRAPS}${code}`);
    const { status, stdout, stderr } = spawnSync(process.execPath, [file], { cwd: PROJECT, encoding: 'utf8' });
    return { status, printed: stdout === '' ? null : JSON.parse(stdout), stderr };
  }

  it('decides without network, disk, clock, environment, chance and log', () => {
    const { status, printed, stderr } = inTraps(DECIDE);
    expect({ status, printed, stderr }).toEqual({
      status: 0,
      printed: { used: [], decisions: ['allow', 'allow', 'deny', 'allow'] },
      stderr: '',
    });
  });

  it('would be found out where it used one of them', () => {
    const uses = {
      'fs.readFileSync': "require('node:fs').readFileSync('package.json')",
      'net.connect': "require('node:net').connect(1)",
      fetch: "fetch('http://127.0.0.1')",
      'process.env': "process.env['HOME']",
      'new Date()': 'new Date()',
      'Date.now': 'Date.now()',
      'console.log': "console.log('a')",
      'Math.random': 'Math.random()',
      setTimeout: 'setTimeout(() => undefined, 1)',
    };
    const all = Object.values(uses).map((code) => `try { ${code} } catch {}`);
    expect(inTraps(`${all.join('\n')} write(JSON.stringify([...used]));`).printed).toEqual(Object.keys(uses));
  });
});
