import { existsSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  buildCcel,
  createAmdPki,
  createAzureAkPki,
  createIntelPki,
  createSnpGuest,
  createTdxGuest,
  createTrustedLaunchMachine,
  createVirtualMachine,
  labCcelEvents,
  pemOf,
  TdxPlatform,
  type VirtualMachine,
} from '../../lab/index.js';
import { LabProxy } from '../../lab/proxy.js';
import { wireEvidence } from '../../lab/wire-evidence.js';
import { azSnpEvidenceOf, nonceOf } from '../../real-evidence.js';
import { haveVectors, readVector, vector } from '../../vectors.js';
import { CommandLine } from './command-line.js';
import { runInProcess } from './command-line-in-process.js';

const NONCE = Buffer.alloc(32, 0x61);
const OTHER_NONCE = Buffer.alloc(32, 0x62);
const WITHOUT_ENDORSEMENTS = { vek: null, chain: null, crls: [] };

const LENIENT = `apiVersion: veritee/v1
id: own
version: 7
accepts: [az-snp-vtpm]
minimums: any
revocation: best-effort
`;

let cli: CommandLine;
let vm: VirtualMachine;
/** Nothing is fetched: what is not in the body is out of reach. */
let offline: string;

beforeAll(async () => {
  cli = await CommandLine.create();
  vm = await createVirtualMachine({ pki: createAmdPki() });
  offline = await cli.write('offline.yaml', 'amd: { kds: off }\n');
  await cli.write('own.yaml', LENIENT);
  const genuine = { evidence: vm.wireEvidence({ nonce: NONCE }), nonce: NONCE.toString('base64url') };
  await cli.write('lab.json', JSON.stringify(genuine));
  await cli.write('past.json', JSON.stringify({ ...genuine, at: '2026-01-01T00:00:00Z' }));
  const bare = vm.wireEvidence({ nonce: NONCE, endorsements: WITHOUT_ENDORSEMENTS });
  await cli.write('bare.json', JSON.stringify({ ...genuine, evidence: bare }));
});

afterAll(() => cli.close());

const run = (args: readonly string[], input: string | Uint8Array = '') => runInProcess(cli, args, { input });
const verify = (file: string, ...options: readonly string[]) => run(['verify', file, '--config', offline, ...options]);

it.runIf(process.platform === 'linux')('ends with 3 and a sentence where nobody can read what it says', async () => {
  const ended = await cli.runInto('/dev/full', ['config']);
  expect(ended).toEqual({ exitCode: 3, stderr: 'standard output: cannot be written: no space is left\n' });
});

