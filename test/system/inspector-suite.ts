import type { Browser } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';
import { InspectorPage, startBrowser } from './inspector-page.js';
import { Lab } from './lab.js';
import { ServiceProcess } from './service-process.js';

/** How a page is opened. */
export interface Opened {
  /** Its address, or its path at the service of the suite. */
  readonly at?: string;
  readonly width?: number;
  readonly height?: number;
  readonly scheme?: 'light' | 'dark';
}

interface Parts {
  readonly lab: Lab;
  readonly service: ServiceProcess;
  readonly browser: Browser;
}

/** A lab, a service that trusts it, and a browser: one of each for all tests of a suite. */
export class InspectorSuite {
  #parts: Parts | null = null;

  /** @param keys of the configuration, beside those of the lab */
  async start(keys: object): Promise<void> {
    const lab = await Lab.create();
    const service = await ServiceProcess.start(await lab.command(keys), { cwd: lab.workFolder });
    this.#parts = { lab, service, browser: await startBrowser() };
  }

  async end(): Promise<void> {
    await this.browser.close();
    await ended(this.service);
    await this.lab.close();
  }

  get lab(): Lab {
    return this.#started.lab;
  }

  get service(): ServiceProcess {
    return this.#started.service;
  }

  get browser(): Browser {
    return this.#started.browser;
  }

  get #started(): Parts {
    if (this.#parts === null) throw new Error('the suite has not started');
    return this.#parts;
  }

  /** Opens a page, and lets it do nothing that it must not. */
  async visit(act: (page: InspectorPage) => Promise<void>, opened: Opened = {}): Promise<void> {
    const { at = '/', width, height, scheme = 'light' } = opened;
    const actInScheme = async (page: InspectorPage) => {
      await page.page.emulateMedia({ colorScheme: scheme });
      await act(page);
    };
    await InspectorPage.visit(this.browser, new URL(at, this.service.url).href, actInScheme, width, height);
  }

  /** Starts another service for as long as something is done with it. @param command how it is started */
  async beside(command: readonly string[], act: (url: string) => Promise<void>): Promise<void> {
    const other = await ServiceProcess.start(command, { cwd: this.lab.workFolder });
    try {
      await act(other.url);
    } finally {
      await ended(other);
    }
  }
}

/** Starts before the tests of the suite in which it is called, and ends after them. */
export function inspectorSuite(keys: object = {}): InspectorSuite {
  const suite = new InspectorSuite();
  beforeAll(() => suite.start(keys));
  afterAll(() => suite.end());
  return suite;
}

async function ended(service: ServiceProcess): Promise<void> {
  service.signal('SIGTERM');
  await service.end();
}
