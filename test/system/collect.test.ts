import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { guestScript } from '../guest-script.js';
import {
  type AmdPki,
  buildHclReport,
  createAmdPki,
  createAzureAkPki,
  createIntelPki,
  createTdxVirtualMachine,
  LabInstanceMetadata,
  SnpPlatform,
  TdxPlatform,
} from '../lab/index.js';
import { isLacking } from '../requirements.js';
import { Client } from './client.js';
import { Lab } from './lab.js';
import { Paravisor } from './paravisor.js';
import { ServiceProcess } from './service-process.js';
import { SoftwareTpm } from './software-tpm.js';

const SWTPM = { what: 'swtpm', command: ['swtpm', '--version'] } as const;
const TOOLS = { what: 'tpm2-tools', command: ['tpm2_quote', '--version'] } as const;

const CURL = { what: 'curl', command: ['curl', '--version'] } as const;

const NONCE = randomBytes(32).toString('base64url');
const USER_DATA = '0x01400002';
const AK_CERTIFICATE = '0x01c101d0';
/** Sizes of Azure's NV indices. */
const AZURE_SIZE = { report: 2600, akCertificate: 4096 };

/** PCR 9 once the guest has booted. */
const BOOTED = createHash('sha256').update(Buffer.alloc(32)).update(Buffer.alloc(32, 0x7a)).digest('hex');

const PINNED = `apiVersion: veritee/v1
id: pinned
version: 1
accepts: [az-snp-vtpm]
minimums: { snp: any }
referenceValues:
  - tpm: { pcrs: { sha256: { "9": ["${BOOTED}"] } } }
`;

interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A guest: a TPM, the paravisor behind it, and the metadata service of its host. */
class Guest {
  readonly tpm: SoftwareTpm;
  readonly paravisor: Paravisor;
  readonly metadata: LabInstanceMetadata;
  readonly folder: string;

  private constructor(tpm: SoftwareTpm, paravisor: Paravisor, metadata: LabInstanceMetadata, folder: string) {
    this.tpm = tpm;
    this.paravisor = paravisor;
    this.metadata = metadata;
    this.folder = folder;
  }

