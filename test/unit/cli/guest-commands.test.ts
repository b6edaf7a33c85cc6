import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { collectCommand, requestCommand } from '../../../src/cli/guest-commands.js';
import { UsageError } from '../../../src/cli/input.js';
import type { CollectOptions } from '../../../src/cli/program.js';
import { GUEST_PLACES } from '../../../src/collector/collect.js';
import { COLLECT_REMEDIES } from '../../../src/collector/collect-error.js';
import { RAW_RECOGNISER } from '../../../src/inspect/raw-structures.js';

const NONCE = randomBytes(32).toString('base64url');

let folder: string;
let written: string;
let warned: string[];
const output = {
  write: (text: string) => {
    written += text;
  },
  warn: (message: string) => void warned.push(message),
};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'veritee-guest-'));
  written = '';
  warned = [];
  return () => rm(folder, { recursive: true });
});

/** A guest without a TPM. */
function collect(
  options: Partial<CollectOptions>,
  signal: AbortSignal = new AbortController().signal,
): Promise<number> {
  const world = {
    places: { ...GUEST_PLACES, tpm: join(folder, 'no-tpm'), tsm: join(folder, 'no-tsm') },
    run: async () => {
      throw new Error('nothing is run');
    },
    openTsmEntry: async () => {
      throw new Error('there is no TSM');
    },
    signal,
  };
  return collectCommand({ nonce: NONCE, output: '-', ...options }, world, output);
}

async function linesOf(run: Promise<number>): Promise<readonly string[]> {
  const error = await run.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof UsageError)) throw new Error('no usage error', { cause: error });
  return error.lines;
}

describe('veritee collect', () => {
  it('says code, place and remedy', async () => {
    expect(await linesOf(collect({}))).toEqual([
      `no_tpm: there is no ${join(folder, 'no-tpm')}`,
      COLLECT_REMEDIES.no_tpm,
    ]);
  });

  it.each<[string, Partial<CollectOptions>, string]>([
    ['a nonce that is too short', { nonce: 'AAAA' }, '--nonce: nonce: nonce is 3 bytes, expected 8 to 64'],
    [
      'a nonce that is no base64',
      { nonce: 'a b' },
      '--nonce: encoding: not base64url or base64: it has spaces or line feeds',
    ],
    [
      'PCRs that there are not',
      { pcrs: '24' },
      '--pcrs: schema: "24": expected PCRs from 0 to 23 as numbers and ranges, such as 0-7,11',
    ],
    [
      'a key that a script would bind',
      { dryRun: true, bind: 'key' },
      '--bind: a script cannot bind a key, because the key must be of the guest that runs it',
    ],
    [
      'issuers for a script',
      { dryRun: true, akChain: 'a.pem' },
      '--ak-chain: put the file into the folder of the script as ak-chain.pem instead',
    ],
  ])('refuses %s', async (_title, options, expected) => {
    expect(await linesOf(collect(options))).toEqual([expected]);
  });

  it.each(['veritee1', 'veritee1 and more', `veritee1${'x'.repeat(32)}`])(
    'FRS-09 refuses %j as a nonce, for a script and with a key of its own, too: code nonce',
    async (text) => {
      const nonce = Buffer.from(text).toString('base64url');
      const expected = ['--nonce: nonce: nonce starts with veritee1, which is reserved for values that bind a key'];
      expect(await linesOf(collect({ nonce }))).toEqual(expected);
      expect(await linesOf(collect({ nonce, dryRun: true }))).toEqual(expected);
      expect(await linesOf(collect({ nonce, bind: join(folder, 'key') }))).toEqual(expected);
      await expect(stat(join(folder, 'key'))).rejects.toThrow('ENOENT');
    },
  );

  it('refuses a nonce that is published: code nonce', async () => {
    const nonce = createHash('sha256').update('azure-cleanroom').digest('base64url');
    const expected = [
      '--nonce: nonce: this nonce is the SHA-256 of azure-cleanroom, which everybody knows: send one that was made at random',
    ];
    expect(await linesOf(collect({ nonce }))).toEqual(expected);
    expect(await linesOf(collect({ nonce, dryRun: true }))).toEqual(expected);
  });

  it('twin: a nonce may begin with other letters', async () => {
    expect(await linesOf(collect({ nonce: Buffer.from('Veritee1').toString('base64url') }))).toHaveLength(2);
  });
});

