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
  ])('refuses %s', async (_title, options, expected) => {
    expect(await linesOf(collect(options))).toEqual([expected]);
  });

  it.each(['veritee1', 'veritee1 and more', `veritee1${'x'.repeat(32)}`])(
    'FRS-09 refuses %j as a nonce, with a key of its own, too: code nonce',
    async (text) => {
      const nonce = Buffer.from(text).toString('base64url');
      const expected = ['--nonce: nonce: nonce starts with veritee1, which is reserved for values that bind a key'];
      expect(await linesOf(collect({ nonce }))).toEqual(expected);
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
  });

  it('twin: a nonce may begin with other letters', async () => {
    expect(await linesOf(collect({ nonce: Buffer.from('Veritee1').toString('base64url') }))).toHaveLength(2);
  });
});

describe('the body that veritee collect writes', () => {
  /** Collects in a guest whose firmware gives a report. */
  const collectReport = (name: string, signal = new AbortController().signal) => {
    const counts = ['0', '1'];
    const attributes: Record<string, () => string> = {
      generation: () => counts.shift() ?? '',
      provider: () => 'sev_guest\n',
      outblob: () => 'report',
      auxblob: () => '',
    };
    const entry = {
      read: async (attribute: string) => Buffer.from(attributes[attribute]?.() ?? ''),
      write: async () => undefined,
      remove: async () => undefined,
    };
    const places = { ...GUEST_PLACES, tpm: join(folder, 'no-tpm'), tsm: folder };
    const run = () => Promise.reject(new Error('nothing is run'));
    const world = { places, run, openTsmEntry: async () => entry, signal };
    return collectCommand({ nonce: NONCE, output: name }, world, output);
  };

  it('goes to standard output, or to a file that only its owner can read', async () => {
    const path = join(folder, 'body.json');
    expect([await collectReport('-'), await collectReport(path)]).toEqual([0, 0]);
    expect(JSON.parse(written)).toMatchObject({ evidence: { type: 'snp' }, nonce: NONCE });
    expect([await readFile(path, 'utf8'), (await stat(path)).mode & 0o777]).toEqual([written, 0o600]);
  });

  it('is not written once a signal came', async () => {
    const path = join(folder, 'body.json');
    await expect(collectReport(path, AbortSignal.abort('SIGTERM'))).rejects.toBe('SIGTERM');
    await expect(stat(path)).rejects.toThrow('ENOENT');
  });

  it.each([
    ['a folder', '.', 'is not a regular file'],
    ['in a folder that is not there', 'none/out', 'cannot be written: there is no such folder'],
  ])('is output_file where the file is %s', async (_title, name, what) => {
    const path = join(folder, name);
    const [line] = await linesOf(collectReport(path));
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
