import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { recordLine } from '../../../src/log/record-lines.js';
import { LocalSigningKey } from '../../../src/receipts/signing-key.js';
import { filledLogs } from '../../unit/cli/recorded-decisions.js';
import { CRL, keepingLog } from '../../unit/log/kept-evidence.js';
import { localStores } from '../../unit/log/local-store.js';
import { judged, type KeptLog, openLog, SetClock, SIGNER, signerOf } from '../../unit/log/recorded.js';
import { attemptOf, release, releasing, resultOf } from '../../unit/log/released.js';
import { rewriteRecords } from '../../unit/log/rewrite-records.js';
import { freePort } from '../free-port.js';
import { CommandLine } from './command-line.js';
import { runInProcess } from './command-line-in-process.js';

const openStore = localStores();
const filledLog = filledLogs();

let cli: CommandLine;

beforeEach(async () => {
  cli = await CommandLine.create();
});

afterEach(() => cli.close());

/** Where the store is without a configuration. */
const STORE = 'data/veritee.db';

const run = (args: readonly string[], surroundings: Parameters<typeof runInProcess>[2] = {}) =>
  runInProcess(cli, ['decisions', ...args], surroundings);

const onTerminal = (args: readonly string[], environment: Readonly<Record<string, string>> = {}) =>
  run(args, { onTerminal: true, environment: { NO_COLOR: '1', ...environment } });

const inStore = (name: string) => ({ environment: { VERITEE__STORES__URL: `sqlite:${name}` } });

const parsed = async (args: readonly string[], surroundings?: Parameters<typeof runInProcess>[2]) =>
  JSON.parse((await run(args, surroundings)).stdout);

const linesOf = (text: string) => text.trimEnd().split('\n');

const filled = (path = STORE) => filledLog(cli.path(path));

const headsIn = ({ lines }: KeptLog): readonly { readonly msg: string; readonly head?: string }[] =>
  lines.flatMap(({ fields, message }) => (message === 'decision log head' ? [{ ...fields, msg: message }] : []));

describe('veritee decisions', () => {
  it.each([
    ['list'],
    ['show', 'x'],
    ['verify'],
    ['export'],
    ['export', '--out', 'log.jsonl'],
    ['prune', '--before', '2026-01-01T00:00:00Z'],
  ])('does not make a store that is not there: %s', async (...args) => {
    const { exitCode, stdout, stderr } = await run(args);
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toBe(
      'stores.url: ./data/veritee.db: there is no such file\nname the configuration of the service with --config, or run this in the folder of the service\n',
    );
    expect(await readdir(cli.folder)).toEqual([]);
  });

  /** Where the store is shared, neither key may be one replica's own. */
  const sharedStore = (store: string) => ({
    environment: {
      VERITEE__STORES__URL: store,
      VERITEE__RECEIPTS__KEY: 'receipts.pem',
      VERITEE__CHALLENGES__KEY: 'challenges.key',
    },
  });

  it('STO-05 ends with 3 where the store cannot be read', async () => {
    await mkdir(cli.path('data'));
    await cli.write(STORE, 'x'.repeat(5000));
    for (const args of [['list'], ['verify'], ['export']]) {
      expect(await run(args)).toMatchObject({
        exitCode: 3,
        stdout: '',
        stderr: expect.stringContaining('not a database'),
      });
    }
  });

  it.each([
    ['list', ['list']],
    ['show', ['show', 'x']],
    ['verify', ['verify']],
    ['export', ['export']],
  ])('STO-05 %s ends with 3 where the store is a database that is out of reach', async (_, args) => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    await cli.write('receipts.pem', String(privateKey.export({ type: 'pkcs8', format: 'pem' })));
    const ended = await run(args, sharedStore(`postgres://user@127.0.0.1:${await freePort()}/veritee`));
    expect(ended).toMatchObject({ exitCode: 3, stdout: '' });
    expect(ended.stderr).toMatch(/^stores\.url: cannot be used: .*ECONNREFUSED/m);
  });

  it('says that a store is a directory, also where it would be written', async () => {
    await filled();
    await run(['export', '--out', 'log.jsonl']);
    for (const args of [['list'], ['import', 'log.jsonl']]) {
      expect(await run(args, inStore('./data'))).toEqual({
        exitCode: 3,
        stdout: '',
        stderr: './data: is a directory, and a file is expected\n',
      });
    }
  });

  it('reads the store that a configuration names, as a process of its own and beside whoever writes', async () => {
    const { log } = await filled('elsewhere/log.db');
    await cli.write('veritee.yaml', 'stores: { url: "sqlite:elsewhere/log.db" }\n');
    const listed = await cli.run(['decisions', 'list', '--config', 'veritee.yaml']);
    expect([listed.exitCode, linesOf(listed.stdout).length, listed.stderr]).toEqual([0, 6, '']);
    await log.record(judged());
    expect(await cli.run(['decisions', 'verify', '--config', 'veritee.yaml'])).toMatchObject({ exitCode: 0 });
    expect(existsSync(cli.path('data'))).toBe(false);
  });
});

