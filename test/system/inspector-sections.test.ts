import { describe, expect, it } from 'vitest';
import { buildEventLog, createAmdPki, LOG_EVENT } from '../lab/index.js';
import { isLacking } from '../requirements.js';
import { CHROMIUM } from './browser.js';
import type { InspectorPage } from './inspector-page.js';
import { inspectorSuite } from './inspector-suite.js';

/** Ids that the links name, and ids of the headings of the sections, in their order. */
const LISTED = `Array.from(document.querySelectorAll('.sections a'), (link) => link.getAttribute('href').slice(1))`;
const SHOWN = `Array.from(document.querySelectorAll('.result > section'), (section) =>
  section.querySelector('h2').id)`;
const FOCUSED = 'document.activeElement.id';
/** Windows scroll by whole pixels. */
const IS_IN_VIEW = `(() => {
  const { top, bottom } = document.activeElement.getBoundingClientRect();
  return Math.round(top) >= 0 && bottom <= innerHeight;
})()`;

const [, ARK = ''] = createAmdPki()
  .chainPem('Milan')
  .split(/(?<=-----END CERTIFICATE-----\n)/);
const OF_EVIDENCE = ['verdict', 'hardware', 'chain', 'questions', 'policies'];

describe.skipIf(isLacking('the sections of the inspector', [CHROMIUM]))('the sections of the inspector', () => {
  // Without callers, this grants audit:read.
  const suite = inspectorSuite({ historical: true });

  const visit = (act: (page: InspectorPage) => Promise<void>, at = '/', width = 360) => suite.visit(act, { at, width });
  const bodyOf = (type: string) => JSON.parse(suite.lab.bodies(type as 'snp')[0] ?? '');

  /** The VM of the lab with an event log that is not of its boot. */
  function withLog(): { readonly evidence: object } {
    const { evidence, ...body } = bodyOf('az-snp-vtpm');
    const event = { pcr: 0, type: LOG_EVENT.crtmVersion, data: Buffer.from('version 1') };
    const eventLog = Buffer.from(buildEventLog([event])).toString('base64url');
    return { ...body, evidence: { ...evidence, eventLog } };
  }

  /** Of a decision that the service has a record of. */
  async function recordedId(): Promise<string> {
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify(bodyOf('snp'));
    const answer = await fetch(`${suite.service.url}/verify`, { method: 'POST', headers, body });
    return ((await answer.json()) as { readonly decisionId: string }).decisionId;
  }

  it.each([
    ['evidence', () => bodyOf('snp'), [...OF_EVIDENCE, 'bytes', 'comparison']],
    [
      'evidence with a boot log and an audience',
      () => ({ ...withLog(), audience: 'https://gate.example' }),
      ['verdict', 'hardware', 'receipt', 'chain', 'questions', 'policies', 'registers', 'bytes', 'comparison'],
    ],
    ['evidence that is not judged', () => ({ evidence: { type: 'none' } }), ['fault', 'hardware']],
  ])('are listed where they are shown, and no others: %s', async (_what, body, expected) => {
    await visit(async (page) => {
      await page.give(JSON.stringify(body()));
      expect(await page.read(LISTED)).toEqual(expected);
      expect(await page.read(SHOWN)).toEqual(expected);
      page.forget(/status of 400/);
    });
  });

  it('are listed where they are shown: a recorded decision, a certificate and an example', async () => {
    await visit(async (page) => {
      expect(await page.page.locator('.sections').count()).toBe(0);
      await page.paste(await recordedId());
      expect(await page.read(LISTED)).toEqual(['verdict', 'record', 'chain', 'questions', 'policies']);
      expect(await page.read(SHOWN)).toEqual(await page.read(LISTED));
      await page.give(ARK);
      expect(await page.read(LISTED)).toEqual(['unasked', 'hardware', 'bytes', 'comparison']);
      expect(await page.read(SHOWN)).toEqual(await page.read(LISTED));
      await page.page.click('.examples li button');
      await page.page.locator('#example').waitFor();
      expect(await page.read(LISTED)).toContain('example');
      expect(await page.read(SHOWN)).toEqual(await page.read(LISTED));
    });
  });

  const tokenOf = (claims: object) =>
    [{ alg: 'RS256' }, claims, 'signature']
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');

  it.each([
    [
      'a certificate',
      ARK,
      /^By itself certificates or CRLs in PEM cannot be judged, so the service was not asked\. It is judged as part of a \/verify body/,
    ],
    ['runtime data', '{"keys":[{"kid":"HCLAkPub"}]}', /^By itself runtime data cannot be judged/],
    [
      'a token of another issuer',
      tokenOf({ iss: 'https://nras.attestation.nvidia.com' }),
      /^Its claims name no address of Azure Attestation or Intel Trust Authority as the issuer, so the service was not asked\. .*"type": "maa-token"/,
    ],
  ])('say why %s by itself is not judged', async (_what, given, why) => {
    await visit(async (page) => {
      await page.give(given);
      expect(await page.page.textContent('[aria-labelledby=unasked] p')).toMatch(why);
      expect(await page.violations()).toEqual([]);
    });
  });

  it('are reached by the keyboard alone, in a narrow window and without a violation', async () => {
    await visit(async (page) => {
      const { keyboard } = page.page;
      await page.give(JSON.stringify({ ...withLog(), audience: 'https://gate.example' }));
      const ids = await page.read<readonly string[]>(LISTED);
      for (const [index, id] of ids.entries()) {
        await page.page.focus('section.result');
        for (let press = 0; press <= index; press += 1) await keyboard.press('Tab');
        await keyboard.press('Enter');
        expect(await page.read(FOCUSED)).toBe(id);
        expect(await page.read(IS_IN_VIEW)).toBe(true);
      }
      // The next element by the keyboard is of the section.
      await page.page.focus('section.result');
      for (let press = 0; press <= ids.indexOf('chain'); press += 1) await keyboard.press('Tab');
      await keyboard.press('Enter');
      await keyboard.press('Tab');
      expect(await page.read("document.activeElement.closest('section').className")).toBe('chain');
      expect(await page.violations()).toEqual([]);
    });
  });

  it.each([360, 1280])('are reached by a click in a window of %d pixels, which stays where it is', async (width) => {
    await visit(
      async (page) => {
        await page.give(JSON.stringify(bodyOf('snp')));
        await page.page.click('.sections a:text-is("Bytes")');
        expect(await page.read(FOCUSED)).toBe('bytes');
        expect(await page.read(IS_IN_VIEW)).toBe(true);
        expect(page.page.url()).toBe(`${suite.service.url}/`);
      },
      '/',
      width,
    );
  });

  it('leave the link to a decision, and what is shown, as they are', async () => {
    const link = `/#decision=${await recordedId()}`;
    await visit(async (page) => {
      await page.page.locator('.record').waitFor();
      const before = await page.read('[history.length, document.querySelector("main").dataset.looked]');
      for (const id of await page.read<readonly string[]>(LISTED)) {
        await page.page.click(`.sections a[href="#${id}"]`);
        expect(await page.read(FOCUSED)).toBe(id);
      }
      expect(page.page.url()).toBe(suite.service.url + link);
      expect(await page.read('[history.length, document.querySelector("main").dataset.looked]')).toEqual(before);
      await page.page.reload();
      await page.page.locator('.record').waitFor();
    }, link);
  });
});