  static async boot(pki: AmdPki): Promise<Guest> {
    const platform = new SnpPlatform({ pki });
    const tpm = await SoftwareTpm.start();
    const paravisor = await Paravisor.boot(pki, platform, tpm).catch(async (error: unknown) => {
      await tpm.close();
      throw error;
    });
    const metadata = await LabInstanceMetadata.start({ snp: platform, tdQuote: (tdReport) => tdReport });
    return new Guest(tpm, paravisor, metadata, await mkdtemp(join(tmpdir(), 'veritee-guest-')));
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Starts `veritee` in the guest. */
  start(args: readonly string[], environment: NodeJS.ProcessEnv = {}): ChildProcess {
    const logs = { firmware: this.path('none'), system: this.path('none'), ccel: this.path('none') };
    const places = { metadata: this.metadata.origin, lock: this.path('lock'), tsm: this.path('none'), logs };
    const entry = join(inject('installation'), 'dist/guest-main.js');
    const { PATH = '' } = process.env;
    return spawn(process.execPath, [entry, JSON.stringify(places), ...args], {
      cwd: this.folder,
      env: { PATH, ...this.tpm.environment, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  run(args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<Ended> {
    return endOf(this.start(args, environment));
  }

  /** Collects, and returns the body. */
  async collect(nonce: string, ...options: readonly string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await this.run(['collect', '--nonce', nonce, ...options]);
    const warning = `warning: ${this.path('none')}: there is no such file, so the evidence has no event log\n`;
    // With the nonce, since it is random: a failure that depends on it can then be repeated.
    expect({ nonce, exitCode, stderr }).toEqual({ nonce, exitCode: 0, stderr: warning });
    return stdout;
  }

  async close(): Promise<void> {
    await this.paravisor.close();
    await this.metadata.close();
    await this.tpm.close();
    await rm(this.folder, { recursive: true });
  }
}

async function endOf(child: ChildProcess): Promise<Ended> {
  if (child.stdout === null || child.stderr === null) throw new Error('the command has no output');
  const [stdout, stderr, [exitCode]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { exitCode, stdout, stderr };
}

describe.skipIf(isLacking('veritee collect with a TPM', [SWTPM, TOOLS, CURL]))('veritee collect with a TPM', () => {
  let lab: Lab;
  let service: ServiceProcess;
  let client: Client;
  let pki: AmdPki;
  let guest: Guest;

  beforeAll(async () => {
    lab = await Lab.create();
    await writeFile(join(lab.policyFolder, 'pinned.yaml'), PINNED, { mode: 0o600 });
    const ak = createAzureAkPki();
    const roots = join(lab.folder, 'ak-roots.pem');
    await writeFile(roots, ak.authority('root').pem);
    const command = await lab.command({ tpm: { roots: [roots] } });
    service = await ServiceProcess.start(command, { cwd: lab.workFolder });
    client = new Client(service.url, 2);
    pki = createAmdPki();
    guest = await Guest.boot(pki);
  });

  afterAll(async () => {
    client.close();
    await service.close();
    await guest.close();
    await lab.close();
  });

  async function challenge(): Promise<string> {
    const { body } = await client.ask({ body: '{}' }, '/challenges');
    return body.nonce;
  }

  async function verdict(body: string): Promise<object> {
    const answer = await client.ask({ body });
    if (answer.status !== 200) return answer.body;
    const { decision, reasons, freshness } = answer.body;
    return { decision, reasons, bound: freshness.bound };
  }

  const ALLOWED = { decision: 'allow', reasons: [], bound: ['tpm.extraData', 'hcl.userData'] };

  /** A body with other members. */
  function changed(body: string, change: (body: Body) => void): string {
    const parsed: Body = JSON.parse(body);
    change(parsed);
    return JSON.stringify(parsed);
  }

  /** Makes reading two NV indices give contents that a software TPM cannot hold, for tools that are found in `bin`. */
  async function standIn(report: Uint8Array, certificate: Uint8Array): Promise<void> {
    await writeFile(guest.path('report.nv'), report);
    await writeFile(guest.path('certificate.nv'), certificate);
    await mkdir(guest.path('bin'), { recursive: true });
    await writeFile(guest.path('bin/tpm2_nvread'), STAND_IN(guest.folder), { mode: 0o700 });
    if ((await guest.tpm.indices()).includes('0x1c101d0')) return;
    // The tools list an index of another size, which is not read.
    await guest.tpm.define(AK_CERTIFICATE, 16);
    await guest.tpm.write(AK_CERTIFICATE, Buffer.alloc(16));
  }

  it('collects what is allowed once, and leaves the TPM as it was', async () => {
    const body = await guest.collect(await challenge());
    expect(await verdict(body)).toEqual(ALLOWED);
    expect(await guest.tpm.indices()).not.toContain('0x1400002');
    await expect(stat(guest.path('lock'))).rejects.toThrow('ENOENT');
    expect(await verdict(body)).toMatchObject({ decision: 'deny', reasons: ['nonce_used'] });
  });

  it('twin: puts back user data that was there', async () => {
    const kept = randomBytes(64);
    await guest.tpm.define(USER_DATA, 64);
    await guest.tpm.write(USER_DATA, kept);
    try {
      expect(await verdict(await guest.collect(await challenge()))).toEqual(ALLOWED);
      expect(await guest.tpm.read(USER_DATA)).toEqual(kept);
    } finally {
      await guest.tpm.tool('tpm2_nvundefine', '-C', 'o', USER_DATA);
    }
  });

  it('binds a key that it makes for its owner alone, and writes a body that only its owner can read', async () => {
    const options = ['--bind', 'guest.pem', '-o', 'body.json'];
    expect(await guest.collect(await challenge(), ...options)).toBe('');
    const key = await readFile(guest.path('guest.pem'), 'utf8');
    expect([
      (await stat(guest.path('guest.pem'))).mode & 0o777,
      (await stat(guest.path('body.json'))).mode & 0o777,
    ]).toEqual([0o600, 0o600]);
    const body = await readFile(guest.path('body.json'), 'utf8');
    expect(Object.keys(JSON.parse(body).binding.jwk)).toEqual(['kty', 'crv', 'x', 'y']);
    expect(await verdict(body)).toEqual(ALLOWED);
    await guest.collect(await challenge(), ...options);
    expect(await readFile(guest.path('guest.pem'), 'utf8')).toBe(key);
  });

  it('FRS-09 refuses a value that binds a key as a nonce, and touches nothing', async () => {
    const x = Buffer.concat([Buffer.from('veritee1'), randomBytes(32)]).toString('base64url');
    const { exitCode, stdout, stderr } = await guest.run(['collect', '--nonce', x]);
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toBe('--nonce: nonce: nonce starts with veritee1, which is reserved for values that bind a key\n');
    expect(await guest.tpm.indices()).not.toContain('0x1400002');
  });

  it.each<[NodeJS.Signals, number]>([
    ['SIGHUP', 129],
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ])('%s ends a collection with %i, and everything is put back', async (signal, exitCode) => {
    const child = guest.start(['collect', '--nonce', await challenge(), '-o', 'stopped.json']);
    const ended = endOf(child);
    await expect.poll(() => guest.tpm.indices(), { timeout: 20_000 }).toContain('0x1400002');
    child.kill(signal);
    expect(await ended).toEqual({ exitCode, stdout: '', stderr: `warning: ${signal}: nothing was collected\n` });
    expect(await guest.tpm.indices()).not.toContain('0x1400002');
    await expect(stat(guest.path('lock'))).rejects.toThrow('ENOENT');
    await expect(stat(guest.path('stopped.json'))).rejects.toThrow('ENOENT');
  });

  it('does not mix two collections: the second one is refused while the first runs', async () => {
    const child = guest.start(['collect', '--nonce', await challenge()]);
    const first = endOf(child);
    await expect.poll(() => guest.tpm.indices(), { timeout: 20_000 }).toContain('0x1400002');
    // However long the second one takes to start, the first has not ended by then.
    child.kill('SIGSTOP');
    const second = await guest.run(['collect', '--nonce', await challenge()]);
    child.kill('SIGCONT');
    expect(second).toMatchObject({ exitCode: 1, stdout: '' });
    expect(second.stderr).toMatch(/^locked: .*lock is held by process \d+\n.+\.\n$/);
    expect(await verdict((await first).stdout)).toEqual(ALLOWED);
  });

  it('denies values of PCRs that are not those that were quoted: tpm_pcr_digest', async () => {
    const body = await guest.collect(await challenge());
    const extended = changed(body, ({ evidence }) => {
      evidence.tpmQuote.pcrs.sha256['9'] = '11'.repeat(32);
    });
    expect(await verdict(extended)).toMatchObject({ decision: 'deny', reasons: ['tpm_pcr_digest'] });
  });

  it('denies the quote of another TPM: tpm_signature', async () => {
    const other = await Guest.boot(pki);
    try {
      const nonce = await challenge();
      const [own, foreign] = [await guest.collect(nonce), JSON.parse(await other.collect(nonce))];
      const mixed = changed(own, ({ evidence }) => {
        evidence.tpmQuote = foreign.evidence.tpmQuote;
      });
      expect(await verdict(mixed)).toMatchObject({ decision: 'deny', reasons: ['tpm_signature'] });
      expect(await verdict(JSON.stringify(foreign))).toMatchObject({ decision: 'deny', reasons: ['nonce_used'] });
    } finally {
      await other.close();
    }
  });

  it('says which service does not answer, after it has put everything back', async () => {
    await guest.metadata.connect('refused');
    try {
      const { exitCode, stdout, stderr } = await guest.run(['collect', '--nonce', await challenge()]);
      expect([exitCode, stdout]).toEqual([1, '']);
      expect(stderr).toContain('metadata_unreachable: /metadata/THIM/amd/certification: no connection');
      expect(await guest.tpm.indices()).not.toContain('0x1400002');
    } finally {
      await guest.metadata.heal();
    }
  });

  it('says that tpm2-tools are missing where none is on the path', async () => {
    const ended = await guest.run(['collect', '--nonce', await challenge()], { PATH: guest.folder });
    expect(ended).toMatchObject({ exitCode: 1, stdout: '' });
    expect(ended.stderr).toContain('tools_missing: tpm2_nvreadpublic is not on the PATH\n');
  });

  it('collects contents as large as on Azure, which no software TPM holds', async () => {
    const nonce = await challenge();
    const userData = Buffer.alloc(64);
    userData.set(Buffer.from(nonce, 'base64url'));
    const { vtpmKey } = guest.paravisor;
    const ak = createAzureAkPki().certificate({ key: vtpmKey, shape: '2025' });
    if (!('der' in ak.certificate)) throw new Error('the certificate is PEM');
    expect(ak.certificate.der).toHaveLength(AZURE_SIZE.akCertificate);
    await standIn(guest.paravisor.report(userData, AZURE_SIZE.report), ak.certificate.der);
    await writeFile(guest.path('issuers.pem'), ak.chain ?? '');
    const { PATH = '' } = process.env;
    const args = ['collect', '--nonce', nonce, '--ak-chain', 'issuers.pem'];
    const ended = await guest.run(args, { PATH: `${guest.path('bin')}:${PATH}` });
    expect(ended).toMatchObject({ exitCode: 0 });
    const { evidence } = JSON.parse(ended.stdout);
    expect(Buffer.from(evidence.hclReport, 'base64url')).toHaveLength(AZURE_SIZE.report);
    const der = Buffer.from(evidence.akCertificate, 'base64url');
    expect(der.byteLength).toBe(4 + der.readUInt16BE(2));
    expect(await verdict(ended.stdout)).toEqual(ALLOWED);
  });

  describe('deploy/guest/collect.sh', () => {
    /** Runs the script with no Node on the path of the guest. */
    const runScript = async (args: readonly string[], tools = '', environment = guest.tpm.environment) => {
      const none = guest.path('none');
      const logs = { firmware_log: none, system_log: none, ccel_log: none };
      const places = { device: none, tsm: none, lock: guest.path('lock'), metadata: guest.metadata.origin, ...logs };
      await writeFile(guest.path('collect.sh'), guestScript(places));
      const env = { PATH: `${tools}/usr/sbin:/usr/bin:/sbin:/bin`, ...environment };
      return spawn('/bin/sh', ['collect.sh', ...args], { cwd: guest.folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
    };

    it('collects the raw files of which veritee request makes a body that is allowed', async () => {
      const nonce = await challenge();
      expect(await endOf(await runScript(['--nonce', nonce, 'raw']))).toEqual({
        exitCode: 0,
        stdout: '',
        stderr: `warning: ${guest.path('none')}: there is no such file, so the evidence has no event log\n`,
      });
      expect(await guest.tpm.indices()).not.toContain('0x1400002');
      await expect(stat(guest.path('lock'))).rejects.toThrow('ENOENT');
      const { exitCode, stdout, stderr } = await guest.run(['request', 'raw', '--nonce', nonce]);
      expect([exitCode, stderr]).toEqual([0, '']);
      expect(await verdict(stdout)).toEqual(ALLOWED);
    });

    it.each<[string, string, object, string]>([
      ['no_tpm without a TPM', NONCE, { TPM2TOOLS_TCTI: '' }, 'no_tpm: there is no '],
      ['tools_missing without tools', NONCE, { PATH: '/nonexistent' }, 'tools_missing: not on the PATH: awk, base64,'],
      ['nonce for one that is too short', 'AAAAAAA', {}, 'nonce: the nonce is 5 bytes, expected 8 to 64\n'],
    ])('ends with 1 and %s, and leaves nothing behind', async (_title, nonce, environment, message) => {
      const args = ['--nonce', nonce, 'failed'];
      const ended = await endOf(await runScript(args, '', { ...guest.tpm.environment, ...environment }));
      expect(ended).toEqual({ exitCode: 1, stdout: '', stderr: expect.stringContaining(message) });
      await expect(stat(guest.path('failed'))).rejects.toThrow('ENOENT');
      await expect(stat(guest.path('lock'))).rejects.toThrow('ENOENT');
    });

    /** Runs the script where reading NV indices gives these contents, and makes a body of what it leaves. */
    const bodyOfScript = async (folder: string, report: Uint8Array, certificate: Uint8Array) => {
      await standIn(report, certificate);
      const nonce = await challenge();
      const ended = await endOf(await runScript(['--nonce', nonce, folder], `${guest.path('bin')}:`));
      expect(ended).toEqual({ exitCode: 0, stdout: '', stderr: expect.any(String) });
      const { exitCode, stdout, stderr } = await guest.run(['request', folder, '--nonce', nonce]);
      expect([exitCode, stderr]).toEqual([0, '']);
      return JSON.parse(stdout).evidence;
    };

    it('has the TDREPORT of a TD turned into a quote', async () => {
      const machine = await createTdxVirtualMachine({ platform: new TdxPlatform({ pki: createIntelPki() }) });
      const hclReport = machine.hclReport();
      const evidence = await bodyOfScript('td', hclReport, new Uint8Array());
      const asked = JSON.parse(guest.metadata.received.at(-1)?.body ?? '');
      expect(Buffer.from(asked.report, 'base64url')).toEqual(Buffer.from(hclReport.slice(0x20, 0x20 + 1024)));
      expect(asked.report).toBe(Buffer.from(machine.tdReport()).toString('base64url'));
      expect(evidence).toMatchObject({ type: 'az-tdx-vtpm', tdQuote: asked.report });
    });

    it('has the AK certificate of Trusted Launch, and writes no user data there', async () => {
      const runtimeClaims = Buffer.from('{}');
      const report = buildHclReport({ hardwareReport: new Uint8Array(), runtimeClaims, reportType: 3 });
      const certificate = createAzureAkPki().issueLeaf({ key: guest.paravisor.vtpmKey });
      const asked = guest.metadata.received.length;
      const evidence = await bodyOfScript('trusted', report, Buffer.concat([certificate, Buffer.alloc(500)]));
      expect(evidence).toMatchObject({ type: 'tpm', akCertificate: Buffer.from(certificate).toString('base64url') });
      expect(guest.metadata.received).toHaveLength(asked);
    });

    it('puts everything back when it is ended', async () => {
      const child = await runScript(['--nonce', await challenge(), 'ended']);
      const ended = endOf(child);
      await expect.poll(() => guest.tpm.indices(), { timeout: 20_000 }).toContain('0x1400002');
      child.kill('SIGTERM');
      expect((await ended).exitCode).toBe(143);
      expect(await guest.tpm.indices()).not.toContain('0x1400002');
      await expect(stat(guest.path('lock'))).rejects.toThrow('ENOENT');
    });
  });

  // The last ones: the guest is not the same afterwards.
  it('denies a PCR that was extended since its value was pinned: tpm_pcr', async () => {
    const pinned = async () =>
      changed(await guest.collect(await challenge()), (body) => {
        body.policy = 'pinned';
      });
    expect(await verdict(await pinned())).toEqual(ALLOWED);
    await guest.tpm.extend(9);
    expect(await verdict(await pinned())).toMatchObject({ decision: 'deny', reasons: ['tpm_pcr'] });
  });

  it('says that the attestation key is gone, and denies the one that takes its place: tpm_signature', async () => {
    await guest.tpm.removeAttestationKey();
    const { exitCode, stderr } = await guest.run(['collect', '--nonce', await challenge()]);
    expect([exitCode, stderr.split('\n')[0]]).toEqual([1, 'ak_absent: the TPM has no attestation key at 0x81000003']);
    await guest.tpm.createAttestationKey();
    const body = await guest.collect(await challenge());
    expect(await verdict(body)).toMatchObject({ decision: 'deny', reasons: ['tpm_signature'] });
  });

  it('has nothing to collect of a TPM that was cleared: not_confidential', async () => {
    await guest.tpm.tool('tpm2_clear');
    const { exitCode, stderr } = await guest.run(['collect', '--nonce', await challenge()]);
    expect([exitCode, stderr.split(':')[0]]).toEqual([1, 'not_confidential']);
  });
});

/** The change of a test in a body. */
interface Body {
  evidence: { tpmQuote: { pcrs: { sha256: Record<string, string> } } };
  binding: { jwk: Record<string, string> };
  nonce: string;
  policy?: string;
}

/** In place of tpm2_nvread: two indices are files, for the others the tool is asked. */
const STAND_IN = (folder: string) => `#!/bin/sh
for index; do :; done
case $index in
  0x01400001) exec cat '${folder}/report.nv' ;;
  ${AK_CERTIFICATE}) exec cat '${folder}/certificate.nv' ;;
  *) exec /usr/bin/tpm2_nvread "$@" ;;
esac
`;
