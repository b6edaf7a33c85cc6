import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { components } from '../../src/wire/generated/openapi-types.js';
import { isLacking } from '../requirements.js';
import { CHROMIUM } from './browser.js';
import type { InspectorPage } from './inspector-page.js';
import { inspectorSuite } from './inspector-suite.js';

type Schemas = components['schemas'];

const KEY = 'key-of-the-auditor-0123456789abcdef';
const auditor = (policy: string) => ({
  apiKeySha256: createHash('sha256').update(KEY).digest('hex'),
  expires: '2099-01-01',
  roles: ['verify', 'audit:read'],
  policies: [policy],
});
/** Colours of the edges of the decision and of its record. */
const EDGES = `['.verdict', '.record'].map((name) => getComputedStyle(document.querySelector(name)).borderLeftColor)`;
const UNKNOWN = '019bc1f0-5a3c-7b52-9d9f-3a0e8d0f5c11';

describe.skipIf(isLacking('what the inspector asks for', [CHROMIUM]))('what the inspector asks the service for', () => {
  // Without callers, this grants audit:read.
  const suite = inspectorSuite({ historical: true });

  async function judge(url: string, body: string, key?: string): Promise<Schemas['Decision']> {
    const headers = { 'content-type': 'application/json', ...(key === undefined ? {} : { 'x-api-key': key }) };
    return (await (await fetch(`${url}/verify`, { method: 'POST', headers, body })).json()) as Schemas['Decision'];
  }

  const questionOf = (decision: string) => suite.lab.questions.find((each) => each.decision === decision)?.body ?? '';

  it.each(['allow', 'deny'])('shows a recorded decision by its id, as it was answered: %s', async (expected) => {
    const { decisionId, reasons, checks } = await judge(suite.service.url, questionOf(expected));
    await suite.visit(async (page) => {
      await page.paste(decisionId.toUpperCase());
      const { sentence, reasons: shown } = await page.decision();
      expect(sentence.toLowerCase().startsWith(`${expected}:`)).toBe(true);
      expect(shown).toEqual(reasons.map((code) => `${code} ${checks.find(({ id }) => id === code)?.detail}`));
      expect(await page.page.textContent('.record')).toContain('There are no bytes to show');
      expect(await page.page.locator('.bytes').count()).toBe(0);
      expect(await page.page.locator('.links li').count()).toBeGreaterThan(3);
      expect(await page.violations()).toEqual([]);
    });
  });

  it('shows a withdrawn allow as none', async () => {
    const { decisionId } = await judge(suite.service.url, questionOf('allow'));
    await suite.visit(async (inspector) => {
      const { page } = inspector;
      await page.route('**/decisions/*', async (route) => {
        const { record, ...recorded } = await (await route.fetch()).json();
        await route.fulfill({ json: { ...recorded, record: { ...record, withdrawn: true } } });
      });
      await inspector.paste(decisionId);
      expect(await page.getAttribute('section.verdict', 'class')).toBe('verdict withdrawn');
      expect(await page.textContent('.verdict h2')).toMatch(/^Withdrawn, recorded too late: Allow:/);
      expect(await page.textContent('.record .problem')).toMatch(/^Withdrawn: .* and was no allow\.$/);
      // The amber of what was not verified: that of the record around it.
      const [verdict, record] = await inspector.read<readonly string[]>(EDGES);
      expect(verdict).toBe(record);
      const policy = page.locator('.links li', { hasText: 'Policy' });
      expect(await policy.getAttribute('class')).toBe('not_reached');
      await page.unroute('**/decisions/*');
      await inspector.paste(decisionId);
      expect(await page.getAttribute('section.verdict', 'class')).toBe('verdict allow');
      expect(await page.locator('.record .problem').count()).toBe(0);
      expect((await inspector.read<readonly string[]>(EDGES))[0]).not.toBe(record);
      expect(await policy.getAttribute('class')).toBe('verified');
    });
  });

  it('follows a link that has the id and nothing else', async () => {
    const { decisionId } = await judge(suite.service.url, questionOf('deny'));
    const link = `/#decision=${decisionId}`;
    await suite.visit(
      async ({ page }) => {
        await page.locator('.record').waitFor();
        expect(await page.textContent('.verdict h2')).toMatch(/^Deny:/);
        expect(await page.getAttribute('.verdict .facts a', 'href')).toBe(link.slice(1));
      },
      { at: link },
    );
    await suite.visit(async (inspector) => {
      const { page } = inspector;
      await inspector.give(questionOf('allow'));
      const [opened] = await Promise.all([page.context().waitForEvent('page'), page.click('.verdict .facts a')]);
      await opened.locator('.record').waitFor();
      // The input stays where it is.
      expect(await page.inputValue('#evidence')).toBe(questionOf('allow'));
      expect(new URL(opened.url()).hash).toMatch(/^#decision=[0-9a-f-]{36}$/);
      // Another link in the same page.
      await page.goto(suite.service.url + link);
      await page.locator('.verdict.deny').waitFor();
      // The next input is in no link.
      await inspector.give(questionOf('allow'));
      expect(page.url()).toBe(`${suite.service.url}/`);
      expect(await page.locator('.record').count()).toBe(0);
    });
  });

  it('shows the code of the service for an id that it does not have', async () => {
    await suite.visit(async (page) => {
      await page.paste(UNKNOWN);
      expect(await page.page.textContent('.verdict.fault code')).toBe('not_found');
      page.forget(/status of 404/);
    });
  });

  it('asks for a key where the caller may not read the log, and follows the link with it', async () => {
    const body = questionOf('allow');
    const callers = { auditor: auditor(JSON.parse(body).policy) };
    await suite.beside(await suite.lab.command({ callers }), async (url) => {
      const { decisionId } = await judge(url, body, KEY);
      const act = async (page: InspectorPage) => {
        await page.page.locator('.verdict.fault').waitFor();
        expect(await page.page.textContent('.verdict.fault')).toContain('Give the key of a caller');
        await page.page.click('summary');
        await page.page.fill('#option-key', KEY);
        await page.page.click('button[type=submit]');
        await page.page.locator('.record').waitFor();
        page.forget(/status of 401/);
      };
      await suite.visit(act, { at: `${url}/#decision=${decisionId}` });
    });
  });

  it('completes the chain of a report with the certificates that its decision names', async () => {
    const [body = ''] = suite.lab.bodies('snp');
    await suite.visit(async (page) => {
      await page.give(body);
      // The root of the lab is pinned by its service, and not by the page.
      expect(await page.page.locator('.hardware .steps li').allInnerTexts()).toEqual([
        'SEV-VCEK signed the report at /evidence/report: yes',
        'SEV-Milan signed SEV-VCEK: yes',
        'ARK-Milan signed SEV-Milan: yes',
        'ARK-Milan signed itself: yes',
        'its key is a pinned root of AMD: no',
      ]);
      expect([...(await page.fields()).keys()]).toEqual(
        expect.arrayContaining([
          'ASK given by the service: a certificate in DER',
          'ARK given by the service: a certificate in DER',
        ]),
      );
    });
  });

  it('is red where the service gives other bytes than its decision names', async () => {
    const [body = ''] = suite.lab.bodies('snp');
    await suite.visit(async (page) => {
      await page.page.route('**/endorsements/*', async (route) => {
        const { value, ...rest } = await (await route.fetch()).json();
        await route.fulfill({ json: { ...rest, value: `AAAA${value.slice(4)}` } });
      });
      await page.give(body);
      expect(await page.page.locator('.hardware.failed .steps li').allInnerTexts()).toEqual([
        'the service gave the ASK that its decision names: no',
      ]);
      expect([...(await page.fields()).keys()].filter((name) => name.includes('fetched'))).toEqual([]);
    });
  });
});
