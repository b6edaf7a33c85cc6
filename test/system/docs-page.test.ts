import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isLacking } from '../requirements.js';
import { CHROMIUM } from './browser.js';
import { InspectorPage } from './inspector-page.js';
import { inspectorSuite } from './inspector-suite.js';

const VIEWS = [360, 1280].flatMap((width) => (['light', 'dark'] as const).map((scheme) => ({ width, scheme })));

const OVERFLOW = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';

/** Areas that scroll sideways, and cannot be scrolled by keyboard. */
const UNREACHABLE = `Array.from(document.querySelectorAll('*')).filter((element) =>
  ['auto', 'scroll'].includes(getComputedStyle(element).overflowX) &&
  element.scrollWidth > element.clientWidth && element.tabIndex < 0).length`;

/** The focused element. */
const FOCUSED = 'document.activeElement.className || document.activeElement.id';

describe.skipIf(isLacking('/docs in a browser', [CHROMIUM]))('/docs', () => {
  const suite = inspectorSuite();

  // Without a script, a page that is opened once looks the same in each size and scheme as one that is opened anew.
  describe('in each size and scheme', () => {
    let page: InspectorPage;

    beforeAll(async () => {
      page = await InspectorPage.open(suite.browser, `${suite.service.url}/docs`);
    });

    afterAll(() => page.close());

    it.each(VIEWS)(
      'fits into $width pixels and has no violation that axe-core knows, $scheme',
      async ({ width, scheme }) => {
        await page.page.setViewportSize({ width, height: 900 });
        await page.page.emulateMedia({ colorScheme: scheme });
        expect(await page.read(OVERFLOW)).toBe(0);
        expect(await page.read(UNREACHABLE)).toBe(0);
        // Schemes differ in colors alone.
        expect(await page.violations(scheme === 'light' ? undefined : 'cat.color')).toEqual([]);
        expect(page.faults).toEqual([]);
      },
    );
  });

  it('lets a user of the keyboard skip its contents', async () => {
    await suite.visit(
      async ({ page }) => {
        await page.keyboard.press('Tab');
        expect(await page.evaluate(FOCUSED)).toBe('skip');
        await page.keyboard.press('Enter');
        expect(await page.evaluate(FOCUSED)).toBe('content');
      },
      { at: '/docs' },
    );
  });

  it('is linked from the inspector, leads to the anchor of a call and of a schema, and back', async () => {
    await suite.visit(async ({ page }) => {
      await page.click('header a:text-is("API")');
      expect(await page.textContent('h1')).toBe('API');
      await page.click('.contents a[href="#operation-verifyEvidence"]');
      expect(await page.textContent(':target')).toBe('POST /verify');
      await page.click('main a[href="#schemas-VerifyRequest"] >> nth=0');
      expect(await page.textContent(':target')).toBe('VerifyRequest');
      await page.click('header a:text-is("Inspector")');
      await page.locator('.intake').waitFor();
    });
  });

  it('shows the examples of a call', async () => {
    await suite.visit(
      async ({ page }) => {
        const example = page.locator('article:has(#operation-verifyEvidence) details').first();
        await example.locator('summary').click();
        expect(JSON.parse((await example.locator('code').textContent()) ?? '')).toMatchObject({
          evidence: { type: 'az-snp-vtpm' },
        });
      },
      { at: '/docs' },
    );
  });
});