describe('veritee decisions list and show', () => {
  it('show what is in the store, as tables on a terminal', async () => {
    const { ids } = await filled();
    const listed = linesOf((await run(['list', '--limit', '2', '--decision', 'deny'])).stdout);
    expect(listed.map((line) => JSON.parse(line).decisionId)).toEqual([ids[3], ids[0]]);
    expect((await onTerminal(['list', '--policy', 'baseline'])).stdout).toContain(`allow          ${ids[1]}  default`);
    expect(await parsed(['show', ids[3] ?? ''])).toMatchObject({ decisionId: ids[3], record: { seq: 4 } });
    expect(await parsed(['show', ids[3]?.toUpperCase() ?? ''])).toMatchObject({ decisionId: ids[3] });
    expect((await onTerminal(['show', ids[3] ?? ''])).stdout).toMatch(/^DENY {2}snp /);
    expect(JSON.parse((await onTerminal(['show', ids[3] ?? '', '--json'])).stdout)).toMatchObject({ decision: 'deny' });
  });

  it('end with 1 for an option or a decision that cannot be', async () => {
    await filled();
    for (const args of [
      ['list', '--limit', 'all'],
      ['show', 'x'],
    ]) {
      expect(await run(args)).toMatchObject({ exitCode: 1, stdout: '', stderr: expect.stringMatching(/\n$/) });
    }
  });
});

describe('veritee decisions prune', () => {
  const KEY = 'receipts.pem';
  const configured = { environment: { VERITEE__RECEIPTS__KEY: KEY } };
  const pruneBefore = (time: string) => ['prune', '--before', time];

  /** A log of decisions of five days, signed with the key of the configuration. */
  async function signed() {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    await cli.write(KEY, String(privateKey.export({ type: 'pkcs8', format: 'pem' })));
    await mkdir(cli.path('data'), { recursive: true });
    const store = openStore(cli.path(STORE));
    const clock = new SetClock();
    clock.at = new Date('2026-01-01T00:00:00Z');
    const { log } = await openLog(store, { clock, signer: signerOf(new LocalSigningKey(privateKey)) });
    for (let day = 1; day <= 5; day++) await log.record(judged({ decidedAt: new Date(Date.UTC(2026, 0, day, 12)) }));
    await log.close();
    return store;
  }

  it('DLG-01 drops content of all decisions that are dated before, says so in a signed record, and verifies', async () => {
    const store = await signed();
    expect(await run(pruneBefore('2026-01-04T00:00:00Z'), configured)).toEqual({
      exitCode: 0,
      stdout: '{"pruned":3}\n',
      stderr: '',
    });
    const dates = linesOf((await run(['list'], configured)).stdout).map((line) => JSON.parse(line).decidedAt);
    expect(dates).toEqual(['2026-01-05T12:00:00.000Z', '2026-01-04T12:00:00.000Z']);
    const contents = (await store.records(null, 100)).map(({ content }) => JSON.parse(content ?? '{}'));
    expect(contents).toContainEqual(expect.objectContaining({ kind: 'pruned', before: '2026-01-04T00:00:00.000Z' }));
    expect(contents).toContainEqual(expect.objectContaining({ kind: 'started', command: 'decisions prune' }));
    const report = await parsed(['verify'], configured);
    expect(report).toMatchObject({ problems: [], decisions: 2, ownWord: [] });
    expect(notKnown(report)).not.toHaveProperty('unsigned');
    const shown = await onTerminal(pruneBefore('2026-01-04T00:00:00Z'), configured.environment);
    expect(shown).toMatchObject({ exitCode: 0, stdout: 'content of 0 decisions was dropped\n' });
  });

  it.each([
    ['2999-01-01T00:00:00Z', '--before: 2999-01-01T00:00:00Z is in the future: name a time in the past'],
    ['yesterday', '--before: '],
    ['2026-02-30T00:00:00Z', '--before: there is no such day or time'],
  ])('DLG-01 refuses %s, and changes nothing', async (time, expected) => {
    const store = await signed();
    const records = await store.records(null, 100);
    const { exitCode, stdout, stderr } = await run(pruneBefore(time), configured);
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toContain(expected);
    expect(await store.records(null, 100)).toEqual(records);
  });

  it('needs a time', async () => {
    expect(await run(['prune'])).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('--before <time>') });
  });

  it('DLG-01 refuses a signed log where the key of the configuration is ephemeral, and changes nothing', async () => {
    const store = await signed();
    const records = await store.records(null, 100);
    expect(await run(pruneBefore('2026-01-04T00:00:00Z'))).toMatchObject({
      exitCode: 1,
      stdout: '',
      stderr: expect.stringContaining('receipts.key: is ephemeral, and the log is signed'),
    });
    expect(await store.records(null, 100)).toEqual(records);
  });

  it('drops content of an unsigned log with an ephemeral key', async () => {
    await mkdir(cli.path('data'), { recursive: true });
    const { log } = await openLog(openStore(cli.path(STORE)), { signer: signerOf() });
    await log.record(judged({ decidedAt: new Date('2026-01-15T11:00:00Z') }));
    await log.close();
    expect(await run(pruneBefore('2026-01-15T11:30:00Z'))).toMatchObject({ exitCode: 0, stdout: '{"pruned":1}\n' });
  });
});

