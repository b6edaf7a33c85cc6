import { createHash } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { exportLines } from '../../../src/log/export-lines.js';
import { LogFileError, readLines } from '../../../src/log/read-lines.js';
import { recordLine } from '../../../src/log/record-lines.js';
import { stageLog } from '../../../src/log/stage-log.js';
import { verifyLog } from '../../../src/log/verify-log.js';
import { CRL, keepingLog, objectsOfDecisions, ROOT } from './kept-evidence.js';
import { type LocalStore, localStores } from './local-store.js';
import { judged, makePruningDue, openLog, policy, SetClock } from './recorded.js';

const openStore = localStores();

const NO_EVIDENCE = { keptHeads: [], keys: null } as const;

/** Two chains, with a decision of which only the hash is left, and one that was withdrawn. */
async function filled(): Promise<LocalStore> {
  const store = openStore();
  const clock = new SetClock();
  clock.at = new Date('2026-01-10T12:00:00Z');
  const { log } = await openLog(store, { clock, chain: '11111111-1111-4111-8111-111111111111' });
  const decide = async (decidedAt: Date) => {
    const decided = judged({ decidedAt, policies: [policy('payments'), policy('baseline')] });
    await log.record(decided);
    return decided.decision.decisionId;
  };
  await decide(clock.at);
  clock.at = new Date('2026-01-15T12:00:00Z');
  await log.withdraw(await decide(clock.at), 'late');
  clock.at = new Date('2026-01-15T12:00:01Z');
  await decide(clock.at);
  await makePruningDue(store);
  log.watch();
  await vi.waitFor(
    async () => expect(await store.prunable(new Date('2026-01-14T12:00:00Z'), null, 1)).toEqual([]),
    10_000,
  );
  await log.close();
  const other = await openLog(store, { clock, chain: '22222222-2222-4222-8222-222222222222' });
  await other.log.record(judged({ decidedAt: clock.at, reasons: ['nonce_used'] }));
  await other.log.close();
  return store;
}

async function exported(store: LocalStore): Promise<string> {
  let text = '';
  for await (const lines of exportLines(store)) text += lines;
  return text;
}

async function* chunks(text: string, length = 1000): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

async function staged(text: string): Promise<LocalStore> {
  const store = openStore();
  await stageLog(readLines(chunks(text)), store);
  return store;
}

const refusalOf = async (text: string) => {
  try {
    await staged(text);
    return null;
  } catch (error) {
    if (error instanceof LogFileError) return error.message;
    throw error;
  }
};

