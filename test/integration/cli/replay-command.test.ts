import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import engine from 'libsql';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { replayCommands } from '../../../src/app/commands/replay-commands.js';
import { rewriteRecords } from '../../unit/log/rewrite-records.js';
import { LabService, lenientPolicy, PKI } from '../service/lab-service.js';
import { CommandLine } from './command-line.js';
import { runInProcess } from './command-line-in-process.js';

let lab: LabService;
let cli: CommandLine;
/** Ids of what the service decided, the oldest first: three allowed under payments, one of them under baseline as well. */
let ids: readonly string[];
const since = new Date(Date.now() - 60_000).toISOString();

/** No machine reaches it. */
const HIGH = { snp: { Milan: { snp: 255, microcode: 255 } } };

beforeAll(async () => {
  lab = await LabService.create();
  cli = await CommandLine.create();
  await lab.writePolicy(lenientPolicy('payments'));
  await lab.writePolicy(lenientPolicy('other'));
  const service = await lab.start({ decisions: { keepEvidence: 'full' } }, {}, 'kept');
  const decided = [];
  for (const policy of ['payments', ['other', 'payments'], 'payments', 'other', 'other']) {
    decided.push((await lab.verify(service, { members: { policy } })).body.decisionId);
  }
  ids = decided;
  await service.close();
});

afterAll(async () => {
  await cli.close();
  await lab.close();
});

beforeEach(() => cli.write('stricter.yaml', lenientPolicy('payments', { minimums: HIGH, version: 2 })));

/** By the roots of the lab. */
const actions = replayCommands({ amdRootPins: PKI.pins(['Milan']) });

const run = (args: readonly string[], { store = 'kept', onTerminal = false, policies = '', by = actions } = {}) =>
  runInProcess(cli, args, {
    environment: {
      NO_COLOR: '1',
      VERITEE__STORES__URL: `sqlite:${join(lab.root, store, 'veritee.db')}`,
      VERITEE__AMD__KDS: 'off',
      ...(policies === '' ? {} : { VERITEE__POLICIES__DIRECTORY: policies }),
    },
    onTerminal,
    actions: { replays: async () => by },
  });

const linesOf = (text: string) => text.trimEnd().split('\n');

/** The output for each decision, and for all. */
async function replayed(args: readonly string[], where: Parameters<typeof run>[1] = {}) {
  const { exitCode, stdout, stderr } = await run(args, where);
  const lines = linesOf(stdout).map((line) => JSON.parse(line));
  return { exitCode, stderr, changes: lines.slice(0, -1), summary: lines.at(-1).summary };
}

/** A copy of the store in which somebody changed something. */
async function copiedStore(name: string, change: (path: string) => void): Promise<string> {
  await mkdir(join(lab.root, name), { recursive: true });
  const path = join(lab.root, name, 'veritee.db');
  await writeFile(path, await readFile(join(lab.root, 'kept', 'veritee.db')));
  change(path);
  return name;
}

const changedStore = (name: string, sql: string) =>
  copiedStore(name, (path) => {
    const file = new engine(path);
    file.exec(sql);
    file.close();
  });