describe('veritee verify', () => {
  it('says deny with 2: roots of a lab are not those of AMD, and no configuration makes them so', async () => {
    const { exitCode, stdout } = await verify('lab.json');
    expect(exitCode).toBe(2);
    const decision = JSON.parse(stdout);
    expect([decision.decision, decision.reasons[0]]).toEqual(['deny', 'cert_untrusted']);
    expect(decision.policies[0].id).toBe('azure-cvm-baseline');
  });

  it('says indeterminate with 3, where what vouches for the evidence is out of reach', async () => {
    const { exitCode, stdout } = await verify('bare.json', '--json');
    expect(exitCode).toBe(3);
    const decision = JSON.parse(stdout);
    expect(decision.decision).toBe('indeterminate');
    expect(decision.reasons).toEqual(['vcek_unavailable']);
  });

  it('fetches through the proxy, and a check that it keeps from passing names the cause', async () => {
    const proxy = await LabProxy.start();
    try {
      proxy.conduct = { status: 407 };
      const proxied = await cli.write('proxied.yaml', `egress: { proxy: "http://${proxy.host}" }\n`);
      const { exitCode, stdout } = await run(['verify', 'bare.json', '--config', proxied, '--json']);
      const { reasons, checks } = JSON.parse(stdout);
      expect([exitCode, reasons]).toEqual([3, ['vcek_unavailable']]);
      expect(checks).toContainEqual(
        expect.objectContaining({ id: 'vcek_unavailable', detail: expect.stringContaining('proxy_refused') }),
      );
      expect(new Set(proxy.targets)).toEqual(new Set(['kdsintf.amd.com:443']));
    } finally {
      await proxy.close();
    }
  });

  it.each(['--explain', '--explain-all'])('%s adds why to the answer, as explain=tree does', async (option) => {
    const { exitCode, stdout } = await verify('lab.json', option, '--json');
    const { explanation } = JSON.parse(stdout);
    expect([exitCode, explanation.text, explanation.result]).toEqual([2, 'deny', 'fail']);
    const texts = explanation.parts.map(({ text }: { text: string }) => text);
    expect(texts).toEqual(
      expect.arrayContaining(['Certificates and revocation', 'policy azure-cvm-baseline version 2']),
    );
    expect(JSON.parse((await verify('lab.json')).stdout)).not.toHaveProperty('explanation');
  });

  it('reads standard input', async () => {
    const body = { evidence: vm.wireEvidence({ nonce: NONCE }), nonce: NONCE.toString('base64url') };
    const { exitCode, stdout } = await cli.run(['verify', '-', '--config', offline], JSON.stringify(body));
    expect([exitCode, JSON.parse(stdout).decision]).toEqual([2, 'deny']);
  });

  it('verifies raw files of a guest as the body that they make: a folder, and a report with its VCEK', async () => {
    const evidence = vm.evidence({ nonce: NONCE });
    const { hclReport, tpmQuote } = evidence;
    await mkdir(cli.path('guest'));
    const values = Buffer.concat([...(tpmQuote.pcrs.get('sha256')?.values() ?? [])]);
    const { vek, chain, crl } = vm.platform;
    const files = { 'a.hcl': hclReport, 'a.msg': tpmQuote.message, 'a.sig': tpmQuote.signature, 'a.pcrs': values };
    for (const [name, bytes] of Object.entries({ ...files, 'a.der': vek.der, 'a.pem': chain, 'a.crl': crl })) {
      await cli.write(`guest/${name}`, bytes);
    }
    const nonce = ['--nonce', NONCE.toString('base64url')];
    const folder = await verify('guest', ...nonce);
    await cli.write(
      'same.json',
      JSON.stringify({ evidence: wireEvidence(evidence), nonce: NONCE.toString('base64url') }),
    );
    const body = await verify('same.json');
    expect([folder.exitCode, JSON.parse(folder.stdout).reasons]).toEqual([2, JSON.parse(body.stdout).reasons]);
    expect(JSON.parse(folder.stdout).evidence).toEqual(JSON.parse(body.stdout).evidence);

    const guest = createSnpGuest({ pki: createAmdPki() });
    const { report } = guest.evidence({ nonce: NONCE });
    await cli.write('some.report', report);
    await cli.write('some.pem', pemOf(guest.platform.vek.der) + guest.platform.chain);
    const raw = await verify('some.report', '--vek', 'some.pem', ...nonce);
    expect(JSON.parse(raw.stdout)).toMatchObject({ evidence: { type: 'snp' }, decision: 'deny' });
    expect(JSON.parse(raw.stdout).reasons).toContain('cert_untrusted');
  });

  it.each([
    ['maa-token', { 'x-ms-attestation-type': 'azurevm' }],
    ['ita-token', { attester_type: 'TDX' }],
  ])('verifies a token as it is, as %s by its claims', async (type, claims) => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const times = { iss: 'https://issuer.example', iat: 1_767_225_600, nbf: 1_767_225_600, exp: 1_767_229_200 };
    const header = part({ alg: 'RS256', kid: 'a', typ: 'JWT' });
    await cli.write('token.jwt', `${header}.${part({ ...times, ...claims })}.AAAA\n`);
    const { exitCode, stdout } = await verify('token.jwt');
    expect([exitCode, JSON.parse(stdout).evidence.type]).toEqual([2, type]);
    expect(JSON.parse(stdout).reasons).toContain('token_issuer');
  });

  it.each([
    [
      'a VCEK beside a body',
      ['lab.json', '--vek', 'lab.json'],
      '--vek: goes with a report as it is; a body names it in endorsements.vek\n',
    ],
    [
      'a VCEK beside a folder',
      ['.', '--vek', 'lab.json'],
      '--vek: goes with a report; put the file into the folder instead\n',
    ],
    [
      'a report in hex',
      ['hex.txt'],
      'hex.txt: it is an SNP report written in hex: turn it into bytes first (xxd -r -p)\n',
    ],
  ])('refuses %s', async (_title, args, message) => {
    await cli.write('hex.txt', Buffer.from(createSnpGuest({ pki: createAmdPki() }).evidence().report).toString('hex'));
    const { exitCode, stdout, stderr } = await verify(args[0] ?? '', ...args.slice(1));
    expect([exitCode, stdout, stderr]).toEqual([1, '', message]);
  });

  it('takes the policy of a file, and its digest is in the answer', async () => {
    const { stdout } = await verify('bare.json', '--policy', 'own.yaml');
    expect(JSON.parse(stdout).policies).toMatchObject([{ id: 'own', version: 7, outcome: 'indeterminate' }]);
  });

  it.each([
    ['a file that is not there', ['nothing.json'], /^nothing\.json: there is no such file\n/],
    ['an option that it does not have', ['lab.json', '--polcy', 'own.yaml'], /unknown option '--polcy'/],
    [
      'a policy that is not there',
      ['lab.json', '--policy', 'nobody'],
      /^--policy: there is no policy nobody; there are /,
    ],
    [
      'a policy file that is not there',
      ['lab.json', '--policy', 'nothing.yaml'],
      /^--policy: nothing\.yaml: there is no such file\n/,
    ],
    ['a policy file that is none', ['lab.json', '--policy', 'lab.json'], /^lab\.json: .*apiVersion/m],
    [
      'a nonce that is too short',
      ['lab.json', '--nonce', 'AAAA'],
      /^--nonce: nonce: nonce is 3 bytes, expected 8 to 64$/m,
    ],
    [
      'a nonce that is too long',
      ['lab.json', '--nonce', 'A'.repeat(87)],
      /^--nonce: nonce: nonce is 65 bytes, expected 8 to 64$/m,
    ],
    [
      'a nonce that no vTPM quote holds',
      ['lab.json', '--nonce', 'A'.repeat(68)],
      /^--nonce: nonce: nonce is 51 bytes, a TPM quote holds 50$/m,
    ],
    ['an instant that is none', ['lab.json', '--at', 'yesterday'], /^--at: schema: not a time: /],
    ['an instant that the body names by itself', ['past.json'], /^past\.json: at_not_enabled: .*--at.* \(at \/at\)/],
    ['an instant to come', ['lab.json', '--at', '2999-01-01T00:00:00Z'], /^--at: at_not_enabled: /],
  ])('ends with 1 and says why for %s', async (_title, args, message) => {
    const { exitCode, stdout, stderr } = await verify(args[0] ?? '', ...args.slice(1));
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  it('TPM-17 warns of a policy that lists command lines without files', async () => {
    const boot = { commandLines: ['/vmlinuz ro'] };
    const members = { accepts: ['az-snp-vtpm'], minimums: 'any', referenceValues: [{ tpm: { boot } }] };
    const policy = await cli.write(
      'commands.json',
      JSON.stringify({ apiVersion: 'veritee/v1', id: 'commands', version: 1, ...members }),
    );
    const { exitCode, stderr } = await verify('lab.json', '--policy', policy);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/commandLines without files/);
  });

  it('judges a vTPM by itself, with the issuers of its certificate in a folder', async () => {
    const pki = createAzureAkPki();
    const machine = await createTrustedLaunchMachine({ pki });
    const members = { accepts: ['tpm'], minimums: 'any', routes: { hardware: 'off' } };
    const policy = await cli.write(
      'vtpm.json',
      JSON.stringify({ apiVersion: 'veritee/v1', id: 'vtpm', version: 1, ...members }),
    );
    await mkdir(cli.path('issuers'));
    await cli.write('ak-root.pem', pki.authority('root').pem);
    for (const name of ['ca24', 'ca2025', 'root'] as const) {
      await cli.write(`issuers/${name}.der`, pki.authority(name).der);
    }
    const config = await cli.write('vtpm.yaml', 'tpm: { roots: [ak-root.pem], intermediates: issuers }\n');
    const without = await cli.write('roots.yaml', 'tpm: { roots: [ak-root.pem] }\n');
    const evidence = machine.wireEvidence({ nonce: NONCE, certificate: { chain: null } });
    const body = await cli.write('vtpm-body.json', JSON.stringify({ evidence, nonce: NONCE.toString('base64url') }));
    const asking = (file: string) => ['verify', body, '--config', file, '--policy', policy];
    expect((await cli.run(asking(config))).exitCode).toBe(0);
    const denied = await run(asking(without));
    expect(denied.exitCode).toBe(2);
    expect(JSON.parse(denied.stdout).reasons).toEqual(['ak_cert_untrusted']);
    const inspected = await run(['inspect', body]);
    expect([inspected.exitCode, JSON.parse(inspected.stdout).type]).toEqual([0, 'tpm']);
    expect((await run(['verify', body, '--config', config])).exitCode).toBe(2);
  });

  it('TPM-10 remembers the counts of a vTPM from one run to the next, in the data directory', async () => {
    const pki = createAzureAkPki();
    const machine = await createTrustedLaunchMachine({ pki });
    const require = { tpm: { trackResets: true } };
    const members = { accepts: ['tpm'], minimums: 'any', routes: { hardware: 'off' }, require };
    const policy = await cli.write(
      'tracking.json',
      JSON.stringify({ apiVersion: 'veritee/v1', id: 'tracking', version: 1, ...members }),
    );
    await cli.write('tracked-root.pem', pki.authority('root').pem);
    const config = await cli.write(
      'kept.yaml',
      'stores: { url: "sqlite:kept/decisions.db" }\ntpm: { roots: [tracked-root.pem] }\n',
    );
    const counted = async (resetCount: number, ...options: readonly string[]) => {
      const evidence = machine.wireEvidence({ nonce: NONCE, quote: { resetCount } });
      const body = await cli.write('counted.json', JSON.stringify({ evidence, nonce: NONCE.toString('base64url') }));
      const ended = await run(['verify', body, '--config', config, '--policy', policy, ...options]);
      return [ended.exitCode, ...JSON.parse(ended.stdout).reasons];
    };
    expect(await counted(9, '--at', new Date(Date.now() - 60_000).toISOString())).toEqual([0]);
    expect(await counted(7)).toEqual([0]);
    expect(await readdir(cli.path('kept/tpm-resets'))).toHaveLength(1);
    expect(await counted(6)).toEqual([2, 'tpm_reset']);
  });

  it.each([
    [
      'no JSON',
      'not json',
      /body\.json: is neither JSON nor a structure that is recognised, and a \/verify body is expected\n/,
    ],
    ['JSON that is cut short', '{"evidence": {', /body\.json: schema: not JSON: the text ends too early/],
    ['nothing', '', /body\.json: is empty\nexpected a file with a \/verify body/],
    [
      'an unknown member',
      JSON.stringify({ evidence: { type: 'snp', report: 'AA' }, surplus: 1 }),
      /body\.json: unknown_property: .*\/surplus/,
    ],
    [
      'a type without verifier',
      JSON.stringify({ evidence: { type: 'simulated', quote: 'AA' } }),
      /body\.json: type_unsupported: .*"simulated"/,
    ],
  ])('ends with 1 and says why for a body of %s', async (_title, body, message) => {
    const { exitCode, stdout, stderr } = await verify(await cli.write('body.json', body));
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(message);
  });
});

