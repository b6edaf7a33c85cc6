import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { nonceOf } from '../real-evidence.js';
import { isLacking } from '../requirements.js';
import { haveVectors, readVector, vector } from '../vectors.js';
import { copyProject } from './installation.js';
import { Lab } from './lab.js';
import { type Ended, NETWORK_TRIAL, NetworkNamespace } from './network-namespace.js';
import { ServiceProcess } from './service-process.js';

const NAMESPACE = {
  what: 'network namespaces (unshare, nsenter, ip, and the right to use them)',
  command: NETWORK_TRIAL,
};
const TRACER = { what: 'strace, and the right to trace', command: ['strace', '-o', '/dev/null', 'true'] } as const;

/** Posts what it reads, and writes status and body. Arguments: the URL. */
const POST = `
let body = '';
for await (const part of process.stdin.setEncoding('utf8')) body += part;
const method = body === '' ? 'GET' : 'POST';
const headers = { 'content-type': 'application/json' };
const answer = await fetch(process.argv[1], method === 'GET' ? {} : { method, headers, body });
console.log(JSON.stringify({ status: answer.status, body: await answer.json() }));
`;

/** The answer that the README shows under its request, without what it leaves out. */
async function shownInReadme(): Promise<readonly unknown[]> {
  const readme = await readFile(join(import.meta.dirname, '../../README.md'), 'utf8');
  return [...readme.matchAll(/```jsonc\n(\{\n {2}"decision"[\s\S]*?)```/g)].map(([, shown = '']) => {
    const { checks, ...rest } = JSON.parse(shown.replaceAll(/^\s*\/\/.*$/gm, '').replaceAll(/,(?=\s*\])/g, ''));
    return { ...rest, checks: expect.arrayContaining(checks.map((check: object) => expect.objectContaining(check))) };
  });
}

/** Nonce and time of the recording. */
const RECORDED = ['--nonce', 'Y2hhbGxlbmdl', '--at', '2026-01-15T12:00:00Z'];

