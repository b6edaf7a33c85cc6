import { expect, it } from 'vitest';
import { verifyCommand } from '../../../src/cli/verify-command.js';
import { snpEvidence } from '../wire/sample-bodies.js';
import { DECISION } from '../wire/sample-decision.js';

const NONCE = Buffer.alloc(32, 7).toString('base64url');
const evidence = snpEvidence();

/** What people are told that the body chose. */
async function chosenBy(body: object, options: { policies?: readonly string[]; nonce?: string }) {
  let written = '';
  const output = { asTable: true, inColour: false, write: (text: string) => (written += text) };
  const input = { name: 'body.json', bytes: Buffer.from(JSON.stringify({ evidence, ...body })) };
  const overrides = { policies: null, nonce: null, at: null, ...options };
  const exitCode = await verifyCommand(
    input,
    overrides,
    { verifyEvidence: { execute: async () => DECISION }, raw: { recognise: () => [] } },
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
