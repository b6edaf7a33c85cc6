import { describe, expect, it } from 'vitest';
import { policyLearnCommand } from '../../../src/cli/policy-learn-command.js';
import { requestLimits } from '../../../src/wire/read-body.js';
import { rawInspections } from '../../../src/workbench/inspections.js';
import type {
  LearnPolicyUseCase,
  LearnRequest,
  NothingLearned,
  SomethingLearned,
} from '../../../src/workbench/learn-policy.js';
import { policy } from '../policy/fixture.js';
import { bodyOf } from '../wire/sample-bodies.js';

const BODY = { evidence: { type: 'maa-token', token: 'a.b.c' }, nonce: 'AAECAwQFBgcICQ' };
const LEARNED: SomethingLearned = {
  outcome: 'allow',
  id: 'learned',
  text: 'the policy',
  isNew: true,
  test: 'the test',
  changes: ['set 1 is new'],
  notes: ['something\u001b[2J'],
};

/** Runs the command over a use case that answers so. */
async function run(
  answer: SomethingLearned | NothingLearned,
  accept: readonly string[] = [],
  body: object = BODY,
  at?: string,
) {
  const told: string[] = [];
  const delivered: unknown[] = [];
  const asked: LearnRequest[] = [];
  const learnPolicy: LearnPolicyUseCase = {
    execute: async (request) => {
      asked.push(request);
      return answer;
    },
  };
  const from = { name: 'from.yaml', policy: policy() };
  const parts = {
    learnPolicy,
    raw: rawInspections(4096),
    limits: requestLimits(4096),
    asked: { from, output: null, id: null, chips: false, file: '', testBefore: null },
  };
  const exitCode = await policyLearnCommand(
    [{ name: 'a.json', bytes: bodyOf(body) }],
    at === undefined ? { accept } : { accept, at },
    parts,
    {
      deliver: async (learned) => {
        delivered.push(learned);
        return ['the file is a copy'];
      },
      tell: (line) => void told.push(line),
    },
  );
  return { exitCode, told, delivered, asked };
}

describe('veritee policy learn', () => {
  it('delivers what is learned, and tells what is new and what to know of the file', async () => {
    const { exitCode, told, delivered } = await run(LEARNED);
    expect([exitCode, delivered]).toEqual([0, [LEARNED]]);
    expect(told).toEqual(['policy learned', 'set 1 is new', 'note: the file is a copy', 'note: something\\u001b[2J']);
  });

  it.each([
    ['deny', 2],
    ['indeterminate', 3],
  ] as const)('delivers nothing where evidence is refused: %s ends with %d', async (outcome, code) => {
    const { exitCode, told, delivered } = await run({ outcome, refusals: ['a.json: x: y'] });
    expect([exitCode, told, delivered]).toEqual([code, ['a.json: x: y', 'nothing is learned'], []]);
  });

  it('takes time and codes from options, and policy and time never from a body', async () => {
    const { asked } = await run(LEARNED, ['nonce_stale'], { ...BODY, policy: 'chosen' }, '2026-01-01T00:00:00Z');
    expect(asked[0]).toMatchObject({
      accepted: new Set(['nonce_stale']),
      evidence: [{ name: 'a.json', request: { policies: null, at: new Date('2026-01-01T00:00:00Z') } }],
    });
    await expect(run(LEARNED, [], { ...BODY, at: '2026-01-01T00:00:00Z' })).rejects.toThrow(
      /^a\.json: at_not_enabled: .*--at/,
    );
  });

  it.each<[string, string, RegExp]>([
    [
      'one that resembles a code',
      'nonce_stal',
      /^--accept: "nonce_stal" cannot be accepted; did you mean nonce_stale\?$/,
    ],
    ['one that no policy can allow', 'snp_signature', /^--accept: "snp_signature" cannot be accepted; /],
    ['a warning that is learned anyway', 'boot', /^--accept: "boot" cannot be accepted; there are /],
    [
      'one that resembles none, with all that there are, the likely ones first',
      'foo',
      /^--accept: "foo" cannot be accepted; there are boot_unpinned, tpm_pcr_not_quoted, snp_debug, tdx_debug, nonce_mismatch, nonce_used, nonce_expired, nonce_scope, nonce_missing, nonce_stale, nonce_store, hcl_paravisor_unknown, snp_tcb_low, snp_platform_smt_enabled, .*, crl_unconfirmed$/,
    ],
    ['a part of some codes', 'crl', /; there are crl_unavailable, crl_unconfirmed, boot_unpinned, (?!.* more$)/],
  ])('refuses a code to accept: %s', async (_title, code, message) => {
    await expect(run(LEARNED, [code])).rejects.toThrow(message);
  });
});
