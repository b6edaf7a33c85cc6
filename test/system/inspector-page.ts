import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, chromium, type Page } from 'playwright-core';
import { expect } from 'vitest';
import { browserProgram } from './browser.js';

/** The decision as a page of the inspector shows it. */
export interface ShownDecision {
  readonly sentence: string;
  /** Code, detail and remedy of each reason, as one text. */
  readonly reasons: readonly string[];
  /** Of each reason: the names and values that were compared, in the order in which they are shown. */
  readonly compared: readonly (readonly string[])[];
}

/** A row of the tables of fields. */
export interface ShownField {
  readonly name: string;
  readonly offset: string;
  readonly value: string;
}

/** Cells of every row. */
const ROWS = `Array.from(document.querySelectorAll('table.fields tbody tr'), (row) =>
  Array.from(row.children, (cell) => cell.textContent))`;

/** Of each reason, its paragraphs, and what was compared. */
const REASONS = `Array.from(document.querySelectorAll('.reasons > li'), (reason) => [
  Array.from(reason.querySelectorAll(':scope > p'), ({ innerText }) => innerText).join(' '),
  Array.from(reason.querySelectorAll('.compared > *'), ({ innerText }) => innerText)])`;

const LINKS = `Array.from(document.querySelectorAll('.links li'), (link) =>
  [link.className, ...Array.from(link.querySelectorAll('span'), (part) => part.textContent)].join(' | '))`;

const WATCH_POLICY = `document.addEventListener('securitypolicyviolation', ({ violatedDirective }) =>
  noteViolation(violatedDirective))`;

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Resolves no name but that of this machine, and asks for nothing in the background. */
const OPTIONS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
];

export function startBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: browserProgram(), args: OPTIONS });
}

/** A page of the inspector in a browser, which notes everything that it must not do. */
export class InspectorPage {
  readonly page: Page;
  /** Errors in the console, exceptions, violations of the policy, dialogs, and requests to another origin. */
  readonly faults: string[] = [];

  private constructor(page: Page) {
    this.page = page;
  }

  static async open(browser: Browser, url: string, width = 1280, height = 900): Promise<InspectorPage> {
    const context = await browser.newContext({ viewport: { width, height } });
    // The test has a limit of its own: a busy machine may draw no frame for longer than Playwright waits.
    context.setDefaultTimeout(0);
    const opened = new InspectorPage(await context.newPage());
    await opened.#watch(new URL(url).origin);
    await opened.page.goto(url);
    return opened;
  }

  /** Opens the page, and lets it do nothing that it must not. */
  static async visit(
    browser: Browser,
    url: string,
    act: (page: InspectorPage) => Promise<void>,
    width?: number,
    height?: number,
  ): Promise<void> {
    const page = await InspectorPage.open(browser, url, width, height);
    try {
      await act(page);
      expect(page.faults).toEqual([]);
    } finally {
      await page.close();
    }
  }

  async close(): Promise<void> {
    await this.page.context().close();
  }

  /** The browser's own error about an answer that was expected. */
  forget(expected: RegExp): void {
    const others = this.faults.filter((fault) => !expected.test(fault));
    this.faults.splice(0, this.faults.length, ...others);
  }

  /** Gives a file to the page, and waits until it is done with it. */
  async give(content: string | Uint8Array): Promise<void> {
    const buffer = typeof content === 'string' ? Buffer.from(content) : Buffer.from(content);
    const before = await this.#looked();
    const file = { name: 'evidence', mimeType: 'application/octet-stream', buffer };
    await this.page.setInputFiles('input[type=file]', file);
    await this.#afterwards(before);
  }

  /** Pastes a text, and sends it. */
  async paste(text: string): Promise<void> {
    const before = await this.#looked();
    await this.page.fill('#evidence', text);
    await this.page.click('button[type=submit]');
    await this.#afterwards(before);
  }

