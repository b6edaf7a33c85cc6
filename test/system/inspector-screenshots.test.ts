import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { isLacking } from '../requirements.js';
import { CHROMIUM } from './browser.js';
import { inspectorSuite } from './inspector-suite.js';

/** Where the documents have them. `VERITEE_WRITE_SCREENSHOTS=1` writes what was made there. Fonts differ, so that only their sizes are compared. */
const FOLDER = new URL('../../docs/inspector/', import.meta.url);
const DOCUMENT = new URL('../../docs/inspector.md', import.meta.url);
const WRITES = process.env['VERITEE_WRITE_SCREENSHOTS'] === '1';

/** Where the result is in the window, in whole pixels, and by how many the page is wider than it. */
const TOP_OF_RESULT = "Math.abs(Math.round(document.querySelector('.result').getBoundingClientRect().top))";
const OVERFLOW = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
const WIDTHS = [360, 768, 1280] as const;
const HEIGHT = 1100;
const CASES = WIDTHS.flatMap((width) => (['light', 'dark'] as const).map((scheme) => ({ width, scheme })));

describe.skipIf(isLacking('screenshots of the inspector', [CHROMIUM]))('screenshots of the inspector', () => {
  const suite = inspectorSuite();

  beforeAll(async () => {
    if (WRITES) mkdirSync(FOLDER, { recursive: true });
  });

  it.each(CASES)('at $width pixels, $scheme, stand in its document', async ({ width, scheme }) => {
    const [refused] = suite.lab.questions.filter(
      ({ decision, body }) => decision === 'deny' && body.includes('az-snp-vtpm'),
    );
    const name = `refused-${width}-${scheme}.png`;
    await suite.visit(
      async (inspector) => {
        await inspector.give(refused?.body ?? '');
        await inspector.read("document.querySelector('.result').scrollIntoView()");
        expect(await inspector.read(TOP_OF_RESULT)).toBe(0);
        expect(await inspector.read(OVERFLOW)).toBe(0);
        const made = await inspector.page.screenshot();
        expect(sizeOf(made)).toEqual([width, HEIGHT]);
        if (WRITES) writeFileSync(new URL(name, FOLDER), made);
      },
      { width, height: HEIGHT, scheme },
    );
    expect(readFileSync(DOCUMENT, 'utf8')).toContain(`(inspector/${name})`);
    expect(sizeOf(readFileSync(fileURLToPath(new URL(name, FOLDER))))).toEqual([width, HEIGHT]);
  });
});

/** Width and height of a PNG, as its header says them. */
function sizeOf(png: Buffer): readonly number[] {
  return [png.readUInt32BE(16), png.readUInt32BE(20)];
}
