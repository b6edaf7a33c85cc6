import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isLacking } from '../requirements.js';
import { CHROMIUM } from './browser.js';
import { InspectorPage } from './inspector-page.js';
import { inspectorSuite } from './inspector-suite.js';

/** The contract, the list, a document that is mostly prose, one that is mostly tables, and one with pictures. */
const PAGES = ['/docs', '/guide', '/guide/what-an-allow-proves', '/guide/configuration', '/guide/inspector'];
const VIEWS = [360, 1280].flatMap((width) => (['light', 'dark'] as const).map((scheme) => ({ width, scheme })));

const OVERFLOW = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';

/** Areas that scroll sideways, and cannot be scrolled by keyboard. */
const UNREACHABLE = `Array.from(document.querySelectorAll('*')).filter((element) =>
  ['auto', 'scroll'].includes(getComputedStyle(element).overflowX) &&
  element.scrollWidth > element.clientWidth && element.tabIndex < 0).length`;

/** What has the focus. */
const FOCUSED = 'document.activeElement.className || document.activeElement.id';

describe.skipIf(isLacking('the documents in a browser', [CHROMIUM]))('the documents', () => {
  const suite = inspectorSuite();

  // Without a script, a page that is opened once looks the same in each size and scheme as one that is opened anew.
  describe.each(PAGES)('at %s', (path) => {
    let page: InspectorPage;

    beforeAll(async () => {
      page = await InspectorPage.open(suite.browser, suite.service.url + path);
    });

    afterAll(() => page.close());

    it.each(VIEWS)(
      'fit into $width pixels and have no violation that axe-core knows, $scheme',
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

  it('let who uses a keyboard skip what is on every page', async () => {
    await suite.visit(
      async ({ page }) => {
        await page.keyboard.press('Tab');
        expect(await page.evaluate(FOCUSED)).toBe('skip');
        await page.keyboard.press('Enter');
        expect(await page.evaluate(FOCUSED)).toBe('content');
      },
      { at: '/guide/what-an-allow-proves' },
    );
  });

  it('lead from one to the other, and to the anchor of a code and of a schema', async () => {
    await suite.visit(async ({ page }) => {
      await page.click('header a:text-is("Guide")');
      await page.click('main a:text-is("What an allow proves, and what it does not")');
      await page.click('main a:text-is("below"), main a:text-is("guest.md")');
      await page.click('header a:text-is("API")');
      expect(await page.textContent('h1')).toBe('API');
      await page.click('main a[href="#schema-VerifyRequest"] >> nth=0');
      expect(await page.textContent(':target')).toBe('VerifyRequest');
      await page.click('main a[href="/guide/codes#cert_untrusted"] >> nth=0');
      expect(await page.textContent(':target')).toBe('cert_untrusted');
      await page.click('header a:text-is("Inspector")');
      await page.locator('.intake').waitFor();
    });
  });

  it('show the examples of a call', async () => {
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
