import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium } from 'playwright-core';
import { browserProgram } from '../system/browser.js';
import { BuiltService } from './built-service.js';
import type { Material } from './protocol.js';
import type { Line } from './table.js';

const SIZE = { name: 'page: kB that a browser loads first, compressed', aim: 150, isLimit: true };
const SIGHT = { name: 'page: first contentful paint on loopback, ms', aim: 400, isLimit: true };
const TIMES = 5;

const PAGES = new URL('../../dist/inspector/', import.meta.url);
/** As text: this is compiled without the types of browsers. */
const FIRST_PAINT = `new Promise((resolve) => new PerformanceObserver((list) => {
  for (const { name, startTime } of list.getEntries()) if (name === 'first-contentful-paint') resolve(startTime);
}).observe({ type: 'paint', buffered: true }))`;

/** The size of the page of the service, and the time until its first paint. Without Chromium, the size alone. */
export async function measurePage(material: Material): Promise<readonly Line[]> {
  const service = await BuiltService.start(material);
  try {
    const kilobytes = [compressedBytes() / 1000];
    const sights = browserProgram() === '' ? [] : await sightsOf(service.url);
    return [{ ...SIZE, values: kilobytes }, ...(sights.length === 0 ? [] : [{ ...SIGHT, values: sights }])];
  } finally {
    service.close();
  }
}

/** The page with its script and its style. */
function compressedBytes(): number {
  const page = readFileSync(new URL('index.html', PAGES), 'utf8');
  const files = [...page.matchAll(/"\/inspector\/([^"]+\.(?:js|css))"/g)].map(([, file]) => `${file}.br`);
  const bytes = files.map((file) => readFileSync(fileURLToPath(new URL(file, PAGES))).byteLength);
  return bytes.reduce((sum, each) => sum + each, Buffer.byteLength(page));
}

/** Each in a profile of its own, which has nothing in its cache. In milliseconds from the navigation. */
async function sightsOf(url: string): Promise<readonly number[]> {
  const browser = await chromium.launch({ executablePath: browserProgram(), args: ['--no-sandbox', '--disable-gpu'] });
  try {
    await sightOf(browser, url);
    const sights: number[] = [];
    for (let time = 0; time < TIMES; time++) sights.push(await sightOf(browser, url));
    return sights;
  } finally {
    await browser.close();
  }
}

async function sightOf(browser: Browser, url: string): Promise<number> {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.goto(url);
    return await page.evaluate(FIRST_PAINT);
  } finally {
    await context.close();
  }
}

export const PAGE_LINES = [SIZE, SIGHT];