describe.skipIf(!haveVectors)('veritee verify of real evidence', () => {
  const REAL = 'az-snp-milan-hcl1-a';
  /** NotAfter of its VCEK, after which it is not allowed as of today. */
  const VCEK_ENDS = Date.parse('2032-01-28T16:26:55Z');
  let at: string;
  let nonce: string;

  beforeAll(async () => {
    const entry = vector(REAL);
    at = entry.verifyAt ?? '';
    nonce = Buffer.from(nonceOf(entry)).toString('base64url');
    const chain = Buffer.from(readVector('roots/amd-milan-vcek.pem')).toString('utf8');
    const evidence = azSnpEvidenceOf(entry);
    const wire = wireEvidence({ ...evidence, endorsements: { ...evidence.endorsements, chain } });
    await cli.write('real.json', JSON.stringify({ evidence: wire }));
  });

  it('says allow with 0, of a past instant and with a nonce from the command line', async () => {
    const { exitCode, stdout } = await verify('real.json', '--policy', 'own.yaml', '--at', at, '--nonce', nonce);
    const decision = JSON.parse(stdout);
    expect([exitCode, decision.decision, decision.historical]).toEqual([0, 'allow', true]);
    expect(decision.freshness.bound).toContain('tpm.extraData');
  });

  it('says deny with 2 for another nonce', async () => {
    const other = OTHER_NONCE.toString('base64url');
    const { exitCode, stdout } = await verify('real.json', '--policy', 'own.yaml', '--at', at, '--nonce', other);
    expect([exitCode, JSON.parse(stdout).reasons]).toEqual([2, ['nonce_mismatch']]);
  });

  it('says indeterminate with 3 under the baseline, without a CRL', async () => {
    const args = ['--policy', 'azure-cvm-baseline', '--at', at, '--nonce', nonce];
    const { exitCode, stdout } = await verify('real.json', ...args);
    expect([exitCode, JSON.parse(stdout).reasons]).toEqual([3, ['crl_unavailable']]);
  });

  it.skipIf(Date.now() > VCEK_ENDS)(
    'TPM-10 remembers resets as a service with the same data directory, but not of a past instant',
    async () => {
      await cli.write('tracking.yaml', `${LENIENT}require: { tpm: { trackResets: true } }\n`);
      const args = ['--policy', 'tracking.yaml', '--nonce', nonce, '--json'];
      const folder = cli.path('data/tpm-resets');
      const past = await verify('real.json', ...args, '--at', at);
      expect([past.exitCode, existsSync(folder)]).toEqual([0, false]);
      expect((await verify('real.json', ...args)).exitCode).toBe(0);
      const [name = ''] = await readdir(folder);
      await cli.write(`data/tpm-resets/${name}`, '4294967295 0\n');
      const { exitCode, stdout } = await verify('real.json', ...args);
      const { reasons, claims } = JSON.parse(stdout);
      expect([exitCode, reasons, name]).toEqual([2, ['tpm_reset'], `ak-${claims.hcl.akThumbprint}`]);
    },
  );
});

