import { describe, expect, it } from 'vitest';
import { MAXIMUM_EVENTS } from '../../src/boot/format/measured-event.js';
import { PAGE_BYTES } from '../../src/inspector/hex-rows.js';
import { LOG_BYTES } from '../../src/inspector/structures.js';
import { buildEventLog, LOG_EVENT } from '../lab/event-log-builder.js';
import { newEcKey } from '../lab/lab-keys.js';
import { ATTRIBUTE, buildCertificate, nameOf, pemOf } from '../lab/pki.js';
import { isLacking } from '../requirements.js';
import { CHROMIUM } from './browser.js';
import type { InspectorPage } from './inspector-page.js';
import { inspectorSuite } from './inspector-suite.js';

const key = newEcKey('prime256v1');
const name = nameOf([[ATTRIBUTE.commonName, 'a']]);
const certificate = buildCertificate({
  signer: key,
  algorithm: { scheme: 'ecdsa', hash: 'sha256' },
  serial: 1,
  issuer: name,
  subject: name,
  notBefore: new Date('2026-01-01T00:00:00Z'),
  notAfter: new Date('2027-01-01T00:00:00Z'),
  spki: key.spki,
  extensions: null,
});
const certificates = (count: number) => pemOf(...Array.from({ length: count }, () => certificate));

/** The limits of PEM in a request, and the number of certificates in it. */
const PEM_CHARACTERS = 32 * 1024;
const MOST_CERTIFICATES = Math.floor(PEM_CHARACTERS / certificates(1).length);
/** The drawn part of either. */
const [SHOWN_STRUCTURES, SHOWN_EVENTS] = [64, 256];

const event = (data: string) => ({ pcr: 4, type: LOG_EVENT.action, data: Buffer.from(data) });
const logOf = (count: number, data: string) => buildEventLog(Array.from({ length: count }, () => event(data)));
const EVENT_BYTES = logOf(2, '').byteLength - logOf(1, '').byteLength;
/** As much as every event of a log has that is as long as one may be, or a few bytes shorter. */
const DATA = 'a'.repeat(Math.floor((LOG_BYTES - logOf(0, '').byteLength) / MAXIMUM_EVENTS) - EVENT_BYTES);

const [MANY_EVENTS, LONG] = [logOf(MAXIMUM_EVENTS + 1, 'a'), logOf(MAXIMUM_EVENTS, `${DATA}a`)];

describe.skipIf(isLacking('large evidence on the inspector', [CHROMIUM]))('the inspector, given much,', () => {
  const suite = inspectorSuite();

  /** The next evidence is verified and shown, and its fields can be chosen. */
  async function expectUsable(inspector: InspectorPage): Promise<void> {
    await inspector.give(suite.lab.bodies('snp')[0] ?? '');
    expect((await inspector.decision()).sentence).toMatch(/^Allow:/);
    await inspector.page.click('table.fields button:text-is("MEASUREMENT")');
    expect(await inspector.page.locator('.chosen strong').textContent()).toBe('MEASUREMENT');
  }

  it('shows the first certificates of a text in PEM, and says how many there are', async () => {
    expect(MOST_CERTIFICATES).toBeGreaterThan(SHOWN_STRUCTURES);
    await suite.visit(async (inspector) => {
      await inspector.paste(certificates(MOST_CERTIFICATES));
      const { page } = inspector;
      expect(await page.locator('.field-tables > p').textContent()).toBe(
        `The first ${SHOWN_STRUCTURES} of ${MOST_CERTIFICATES} structures.`,
      );
      expect(await page.locator('table.fields').count()).toBe(SHOWN_STRUCTURES);
      await page.locator('table.fields').last().locator('button:text-is("subject")').click();
      expect(await page.locator('.chosen strong').textContent()).toBe('subject');
      await expectUsable(inspector);
    });
  });

  it.each([
    ['one more certificate', MOST_CERTIFICATES + 1],
    ['hundreds of certificates', 800],
  ])('says why it does not read a text in PEM with %s', async (_what, count) => {
    const text = certificates(count);
    await suite.visit(async (inspector) => {
      await inspector.give(text);
      const { page } = inspector;
      expect(await page.locator('.bytes .problem').textContent()).toBe(
        `It cannot be read: PEM is ${text.length} characters, at most ${PEM_CHARACTERS} are allowed`,
      );
      expect(await page.locator('table.fields').count()).toBe(0);
      await expectUsable(inspector);
    });
  });

  it('shows the first events of a log, says how many there are, and replays them all', async () => {
    const log = logOf(MAXIMUM_EVENTS, DATA);
    expect(LOG_BYTES - log.byteLength).toBeLessThan(MAXIMUM_EVENTS);
    await suite.visit(async (inspector) => {
      await inspector.give(log);
      const { page } = inspector;
      expect(await page.locator('.register > summary').allInnerTexts()).toEqual([
        `PCR 4: no value is known to compare with (${MAXIMUM_EVENTS} events)`,
      ]);
      await page.click('.register > summary');
      expect(await page.locator('.events caption').textContent()).toBe(
        `Events that extended PCR 4, in their order; the first ${SHOWN_EVENTS} of ${MAXIMUM_EVENTS}`,
      );
      expect(await page.locator('.events tbody tr').count()).toBe(SHOWN_EVENTS);
      const fields = [...(await inspector.fields()).values()].flat();
      expect(fields.at(-1)).toMatchObject({ name: 'events left out', value: String(MAXIMUM_EVENTS - SHOWN_EVENTS) });
      await page.click('.pager button:text-is("After")');
      expect(await page.locator('.pager').textContent()).toContain(
        `Bytes ${PAGE_BYTES} to ${2 * PAGE_BYTES - 1} of ${log.byteLength}`,
      );
      await expectUsable(inspector);
    });
  });

  it.each([
    ['one more event', MANY_EVENTS, `the event log has more than ${MAXIMUM_EVENTS} events`],
    ['more bytes', LONG, `the event log is ${LONG.byteLength} bytes, 1 to ${LOG_BYTES} are allowed`],
  ])('says why it does not read a log with %s', async (_what, log, why) => {
    await suite.visit(async (inspector) => {
      await inspector.give(log);
      const { page } = inspector;
      expect(await page.locator('.bytes .problem').textContent()).toBe(`It cannot be read: ${why}`);
      expect(await page.locator('.register').count()).toBe(0);
      await expectUsable(inspector);
    });
  });
});