/** A call to an address or port of the internet, and no socket between processes. */
const OUTWARD = /^.*\b(?:connect|sendto|sendmsg|sendmmsg)\(.*sa_family=AF_INET6?.*$/gm;

/** A real request: the guest sends the certificate of its key, and the chain with it. */
function realRequest(id: string): object {
  const file = (ending: string) => Buffer.from(readVector(`az-snp-vtpm/${id}.${ending}`));
  const pcrs = file('pcrs.bin');
  const values = Array.from({ length: pcrs.length / 32 }, (_, index) => [
    index,
    pcrs.subarray(index * 32, (index + 1) * 32).toString('hex'),
  ]);
  return {
    evidence: {
      type: 'az-snp-vtpm',
      hclReport: file('hcl-report.bin').toString('base64url'),
      tpmQuote: {
        message: file('quote.msg').toString('base64url'),
        signature: file('quote.sig').toString('base64url'),
        pcrs: { sha256: Object.fromEntries(values) },
      },
      endorsements: {
        vek: file('vcek.der').toString('base64url'),
        chain: Buffer.from(readVector('roots/amd-milan-vcek.pem')).toString('utf8'),
      },
    },
    nonce: Buffer.from(nonceOf(vector(id))).toString('base64url'),
  };
}

/** The baseline's rules without AMD's CRL, which is not at hand. */
const BEST_EFFORT = `{ apiVersion: veritee/v1, id: best-effort, version: 1, accepts: [az-snp-vtpm], secureBoot: required,
  revocation: best-effort, minimums: { snp: { Milan: { snp: 24, microcode: 219 } } } }`;

describe.skipIf(isLacking('without a network', [NAMESPACE]))('without a network', () => {
  let network: NetworkNamespace;
  let clone: string;

  beforeAll(async () => {
    network = await NetworkNamespace.open();
    clone = copyProject();
  });

  afterAll(async () => {
    await network.close();
    await rm(clone, { recursive: true });
  });

  async function ask(url: string, body = '') {
    const { stdout, stderr } = await network.run(
      clone,
      [process.execPath, '--input-type=module', '-e', POST, url],
      body,
    );
    if (stdout === '') throw new Error(stderr);
    return JSON.parse(stdout);
  }

  it('cannot reach anything, which the others rest on', async () => {
    const { stderr } = await network.run(clone, ['ip', 'route', 'get', '192.0.2.1']);
    expect(stderr).toMatch(/unreachable/i);
  });

  it('npm start builds what is not built, serves with its defaults, and stops', async () => {
    const service = await ServiceProcess.start(network.inside('npm', 'start'), { cwd: clone });
    try {
      // The port of the README is free: the network is this test's own.
      expect(service.url).toBe('http://127.0.0.1:8080');
      expect(await ask(`${service.url}/readyz`)).toEqual({ status: 200, body: { ready: true, problems: [] } });
      // As Ctrl-C does it: npm and what it has started get the signal, and the service gets it once more from npm.
      service.signalGroup('SIGINT');
      await service.end();
      expect(await service.leavesNothing()).toBe(true);
      expect(service.logged('stopping')).toHaveLength(1);
    } finally {
      await service.close();
    }
  });

  it('the command that the README begins with allows a real machine, and denies it with one bit flipped', async () => {
    const [genuine] = await shownInReadme();
    const folder = 'examples/real/azure-milan';
    const verify = () =>
      network.run(clone, ['npm', 'run', '-s', 'veritee', '--', 'verify', folder, ...RECORDED, '--json']);
    const first = await verify();
    expect([first.exitCode, first.stderr]).toEqual([0, '']);
    expect(JSON.parse(first.stdout)).toMatchObject(genuine as object);
    const file = join(clone, folder, 'hcl.bin');
    const bytes = await readFile(file);
    await writeFile(file, bytes.fill(bytes.readUInt8(176) ^ 1, 176, 177));
    const second = await verify();
    expect(second.exitCode).toBe(2);
    expect(JSON.parse(second.stdout)).toMatchObject({ decision: 'deny', reasons: ['snp_signature'] });
  });

  it('npm run demo shows an allow and five attacks', async () => {
    const { exitCode, stdout, stderr } = await network.run(clone, ['npm', 'run', '-s', 'demo']);
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stripVTControlCharacters(stdout).match(/^(allow|deny|indeterminate)\b/gm)).toEqual([
      'allow',
      ...Array(5).fill('deny'),
    ]);
  });

  describe.skipIf(!haveVectors)('a real machine, against the roots that are built in', () => {
    async function verify(...options: readonly string[]): Promise<Ended> {
      const entry = join(inject('installation'), 'dist/main.js');
      const command = [process.execPath, entry, 'verify', '-', '--at', '2026-01-15T12:00:00Z', ...options];
      return network.run(clone, command, JSON.stringify(realRequest('az-snp-milan-hcl1-b')));
    }

    it('is allowed by a policy that does not insist on the CRL', async () => {
      await writeFile(join(clone, 'best-effort.yaml'), BEST_EFFORT);
      const { exitCode, stdout } = await verify('--policy', 'best-effort.yaml');
      expect(JSON.parse(stdout)).toMatchObject({ decision: 'allow', reasons: [] });
      expect(exitCode).toBe(0);
    });

    it('is not decided by the built-in policy, which insists on it', async () => {
      const { exitCode, stdout } = await verify();
      expect(JSON.parse(stdout)).toMatchObject({
        decision: 'indeterminate',
        reasons: ['crl_unavailable'],
        retryable: true,
      });
      expect(exitCode).toBe(3);
    });
  });

  describe.skipIf(isLacking('what is sent out', [NAMESPACE, TRACER]))('with the default source of endorsements', () => {
    /** Starts the service under strace. `sent` gives what it has sent to other machines. */
    async function traced(amd: object) {
      const lab = await Lab.create();
      const trace = join(lab.folder, 'trace');
      const command = await lab.command({ amd: { chains: join(lab.folder, 'chains'), ...amd } });
      const tracer = ['strace', '-f', '-qq', '-e', 'trace=connect,sendto,sendmsg,sendmmsg', '-o', trace];
      const service = await ServiceProcess.start(network.inside(...tracer, ...command), { cwd: lab.workFolder });
      const sent = async () => (await readFile(trace, 'utf8')).match(OUTWARD) ?? [];
      const stop = async () => {
        await service.close();
        await lab.close();
      };
      return { lab, service, sent, stop };
    }

    it('nothing is sent out for evidence that is complete where AMD is off', async () => {
      const { lab, service, sent, stop } = await traced({ kds: 'off' });
      try {
        const [body = ''] = lab.bodies('az-snp-vtpm');
        expect(await ask(`${service.url}/verify`, body)).toMatchObject({ status: 200, body: { decision: 'allow' } });
        expect(await ask(`${service.url}/readyz`)).toMatchObject({ status: 200 });
        expect(await sent()).toEqual([]);
      } finally {
        await stop();
      }
    });

    it('AMD is asked in vain for its CRL, and for what is missing', async () => {
      const { lab, service, sent, stop } = await traced({});
      try {
        const [body = '', other = ''] = lab.bodies('az-snp-vtpm');
        expect(await sent()).toEqual([]);
        expect(await ask(`${service.url}/verify`, body)).toMatchObject({ status: 200, body: { decision: 'allow' } });
        const before = (await sent()).length;
        expect(before).toBeGreaterThan(0);

        const request = JSON.parse(other);
        request.evidence.endorsements = {};
        const { body: answer } = await ask(`${service.url}/verify`, JSON.stringify(request));
        expect(answer).toMatchObject({ decision: 'indeterminate', reasons: ['vcek_unavailable'], retryable: true });
        service.signalGroup('SIGTERM');
        expect(await service.end()).toMatchObject({ exitCode: 0, signal: null });
      } finally {
        await stop();
      }
    });
  });
});