const notKnown = ({ notKnown: list }: { notKnown: readonly { code: string; about: readonly string[] }[] }) =>
  Object.fromEntries(list.map(({ code, about }) => [code, about]));

describe('veritee decisions verify', () => {
  it('finds nothing in a log that nobody touched, and says what it cannot know', async () => {
    const { chain } = await filled();
    expect(await run(['verify'])).toMatchObject({ exitCode: 0, stderr: '' });
    const report = await parsed(['verify']);
    expect(report).toMatchObject({ problems: [], records: 8, decisions: 6, heads: 1, keptHeads: 0 });
    expect(notKnown(report)).toEqual({
      cut_end: [],
      unsigned: [chain],
      unsigned_end: [chain],
      own_keys: [SIGNER.kid],
      beginning: [chain],
    });
  });

  it('AUD-01 names what was changed, with code, chain, record and decision, and ends with 2', async () => {
    const { store, ids, chain } = await filled();
    store.file.run(`UPDATE records SET content = replace(content, '"deny"', '"allow"') WHERE seq = 4`, []);
    const { exitCode, stdout } = await run(['verify']);
    expect(exitCode).toBe(2);
    const problem = { code: 'content_changed', chain, seq: 4, decisionId: ids[3] };
    expect(JSON.parse(stdout).problems).toMatchObject([problem]);
    const shown = await onTerminal(['verify']);
    expect(linesOf(shown.stdout).slice(0, 4)).toEqual([
      'wrong: 1',
      '',
      `content_changed  record 4 of chain ${chain} (decision ${ids[3]})`,
      '    salt and content are not those that were recorded',
    ]);
  });

  it('says on a terminal how far it is', async () => {
    await filled();
    const { isTTY } = process.stderr;
    process.stderr.isTTY = true;
    try {
      expect((await onTerminal(['verify'])).stderr).toBe('\r8 records read\n');
      expect((await onTerminal(['verify', '--json'])).stderr).toBe('');
    } finally {
      process.stderr.isTTY = isTTY;
    }
  });

  describe('with heads that were kept', () => {
    async function withHeads(write: (heads: readonly { readonly head?: string }[]) => string) {
      const { store, log, chain, lines } = await filled();
      await log.close();
      await cli.write('heads', write(headsIn(lines)));
      return { store, chain };
    }
    const jws = ({ head = '' }: { readonly head?: string }) => head;

    it.each([
      ['lines of the log of the service', (head: object) => JSON.stringify(head)],
      ['the heads themselves', (head: object) => jws(head)],
      ['lines with more before them', (head: object) => `Jan 15 12:00:00 host veritee[1]: ${JSON.stringify(head)}`],
      ['lines that a collector wrapped', (head: object) => JSON.stringify({ log: `${JSON.stringify(head)}\n` })],
    ])('takes them as %s, among others, and each once', async (_, line) => {
      const { chain } = await withHeads((heads) =>
        ['{"msg":"listening"}', '', ...[...heads, ...heads].map(line)].join('\n'),
      );
      const report = await parsed(['verify', '--heads', 'heads']);
      expect(report).toMatchObject({ problems: [], keptHeads: 2, chains: [{ chain, seq: 8, keptHead: 8 }] });
      expect(notKnown(report)).toMatchObject({ cut_end: [] });
    });

    it('AUD-02 takes none of what callers wrote into the log, or into a copy of records', async () => {
      const forged = JSON.stringify({ msg: 'decision log head', head: 'a.b.c' });
      const content = JSON.stringify({ request: { audience: forged, head: 'a.b.c' }, head: 'a.b.c' });
      const { chain } = await withHeads((heads) =>
        [
          JSON.stringify({ msg: 'request', audience: 'x","head":"a.b.c' }),
          JSON.stringify({ msg: 'request', audience: forged, nested: JSON.parse(forged) }),
          JSON.stringify({ chain: 'c', seq: 1, contentSha256: 'd', content }),
          ...heads.map((head) => JSON.stringify(head)),
        ].join('\n'),
      );
      const report = await parsed(['verify', '--heads', 'heads']);
      expect(report).toMatchObject({ problems: [], keptHeads: 2, chains: [{ chain, seq: 8, keptHead: 8 }] });
    });

    it('takes them from standard input, and from an export', async () => {
      await withHeads((heads) => heads.map(jws).join('\n'));
      const input = await readFile(cli.path('heads'));
      expect(await parsed(['verify', '--heads', '-'], { input })).toMatchObject({ keptHeads: 2 });
      await run(['export', '--out', 'log.jsonl']);
      expect(await parsed(['verify', '--heads', 'log.jsonl'])).toMatchObject({ keptHeads: 2 });
    });

    it('AUD-02 finds a cut end, which nobody sees without them', async () => {
      const { store, chain } = await withHeads((heads) => heads.map(jws).join('\n'));
      store.file.run('DELETE FROM decisions WHERE seq > 4', []);
      store.file.run('DELETE FROM decision_policies WHERE decision_id NOT IN (SELECT decision_id FROM decisions)', []);
      store.file.run('DELETE FROM heads WHERE seq > 4', []);
      store.file.run('DELETE FROM records WHERE seq > 4', []);
      expect(await run(['verify'])).toMatchObject({ exitCode: 0 });
      const { exitCode, stdout } = await run(['verify', '--heads', 'heads']);
      expect(exitCode).toBe(2);
      expect(JSON.parse(stdout).problems).toMatchObject([{ code: 'chain_missing', chain, seq: 8 }]);
    });

    it.each([
      [
        'none',
        'heads',
        'heads: has no signed head\nexpected lines of the log of the service with the member head, or heads, one a line\n',
      ],
      ['a file that is not there', 'nothing', 'nothing: there is no such file\n'],
    ])('ends with 1 for %s', async (_, file, stderr) => {
      await withHeads(() => '{"msg":"listening"}\n');
      expect(await run(['verify', '--heads', file])).toEqual({ exitCode: 1, stdout: '', stderr });
    });
  });

  describe('with keys', () => {
    it('takes those of a JWK Set alone, with or without their names', async () => {
      await filled();
      const { kid: _, ...nameless } = SIGNER.jwk as { kid?: string };
      for (const jwk of [SIGNER.jwk, nameless]) {
        await cli.write('keys.json', JSON.stringify({ keys: [jwk] }));
        const report = await parsed(['verify', '--keys', 'keys.json']);
        expect(report).toMatchObject({ problems: [], ownWord: [] });
        expect(notKnown(report)).not.toHaveProperty('own_keys');
      }
    });

    it('DLG-02 finds a chain that another key signed', async () => {
      const { chain } = await filled();
      const other = { ...SIGNER.jwk, x: Buffer.alloc(32, 1).toString('base64url') };
      await cli.write('keys.json', JSON.stringify({ keys: [other] }));
      const { exitCode, stdout } = await run(['verify', '--keys', 'keys.json']);
      expect(exitCode).toBe(2);
      expect(JSON.parse(stdout).problems).toMatchObject([{ code: 'chain_unsigned', chain, seq: 0 }]);
    });

    it.each([
      ['{}', 'is no JWK Set'],
      ['{"keys":[{}]}', 'is no JWK Set'],
      ['[]', 'is no JWK Set'],
      ['x', 'is no JWK Set'],
      ['{"keys":[]}', 'has no key'],
      [JSON.stringify(SIGNER.jwk), 'is a single JWK, and no set of them'],
    ])('refuses what is none: %s', async (text, why) => {
      await filled();
      await cli.write('keys.json', text);
      expect(await run(['verify', '--keys', 'keys.json'])).toEqual({
        exitCode: 1,
        stdout: '',
        stderr: `keys.json: ${why}\nexpected {"keys": […]}, as /.well-known/jwks.json has it\n`,
      });
    });
  });

  describe('with keys of the configuration', () => {
    /** Writes a private key, or its public half. */
    const keyFile = async (name: string, key: KeyObject) => {
      const type = key.type === 'private' ? 'pkcs8' : 'spki';
      await cli.write(name, String(key.export({ type, format: 'pem' })));
      return name;
    };

    const withReceipts = (receipts: Readonly<Record<string, string>>) => ({
      environment: Object.fromEntries(
        Object.entries(receipts).map(([key, value]) => [`VERITEE__RECEIPTS__${key}`, value]),
      ),
    });

    /** A log whose chain and heads a key signed. */
    async function signedBy(key: KeyObject) {
      const store = openStore(cli.path(STORE));
      const { log, chain } = await openLog(store, { signer: signerOf(new LocalSigningKey(key)) });
      await log.record(judged());
      await log.close();
      return chain;
    }

    const p256 = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });

    it('DLG-02 finds a chain that another key signed, and ends with 2', async () => {
      await mkdir(cli.path('data'));
      const chain = await signedBy(p256().privateKey);
      const own = withReceipts({ KEY: await keyFile('own.pem', p256().privateKey) });
      const { exitCode, stdout } = await run(['verify'], own);
      expect(exitCode).toBe(2);
      expect(JSON.parse(stdout).problems).toMatchObject([{ code: 'chain_unsigned', chain, seq: 0 }]);
    });

    it('DLG-02 says that a chain which another key signed is unsigned, where the configured key is ephemeral', async () => {
      await mkdir(cli.path('data'));
      const chain = await signedBy(p256().privateKey);
      const report = await parsed(['verify']);
      expect(report).toMatchObject({ problems: [] });
      expect(notKnown(report)).toMatchObject({ unsigned: [chain], own_keys: [expect.any(String)] });
    });

    it.each(['KEY', 'NEXT', 'PREVIOUS'])('DLG-02 takes a chain that the key of RECEIPTS__%s signed', async (name) => {
      await mkdir(cli.path('data'));
      const { privateKey, publicKey } = p256();
      await signedBy(privateKey);
      const file = await keyFile('signed.pem', name === 'PREVIOUS' ? publicKey : privateKey);
      const key = await keyFile('own.pem', p256().privateKey);
      const value = name === 'PREVIOUS' ? JSON.stringify([file]) : file;
      const report = await parsed(['verify'], withReceipts({ KEY: key, [name]: value }));
      expect(report).toMatchObject({ problems: [], ownWord: [] });
      expect(notKnown(report)).not.toHaveProperty('unsigned');
    });

    it('ends with 1 where a key cannot be read', async () => {
      await filled();
      expect(await run(['verify'], withReceipts({ KEY: 'none.pem' }))).toMatchObject({
        exitCode: 1,
        stdout: '',
        stderr: expect.stringContaining('receipts.key: none.pem: there is no such file'),
      });
    });
  });

  describe('of an export', () => {
    it('needs no store, and finds what is wrong in it', async () => {
      const { store, chain } = await filled();
      await run(['export', '--out', 'good.jsonl']);
      store.file.run(`UPDATE records SET content = replace(content, '"deny"', '"allow"') WHERE seq = 4`, []);
      await run(['export', '--out', 'bad.jsonl']);
      await rm(cli.path('data'), { recursive: true });
      expect(await run(['verify', 'good.jsonl'])).toMatchObject({ exitCode: 0 });
      expect(await run(['verify', '-'], { input: await readFile(cli.path('good.jsonl')) })).toMatchObject({
        exitCode: 0,
      });
      const { exitCode, stdout } = await run(['verify', 'bad.jsonl']);
      expect(exitCode).toBe(2);
      expect(JSON.parse(stdout).problems).toMatchObject([{ code: 'content_changed', chain, seq: 4 }]);
    });

    it('that was cut is refused', async () => {
      await filled();
      const { stdout } = await run(['export']);
      await cli.write('cut.jsonl', stdout.slice(0, -100));
      expect(await run(['verify', 'cut.jsonl'])).toMatchObject({
        exitCode: 1,
        stdout: '',
        stderr: /^cut\.jsonl: is cut: line \d+ has no end\n$/,
      });
    });

    it('leaves nothing behind', async () => {
      await filled();
      await run(['export', '--out', 'log.jsonl']);
      const own = cli.path('temporary');
      await mkdir(own);
      const environment = { TMPDIR: own };
      expect((await run(['verify', 'log.jsonl'], { environment })).exitCode).toBe(0);
      await run(['verify', 'data/veritee.db'], { environment });
      expect(await readdir(own)).toEqual([]);
    });
  });
});

