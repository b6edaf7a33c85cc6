import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { memberOf } from '../../src/core/json.js';
import type { Example } from '../../src/inspector/example.js';
import type { components } from '../../src/wire/generated/openapi-types.js';
import { isLacking } from '../requirements.js';
import { CHROMIUM } from './browser.js';
import type { InspectorPage } from './inspector-page.js';
import { inspectorSuite } from './inspector-suite.js';

type Schemas = components['schemas'];

const PAGES = new URL('../../dist/inspector/', import.meta.url);

/** As the build lists them (test/global-setup.ts). */
const EXAMPLES = (
  JSON.parse(readFileSync(new URL('pages.json', PAGES), 'utf8')) as readonly { readonly file: string }[]
)
  .filter(({ file }) => file.startsWith('example-'))
  .map(({ file }): Example => JSON.parse(readFileSync(new URL(file, PAGES), 'utf8')));

const WITH_LOG = EXAMPLES.flatMap(({ title, body }) => {
  const log = memberOf(memberOf(body, 'evidence'), 'eventLog');
  return typeof log === 'string' ? [{ title, log }] : [];
});

/** Register, offset, event and digest of each row. */
const EVENTS = `Array.from(document.querySelectorAll('.register .events tbody tr'), (row) =>
  [row.closest('.register').querySelector('strong'), ...row.children].map(({ textContent }) => textContent))`;

/** The red parts of the page, and the beginning of the panel about the hardware. */
const BORDERS = `(() => {
  const probe = document.querySelector('.hardware').cloneNode();
  probe.className = 'panel failed';
  document.body.append(probe);
  const colours = [probe, document.querySelector('.hardware')].map((panel) => getComputedStyle(panel).borderLeftColor);
  probe.remove();
  return colours;
})()`;

/** Structures that the page does not look for, since they are JSON and no bytes. */
const NO_BYTES = ['configuration', 'PCR values', 'event log'];
const FIRST_LOAD = /^(index\.html|app-.*\.(js|css))\.br$|^index\.html$/;