describe('veritee replay', () => {
  it('judges all decisions again as they were, and finds every one equal', async () => {
    expect(await replayed(['replay', '--since', since])).toEqual({
      exitCode: 0,
      stderr: '',
      changes: [],
      summary: {
        judged: 5,
        equal: 5,
        flips: 0,
        differ: 0,
        withdrawn: 0,
        notJudged: { momentary: 0, not_kept: 0, refused: 0 },
        why: [],
        versions: [],
      },
    });
  });

  it('shows which decisions would come out otherwise under a new text of their policy, and why', async () => {
    const { exitCode, changes, summary } = await replayed(['replay', '--since', since, '--policy', 'stricter.yaml']);
    expect(exitCode).toBe(2);
    expect(summary).toMatchObject({ judged: 3, equal: 0, flips: 3 });
    expect(changes.map(({ decisionId }) => decisionId)).toEqual(ids.slice(0, 3));
    expect(changes[0]).toMatchObject({
      decision: { recorded: 'allow', replayed: 'deny' },
      reasons: { recorded: [], replayed: ['snp_tcb_low'] },
      checks: [
        { id: 'snp_tcb_floor_missing', policy: 'payments', recorded: 'warn', replayed: null },
        { id: 'snp_tcb_low', policy: 'payments', recorded: null, replayed: 'fail' },
      ],
    });
    const { stdout } = await run(['replay', '--since', since, '--policy', 'stricter.yaml'], { onTerminal: true });
    expect(linesOf(stdout)).toEqual([
      '3 x allow -> deny  +snp_tcb_low',
      ...ids.slice(0, 3).map((id) => `    ${id}`),
      '',
      '3 decisions judged again: 0 as before, 3 flips, 0 that differ otherwise',
    ]);
  });

  it('finds nothing under a text that says the same', async () => {
    await cli.write('same.yaml', lenientPolicy('payments', { version: 7 }));
    expect(await replayed(['replay', '--since', since, '--policy', 'same.yaml'])).toMatchObject({
      exitCode: 0,
      summary: { judged: 3, equal: 3 },
    });
  });

  it('shows a warning that would go, where decisions stay what they are', async () => {
    const minimums = { snp: { Milan: { snp: 0, microcode: 0 } } };
    await cli.write('warning.yaml', lenientPolicy('payments', { minimums }));
    const { exitCode, summary } = await replayed(['replay', '--since', since, '--policy', 'warning.yaml']);
    expect([exitCode, summary.flips, summary.differ]).toEqual([2, 0, 3]);
    const { stdout } = await run(['replay', '--since', since, '--policy', 'warning.yaml'], { onTerminal: true });
    expect(linesOf(stdout)[0]).toBe('3 x still allow  snp_tcb_floor_missing: warn to none');
    await cli.write('silent.yaml', lenientPolicy('payments', { accepts: ['az-snp-vtpm'], secureBoot: 'any' }));
    expect(await replayed(['replay', '--since', since, '--policy', 'silent.yaml'])).toMatchObject({
      exitCode: 0,
      summary: { judged: 3, equal: 3 },
    });
  });

  it('does not guess what would have been asked for: decisions under a policy that asks for more are not judged', async () => {
    await cli.write('token.yaml', lenientPolicy('payments', { require: { tpm: { trackResets: true } } }));
    const { exitCode, summary } = await replayed(['replay', '--since', since, '--policy', 'token.yaml']);
    expect([exitCode, summary.judged, summary.notJudged.not_kept]).toEqual([3, 0, 3]);
    expect(summary.why[0].detail).toBe('the decision needs an input that the record lacks: the reset counts of a vTPM');
  });

  it('judges by the policies of now where that is asked for', async () => {
    const { exitCode, changes, summary } = await replayed(['replay', '--since', since, '--now'], {
      policies: lab.policyFolder,
    });
    // AMD is out of reach, and nothing of it is cached here.
    expect([exitCode, summary.flips]).toEqual([2, 5]);
    expect(changes[0].decision).toEqual({ recorded: 'allow', replayed: 'indeterminate' });
  });

  it('says that the request of a decision is refused now, where its policy is gone', async () => {
    const { exitCode, summary } = await replayed(['replay', '--since', since, '--now']);
    expect([exitCode, summary.notJudged.refused]).toEqual([3, 5]);
    const { stdout } = await run(['replay', '--since', since, '--now'], { onTerminal: true });
    expect(stdout).toContain(
      '5 not judged again, since their requests are refused now\n    the recorded request is refused by the configuration of today: unknown policy "payments"',
    );
  });

  it('shows one decision, as HTTP does', async () => {
    const { exitCode, stdout } = await run(['replay', ids[0] ?? '']);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ at: 'then', decisionId: ids[0], equal: true, differences: [] });
    const inCapitals = await run(['replay', ids[0]?.toUpperCase() ?? '']);
    expect([inCapitals.exitCode, JSON.parse(inCapitals.stdout).decisionId]).toEqual([0, ids[0]]);
    const table = await run(['replay', ids[0] ?? '', '--policy', 'stricter.yaml'], { onTerminal: true });
    expect(table.exitCode).toBe(2);
    expect(linesOf(table.stdout).slice(0, 8)).toEqual([
      `differs  as it was then  ${ids[0]}`,
      'recorded allow, judged again deny',
      '',
      'snp_tcb_floor_missing  warn -> not made  /evidence/hclReport under payments',
      expect.stringMatching(/^ {4}\S/),
      '',
      'snp_tcb_low  not made -> fail  /evidence/hclReport under payments',
      '    the reported TCB is below its minimum: snp, microcode',
    ]);
  });

  it.each([[[]], [['--now']]])(
    'tries no policy on a decision that was not made under it, and says so: %j',
    async (now) => {
      const where = { policies: lab.policyFolder };
      const { exitCode, stdout, stderr } = await run(['replay', ids[0] ?? '', '--policy', 'other', ...now], where);
      expect([exitCode, stdout, linesOf(stderr).at(-1)]).toEqual([
        3,
        '',
        'the decision was not made under other; --policy judges decisions that were made under the id of its own text',
      ]);
    },
  );

  it('AUD-01 finds a record whose decision was changed', async () => {
    const store = await copiedStore('changed', (path) =>
      rewriteRecords(path, (content, seq) => (seq === 1 ? content.replace('"vmpl":0', '"vmpl":3') : content)),
    );
    const { exitCode, changes, summary } = await replayed(['replay', '--since', since], { store });
    expect([exitCode, summary.differ]).toEqual([2, 1]);
    expect(changes[0].differences).toContainEqual({ pointer: '/claims/snp/vmpl', recorded: 3, replayed: 0 });
    const { stdout } = await run(['replay', '--since', since], { store, onTerminal: true });
    expect(linesOf(stdout)[0]).toBe('1 x still allow  values that were compared');
  });

  it('AUD-01 judges no decision again of which the content was changed, and all others', async () => {
    const store = await changedStore(
      'content',
      `UPDATE records SET content = replace(content, '"vmpl":0', '"vmpl":3') WHERE seq = 1`,
    );
    const { exitCode, summary } = await replayed(['replay', '--since', since], { store });
    expect([exitCode, summary.equal, summary.notJudged]).toEqual([3, 4, { momentary: 0, not_kept: 1, refused: 0 }]);
    expect(summary.why).toEqual([
      {
        detail:
          'what is stored of this decision is not what was recorded: the store was changed; veritee decisions verify says where',
        decisionId: ids[0],
      },
    ]);
  });

  it('counts withdrawn decisions, and marks a single one', async () => {
    const store = await changedStore('untold', `UPDATE decisions SET withdrawn = 1 WHERE decision_id = '${ids[1]}'`);
    const { exitCode, summary } = await replayed(['replay', '--since', since], { store });
    expect([exitCode, summary.withdrawn]).toEqual([0, 1]);
    const many = await run(['replay', '--since', since], { store, onTerminal: true });
    expect(linesOf(many.stdout)).toContain('1 of them withdrawn: answered audit_unavailable');
    const one = await run(['replay', ids[1] ?? ''], { store, onTerminal: true });
    expect(linesOf(one.stdout)).toContain('WITHDRAWN: it was stored too late, so the answer said audit_unavailable');
  });

  it('names another version of veritee that decided', async () => {
    const store = await copiedStore('older', (path) =>
      rewriteRecords(path, (content) => content.replace('"version":"', '"version":"0.')),
    );
    const { stdout } = await run(['replay', '--since', since], { store, onTerminal: true });
    expect(stdout).toMatch(/decided by another version: veritee 0\.\d/);
    expect((await run(['replay', ids[0] ?? ''], { store, onTerminal: true })).stdout).toMatch(
      /decided by veritee 0\.\S+, judged again by \d/,
    );
  });

  it('ends with 3 where something is not kept that a decision rested on, and says so', async () => {
    const store = await changedStore('lost', 'DELETE FROM objects');
    const { exitCode, summary } = await replayed(['replay', '--since', since], { store });
    expect([exitCode, summary.notJudged.not_kept]).toEqual([3, 5]);
    expect(summary.why).toEqual([
      { detail: 'something that this decision rested on is not kept any more', decisionId: ids[0] },
    ]);
    const { stdout } = await run(['replay', '--since', since], { store, onTerminal: true });
    expect(linesOf(stdout).slice(1)).toEqual([
      '5 not judged again, since what they rested on, or their record, is not kept as it was',
      `    something that this decision rested on is not kept any more, such as ${ids[0]}`,
    ]);
  });

  it.each([
    ['is kept no more', 'DELETE FROM objects', 'something that this decision rested on is not kept any more'],
    [
      'is dropped',
      'UPDATE records SET salt = NULL, content = NULL WHERE seq = 1',
      'the content of this decision was dropped',
    ],
  ])('ends with 3 for one decision of which something %s, and says so', async (what, sql, detail) => {
    const store = await changedStore(`one ${what}`, sql);
    expect(await run(['replay', ids[0] ?? ''], { store })).toEqual({ exitCode: 3, stdout: '', stderr: `${detail}\n` });
  });

  it('ends with 3 for one decision whose request is refused now, or that depended on the moment', async () => {
    expect(await run(['replay', ids[0] ?? '', '--now'])).toEqual({
      exitCode: 3,
      stdout: '',
      stderr:
        'the recorded request is refused by the configuration of today: unknown policy "payments"; known: azure-cvm-baseline, azure-maa-baseline\n',
    });
    const store = await copiedStore('moment', (path) =>
      rewriteRecords(path, (content) => content.replace('"reasons":[]', '"reasons":["deadline"]')),
    );
    expect(await run(['replay', ids[0] ?? ''], { store })).toEqual({
      exitCode: 3,
      stdout: '',
      stderr: 'a decision with deadline is not judged again: it depended on the moment\n',
    });
  });

  it('AUD-01 ends with 3 for one decision that was changed', async () => {
    const store = await changedStore(
      'one changed',
      `UPDATE records SET content = replace(content, '"vmpl":0', '"vmpl":3') WHERE seq = 1`,
    );
    expect(await run(['replay', ids[0] ?? ''], { store })).toEqual({
      exitCode: 3,
      stdout: '',
      stderr:
        'what is stored of this decision is not what was recorded: the store was changed; veritee decisions verify says where\n',
    });
  });

  it('passes over decisions that depended on the moment', async () => {
    const store = await copiedStore('momentary', (path) =>
      rewriteRecords(path, (content, seq) =>
        seq === 1 ? content.replace('"reasons":[]', '"reasons":["deadline"]') : content,
      ),
    );
    const { exitCode, summary } = await replayed(['replay', '--since', since], { store });
    expect([exitCode, summary.judged, summary.notJudged]).toEqual([0, 4, { momentary: 1, not_kept: 0, refused: 0 }]);
    const { stdout } = await run(['replay', '--since', since], { store, onTerminal: true });
    expect(stdout).toContain('1 not judged again, since they depended on the moment (deadline, internal_error)\n');
  });

  it('is ended by a signal, says that decisions are left, and shows no summary', async () => {
    const pins = new Map(PKI.pins(['Milan']));
    // They are read when a decision is judged.
    pins[Symbol.iterator] = () => {
      process.emit('SIGHUP', 'SIGHUP');
      return pins.entries();
    };
    const stopping = replayCommands({ amdRootPins: pins });
    const { exitCode, stdout, stderr } = await run(['replay', '--since', since], { onTerminal: true, by: stopping });
    expect([exitCode, stdout, stderr]).toEqual([129, '', 'SIGHUP: ended before all decisions were judged\n']);
  });

  const later = '2999-01-01T00:00:00Z';

  it.each([
    [['replay', '--since', since, '--tenant', 'nobody'], `no decision since ${since} of tenant "nobody" is recorded\n`],
    [
      ['replay', '--since', later, '--policy', 'stricter.yaml'],
      'no decision under payments since 2999-01-01T00:00:00.000Z is recorded; --policy judges decisions that were made under the id of its own text\n',
    ],
    [
      ['replay', '--since', since, '--policy', 'renamed.yaml', '--tenant', 'default'],
      `no decision under renamed since ${since} of tenant "default" is recorded; --policy judges decisions that were made under the id of its own text\n`,
    ],
  ])('ends with 3 where no decision is found, and says what was looked for: %j', async (args, said) => {
    await cli.write('renamed.yaml', lenientPolicy('renamed'));
    const { exitCode, stderr, summary } = await replayed(args);
    // Warnings about the policy are records of the log.
    const told = stderr.replace(/^\{.*\n/gm, '');
    expect([exitCode, summary.judged, told]).toEqual([3, 0, said]);
  });

  it.each([
    [['replay'], 'name a decision, or a time with --since\nveritee decisions list shows the decisions\n'],
    [['replay', 'x', '--since', since], '--since and the decision "x" do not go together: leave one out\n'],
    [['replay', 'x', '--tenant', 'a'], '--tenant and the decision "x" do not go together: leave one out\n'],
    [
      ['replay', 'x'],
      'there is no decision of this id, or its record is older than decisions are kept\nveritee decisions list shows those that there are\n',
    ],
  ])('refuses %j', async (args, stderr) => {
    expect(await run(args)).toEqual({ exitCode: 1, stdout: '', stderr });
  });
});