describe('veritee decisions export', () => {
  it('writes the whole log to standard output', async () => {
    await filled();
    const { exitCode, stdout, stderr } = await run(['export']);
    const lines = linesOf(stdout).map((line) => JSON.parse(line));
    expect([exitCode, stderr, lines.length]).toEqual([0, '', 11]);
    expect(lines[0]).toEqual({ format: 'veritee-decision-log', version: 1 });
    expect(lines.at(-1)).toEqual({ end: { records: 8, heads: 1, objects: 0 } });
  });

  it('writes a file whole, which only its owner can read, in the place of another', async () => {
    await filled();
    await writeFile(cli.path('log.jsonl'), 'before', { mode: 0o644 });
    const { exitCode, stdout } = await run(['export', '--out', 'log.jsonl']);
    expect([exitCode, stdout]).toEqual([0, 'wrote 8 records, 1 signed heads and 0 kept objects\n']);
    expect((await stat(cli.path('log.jsonl'))).mode & 0o777).toBe(0o600);
    expect(await readFile(cli.path('log.jsonl'), 'utf8')).toBe((await run(['export'])).stdout);
    expect(await readdir(cli.folder)).toEqual(['data', 'log.jsonl']);
  });

  it('leaves what was there where it fails', async () => {
    const { store } = await filled();
    await cli.write('log.jsonl', 'before');
    store.file.run('ALTER TABLE heads RENAME COLUMN jws TO other', []);
    expect(await run(['export', '--out', 'log.jsonl'])).toMatchObject({ exitCode: 3, stdout: '' });
    expect(await readFile(cli.path('log.jsonl'), 'utf8')).toBe('before');
    expect(await readdir(cli.folder)).toEqual(['data', 'log.jsonl']);
  });

  it('writes into no folder that is not there, and in the place of no device, link or folder', async () => {
    await filled();
    expect(await run(['export', '--out', 'none/log.jsonl'])).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: '--out: none/log.jsonl: cannot be written: there is no such folder\n',
    });
    await symlink('/dev/null', cli.path('link'));
    for (const out of ['link', 'data', '/dev/null']) {
      expect(await run(['export', '--out', out])).toEqual({
        exitCode: 1,
        stdout: '',
        stderr: `--out: ${out}: is not a regular file\n`,
      });
    }
  });

  it('takes the place of no store, neither its own nor another', async () => {
    await filled();
    await filled('other/veritee.db');
    for (const out of [STORE, './data/../data/veritee.db', 'other/veritee.db']) {
      expect(await run(['export', '--out', out])).toEqual({
        exitCode: 1,
        stdout: '',
        stderr: `--out: ${out}: is a database, as a decision store is: name another file\n`,
      });
    }
    expect(await parsed(['verify'])).toMatchObject({ records: 8, problems: [] });
  });

  it('has what was there when it began, while decisions are recorded', async () => {
    const { log } = await filled();
    let deciding = true;
    const decisions = (async () => {
      while (deciding) {
        await log.record(judged());
        await new Promise(setImmediate);
      }
    })();
    await run(['export', '--out', 'log.jsonl']);
    deciding = false;
    await decisions;
    expect(await run(['verify', 'log.jsonl'])).toMatchObject({ exitCode: 0 });
  });
});