describe('an export', () => {
  it('AUD-03 has the whole log, which is the same where it is read again, and verifies', async () => {
    const text = await exported(await filled());
    const store = await staged(text);
    expect(await verifyLog(store, NO_EVIDENCE)).toMatchObject({ problems: [], records: 10, decisions: 3, heads: 5 });
    expect(await exported(store)).toBe(text);
    const query = { tenant: null, decision: null, since: null, cursor: null, limit: 10 };
    expect((await store.list({ ...query, policy: 'baseline' })).map(({ withdrawn }) => withdrawn)).toEqual([
      false,
      true,
    ]);
    expect(await store.list({ ...query, policy: null })).toHaveLength(3);
  });

  it('says first what it is, and last how much it has', async () => {
    const lines = (await exported(await filled())).trimEnd().split('\n');
    expect(lines[0]).toBe('{"format":"veritee-decision-log","version":1}');
    expect(lines.at(-1)).toBe('{"end":{"records":10,"heads":5,"objects":0}}');
  });

  it('of an empty log is whole', async () => {
    const read = await staged(await exported(openStore()));
    expect(await verifyLog(read, NO_EVIDENCE)).toMatchObject({ problems: [], records: 0, heads: 0 });
  });

  it('of a log of several pages has all of it', async () => {
    const store = openStore();
    const { log } = await openLog(store);
    await Promise.all(Array.from({ length: 1200 }, () => log.record(judged())));
    await log.close();
    const read = await staged(await exported(store));
    expect(await verifyLog(read, NO_EVIDENCE)).toMatchObject({ problems: [], records: 1202 });
  });

  it('has neither records nor heads that come while it is made', async () => {
    const store = openStore();
    const { log } = await openLog(store);
    await log.record(judged());
    const chains = vi.spyOn(store, 'chains');
    const ends = await store.chains();
    chains.mockImplementationOnce(async () => ends);
    await log.record(judged());
    await log.close();
    const read = await staged(await exported(store));
    expect(await verifyLog(read, NO_EVIDENCE)).toMatchObject({ problems: [], records: 2, heads: 1 });
  });

  it('AUD-02 has the heads of records that were cut off', async () => {
    const store = await filled();
    store.file.run('DELETE FROM decisions WHERE seq > 4', []);
    store.file.run('DELETE FROM decision_policies WHERE decision_id NOT IN (SELECT decision_id FROM decisions)', []);
    store.file.run('DELETE FROM records WHERE seq > 4', []);
    const { problems } = await verifyLog(await staged(await exported(store)), NO_EVIDENCE);
    expect(problems.map(({ code, seq }) => [code, seq])).toContainEqual(['chain_missing', 6]);
  });

  it('that was cut anywhere is refused', async () => {
    const text = await exported(await filled());
    for (let length = 0; length < text.length - 1; length += 89) {
      expect(await refusalOf(text.slice(0, length))).not.toBeNull();
    }
    expect(await refusalOf(text.slice(0, -2))).toBe('is cut: line 17 has no end');
    expect(await refusalOf(text.slice(0, -1))).toBeNull();
    expect(await refusalOf(text.slice(0, text.lastIndexOf('\n{')))).toBe(
      'is cut: the line that says how much there was is not there',
    );
  });

  it('of which a line was taken out, or put in twice, or behind the last one is refused', async () => {
    const lines = (await exported(await filled())).split('\n');
    const without = (at: number) => lines.filter((_, index) => index !== at).join('\n');
    expect(await refusalOf(without(1))).toMatch(
      /^is not whole: it has 9 records, 5 heads and 0 kept objects, and its last line says/,
    );
    const head = lines.findIndex((line) => line.includes('"head"'));
    expect(await refusalOf(without(head))).toMatch(/^is not whole: it has 10 records, 4 heads and 0 kept objects/);
    expect(await refusalOf([...lines.slice(0, 2), ...lines.slice(1)].join('\n'))).toMatch(
      /^line 3: record 0 of chain [0-9a-f-]{36} is there twice, or not in its order$/,
    );
    expect(await refusalOf(`${lines.join('\n')}{}`)).toBe('line 18: stands behind the last one');
  });

  it.each([
    ['nothing', '', 'is empty'],
    ['no JSON', 'PK\u0003\u0004', 'is no export of a decision log, and no copy of one'],
    [
      'a store',
      'SQLite format 3\0\u0010',
      'is a database, as a decision store is, and no export of one: a store is named by --config or VERITEE__STORES__URL, and veritee decisions export makes an export of it',
    ],
    ['a list', '[]\n', 'is no export of a decision log, and no copy of one'],
    ['another format', '{"format":"other","version":1}', 'is no export of a decision log, and no copy of one'],
    [
      'a later version',
      '{"format":"veritee-decision-log","version":2}',
      'is an export of version 2; this version of veritee reads 1',
    ],
    ['a /verify body', '{"evidence":{}}\n', 'is no export of a decision log, and no copy of one'],
  ])('is not %s', async (_, text, refusal) => {
    expect(await refusalOf(text)).toBe(refusal);
  });

  it.each([
    ['chain', 'x'],
    ['seq', -1],
    ['seq', '1'],
    ['previous', 'x'],
    ['contentSha256', null],
    ['hash', 'A'.repeat(64)],
    ['salt', null],
    ['salt', 'short'],
    ['content', null],
    ['content', {}],
  ])('has no record whose %s is %j', async (name, value) => {
    const [first = '', second = '', ...rest] = (await exported(await filled())).split('\n');
    const changed = JSON.stringify({ ...JSON.parse(second), [name]: value });
    expect(await refusalOf([first, changed, ...rest].join('\n'))).toBe('line 2: is no record');
  });

  it('has no head without its place', async () => {
    const text = await exported(await filled());
    expect(await refusalOf(text.replace(/"seq":0,"head"/, '"seq":-1,"head"'))).toMatch(/^line \d+: is no record$/);
  });

  it('keeps a record that was made to break what reads it, so that it is found', async () => {
    const store = await filled();
    store.file.run("UPDATE records SET content = 'x' WHERE seq = 3", []);
    const read = await staged(await exported(store));
    const { problems } = await verifyLog(read, NO_EVIDENCE);
    expect(problems).toMatchObject([{ code: 'content_changed', seq: 3 }]);
  });
});

