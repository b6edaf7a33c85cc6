import { describe, expect, it } from 'vitest';
import { decisionTable } from '../../../src/cli/decision-table.js';
import { mayColour, Notes, styledFor } from '../../../src/cli/output.js';
import { presentDecision } from '../../../src/wire/present-decision.js';
import { DECISION } from '../wire/sample-decision.js';

const ESCAPE = '\u001b[';

describe('colours', () => {
  it.each<[boolean | undefined, Record<string, string>, boolean]>([
    [true, {}, true],
    [true, { NO_COLOR: '' }, true],
    [true, { NO_COLOR: '1' }, false],
    [true, { NO_COLOR: '0' }, false],
    [true, { TERM: 'dumb' }, false],
    [false, {}, false],
    [undefined, {}, false],
  ])('on a terminal: %o, environment %o: %o', (isTTY, environment, may) => {
    expect(mayColour(isTTY === undefined ? {} : { isTTY }, environment)).toBe(may);
  });

  it('are written where they may be, whatever this process writes to', () => {
    expect(styledFor({ inColour: true })('red', 'x')).toBe(`${ESCAPE}31mx${ESCAPE}39m`);
    expect(styledFor({ inColour: false })('red', 'x')).toBe('x');
  });
});

describe('a decision for people', () => {
  const presented = presentDecision(DECISION, { allChecks: true });
  const plain = decisionTable(presented, { inColour: false });

  it('has no colour codes where there may be none, and the same text otherwise', () => {
    expect(plain).not.toContain(ESCAPE);
    const coloured = decisionTable(presented, { inColour: true });
    expect(coloured).toContain(ESCAPE);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the codes are what is taken out
    expect(coloured.replaceAll(/\u001b\[\d+m/g, '')).toBe(plain);
  });

  it('says first what was decided, then what stands against it with both values, then what holds', () => {
    const at = (text: string) => {
      expect(plain).toContain(text);
      return plain.indexOf(text);
    };
    expect(plain).toMatch(/^DENY {2}az-snp-vtpm abababababababab\n/);
    const places = [
      at('policy    payments version 3: deny'),
      at('fail        tpm_signature'),
      at('            expected  a\n            actual    {"b":[1]}'),
      at('warn        snp_tcb_low'),
      at('pass        snp_signature'),
      at('checks were not reached'),
    ];
    expect(places).toEqual(places.toSorted((a, b) => a - b));
  });

  it('shows the remedy of a check and that it was waived, where an answer has them', () => {
    const [first, ...others] = presented.checks.filter(({ result }) => result === 'fail');
    const check = { ...first, remedy: 'do this', waived: true } as (typeof presented.checks)[number];
    const table = decisionTable({ ...presented, checks: [check, ...others] }, { inColour: false });
    expect(table).toContain('            remedy    do this');
    expect(table).toContain('            waived    a waiver of the policy makes this a warning');
  });

  it.each([
    ['indeterminate', true, 'again     the same request may be judged differently later\n'],
    ['indeterminate', false, 'again     the same request will not be judged differently later\n'],
    ['deny', true, null],
    ['allow', false, null],
  ] as const)('says of %s, retryable %s, whether to ask again', (decision, retryable, line) => {
    const table = decisionTable({ ...presented, decision, retryable }, { inColour: false });
    if (line === null) expect(table).not.toContain('again     ');
    else expect(table).toContain(line);
  });

  it('shows a value found alone where nothing in particular was expected', () => {
    const checks = presented.checks.map((check) => ({ ...check, expected: null, actual: 'a' }));
    const table = decisionTable({ ...presented, checks }, { inColour: false });
    expect(table).toContain('            actual    a\n');
    expect(table).not.toContain('expected');
  });

  it('writes nothing of the evidence that a terminal would obey', () => {
    const hostile = '\u001b[2J\u009b31m\r\n\u202eALLOW';
    const checks = presented.checks.map((check) => ({
      ...check,
      detail: hostile,
      expected: hostile,
      actual: [hostile],
    }));
    const table = decisionTable({ ...presented, checks }, { inColour: false });
    expect(table.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(table).toContain('\\u001b[2J');
  });

  it('cuts what is long', () => {
    const checks = presented.checks.map((check) => ({ ...check, actual: 'a'.repeat(1000) }));
    expect(decisionTable({ ...presented, checks }, { inColour: false })).toContain(`${'a'.repeat(200)}…\n`);
  });
});

describe('notes', () => {
  it('say of a folder which key names it, and why it cannot be read', () => {
    const notes = new Notes();
    notes.warn({ key: 'amd.chains', folder: './x', why: 'there is no such folder' }, 'taken for an empty one');
    let written = '';
    notes.release((text) => {
      written += text;
    });
    expect(written).toBe('warning: taken for an empty one (key amd.chains, folder ./x, why there is no such folder)\n');
  });

  it('say of which policy, and where in it, they speak', () => {
    const notes = new Notes();
    notes.warn({ policy: 'payments', pointer: '/rules/0/cel' }, 'is met by no evidence');
    let written = '';
    notes.release((text) => {
      written += text;
    });
    expect(written).toBe('warning: is met by no evidence (policy payments, pointer /rules/0/cel)\n');
  });

  it('hold warnings and errors back, in one line each, without what only a log may have', () => {
    const notes = new Notes();
    notes.warn({ name: 'a\u001b[2J.pem', bytes: 'secret' }, 'not taken');
    notes.error({ err: new Error('secret') }, 'failed');
    let written = '';
    const write = (text: string) => {
      written += text;
    };
    notes.release(write);
    notes.release(write);
    expect(written).toBe('warning: not taken (name a\\u001b[2J.pem)\nerror: failed\n');
  });
});