describe('veritee decisions import', () => {
  const NEW = inStore('new/veritee.db');

  async function exported(from = STORE) {
    expect(await run(['export', '--out', 'log.jsonl'], inStore(from))).toMatchObject({ exitCode: 0 });
    return readFile(cli.path('log.jsonl'), 'utf8');
  }

  it('AUD-03 makes a store that verifies, and lists the same decisions', async () => {
    const { ids } = await filled();
    await exported();
    const { exitCode, stdout } = await run(['import', 'log.jsonl'], NEW);
    const { notKnown, ...result } = JSON.parse(stdout);
    expect([exitCode, result]).toEqual([0, { problems: [], records: 8, known: 0, heads: 1, objects: 0 }]);
    expect(notKnown.map(({ code }: { code: string }) => code)).toEqual([
      'cut_end',
      'unsigned',
      'unsigned_end',
      'own_keys',
      'beginning',
    ]);
    expect(await parsed(['verify'], NEW)).toMatchObject({ problems: [], records: 8, decisions: 6, heads: 1 });
    expect((await run(['list'], NEW)).stdout).toBe((await run(['list'])).stdout);
    expect((await run(['show', ids[5] ?? ''], NEW)).stdout).toBe((await run(['show', ids[5] ?? ''])).stdout);
    expect((await stat(cli.path('new/veritee.db'))).mode & 0o777).toBe(0o600);
    expect((await readdir(cli.path('new'))).filter((name) => !name.startsWith('veritee.db'))).toEqual([]);
  });

  it('AUD-03 takes what was released with its decision, and nothing of a file where that does not hold', async () => {
    const { log } = await filled();
    const { decision } = await release(log);
    const unknown = releasing();
    await log.record(unknown);
    await log.releaseAttempt(attemptOf(unknown));
    const lines = linesOf(await exported());
    expect(await run(['import', 'log.jsonl'], NEW)).toMatchObject({ exitCode: 0 });
    for (const { decisionId } of [decision, unknown.decision]) {
      const imported = await run(['show', decisionId], NEW);
      expect(imported.stdout).toBe((await run(['show', decisionId])).stdout);
      expect(JSON.parse(imported.stdout).release.state).toBe(
        decisionId === decision.decisionId ? 'released' : 'unknown',
      );
    }
    expect(await parsed(['verify'], NEW)).toMatchObject({ problems: [] });
    await log.releaseResult(resultOf(releasing()));
    expect(linesOf(await exported()).length).toBeGreaterThan(lines.length);
    const { exitCode, stdout } = await run(['import', 'log.jsonl'], inStore('other/veritee.db'));
    expect([exitCode, JSON.parse(stdout).problems]).toMatchObject([2, [{ code: 'release_attempt_missing', seq: 13 }]]);
  });

  it('AUD-02 compares a file with heads that were kept, and with keys that somebody else names', async () => {
    const { lines } = await filled();
    await exported();
    const text = headsIn(lines).map((line) => JSON.stringify(line));
    await cli.write('service.log', text.join('\n'));
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const { crv, kty, x, y } = privateKey.export({ format: 'jwk' });
    await cli.write('others.json', JSON.stringify({ keys: [{ crv, kty, x, y }] }));
    await cli.write('keys.json', JSON.stringify({ keys: [SIGNER.jwk] }));
    const foreign = await run(['import', 'log.jsonl', '--keys', 'others.json'], NEW);
    expect([foreign.exitCode, JSON.parse(foreign.stdout)]).toMatchObject([
      2,
      { problems: [{ code: 'chain_unsigned' }] },
    ]);
    const cut = (await readFile(cli.path('log.jsonl'), 'utf8')).split('\n').filter((line) => !line.includes('"head"'));
    await cli.write('unsigned.jsonl', cut.join('\n').replace('"heads":1', '"heads":0'));
    const { exitCode, stdout } = await run(
      ['import', 'unsigned.jsonl', '--heads', 'service.log', '--keys', 'keys.json'],
      NEW,
    );
    const { problems, notKnown } = JSON.parse(stdout);
    expect([exitCode, problems]).toEqual([0, []]);
    expect(notKnown.map(({ code }: { code: string }) => code)).toEqual(['cut_end', 'unsigned_end', 'beginning']);
  });

  it('AUD-03 appends chains beside others, and counts those that are there already', async () => {
    await filled('new/veritee.db');
    const { log } = await filled();
    await exported();
    expect(await parsed(['import', 'log.jsonl'], NEW)).toMatchObject({ records: 8, known: 0 });
    expect(await parsed(['import', '-'], { ...NEW, input: await exported() })).toMatchObject({ records: 0, known: 8 });
    await openLog(openStore(cli.path(STORE)));
    await exported();
    expect(await parsed(['import', 'log.jsonl'], NEW)).toMatchObject({ records: 1, known: 8, heads: 1 });
    expect(await parsed(['verify'], NEW)).toMatchObject({ problems: [], records: 17, decisions: 12 });
    await log.close();
  });

  it('AUD-01 takes nothing of a file that goes on with a chain of the store', async () => {
    const { store, log, chain } = await filled();
    await exported();
    await run(['import', 'log.jsonl'], NEW);
    await log.close();
    await openLog(store);
    await exported();
    const { exitCode, stdout } = await run(['import', 'log.jsonl'], NEW);
    expect([exitCode, JSON.parse(stdout)]).toMatchObject([
      2,
      { problems: [{ code: 'record_order', chain, seq: 8 }], records: 0, known: 0, heads: 0 },
    ]);
    expect(JSON.parse(stdout).problems[0].detail).toBe(
      'the store has this chain without this record, and only chains that it lacks can be imported',
    );
    expect(await parsed(['verify'], NEW)).toMatchObject({ problems: [], records: 8 });
  });

  it.each([
    [
      'changed',
      `UPDATE records SET content = replace(content, '"deny"', '"allow"') WHERE seq = 4`,
      'content_changed',
      4,
    ],
    ['left out', 'DELETE FROM records WHERE seq = 4', 'record_missing', 5],
    ['left out at the beginning', 'DELETE FROM records WHERE seq = 0', 'record_missing', 1],
    ['given another hash', `UPDATE records SET hash = '${'a'.repeat(64)}' WHERE seq = 4`, 'record_changed', 4],
    ['left by a head alone', 'DELETE FROM records WHERE seq > 4', 'chain_missing', 7],
    ['said by a head to be another', 'UPDATE heads SET seq = 2', 'head_mismatch', 2],
    ['left by its stub alone', 'UPDATE records SET salt = NULL, content = NULL WHERE seq = 4', 'content_missing', 4],
  ])('AUD-01 takes nothing of a file in which a record was %s', async (_, sql, code, seq) => {
    const { store, log } = await filled();
    await log.close();
    if (code !== 'chain_missing') store.file.run('DELETE FROM heads WHERE seq > 0', []);
    store.file.run(sql.replace('seq > 4', 'seq > 6'), []);
    await exported();
    const { exitCode, stdout } = await run(['import', 'log.jsonl'], NEW);
    expect(exitCode).toBe(2);
    const found = JSON.parse(stdout);
    expect(found).toMatchObject({ records: 0, known: 0, heads: 0 });
    expect(found.problems.map((each: { code: string; seq: number }) => [each.code, each.seq])).toContainEqual([
      code,
      code === 'chain_missing' ? 8 : seq,
    ]);
    expect(existsSync(cli.path('new'))).toBe(false);
    const shown = await onTerminal(['import', 'log.jsonl'], NEW.environment);
    expect(shown.stdout).toMatch(/\nwrong: \d+; nothing was taken\n$/);
  });

  it('AUD-01 takes nothing where the store has another record at the same place, and names it', async () => {
    const { store, chain } = await filled();
    await exported();
    const target = openStore(cli.path('new/veritee.db'));
    await run(['import', 'log.jsonl'], NEW);
    target.file.run(`UPDATE records SET hash = '${'a'.repeat(64)}' WHERE seq = 4`, []);
    await openLog(store);
    await exported();
    const { exitCode, stdout } = await run(['import', 'log.jsonl'], NEW);
    expect(exitCode).toBe(2);
    const { problems, records } = JSON.parse(stdout);
    expect(records).toBe(0);
    expect(problems[0]).toMatchObject({ code: 'record_order', chain, seq: 4 });
    expect(await target.chains()).toHaveLength(1);
  });

  it('takes nothing of a file that was cut, or is none', async () => {
    await filled();
    const text = await exported();
    for (const length of [text.length - 50, text.length / 2, 10, 0]) {
      await cli.write('cut.jsonl', text.slice(0, length));
      expect(await run(['import', 'cut.jsonl'], NEW)).toMatchObject({
        exitCode: 1,
        stdout: '',
        stderr: /^cut\.jsonl: /,
      });
    }
    expect(await run(['import', 'nothing.jsonl'], NEW)).toMatchObject({
      exitCode: 1,
      stderr: 'nothing.jsonl: there is no such file\n',
    });
    expect(existsSync(cli.path('new'))).toBe(false);
  });

  it('ends with 3 where the store cannot be written', async () => {
    await filled();
    await exported();
    await mkdir(cli.path('new'));
    await cli.write('new/veritee.db', 'x'.repeat(5000));
    expect(await run(['import', 'log.jsonl'], NEW)).toMatchObject({ exitCode: 3, stdout: '' });
    expect(await readdir(cli.path('new'))).toEqual(['veritee.db']);
  });

  describe('of what decisions rest on', () => {
    const edited = async (edit: (text: string) => string) => cli.write('log.jsonl', edit(await exported()));
    const crl = createHash('sha256').update(CRL).digest('hex');

    it('AUD-03 makes a store that has it, too', async () => {
      await keepingLog(openStore(cli.path(STORE)));
      const text = await exported();
      expect(await parsed(['import', 'log.jsonl'], NEW)).toMatchObject({ problems: [], records: 4, objects: 9 });
      expect(await parsed(['import', 'log.jsonl'], NEW)).toMatchObject({ records: 0, known: 4, objects: 0 });
      expect(await parsed(['verify'], NEW)).toMatchObject({ problems: [], decisions: 3, objects: 9 });
      expect((await run(['export'], NEW)).stdout).toBe(text);
    });

    it.each([
      ['missing', (text: string) => text.replace(new RegExp(`{"sha256":"${crl}".*\n`), ''), 'object_missing', 1],
      ['changed', (text: string) => text.replace(CRL.toString('base64'), 'AAAA'), 'object_changed', null],
    ])('AUD-01 takes nothing where some of it is %s', async (_, edit, code, seq) => {
      await keepingLog(openStore(cli.path(STORE)));
      await edited((text) => edit(text).replace('"objects":9', `"objects":${code === 'object_missing' ? 8 : 9}`));
      for (const command of ['verify', 'import']) {
        const { exitCode, stdout } = await run([command, 'log.jsonl'], NEW);
        expect(exitCode).toBe(2);
        expect(JSON.parse(stdout).problems).toMatchObject([{ code, seq }]);
      }
      expect(existsSync(cli.path('new'))).toBe(false);
    });

    it('AUD-01 is verified in a store, where a terminal shows how far it is', async () => {
      const { store } = await keepingLog(openStore(cli.path(STORE)));
      const { isTTY } = process.stderr;
      process.stderr.isTTY = true;
      try {
        expect((await onTerminal(['verify'])).stderr).toBe('\r4 records read\r4 records and 9 kept objects read\n');
      } finally {
        process.stderr.isTTY = isTTY;
      }
      store.file.run('DELETE FROM objects WHERE sha256 = ?', [crl]);
      const { exitCode, stdout } = await run(['verify']);
      expect([exitCode, JSON.parse(stdout).problems]).toMatchObject([2, [{ code: 'object_missing', seq: 1 }]]);
    });
  });

  it('takes nothing of a copy of records', async () => {
    const { store } = await filled();
    await cli.write('copy.jsonl', (await store.records(null, 10)).map(recordLine).join(''));
    expect(await parsed(['verify', 'copy.jsonl'])).toMatchObject({ problems: [], records: 8, heads: 0 });
    expect(await run(['import', 'copy.jsonl'], NEW)).toMatchObject({
      exitCode: 1,
      stdout: '',
      stderr:
        'copy.jsonl: is a copy of records, which lacks their signed heads: import what veritee decisions export writes\n',
    });
    expect(existsSync(cli.path('new'))).toBe(false);
  });

  it('takes nothing of a file that has what a later version recorded', async () => {
    const store = openStore(cli.path(STORE));
    const { log } = await openLog(store);
    await log.record(judged());
    store.file.close();
    // The last one, which no record follows.
    rewriteRecords(store.path, (content, seq) => (seq === 1 ? content.replace('"v":1', '"v":2') : content));
    store.file.open();
    await exported();
    const { exitCode, stderr } = await run(['import', 'log.jsonl'], NEW);
    expect([exitCode, stderr]).toEqual([
      1,
      expect.stringContaining('has records of a later version of veritee: import it with that version'),
    ]);
    expect(existsSync(cli.path('new'))).toBe(false);
    expect(await parsed(['verify', 'log.jsonl'])).toMatchObject({
      problems: [],
      notKnown: expect.arrayContaining([expect.objectContaining({ code: 'later_version' })]),
    });
  });
});
