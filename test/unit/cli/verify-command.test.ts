import { expect, it } from 'vitest';
import { type VerifyDetail, verifyCommand } from '../../../src/cli/verify-command.js';
import type { Decision } from '../../../src/core/decision.js';
import type { ExplainedPart } from '../../../src/core/explanation.js';
import { nameOfKind } from '../../../src/inspect/raw-structures.js';
import { snpEvidence } from '../wire/sample-bodies.js';
import { DECISION } from '../wire/sample-decision.js';

const NONCE = Buffer.alloc(32, 7).toString('base64url');
const evidence = snpEvidence();

/** The result of a rule that the command line has to show. */
const RULE: ExplainedPart = {
  text: 'snp.guestSvn >= 5 && snp.vmpl == 0',
  state: 'value',
  value: false,
  note: null,
  parts: [
    { text: 'snp.guestSvn >= 5', state: 'value', value: false, note: null, parts: [] },
    { text: 'snp.vmpl == 0', state: 'value', value: true, note: null, parts: [leaf('snp.vmpl', 0)] },
  ],
};

function leaf(text: string, value: number): ExplainedPart {
  return { text, state: 'value', value, note: null, parts: [] };
}

/** Denied by a rule. */
const BY_RULE: Decision = {
  ...DECISION,
  reasons: ['rule_not_met'],
  checks: [
    {
      id: 'rule_not_met',
      result: 'fail',
      about: '/evidence',
      expected: 'patched',
      actual: false,
      detail: 'the rule patched is not met',
      policy: 'payments',
      explain: () => RULE,
    },
  ],
};

async function writtenFor(detail: VerifyDetail, asTable: boolean): Promise<string> {
  let written = '';
  const output = { asTable, inColour: false, write: (text: string) => (written += text) };
  const input = { name: 'body.json', bytes: Buffer.from(JSON.stringify({ evidence })) };
  const parts = { verifyEvidence: { execute: async () => BY_RULE }, raw: { recognise: () => [], nameOf: nameOfKind } };
  expect(await verifyCommand(input, { policies: null, nonce: null, at: null }, parts, output, detail)).toBe(2);
  return written;
}

/** The lines about values that the body chose. */
async function chosenBy(body: object, options: { policies?: readonly string[]; nonce?: string }) {
  let written = '';
  const output = { asTable: true, inColour: false, write: (text: string) => (written += text) };
  const input = { name: 'body.json', bytes: Buffer.from(JSON.stringify({ evidence, ...body })) };
  const overrides = { policies: null, nonce: null, at: null, ...options };
  const exitCode = await verifyCommand(
    input,
    overrides,
    { verifyEvidence: { execute: async () => DECISION }, raw: { recognise: () => [], nameOf: nameOfKind } },
    output,
  );
  expect(exitCode).toBe(2);
  return /^from body (.*)$/m.exec(written)?.[1] ?? null;
}

it.each<[object, Parameters<typeof chosenBy>[1], string | null]>([
  [{}, {}, null],
  [{ policy: 'lax' }, {}, 'policy (--policy chooses another)'],
  [{ nonce: NONCE }, {}, 'nonce (--nonce chooses another)'],
  [
    { policy: ['lax', 'strict'], nonce: NONCE },
    {},
    'policy (--policy chooses another) and nonce (--nonce chooses another)',
  ],
  [{ policy: 'lax', nonce: NONCE }, { policies: ['strict'] }, 'nonce (--nonce chooses another)'],
  [{ policy: 'lax', nonce: NONCE }, { policies: ['strict'], nonce: NONCE }, null],
])('the table says what a body chose that no option did: %j under %j', async (body, options, said) => {
  expect(await chosenBy(body, options)).toBe(said);
});

it('the table shows the parts of a rule that speak against it, below both values', async () => {
  const table = await writtenFor('checks', true);
  expect(table).toContain(
    '            snp.guestSvn >= 5 && snp.vmpl == 0 is false\n              snp.guestSvn >= 5 is false\n',
  );
  expect(table).toContain('            expected  patched\n            actual    false\n');
  expect(table).not.toContain('snp.vmpl == 0 is true');
});

it('an explanation has every part of the rule, and what the decision rests on', async () => {
  const text = await writtenFor('explanation', true);
  expect(text).toMatch(/^DENY .*\npolicy .*\nuntil .*\nreasons {3}rule_not_met\n\nfail {2}policy payments version 3/);
  expect(text).toContain('          snp.vmpl == 0 is true\n            snp.vmpl is 0\n');
  expect(text).toContain('\nEndorsements\n');
});

it.each([
  ['checks', false],
  ['explanation', true],
  ['everything', true],
] as const)('as JSON, with %s, explanation is there: %o', async (detail, isThere) => {
  const answer = JSON.parse(await writtenFor(detail, false));
  expect(answer.decision).toBe('deny');
  expect('explanation' in answer).toBe(isThere);
});