describe('veritee policy diff', () => {
  it('shows the members that differ', async () => {
    await cli.write('old.yaml', lenientPolicy('payments'));
    const { exitCode, stdout } = await run(['policy', 'diff', 'old.yaml', 'stricter.yaml']);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      old: { id: 'payments', version: 1 },
      new: { id: 'payments', version: 2 },
      members: [
        { pointer: '/version', old: 1, new: 2 },
        { pointer: '/minimums/snp', old: 'any', new: HIGH.snp },
        { pointer: '/minimums/tdx', old: 'any', new: null },
      ],
    });
    const table = await run(['policy', 'diff', 'old.yaml', 'old.yaml'], { onTerminal: true });
    expect(linesOf(table.stdout).at(-1)).toBe('every member is the same');
  });

  it('shows texts of rules, and members that only one of them has', async () => {
    const rule = { id: 'r', cel: 'snp.vmpl == 0' };
    await cli.write('old.yaml', lenientPolicy('payments'));
    await cli.write('ruled.yaml', lenientPolicy('payments', { rules: [rule] }));
    const { stdout } = await run(['policy', 'diff', 'old.yaml', 'ruled.yaml'], { onTerminal: true });
    expect(stdout).toContain(`/rules\n- []\n+ ${JSON.stringify([rule])}\n`);
  });

  it('shows which recorded decisions the two would decide otherwise, whatever their ids', async () => {
    await cli.write('old.yaml', lenientPolicy('payments', { version: 5 }));
    await cli.write('renamed.yaml', lenientPolicy('renamed', { minimums: HIGH }));
    const { exitCode, stdout } = await run(['policy', 'diff', 'old.yaml', 'renamed.yaml', '--since', since]);
    expect(exitCode).toBe(2);
    const [, first, ...others] = linesOf(stdout).map((line) => JSON.parse(line));
    expect(first).toMatchObject({
      decisionId: ids[0],
      decision: { old: 'allow', new: 'deny' },
      reasons: { old: [], new: ['snp_tcb_low'] },
    });
    expect(others.at(-1).summary).toMatchObject({ judged: 3, flips: 3 });
  });

  it('compares the two with each other, and not with what was recorded', async () => {
    await cli.write('a.yaml', lenientPolicy('payments', { minimums: HIGH, version: 3 }));
    const { exitCode } = await run(['policy', 'diff', 'a.yaml', 'stricter.yaml', '--since', since]);
    expect(exitCode).toBe(0);
  });

  it.each([
    [['--tenant', 'default'], '--tenant goes with --since: without it, no decisions are judged\n'],
    [['--since', 'yesterday'], /^--since: .*RFC 3339/],
  ])('refuses %j before it shows anything', async (options, stderr) => {
    const {
      exitCode,
      stdout,
      stderr: said,
    } = await run(['policy', 'diff', 'stricter.yaml', 'stricter.yaml', ...options]);
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(said).toMatch(stderr);
  });

  it('shows nothing where there is no log to judge decisions of', async () => {
    const args = ['policy', 'diff', 'stricter.yaml', 'stricter.yaml', '--since', since];
    expect(await run(args, { store: 'nowhere' })).toMatchObject({
      exitCode: 1,
      stdout: '',
      stderr: expect.stringContaining('there is no such file'),
    });
  });

  it('ends with 3 where no decision was made under the id of the first, and says so', async () => {
    await cli.write('renamed.yaml', lenientPolicy('renamed'));
    const { exitCode, stderr } = await run(['policy', 'diff', 'renamed.yaml', 'stricter.yaml', '--since', since]);
    expect([exitCode, stderr]).toEqual([
      3,
      `no decision under renamed since ${since} is recorded; decisions that were made under the id of <old> are judged\n`,
    ]);
  });

  it('refuses what is no policy', async () => {
    await cli.write('none.yaml', 'id: x\n');
    expect((await run(['policy', 'diff', 'none.yaml', 'stricter.yaml'])).exitCode).toBe(1);
    expect(await run(['policy', 'diff', 'payments', 'stricter.yaml'])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/^policy diff: there is no policy payments; there are /),
    });
  });
});
