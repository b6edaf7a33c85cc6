import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { RunningService } from '../../../src/app/service.js';
import type { LabFault } from '../../lab/index.js';
import { LabService, post, verdictOf } from './lab-service.js';

const SECRET = 'hunter2';

let lab: LabService;
let service: RunningService;

beforeAll(async () => {
  lab = await LabService.create();
  await writeFile(join(lab.chainFolder, 'broken.pem'), `-----BEGIN CERTIFICATE-----\n${SECRET}\n`);
  service = await lab.start();
});

afterEach(() => lab.kds.heal());
afterAll(() => lab.close());

/** Everything that an answer says. */
async function answerOf(body: string): Promise<{ readonly verdict: readonly unknown[]; readonly text: string }> {
  const answer = await post(service.url, '/verify?checks=all', body);
  return { verdict: verdictOf(answer), text: JSON.stringify(answer.body) };
}

/** Data for the operator alone: places on the machine and in the network, and stacks. */
const INTERNAL = /node_modules|\bat \S+ \(|\.(?:ts|js|mjs):\d|\/tmp\/|https?:\/\/|ECONN|ENOENT|127\.0\.0\.1/;

describe('LOG-03 what a source answered', () => {
  it.each<[string, LabFault]>([
    ['a fault of its own, with a text', { status: 500, body: { error: SECRET, stack: `at ${SECRET} (x.js:1:1)` } }],
    ['a refusal, with a text', { status: 403, body: { error: SECRET } }],
    ['something else', 'garbage'],
    ['a page', 'content_type'],
    ['a redirect', 'redirect'],
  ])('LOG-03 is in no answer: %s', async (_, fault) => {
    lab.kds.fail(/.*/, fault);
    const { verdict, text } = await answerOf(lab.verifyBody());
    expect(verdict).toEqual(['indeterminate', 'vcek_unavailable']);
    expect(text).not.toContain(SECRET);
    expect(text).not.toContain('ZZZZ');
    expect(text).not.toMatch(INTERNAL);
  });
});

describe('LOG-03 what a body holds', () => {
  it('LOG-03 is in no answer about it, wherever it ends', async () => {
    const body = JSON.stringify({ nonce: SECRET, evidence: { type: 'snp', report: SECRET } });
    for (let end = 1; end < body.length; end += 3) {
      const { verdict, text } = await answerOf(body.slice(0, end));
      expect(verdict).toEqual([400, 'schema']);
      expect(text.replace(/"requestId":"[^"]*"/, '')).not.toMatch(/hunter|offset|position|\b[1-9]\d\b/);
    }
  });

  it.each<[string, object]>([
    ['bytes', { evidence: { type: 'snp', report: `${SECRET}*` } }],
    ['a nonce', { evidence: { type: 'snp', report: 'AAAA' }, nonce: `${SECRET}*` }],
    ['an audience', { evidence: { type: 'snp', report: 'AAAA' }, audience: SECRET.repeat(99) }],
    [
      'a key',
      { evidence: { type: 'snp', report: 'AAAA' }, nonce: 'AAAAAAAAAAA', binding: { jwk: { kty: 'EC', d: SECRET } } },
    ],
    ['a certificate', { evidence: { type: 'snp', report: 'AAAA', endorsements: { vek: `-----BEGIN ${SECRET}` } } }],
    ['a token', { evidence: { type: 'maa-token', token: `${SECRET}.${SECRET}.${SECRET}` } }],
    ['an instant', { evidence: { type: 'snp', report: 'AAAA' }, at: SECRET }],
    ['a policy', { evidence: { type: 'snp', report: 'AAAA' }, policy: SECRET.toUpperCase() }],
    ['a type that is long, or no text', { evidence: { type: `${SECRET}`.repeat(20) } }],
    ['a type with control characters', { evidence: { type: `${SECRET}\n` } }],
  ])('LOG-03 is in no answer about %s', async (_, body) => {
    const { verdict, text } = await answerOf(JSON.stringify(body));
    expect(verdict[0]).toBe(400);
    expect(text.toLowerCase()).not.toContain(SECRET);
    expect(text).not.toMatch(INTERNAL);
    // A regular expression is not an explanation.
    expect(text).not.toMatch(/\^\[|\(\?:|\{0,\d/);
  });
});

describe('LOG-03 what nothing has verified', () => {
  it('LOG-03 is in no answer: values of a report whose signature does not hold', async () => {
    const forged = (report: Uint8Array) => {
      const changed = Uint8Array.from(report);
      // Measurement and host data (AMD 56860, ATTESTATION_REPORT).
      changed.fill(0x77, 0x90, 0xe0);
      return changed;
    };
    // A service of its own: the breaker of the other one is open.
    service = await lab.start({}, {}, 'unbroken');
    const { verdict, text } = await answerOf(lab.verifyBody({ report: { afterSigning: forged } }));
    expect(verdict).toEqual(['deny', 'snp_signature']);
    expect(text).not.toContain('7777');
    expect(text).not.toContain(Buffer.from('wwwwww').toString('base64url'));
    expect((await answerOf(lab.verifyBody())).verdict).toEqual(['allow']);
  });
});