describe('kept objects of an export', () => {
  const kept = async (decisions = 3) => (await keepingLog(openStore(), decisions)).store;

  const linesOf = async (store: LocalStore) => (await exported(store)).split('\n');

  /** Of which nothing is wrong but the objects; the last line counts what is there. */
  const changed = (lines: readonly string[], change: (objects: string[]) => readonly string[]) => {
    const isObject = (line: string) => line.startsWith('{"sha256"');
    const objects = change(lines.filter(isObject));
    const [first = '', ...others] = lines.filter((line) => !isObject(line));
    const text = [first, ...objects, ...others].join('\n');
    return text.replace(/"objects":\d+/, `"objects":${objects.length}`);
  };

  const problemsOf = async (text: string) => {
    const { problems } = await verifyLog(await staged(text), NO_EVIDENCE);
    return problems.map(({ code, seq }) => [code, seq]);
  };

  it('AUD-03 stand before its records, and are linked again to what rests on them', async () => {
    const store = await kept();
    const lines = await linesOf(store);
    expect(lines.slice(1, 10).map((line) => Object.keys(JSON.parse(line)))).toEqual(
      Array.from({ length: objectsOfDecisions(3) }, () => ['sha256', 'bytes']),
    );
    expect(lines.at(-2)).toBe('{"end":{"records":4,"heads":1,"objects":9}}');
    const read = await staged(lines.join('\n'));
    expect(await verifyLog(read, NO_EVIDENCE)).toMatchObject({ problems: [], records: 4, heads: 1, objects: 9 });
    expect(await exported(read)).toBe(lines.join('\n'));
    const [{ chain = '' } = {}] = await store.chains();
    expect(await read.objectsOf(chain, 0, 3)).toEqual(await store.objectsOf(chain, 0, 3));
  });

  it('are all there where they are more than go together', async () => {
    const store = await kept(200);
    const read = await staged(await exported(store));
    const objects = objectsOfDecisions(200);
    expect(await verifyLog(read, NO_EVIDENCE)).toMatchObject({ problems: [], records: 201, objects });
  });

  it('are written as soon as they have some MiB', async () => {
    const lines = await linesOf(await kept(1));
    const large = [1, 2, 3].map((value) => Buffer.alloc(3 * 1024 * 1024, value));
    const added = large.map((bytes) => ({
      sha256: createHash('sha256').update(bytes).digest('hex'),
      bytes: bytes.toString('base64'),
    }));
    const text = changed(lines, (objects) => [...objects, ...added.map((each) => JSON.stringify(each))].sort());
    const store = openStore();
    const [putObject, stage] = [vi.spyOn(store, 'putObject'), vi.spyOn(store, 'stage')];
    await stageLog(readLines(chunks(text, 100_000)), store);
    expect(putObject).toHaveBeenCalledTimes(8);
    // One transaction for two that are large, one for what is left before the records, and one for these.
    expect(stage.mock.calls.map(([records]) => records.length)).toEqual([0, 0, 2]);
  });

  it('AUD-01 are found to be missing, or changed', async () => {
    const lines = await linesOf(await kept());
    const [crl, root] = [CRL, ROOT].map((bytes) => createHash('sha256').update(bytes).digest('hex'));
    const without = (digest = '') => changed(lines, (objects) => objects.filter((line) => !line.includes(digest)));
    expect(await problemsOf(without(crl))).toEqual([['object_missing', 1]]);
    expect(await problemsOf(without(root))).toEqual([['object_missing', 1]]);
    const text = lines.join('\n').replace(CRL.toString('base64'), Buffer.from('no CRL').toString('base64'));
    expect(await problemsOf(text)).toEqual([['object_changed', null]]);
  });

  it('AUD-01 are found to be missing where what names them was changed, or is not there', async () => {
    const { store, inputs } = await keepingLog(openStore());
    const { sha256 = '' } = inputs[0] ?? {};
    const lines = await linesOf(store);
    const edited = (line: string) =>
      line.includes(sha256) ? JSON.stringify({ sha256, bytes: Buffer.from('{}').toString('base64') }) : line;
    expect(await problemsOf(changed(lines, (objects) => objects.map(edited)))).toEqual([['object_changed', null]]);
    const left = changed(lines, (objects) => objects.filter((line) => !line.includes(sha256)));
    expect(await problemsOf(left)).toEqual([['object_missing', 1]]);
  });

  it('are passed over where no record names them', async () => {
    const lines = await linesOf(await kept());
    const other = JSON.stringify({ sha256: 'f'.repeat(64), bytes: '' });
    const store = await staged(changed(lines, (objects) => [...objects, other]));
    expect(await verifyLog(store, NO_EVIDENCE)).toMatchObject({ problems: [], objects: 9 });
  });

  it('are refused where one is there twice, in another order or behind a record', async () => {
    const lines = await linesOf(await kept());
    const [first = ''] = lines.slice(1);
    const { sha256 } = JSON.parse(first);
    const twice = `kept object ${sha256} is there twice, or not in its order`;
    expect(await refusalOf(changed(lines, (objects) => [first, ...objects]))).toBe(`line 3: ${twice}`);
    expect(await refusalOf(changed(lines, ([one = '', two = '', ...objects]) => [two, one, ...objects]))).toBe(
      `line 3: ${twice}`,
    );
    expect(await refusalOf([...lines.slice(0, 11), first, ...lines.slice(11)].join('\n'))).toBe(
      'line 12: a kept object stands behind a record',
    );
    expect(await refusalOf(lines.filter((line) => line !== first).join('\n'))).toMatch(
      /^is not whole: it has 4 records, 1 heads and 8 kept objects, and its last line says/,
    );
  });

  it.each([
    ['sha256', 'x'],
    ['sha256', 'A'.repeat(64)],
    ['bytes', null],
    ['bytes', 'YQ'],
    ['bytes', '-_8='],
    ['bytes', 'Y Q=='],
  ])('are refused where %s is %j', async (name, value) => {
    const lines = await linesOf(await kept());
    const edit = ([first = '', ...objects]: string[]) => [
      JSON.stringify({ ...JSON.parse(first), [name]: value }),
      ...objects,
    ];
    expect(await refusalOf(changed(lines, edit))).toBe('line 2: is no record');
  });

  it('are in no copy, which lacks them', async () => {
    const store = await kept();
    const lines = (await store.records(null, 100)).map(recordLine);
    const { problems } = await verifyLog(await staged(lines.join('')), NO_EVIDENCE);
    expect(problems.map(({ code, seq }) => [code, seq])).toEqual([1, 2, 3].map((seq) => ['object_missing', seq]));
    const object = (await linesOf(store))[1] ?? '';
    expect(await refusalOf(`${lines.join('')}${object}\n`)).toBe('line 5: is no record');
  });
});