describe('the script of --dry-run', () => {
  it('is not written once a signal came', async () => {
    const out = join(folder, 'collect.sh');
    await expect(collect({ dryRun: true, output: out }, AbortSignal.abort('SIGTERM'))).rejects.toBe('SIGTERM');
    await expect(stat(out)).rejects.toThrow('ENOENT');
  });

  it('is one that a POSIX shell reads, with the nonce in hex and the PCRs', async () => {
    expect(await collect({ dryRun: true, pcrs: '0-7' })).toBe(0);
    const parsed = spawnSync('/bin/sh', ['-n'], { input: written });
    expect([parsed.status, String(parsed.stderr)]).toEqual([0, '']);
    expect(written).toContain(`-l sha256:0,1,2,3,4,5,6,7 -q ${Buffer.from(NONCE, 'base64url').toString('hex')} `);
    expect(written).toContain('metadata=http://169.254.169.254\n');
    expect(written).toContain(`veritee request FOLDER --nonce ${NONCE}\n`);
  });

  it.skipIf(spawnSync('shellcheck', ['--version']).status !== 0)('has nothing that shellcheck warns of', async () => {
    await collect({ dryRun: true, pcrs: '0-7' });
    const checked = spawnSync('shellcheck', ['-s', 'sh', '-'], { input: written });
    expect([checked.status, String(checked.stdout)]).toEqual([0, '']);
  });

  it('writes user data of exactly 64 bytes', async () => {
    await collect({ dryRun: true });
    const [line = ''] = /printf '(\\\d{3})+' >/.exec(written) ?? [];
    const { stdout } = spawnSync('/bin/sh', ['-c', line.replace(/ >$/, '')]);
    expect(stdout).toEqual(Buffer.concat([Buffer.from(NONCE, 'base64url'), Buffer.alloc(32)]));
  });

  it('reads the AK certificate of a confidential VM only where it is asked for', async () => {
    await collect({ dryRun: true });
    const without = written;
    written = '';
    await collect({ dryRun: true, akCertificate: true });
    const condition = 'if [ "$kind" = 3 ] && nv_written 0x1c101d0; then';
    expect([without.includes(condition), written.includes(condition)]).toEqual([true, false]);
  });

  it('says tools_missing where there are none, and leaves nothing behind', async () => {
    await collect({ dryRun: true });
    const env = { PATH: folder, TPM2TOOLS_TCTI: 'none' };
    const ran = spawnSync('/bin/sh', ['-s', 'evidence'], { input: written, cwd: folder, env });
    expect([ran.status, String(ran.stderr)]).toEqual([1, 'tools_missing: tpm2_nvreadpublic is not on the PATH\n']);
    await expect(stat(join(folder, 'evidence'))).rejects.toThrow('ENOENT');
  });

  it('nonce_length for a nonce that no TPM quote holds', async () => {
    const nonce = randomBytes(51).toString('base64url');
    const [line] = await linesOf(collect({ dryRun: true, nonce }));
    expect([line, written]).toEqual(['nonce_length: the nonce is 51 bytes, a TPM quote holds 50', '']);
  });

  it('leaves the logs out where it is told to', async () => {
    await collect({ dryRun: true });
    const withLogs = written;
    written = '';
    await collect({ dryRun: true, eventLog: false });
    expect([withLogs, written].map((script) => script.includes('binary_bios_measurements'))).toEqual([true, false]);
  });

  /** Runs the script with stand-ins for tpm2-tools: the TPM has these NV indices, and the AK where `handles` names it. */
  const runWithTools = async (publicText: string, handles: string, environment: Record<string, string> = {}) => {
    await collect({ dryRun: true });
    const script = written.replace('lock=/run/veritee-collect.lock', `lock=${folder}/lock`);
    await mkdir(join(folder, 'bin'));
    for (const tool of ['getcap', 'nvreadpublic', 'nvread', 'nvwrite', 'nvdefine', 'nvundefine', 'quote']) {
      const says = { getcap: handles, nvreadpublic: publicText }[tool] ?? '';
      await writeFile(join(folder, `bin/tpm2_${tool}`), `#!/bin/sh\nprintf '%s' '${says}'\n`, { mode: 0o700 });
    }
    const env = { PATH: `${folder}/bin:/usr/bin:/bin`, ...environment };
    const ran = spawnSync('/bin/sh', ['-s', 'evidence'], { input: script, cwd: folder, env });
    await expect(stat(join(folder, 'evidence'))).rejects.toThrow('ENOENT');
    await expect(stat(join(folder, 'lock'))).rejects.toThrow('ENOENT');
    return [ran.status, String(ran.stderr)];
  };

  it('says no_tpm as collect does, where no other TPM is named', async () => {
    expect(await runWithTools('', '')).toEqual([1, `no_tpm: there is no ${join(folder, 'no-tpm')}\n`]);
  });

  it.each<[string, string, string, string]>([
    [
      'not_confidential for a TPM with nothing of Azure',
      '',
      '- 0x81000003',
      'not_confidential: the TPM has neither an HCL report (0x01400001) nor an AK certificate',
    ],
    [
      'ak_absent without attestation key',
      '0x1c101d0:\n  size: 16\n',
      '',
      'ak_absent: the TPM has no attestation key at 0x81000003',
    ],
    [
      'nv_absent without the certificate of Trusted Launch',
      '0x1c101d0:\n  attributes:\n    friendly: ownerread|written\n  size: 16\n',
      '- 0x81000003',
      'nv_absent: NV index 0x01c101d0 holds no AK certificate',
    ],
  ])('says %s as collect does, and a second run can use the folder', async (_title, publicText, handles, expected) => {
    const ended = await runWithTools(publicText, handles, { TPM2TOOLS_TCTI: 'none' });
    expect(ended).toEqual([1, `${expected}\n`]);
  });

  it('goes to a file that only its owner can read', async () => {
    await collect({ dryRun: true, output: join(folder, 'collect.sh') });
    expect([written, (await stat(join(folder, 'collect.sh'))).mode & 0o777]).toEqual(['', 0o600]);
  });

  it.each([
    ['a folder', '.', 'is not a regular file'],
    ['in a folder that is not there', 'none/out', 'cannot be written: there is no such folder'],
  ])('output_file where the file is %s', async (_title, name, what) => {
    const path = join(folder, name);
    const [line] = await linesOf(collect({ dryRun: true, output: path }));
    expect(line).toBe(`output_file: ${path}: ${what}`);
  });
});