describe.skipIf(!haveVectors)('veritee verify of the real token of 2022', () => {
  it('says allow with 0 at its instant, and deny with 2 today', async () => {
    const id = 'maa-azurevm-snp-weu-2022';
    const { verifyAt, expect: expected } = vector(id);
    const keys = await cli.write('weu.jwks.json', readVector(`maa-jwt/${id}.jwks.json`));
    const maa = { shared: false, issuers: [{ issuer: expected.facts.iss, keys }] };
    const config = await cli.write('maa.yaml', JSON.stringify({ amd: { kds: 'off' }, maa }));
    const policy = { accepts: ['maa-token'], minimums: 'any', routes: { hardware: 'off', maa: 'required' } };
    const require = { maa: { complianceStatus: ['azure-compliant-cvm'] } };
    const whole = { apiVersion: 'veritee/v1', id: 'maa', version: 1, freshness: 'none', require, ...policy };
    const file = await cli.write('maa-policy.json', JSON.stringify(whole));
    const token = Buffer.from(readVector(`maa-jwt/${id}.jwt`))
      .toString('utf8')
      .trim();
    const body = JSON.stringify({ evidence: { type: 'maa-token', token } });
    const args = ['verify', '-', '--config', config, '--policy', file, '--json'];
    const then = await run([...args, '--at', String(verifyAt)], body);
    expect([then.exitCode, JSON.parse(then.stdout).decision]).toEqual([0, 'allow']);
    const today = await run(args, body);
    expect([today.exitCode, JSON.parse(today.stdout).reasons]).toEqual([2, ['token_time']]);
  });
});