describe.skipIf(isLacking('examples on the inspector in a browser', [CHROMIUM]))('examples on the inspector', () => {
  const suite = inspectorSuite();

  async function pick({ page }: InspectorPage, title: string): Promise<void> {
    await page.click(`.examples button:text-is("${title}")`);
    await page.locator('.example-note').waitFor();
  }

  it.each(EXAMPLES)('show what was recorded, and ask no service: $title', async ({ title, answer }) => {
    await suite.visit(async (page) => {
      const asked: string[] = [];
      page.page.on('request', (request) => asked.push(`${request.method()} ${new URL(request.url()).pathname}`));
      // Browsers ask for an icon when they please.
      const asksForData = () => asked.filter((each) => !each.includes('/icon-'));
      await pick(page, title);
      const { sentence, reasons } = await page.decision();
      expect(sentence.toLowerCase().startsWith(`${answer.decision}:`)).toBe(true);
      expect(reasons).toHaveLength(answer.reasons.length);
      const [first] = answer.reasons;
      const check = answer.checks.find(
        ({ id, result }) => id === first && (result === 'fail' || result === 'unavailable'),
      );
      if (first !== undefined) expect(reasons[0]).toBe(`${first} ${check?.detail} ${check?.remedy}`);
      const note = await page.page.textContent('.example-note');
      expect(note).toContain("with the test lab's roots, which no service trusts; not judged now");
      expect(await page.page.locator('.verdict .facts a').count()).toBe(0);
      expect(await page.page.locator('.panel.verified').count()).toBe(0);
      expect(asksForData()).toEqual([expect.stringMatching(/^GET \/inspector\/example-[a-z-]+-[0-9A-F]{8}\.json$/)]);
    });
  });

  it.each(EXAMPLES)('show every field that POST /inspect shows: $title', async ({ title, body }) => {
    const headers = { 'content-type': 'application/json' };
    const { attestationResults: _, ...asked } = body;
    const answer = await fetch(`${suite.service.url}/inspect`, {
      method: 'POST',
      headers,
      body: JSON.stringify(asked),
    });
    const { structures } = (await answer.json()) as Schemas['Inspection'];
    const expected = structures
      .filter(({ name }) => !NO_BYTES.includes(name))
      .flatMap(({ fields }) => fields)
      .map(({ name, offset, value }) => ({
        name,
        offset: offset === null ? '' : `0x${offset.toString(16)}`,
        value: (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, 2_000),
      }));
    expect(expected.length).toBeGreaterThan(20);
    await suite.visit(async (page) => {
      await pick(page, title);
      const shown = [...(await page.fields()).values()].flat();
      const cut = shown.map((each) => ({ ...each, value: each.value.replace(/… \(\d+ characters\)$/, '') }));
      for (const field of expected) expect(cut).toContainEqual(field);
    });
  });

  it.each(WITH_LOG)(
    'show every event that POST /inspect shows of the log, at its register: $title',
    async ({ title, log }) => {
      const headers = { 'content-type': 'application/json' };
      const asked = JSON.stringify({ type: 'event-log', log });
      const answer = await fetch(`${suite.service.url}/inspect`, { method: 'POST', headers, body: asked });
      const { events } = (await answer.json()) as Schemas['EventLogInspection'];
      const measured = events
        .filter(({ type }) => type !== 'EV_NO_ACTION')
        .toSorted((one, other) => one.index - other.index);
      expect(measured.length).toBeGreaterThan(5);
      await suite.visit(async (inspector) => {
        await pick(inspector, title);
        for (const register of await inspector.page.locator('.register > summary').all()) await register.click();
        expect(await inspector.read(EVENTS)).toEqual(
          measured.map(({ index, type, offset, digests, covered, data: { text } }) => [
            `PCR ${index}`,
            `0x${offset.toString(16)}`,
            `${type}${text === null || text === '' ? '' : `: ${text}`}${covered ? '' : ' data not measured'}`,
            digests['sha256'],
          ]),
        );
      });
    },
  );

  it('are cards that say what each teaches, and are reached by the keyboard', async () => {
    await suite.visit(async ({ page }) => {
      expect(await page.locator('.card button').allInnerTexts()).toEqual(EXAMPLES.map(({ title }) => title));
      expect(await page.locator('.card p').allInnerTexts()).toEqual(EXAMPLES.map(({ shows }) => shows));
      const [card] = await page.locator('.card').all();
      // All of the card is the button.
      await card?.click({ position: { x: 4, y: 4 } });
      await page.locator('.example-note').waitFor();
      await page.locator('.card button').nth(1).focus();
      await page.keyboard.press('Enter');
      await page.locator('.example-note', { hasText: EXAMPLES[1]?.title ?? '' }).waitFor();
    });
  });

  it('are said to be of the lab by what the page verifies itself', async () => {
    const [allow] = EXAMPLES;
    await suite.visit(async (page) => {
      await pick(page, allow?.title ?? '');
      expect(await page.page.textContent('.hardware.expected h2')).toMatch(
        /^Every signature of the report holds, and its certificates end at the test lab's root/,
      );
      expect(await page.page.locator('.hardware .steps .expected').allInnerTexts()).toEqual([
        'its key is a pinned root of AMD: no, expected here',
      ]);
      expect(await page.page.locator('.hardware .steps .fail').count()).toBe(0);
      const [red, shown] = await page.read<readonly string[]>(BORDERS);
      expect(shown).not.toBe(red);
      expect(await page.violations()).toEqual([]);
    });
  });

  it('are refused by a service, which the page says is right', async () => {
    // As it is installed: it trusts no lab, whose keys may be those of the recordings.
    const file = join(suite.lab.workFolder, 'installed.json');
    const configuration = { listen: { port: 0 }, amd: { kds: 'off' }, intel: { pcs: 'off' } };
    writeFileSync(
      file,
      JSON.stringify({ ...configuration, stores: { url: `sqlite:${join(suite.lab.workFolder, 'installed.db')}` } }),
    );
    const main = join(inject('installation'), 'dist/main.js');
    const command = [process.execPath, main, 'serve', '--config', file];
    const [allow] = EXAMPLES;
    await suite.beside(command, async (url) => {
      const act = async (page: InspectorPage) => {
        await pick(page, allow?.title ?? '');
        await page.page.click('.judge-example');
        await page.page.locator('.verdict.deny').waitFor();
        expect((await page.decision()).reasons[0]).toMatch(/^cert_untrusted /);
        const note = await page.page.textContent('.example-note');
        expect(note).toContain('It is right to refuse the example (cert_untrusted)');
        expect(note).toContain('it was recorded as: allow.');
        // The next evidence is no example.
        await page.give(suite.lab.bodies('az-snp-vtpm')[0] ?? '');
        expect(await page.page.locator('.example-note').count()).toBe(0);
      };
      await suite.visit(act, { at: url });
    });
  });

  it('are no part of what the page loads first, which stays under 150 kB', () => {
    const folder = join(inject('installation'), 'dist/inspector');
    const first = readdirSync(folder).filter((name) => FIRST_LOAD.test(name));
    expect(first).toHaveLength(3);
    const bytes = first.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
    expect(bytes).toBeLessThan(150_000);
    const single = readFileSync(join(folder, 'veritee-inspector.html'), 'utf8');
    expect(EXAMPLES.filter(({ body }) => single.includes(String(body['nonce'])))).toEqual([]);
  });
});
