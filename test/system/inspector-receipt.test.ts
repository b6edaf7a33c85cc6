import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Route } from 'playwright-core';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import type { components } from '../../src/wire/generated/openapi-types.js';
import { isLacking } from '../requirements.js';
import { CHROMIUM } from './browser.js';
import type { InspectorPage } from './inspector-page.js';
import { inspectorSuite } from './inspector-suite.js';

type Schemas = components['schemas'];

const AUDIENCE = 'https://gate.example';

/** Class of the panel in each state, and its heading. */
const LOOKS = {
  verified: ['panel receipt verified', 'This page verified the receipt.'],
  incomplete: ['panel receipt open', 'The receipt is signed and says allow, and not all of it could be compared.'],
  refusal: ['panel receipt open', 'The receipt is signed, but it is no allow: relying parties reject it.'],
  failed: ['panel receipt failed', 'The receipt does not hold.'],
  open: ['panel receipt open', 'This page has not verified the receipt.'],
} as const;

describe.skipIf(isLacking('receipts on the inspector in a browser', [CHROMIUM]))('receipts on the inspector', () => {
  const suite = inspectorSuite();
  /** An allow, and evidence of another machine state that is a deny: both with an audience. */
  let allowed: string;
  let denied: string;

  beforeAll(async () => {
    [allowed, denied] = [bodyOf('allow'), bodyOf('deny')];
  });

  function bodyOf(decision: string): string {
    const question = suite.lab.questions.find((each) => each.decision === decision);
    return JSON.stringify({ ...JSON.parse(question?.body ?? ''), audience: AUDIENCE });
  }

  async function answerTo(body: string): Promise<Schemas['Decision'] & { readonly receipt: string }> {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${suite.service.url}/verify`, { method: 'POST', headers, body });
    return (await answer.json()) as Schemas['Decision'] & { readonly receipt: string };
  }

  const keySet = async () => (await (await fetch(`${suite.service.url}/.well-known/jwks.json`)).json()) as KeySet;

  /** The state of the panel, once it is the expected one, and how it looks then. */
  async function expectState(page: InspectorPage, state: keyof typeof LOOKS): Promise<void> {
    const panel = page.page.locator(`.receipt[data-state="${state}"]`);
    await panel.waitFor();
    expect([await panel.getAttribute('class'), await panel.locator('h2').textContent()]).toEqual(LOOKS[state]);
  }

  /** Fills in what the body says: then the caller says so. */
  async function fillIn(page: InspectorPage, body: string): Promise<void> {
    const { policy, nonce, audience } = JSON.parse(body);
    await page.fillIn({ policy, nonce, audience });
  }

  const problem = ({ page }: InspectorPage) => page.textContent('.receipt .problem');
  const results = async ({ page }: InspectorPage) =>
    new Map(
      await Promise.all(
        (await page.locator('.claims-of-receipt tbody tr').all()).map(async (row) => {
          const [what = '', result = ''] = await row.locator('th, td').allInnerTexts();
          return [what, result] as const;
        }),
      ),
    );

  it('are verified in the browser, and say by which key', async () => {
    const { keys } = await keySet();
    await suite.visit(async (page) => {
      await fillIn(page, allowed);
      await page.give(allowed);
      await expectState(page, 'verified');
      expect([...(await results(page))]).toEqual([
        ['issuer', 'pass'],
        ['audience', 'pass'],
        ['decision', 'as the answer says'],
        ['decision id', 'as the answer says'],
        ['reasons', 'as the answer says'],
        ['policy digest', 'as the answer says'],
        ['evidence digest', 'as the answer says'],
        ['nonce', 'pass'],
        ['policy', 'pass'],
        ['expiry', 'as the answer says'],
        ['bound key', 'as the answer says'],
      ]);
      expect(await page.page.textContent('.receipt')).toContain(keys[0]?.kid);
      expect(await page.violations()).toEqual([]);
      await page.page.setViewportSize({ width: 360, height: 900 });
      const overflow = await page.read('document.documentElement.scrollWidth - document.documentElement.clientWidth');
      expect(overflow).toBe(0);
    });
  });

  it('are amber where audience, nonce or policy are the word of the body alone', async () => {
    const { policy, nonce, audience } = JSON.parse(allowed);
    const all = { policy, nonce, audience };
    await suite.visit(async (page) => {
      await page.give(allowed);
      await expectState(page, 'incomplete');
      const shown = await results(page);
      expect(['audience', 'nonce', 'policy', 'issuer'].map((what) => shown.get(what))).toEqual([
        'as the body says',
        'as the body says',
        'as the body says',
        'pass',
      ]);
      for (const name of ['policy', 'nonce', 'audience'] as const) {
        await page.fillIn({ ...all, [name]: '' });
        await page.give(allowed);
        await expectState(page, 'incomplete');
        const others = [...(await results(page))].filter(([, result]) => result === 'as the body says');
        expect(others.map(([what]) => what)).toEqual([name]);
      }
      // With what stands beside the receipt, too.
      await page.page.fill('#expected-audience', audience);
      await expectState(page, 'verified');
    });
  });

  it('are no green panel where the decision is no allow', async () => {
    await suite.visit(async (page) => {
      await fillIn(page, denied);
      await page.give(denied);
      await expectState(page, 'refusal');
    });
  });

  it('are not there without an audience', async () => {
    const { audience: _, ...body } = JSON.parse(allowed);
    await suite.visit(async (page) => {
      await page.give(JSON.stringify(body));
      expect(await page.page.locator('.verdict.allow').count()).toBe(1);
      expect(await page.page.locator('.receipt').count()).toBe(0);
    });
  });

  it.each([
    ['payload', 1],
    ['signature', 2],
  ])('are red with one altered byte in the %s', async (_part, index) => {
    await suite.visit(async (page) => {
      await page.page.route('**/verify*', async (route) => {
        const answer = await answered(route);
        await route.fulfill({ json: { ...answer, receipt: altered(answer.receipt, index) } });
      });
      await page.give(allowed);
      expect((await page.decision()).sentence).toMatch(/^Allow:/);
      await expectState(page, 'failed');
      expect(await problem(page)).toMatch(/^receipt_signature /);
    });
  });

  it('are red where the key set has another key', async () => {
    const { keys } = await keySet();
    const { d: _, ...other } = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
    await suite.visit(async (page) => {
      await page.page.route('**/.well-known/jwks.json', (route) =>
        route.fulfill({ json: { keys: [{ ...keys[0], ...other }] } }),
      );
      await page.give(allowed);
      await expectState(page, 'failed');
      expect(await problem(page)).toMatch(/^receipt_signature /);
    });
  });

  it('are red where they are of another request, or of another decision about the same one', async () => {
    const other = suite.lab.questions.filter(({ decision }) => decision === 'allow').at(-1);
    const ofAnother = await answerTo(JSON.stringify({ ...JSON.parse(other?.body ?? ''), audience: AUDIENCE }));
    const ofTheSame = await answerTo(allowed);
    for (const [receipt, said] of [
      [ofAnother.receipt, /^receipt_/],
      [ofTheSame.receipt, /^ *The receipt is about something else: decision id/],
    ] as const) {
      await suite.visit(async (page) => {
        await page.page.route('**/verify*', async (route) => {
          await route.fulfill({ json: { ...(await answered(route)), receipt } });
        });
        await page.give(allowed);
        await expectState(page, 'failed');
        expect(await problem(page)).toMatch(said);
      });
    }
  });

  it('are red where the answer was made to say allow', async () => {
    await suite.visit(async (page) => {
      await page.page.route('**/verify*', async (route) => {
        await route.fulfill({ json: { ...(await answered(route)), decision: 'allow', reasons: [] } });
      });
      await page.give(denied);
      expect((await page.decision()).sentence).toMatch(/^Allow:/);
      await expectState(page, 'failed');
      expect(await problem(page)).toMatch(/^receipt_audience The receipt is no allow: it says "deny"/);
    });
  });

  it('are red once they have ended', async () => {
    await suite.visit(async (page) => {
      await page.page.clock.setFixedTime(Date.now() + 600_000);
      await page.give(allowed);
      await expectState(page, 'failed');
      expect(await problem(page)).toMatch(/^receipt_time The receipt ended at /);
    });
  });

  it('are amber where the browser has no WebCrypto', async () => {
    await suite.visit(async (page) => {
      await page.page.addInitScript("Object.defineProperty(Crypto.prototype, 'subtle', { value: undefined })");
      await page.page.reload();
      await page.give(allowed);
      await expectState(page, 'open');
      expect(await page.page.textContent('.receipt')).toContain('no WebCrypto');
      expect(await page.page.locator('.panel.open').count()).toBe(2);
    });
  });

  it('are compared by themselves with the audience that is filled in, and never green: the policy is their own word', async () => {
    const { receipt } = await answerTo(allowed);
    await suite.visit(async (page) => {
      await page.paste(receipt);
      await expectState(page, 'incomplete');
      await page.page.fill('#expected-audience', 'https://other.example');
      await expectState(page, 'failed');
      expect(await problem(page)).toMatch(/^receipt_audience /);
      await page.page.fill('#expected-audience', AUDIENCE);
      await expectState(page, 'incomplete');
      expect((await results(page)).get('audience')).toBe('pass');
      expect((await results(page)).get('policy digest')).toBe('not compared');
      const fields = [...(await page.fields()).values()].flat();
      expect(fields.find(({ name }) => name === 'decision')?.value).toBe('allow');
    });
  });

  it('are verified with keys that are fetched once, however much is typed', async () => {
    const { receipt } = await answerTo(allowed);
    await suite.visit(async (page) => {
      const asked: string[] = [];
      page.page.on('request', (request) => asked.push(new URL(request.url()).pathname));
      await page.paste(receipt);
      await expectState(page, 'incomplete');
      await page.page.locator('#expected-audience').pressSequentially(AUDIENCE.slice(0, -1));
      await expectState(page, 'failed');
      await page.page.locator('#expected-audience').pressSequentially(AUDIENCE.slice(-1));
      await expectState(page, 'incomplete');
      expect(asked.filter((path) => path === '/.well-known/jwks.json')).toHaveLength(1);
    });
  });

  it('are verified in the single file, with a key set that is given to it', async () => {
    const file = join(inject('installation'), 'dist/inspector/veritee-inspector.html');
    const { receipt } = await answerTo(allowed);
    const keys = await keySet();
    const act = async (page: InspectorPage) => {
      await page.paste(receipt);
      await expectState(page, 'open');
      await page.give(JSON.stringify(keys));
      await expectState(page, 'incomplete');
      await page.page.fill('#expected-issuer', 'https://other.example');
      await expectState(page, 'failed');
      await page.page.fill('#expected-issuer', suite.service.url);
      await page.page.fill('#expected-audience', AUDIENCE);
      await expectState(page, 'incomplete');
      await page.paste(altered(receipt, 2));
      await expectState(page, 'failed');
      expect(await problem(page)).toMatch(/^receipt_signature /);
    };
    await suite.visit(act, { at: pathToFileURL(file).href });
  });
});

interface KeySet {
  readonly keys: readonly { readonly kid: string }[];
}

/** The answer of the service to the request of a page. */
async function answered(route: Route): Promise<Schemas['Decision'] & { readonly receipt: string }> {
  return (await route.fetch()).json();
}

/** With a byte altered that leaves the payload JSON. */
function altered(receipt: string, index: number): string {
  const parts = receipt.split('.');
  const bytes = Buffer.from(parts[index] ?? '', 'base64url');
  const at = index === 1 ? bytes.indexOf('gate') : 5;
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  return parts.with(index, bytes.toString('base64url')).join('.');
}