describe('veritee inspect', () => {
  it('shows evidence, or that of a whole body, and verifies nothing', async () => {
    const evidence = vm.wireEvidence({ nonce: NONCE });
    const [whole, alone] = [
      await run(['inspect', 'lab.json']),
      await run(['inspect', '-', '--json'], JSON.stringify(evidence)),
    ];
    expect([whole.exitCode, alone.exitCode]).toEqual([0, 0]);
    expect(JSON.parse(whole.stdout)).toMatchObject({ verified: false, type: 'az-snp-vtpm' });
    expect(JSON.parse(alone.stdout).structures.map(({ name }: { name: string }) => name)).toEqual(
      JSON.parse(whole.stdout).structures.map(({ name }: { name: string }) => name),
    );
  });

  it('shows an event log, up to the longest that the configuration lets in', async () => {
    const guest = createTdxGuest({ platform: new TdxPlatform({ pki: createIntelPki() }) });
    const ccel = buildCcel(labCcelEvents(), { padding: new Uint8Array(1024) });
    await cli.write('td.json', JSON.stringify(guest.wireEvidence({ collateral: null, ccel })));
    const config = await cli.write('short.yaml', 'limits: { eventLogBytes: 1024 }\n');
    const [shown, refused] = [await run(['inspect', 'td.json']), await run(['inspect', 'td.json', '--config', config])];
    expect([shown.exitCode, refused.exitCode]).toEqual([0, 1]);
    expect(JSON.parse(shown.stdout).structures.at(-1)).toMatchObject({ name: 'event log', about: '/ccel' });
    expect(refused.stderr).toMatch(/^td\.json: eventlog_limit: .*\(at \/ccel\)/);
  });

  it('compares an event log with values of registers', async () => {
    await cli.write('ccel.bin', buildCcel(labCcelEvents()));
    const other = 'ab'.repeat(48);
    await cli.write('rtmrs.json', JSON.stringify({ sha384: { '1': other } }));
    const shown = await run(['inspect', 'ccel.bin', '--pcrs', 'rtmrs.json']);
    expect(shown.exitCode).toBe(0);
    expect(JSON.parse(shown.stdout)).toMatchObject({
      verified: false,
      takenFor: 'an event log',
      problems: [{ code: 'eventlog_replay', pcr: 1, expected: other }, { code: 'eventlog_unverified' }],
    });
    const refused = await run(['inspect', 'ccel.bin', '--pcrs', 'nowhere.bin']);
    expect([refused.exitCode, refused.stdout]).toEqual([1, '']);
    expect(refused.stderr).toMatch(
      /^nowhere\.bin: there is no such file\nexpected the SHA-256 values of PCR 0 to 23 as /,
    );
  });

  it('compares two boots, and ends with 0 if they differ', async () => {
    await cli.write('before.bin', buildCcel(labCcelEvents()));
    const after = buildCcel(labCcelEvents({ secureBoot: false }));
    const compared = await run(['inspect', '--compare', 'before.bin', '-'], after);
    expect(compared.exitCode).toBe(0);
    expect(JSON.parse(compared.stdout)).toMatchObject({
      verified: false,
      differences: [{ about: 'secureBoot', pcr: 1, before: true, after: false }],
      movedPcrs: [1],
    });
  });

  it('compares a boot with itself, and ends with 0', async () => {
    await cli.write('before.bin', buildCcel(labCcelEvents()));
    const same = await run(['inspect', '--compare', 'before.bin', 'before.bin', '--json']);
    expect([same.exitCode, JSON.parse(same.stdout).differences]).toEqual([0, []]);
  });

  it.each([
    ['a file that is not there', ['--compare', 'before.bin', 'nowhere.bin'], /^nowhere\.bin: there is no such file/],
    ['standard input as log and values', ['-', '--pcrs', '-'], /^--pcrs: standard input is one file, and two are due/],
    ['standard input twice', ['--compare', '-', '-'], /^--compare: standard input is one file, and two are due/],
    [
      'values beside a comparison',
      ['--compare', 'before.bin', 'before.bin', '--pcrs', 'before.bin'],
      /^--pcrs and --compare do not go together/,
    ],
    ['one file', ['--compare', 'before.bin'], /^error: missing required argument/],
  ] as const)('refuses to compare %s', async (_title, args, message) => {
    await cli.write('before.bin', buildCcel(labCcelEvents()));
    const refused = await run(['inspect', ...args]);
    expect([refused.exitCode, refused.stdout]).toEqual([1, '']);
    expect(refused.stderr).toMatch(message);
  });

  it('shows a file as it is, and says what it was taken for', async () => {
    const { hclReport } = vm.evidence({ nonce: NONCE });
    await cli.write('hcl.bin', hclReport);
    const report = hclReport.subarray(32, 32 + 1184);
    const [hcl, piped] = [await run(['inspect', 'hcl.bin']), await run(['inspect', '-', '--json'], report)];
    expect([hcl.exitCode, piped.exitCode]).toEqual([0, 0]);
    expect(JSON.parse(hcl.stdout)).toMatchObject({ verified: false, takenFor: 'an HCL report' });
    expect(JSON.parse(piped.stdout)).toMatchObject({
      takenFor: 'an SNP report',
      structures: [{ about: '', length: 1184 }],
    });
    const damaged = Uint8Array.from(report).fill(0xff, 0x008, 0x00c);
    await cli.write('damaged.bin', damaged);
    const refused = await run(['inspect', 'damaged.bin']);
    expect([refused.exitCode, refused.stdout]).toEqual([1, '']);
    expect(refused.stderr).toMatch(/^damaged\.bin, read as an SNP report: snp_policy: /);
  });

  it('ends with 1 for what is no evidence', async () => {
    const { exitCode, stdout, stderr } = await cli.run(['inspect', '-'], '{"type":"snp","report":"AAAA"}');
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^standard input: [a-z_]+: /);
  });
});

describe('veritee', () => {
  it('without a command, or with an unknown one, says how it is used, and ends with 1', async () => {
    const [none, unknown] = [await run([]), await run(['verfy'])];
    expect([none.exitCode, unknown.exitCode]).toEqual([1, 1]);
    expect(none.stderr).toContain('Usage: veritee');
  });

  it('--version and --check-wiring end with 0', async () => {
    const [version, wiring] = [await cli.run(['--version']), await run(['--check-wiring'])];
    expect([version.exitCode, wiring.exitCode]).toEqual([0, 0]);
    expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