describe('veritee request', () => {
  beforeEach(async () => {
    await mkdir(join(folder, 'raw'));
    await writeFile(join(folder, 'raw/td-quote.json'), '{"quote":"AAAA"}');
  });

  it('makes a body with the nonce that it is told, and with none otherwise', async () => {
    const options = { output: '-' };
    expect(await requestCommand(join(folder, 'raw'), options, RAW_RECOGNISER, output)).toBe(0);
    expect(JSON.parse(written)).toEqual({ evidence: { type: 'tdx', quote: 'AAAA' } });
    written = '';
    await requestCommand(join(folder, 'raw'), { ...options, nonce: NONCE, type: 'tdx' }, RAW_RECOGNISER, output);
    expect(JSON.parse(written)).toEqual({ evidence: { type: 'tdx', quote: 'AAAA' }, nonce: NONCE });
  });

  it('says which files it leaves out', async () => {
    await writeFile(join(folder, 'raw/nonce'), NONCE);
    await requestCommand(join(folder, 'raw'), { output: join(folder, 'body.json') }, RAW_RECOGNISER, output);
    expect(warned).toEqual(['"nonce" is left out: neither its content nor its name is of evidence']);
    expect(JSON.parse(await readFile(join(folder, 'body.json'), 'utf8'))).not.toHaveProperty('nonce');
  });

  it('names the file that another may be meant to be, also where there is no evidence', async () => {
    await rm(join(folder, 'raw/td-quote.json'));
    await writeFile(join(folder, 'raw/td-quotes.json'), '{}');
    const [line] = await linesOf(requestCommand(join(folder, 'raw'), { output: '-' }, RAW_RECOGNISER, output));
    expect(line).toBe('evidence_files: none of report.bin, hcl.bin, td-quote.bin, td-quote.json, quote.msg is there');
    const expected =
      '"td-quotes.json" is left out: neither its content nor its name is of evidence; did you mean td-quote.json?';
    expect(warned).toEqual([expected]);
  });

  it('does not repeat a name that does not look like one', async () => {
    await writeFile(join(folder, 'raw/a\nb'), 'x');
    await requestCommand(join(folder, 'raw'), { output: '-' }, RAW_RECOGNISER, output);
    expect(warned).toEqual(['(name withheld) is left out: neither its content nor its name is of evidence']);
  });

  it.each([
    [{ type: 'event-log' }, '--type: "event-log" is no type; there are snp, tdx, az-snp-vtpm, az-tdx-vtpm, tpm'],
    [{ type: 'sev' }, '--type: "sev" is no type; there are snp, tdx, az-snp-vtpm, az-tdx-vtpm, tpm'],
    [{ nonce: 'AAAA' }, '--nonce: nonce: nonce is 3 bytes, expected 8 to 64'],
    [{ type: 'snp' }, 'evidence_files: the files are evidence of type tdx, not snp'],
  ])('refuses %j', async (options, expected) => {
    const [line] = await linesOf(
      requestCommand(join(folder, 'raw'), { output: '-', ...options }, RAW_RECOGNISER, output),
    );
    expect(line).toBe(expected);
  });
});

describe('docs/guest.md', () => {
  it('lists every code with what to do', async () => {
    const guide = await readFile(join(import.meta.dirname, '../../../docs/guest.md'), 'utf8');
    for (const [code, remedy] of Object.entries(COLLECT_REMEDIES))
      expect(guide).toContain(`| \`${code}\` | ${remedy} |`);
  });
});
