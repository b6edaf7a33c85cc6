import { createHash } from 'node:crypto';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildEventLog, LOG_EVENT } from '../lab/event-log-builder.js';
import { isLacking } from '../requirements.js';
import { CHROMIUM } from './browser.js';
import { InspectorPage, startBrowser } from './inspector-page.js';
import { Lab } from './lab.js';
import { ServiceProcess } from './service-process.js';

describe.skipIf(isLacking('panels of the inspector in a browser', [CHROMIUM]))('the inspector', () => {
  let lab: Lab;
  let service: ServiceProcess;
  let browser: Browser;

  beforeAll(async () => {
    lab = await Lab.create();
    service = await ServiceProcess.start(await lab.command(), { cwd: lab.workFolder });
    browser = await startBrowser();
  });

  afterAll(async () => {
    await browser.close();
    service.signal('SIGTERM');
    await service.end();
    await lab.close();
  });

  const onPage = (act: (page: InspectorPage) => Promise<void>, url = `${service.url}/`) =>
    InspectorPage.visit(browser, url, act);

  /** The VM of the lab with an event log that is not of its boot. */
  function withLog(): string {
    const body = JSON.parse(azure());
    const event = { pcr: 0, type: LOG_EVENT.crtmVersion, data: Buffer.from('version 1') };
    return JSON.stringify({ ...body, evidence: { ...body.evidence, eventLog: base64Url(buildEventLog([event])) } });
  }

  /** The VM of the lab with the policy that its requests name. */
  const azure = () => lab.bodies('az-snp-vtpm')[0] ?? '';

  it('shows registers with the events that made them', async () => {
    await onPage(async (inspector) => {
      await inspector.give(withLog());
      const { page } = inspector;
      const [first] = await page.locator('.register > summary').allInnerTexts();
      expect(first).toBe('PCR 0: the event log does not explain it (1 event)');
      await page.click('.register > summary');
      const event = await page.locator('.register[open] .events tbody tr').textContent();
      expect(event).toMatch(/^0x45EV_S_CRTM_VERSION: version 1[0-9a-f]{64}$/);
    });
  });

  it('shows the text of the policy with the lines that decided', async () => {
    await onPage(async (inspector) => {
      await inspector.give(azure());
      const { page } = inspector;
      await page.click('.policy > summary');
      await page.waitForSelector('.policy-text .pass');
      const shown = await page.locator('.policy-text .pass').allInnerTexts();
      expect(shown.join('\n')).toMatch(/accepts.*\n?.*met: policy_evidence_type/);
    });
  });

  it('lints a policy as it is typed, and evaluates it against the evidence at hand', async () => {
    await onPage(async (inspector) => {
      await inspector.give(azure());
      const { page } = inspector;
      await page.click('.policy > summary');
      await page.click('.editor > summary');
      const text = await page.inputValue('.editor textarea');
      await page.fill('.editor textarea', text.replace(/\baccepts\b/, 'acceptz'));
      await page.waitForSelector('.lint .error code:text-is("policy_schema")');
      await page.fill('.editor textarea', OF_TDS);
      await page.waitForSelector('.lint .error', { state: 'detached' });
      await page.click('.editor button:text-is("Evaluate")');
      await page.waitForSelector('.evaluation');
      expect(await page.locator('.evaluation h3').textContent()).toBe('It would deny.');
      expect(await page.locator('.evaluation').textContent()).toContain('policy_evidence_type');
    });
  });

  it('says that it may not show the policy where the caller may not read policies', async () => {
    const key = 'key-of-the-verifier-0123456789abcdef';
    const verifier = {
      apiKeySha256: createHash('sha256').update(key).digest('hex'),
      expires: '2099-01-01',
      roles: ['verify'],
      policies: [JSON.parse(azure()).policy],
    };
    const command = await lab.command({ callers: { verifier } });
    const guarded = await ServiceProcess.start(command, { cwd: lab.workFolder });
    try {
      await onPage(async (inspector) => {
        const { page } = inspector;
        await page.click('.intake summary');
        await page.fill('#option-key', key);
        await inspector.give(azure());
        await page.click('.policy > summary');
        await page.waitForSelector('.policy .problem:has-text("Its text is not shown")');
        inspector.forget(/status of 403/);
      }, `${guarded.url}/`);
    } finally {
      guarded.signal('SIGTERM');
      await guarded.end();
    }
  });

  it('shows what was found under the names of Azure Attestation', async () => {
    await onPage(async (inspector) => {
      await inspector.give(azure());
      const { page } = inspector;
      await page.click('[role=tab]:text-is("What did Azure say, what did we find?")');
      const rows = await page.locator('.azure tbody tr').allInnerTexts();
      expect(rows.join('\n')).toMatch(/x-ms-isolation-tee\.x-ms-sevsnpvm-launchmeasurement/);
    });
  });

  it('links the claims of the answer with their bytes, both ways', async () => {
    await onPage(async (inspector) => {
      await inspector.give(azure());
      const { page } = inspector;
      await page.click('[role=tab]:text-is("Which boot chain?")');
      await page.click('.claims div:has(dt:text-is("snp.measurement")) button');
      expect(await page.locator('tr.selected button[aria-pressed=true]').textContent()).toBe('MEASUREMENT');
      expect(await page.evaluate('document.activeElement.textContent')).toBe('MEASUREMENT');
      const report = Buffer.from(JSON.parse(azure()).evidence.hclReport, 'base64url').subarray(32);
      const marked = await page.locator('.rows .selected').allInnerTexts();
      expect(marked.join(' ').replaceAll(/\s+/g, '')).toBe(report.subarray(0x90, 0xc0).toString('hex'));
      await page.click('tr:has(button:text-is("CHIP_ID")) button.place');
      expect(await page.locator('[role=tab][aria-selected=true]').textContent()).toBe('Which hardware?');
      expect(await page.evaluate('document.activeElement.textContent')).toBe('its bytes (snp.chipId)');
    });
  });

  it('compares two pieces of evidence', async () => {
    const [one = '', other = ''] = lab.bodies('snp');
    await onPage(async (inspector) => {
      await inspector.give(one);
      const { page } = inspector;
      await page.fill('#other-evidence', other);
      await page.click('.comparison button:text-is("Compare")');
      await page.waitForSelector('.pairs');
      const differing = await page.locator('.pairs tr.differs th').allInnerTexts();
      expect(differing).toContain('REPORT_DATA');
      expect(differing).not.toContain('VERSION');
      await page.check('.comparison input[type=checkbox]');
      expect(await page.locator('.pairs tbody th').allInnerTexts()).toContain('VERSION');
      await page.fill('#other-evidence', 'nothing');
      await page.click('.comparison button:text-is("Compare")');
      expect(await page.locator('.comparison .problem').textContent()).not.toBe('');
      expect(await page.locator('.pairs').count()).toBe(0);
    });
  });

  it.each(['light', 'dark'] as const)(
    'has no violation that axe-core knows with everything open: %s',
    async (colorScheme) => {
      const [one = ''] = lab.bodies('snp');
      await onPage(async (inspector) => {
        const { page } = inspector;
        await page.emulateMedia({ colorScheme });
        await inspector.give(withLog());
        await page.click('.policy > summary');
        await page.click('.editor > summary');
        await page.click('.editor button:text-is("Evaluate")');
        await page.waitForSelector('.evaluation');
        await page.click('.register > summary');
        await page.fill('#other-evidence', one);
        await page.click('.comparison button:text-is("Compare")');
        await page.click('[role=tab]:text-is("What did Azure say, what did we find?")');
        expect(await inspector.violations()).toEqual([]);
      });
    },
  );

  it('fits into 360 pixels with everything open', async () => {
    await InspectorPage.visit(
      browser,
      `${service.url}/`,
      async (inspector) => {
        const { page } = inspector;
        await inspector.give(withLog());
        await page.click('.policy > summary');
        await page.click('.editor > summary');
        await page.click('.register > summary');
        await page.fill('#other-evidence', azure());
        await page.click('.comparison button:text-is("Compare")');
        await page.check('.comparison input[type=checkbox]');
        await page.click('[role=tab]:text-is("What did Azure say, what did we find?")');
        const overflow = await inspector.read(
          'document.documentElement.scrollWidth - document.documentElement.clientWidth',
        );
        expect(overflow).toBe(0);
      },
      360,
    );
  });
});

/** Refuses the VM of the lab. */
const OF_TDS = `apiVersion: veritee/v1
id: of-tds
version: 1
accepts: [tdx]
minimums: { tdx: { acceptedStatuses: [UpToDate] } }
`;

const base64Url = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');