describe('a copy', () => {
  const copied = async (store: LocalStore) => (await store.records(null, 100)).map(recordLine);

  it('AUD-03 is read with lines of the service between those of its chains', async () => {
    const lines = await copied(await filled());
    const mixed = [
      ...lines.slice(7),
      '{"level":"info","msg":"decision log head","head":"x.y.z"}\n',
      ...lines.slice(0, 7),
    ];
    const store = await staged(mixed.join('\n'));
    expect(await verifyLog(store, NO_EVIDENCE)).toMatchObject({ problems: [], records: 10, heads: 0, decisions: 3 });
  });

  it('may begin late, and its last line may be cut', async () => {
    const lines = await copied(await filled());
    const store = await staged(lines.slice(2, 5).join('').slice(0, -20));
    expect((await store.records(null, 10)).map(({ seq }) => seq)).toEqual([2, 3]);
  });

  it('is refused where a line in the middle is cut', async () => {
    const [first = '', ...rest] = await copied(await filled());
    expect(await refusalOf([...rest.slice(0, 2), first.slice(0, 40), '\n', ...rest.slice(2)].join(''))).toBe(
      'line 3: is no record',
    );
  });

  it('has no heads, and no end', async () => {
    const [first = ''] = await copied(await filled());
    const { chain } = JSON.parse(first);
    expect(await refusalOf(`${first}${JSON.stringify({ chain, seq: 0, head: 'x.y.z' })}\n`)).toBe(
      'line 2: is no record',
    );
    expect(await refusalOf(`${first}{"end":{"records":1,"heads":0,"objects":0}}\n`)).toBe('line 2: is no record');
  });
});

describe('lines of a file', () => {
  const linesOf = async (text: string, length: number) => {
    const lines = [];
    for await (const line of readLines(chunks(text, length))) lines.push(line);
    return lines;
  };

  it('are the same however the file is cut into chunks', async () => {
    const text = 'one\n\nthrée…\n{"four":"🙂"}\n';
    const whole = await linesOf(text, 1000);
    expect(whole.map(({ number, text: each }) => [number, each])).toEqual([
      [1, 'one'],
      [3, 'thrée…'],
      [4, '{"four":"🙂"}'],
    ]);
    for (let length = 1; length < 12; length++) expect(await linesOf(text, length)).toEqual(whole);
  });

  it('end with one that may have no end', async () => {
    expect(await linesOf('one\ntwo', 3)).toEqual([
      { number: 1, text: 'one', isEnded: true },
      { number: 2, text: 'two', isEnded: false },
    ]);
  });

  it('are refused where one does not end', async () => {
    async function* endless() {
      const chunk = Buffer.alloc(8 * 1024 * 1024, 'x');
      for (;;) yield chunk;
    }
    await expect(readLines(endless()).next()).rejects.toThrow('line 1 is too long to be one of a log');
  });
});