  /** Fills in what the evidence is judged by, for what is given next; an empty text takes it back. */
  async fillIn(options: { readonly [name in 'policy' | 'nonce' | 'audience']?: string }): Promise<void> {
    await this.read("document.querySelector('details:has(#option-policy)').open = true");
    for (const [name, value] of Object.entries(options)) await this.page.fill(`#option-${name}`, value);
  }

  async decision(): Promise<ShownDecision> {
    const sentence = await this.page.textContent('.verdict h2');
    const reasons = await this.read<readonly (readonly [string, readonly string[]])[]>(REASONS);
    return {
      sentence: sentence ?? '',
      reasons: reasons.map(([text]) => text.replaceAll(/\s+/g, ' ').trim()),
      compared: reasons.map(([, compared]) => compared),
    };
  }

  /** The links of the chain of trust: class, title and state of each, as it is read. */
  links(): Promise<readonly string[]> {
    return this.read(LINKS);
  }

  /** Every row of every table of fields, of each structure that the page found. */
  async fields(): Promise<ReadonlyMap<string, readonly ShownField[]>> {
    const rows = [...(await this.#rows())];
    return new Map(
      rows.map(([structure, fields]) => [
        structure,
        fields.map(([name = '', offset = '', value = '']) => ({ name, offset, value })),
      ]),
    );
  }

  /** Name and meaning of every field, without the claim that is read from it. */
  async meanings(): Promise<readonly string[]> {
    const rows = [...(await this.#rows()).values()].flat();
    return rows.map(([name, , , meaning = '']) => `${name}: ${meaning.replace(/claim \S+$/, '').trim()}`);
  }

  /** Cells of the tables of fields, of each structure that the page found. */
  async #rows(): Promise<ReadonlyMap<string, readonly (readonly string[])[]>> {
    const shown = new Map<string, readonly (readonly string[])[]>();
    const names = await this.page.locator('#structure option').allInnerTexts();
    for (const [index, name] of names.entries()) {
      await this.page.selectOption('#structure', String(index));
      shown.set(name, await this.read(ROWS));
    }
    return shown;
  }

  /**
   * Violations of WCAG 2.2 AA and of axe-core's own rules: rule, and where.
   *
   * @param tag of the rules that are looked at; all of them where it is left out
   */
  async violations(tag?: 'cat.color'): Promise<readonly string[]> {
    // The policy of the page lets in no script: this one comes through the debugger.
    if (!(await this.read<boolean>("'axe' in window"))) await this.page.evaluate(AXE);
    // Passed rules are counted, and not described: of a long page that takes longer than to find violations.
    const options = { resultTypes: ['violations'], ...(tag === undefined ? {} : { runOnly: [tag] }) };
    const run = `axe.run(${JSON.stringify(options)})`;
    const { violations } = await this.read<{ readonly violations: readonly Violation[] }>(run);
    return violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id} at ${target.join(' ')}`));
  }

  /** The value of an expression in the page: as text, since tests are compiled without the types of browsers. */
  read<T>(expression: string): Promise<T> {
    return this.page.evaluate(expression);
  }

  async #looked(): Promise<number> {
    return Number(await this.page.getAttribute('main', 'data-looked'));
  }

  /** The page is done with one thing more. */
  async #afterwards(before: number): Promise<void> {
    await this.page.locator(`main[data-looked="${before + 1}"]`).waitFor({ state: 'attached' });
  }

  async #watch(origin: string): Promise<void> {
    const { page, faults } = this;
    page.on('console', (message) => message.type() === 'error' && faults.push(`console: ${message.text()}`));
    page.on('pageerror', (error) => faults.push(`exception: ${error.message}`));
    page.on('dialog', (dialog) => {
      faults.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('request', (request) => {
      if (new URL(request.url()).origin !== origin) faults.push(`request: ${request.url()}`);
    });
    await page.exposeFunction('noteViolation', (directive: string) => faults.push(`policy: ${directive}`));
    await page.addInitScript(WATCH_POLICY);
  }
}

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly target: readonly string[] }[];
}
