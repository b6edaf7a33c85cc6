import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { Evidence } from '../../src/core/evidence.js';
import type { JsonObject } from '../../src/core/json.js';
import { shownValue } from '../../src/inspector/shown-value.js';
import type { components } from '../../src/wire/generated/openapi-types.js';
import { wireEvidence } from '../lab/wire-evidence.js';
import { azSnpEvidenceOf, azTdxEvidenceOf, nonceOf, snpEvidenceOf } from '../real-evidence.js';
import { collateralOf, quoteFileOf } from '../real-tdx-evidence.js';
import { isLacking } from '../requirements.js';
import { haveVectors, readVector, type Vector, vectors } from '../vectors.js';
import { CHROMIUM } from './browser.js';
import { InspectorPage, type ShownField, startBrowser } from './inspector-page.js';
import { ServiceProcess } from './service-process.js';

type Schemas = components['schemas'];

/** Whatever the age of firmware and paravisor: what is shown of genuine evidence is seen too. */
const GENUINE = `apiVersion: veritee/v1
id: genuine
version: 1
accepts: [snp, az-snp-vtpm, tdx, az-tdx-vtpm]
minimums: any
freshness: none
revocation: best-effort
allowDebug: true
paravisor: any
`;

/** One with a quote is whole. */
function hasQuote({ files }: Vector): boolean {
  return files.some((file) => file.endsWith('.quote.msg'));
}

const of = (...families: readonly string[]) => (haveVectors ? vectors(...families) : []);
const filesOf = (family: string, ending: RegExp) =>
  of(family)
    .flatMap(({ files }) => files)
    .filter((file) => ending.test(file));
const JUDGED = of('snp', 'tdx', 'az-snp-vtpm', 'az-tdx-vtpm').filter(
  (entry) => !entry.family.startsWith('az-') || hasQuote(entry),
);
const TOKENS = [...filesOf('maa-jwt', /\.jwt$/), ...filesOf('ita-jwt', /\.jwt$/)];
const FILES = [
  ...filesOf('tpm-eventlog', /\.bin$/),
  ...filesOf('roots', /\.(pem|der)$/),
  ...filesOf('amd-crl', /\.crl$/),
  ...filesOf('collateral', /\.json$/),
  ...filesOf('az-tdx-vtpm', /\.(hcl-report\.bin|td-quote\.bin|quote\.msg)$/),
  ...TOKENS,
];
const base64Url = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');

/** The question about a vector: the evidence in its native form, with the values of its facts. */
function bodyOf(entry: Vector): JsonObject {
  const nonce = hasQuote(entry) ? { nonce: base64Url(nonceOf(entry)) } : {};
  return { evidence: wireEvidence(evidenceOf(entry) as Evidence), ...nonce, at: entry.verifyAt };
}

function evidenceOf(entry: Vector) {
  if (entry.family === 'snp') return snpEvidenceOf(entry);
  if (entry.family === 'az-snp-vtpm') return azSnpEvidenceOf(entry);
  if (entry.family === 'az-tdx-vtpm') return azTdxEvidenceOf(entry);
  const log = entry.files.find((file) => file.endsWith('ccel-data.bin'));
  const from = entry.expect.facts.collateral?.from;
  return {
    type: 'tdx',
    quote: readVector(quoteFileOf(entry)),
    runtimeData: null,
    collateral: from === undefined ? null : collateralOf(readVector(`collateral/${from}.json`)),
    ccel: log === undefined ? null : readVector(log),
  };
}

/** The page's result for the hardware signature, by the state of its panel. */
const HARDWARE_SAYS = {
  verified: 'This page verified itself who signed the hardware report.',
  failed: 'This page could not verify the signature of the hardware report.',
  open: 'This page has not verified the hardware report itself.',
} as const;
const WORTH =
  'It looks at signatures alone: not at dates, revocation, firmware, policy or freshness. It is worth as much as this service, which sent the script and the pinned roots. For a verdict that does not rest on the service, use this page as one file.';

/** Quotes bring their chain up to the root. Reports bring the certificate of their key alone, and no chain of now is for the past. */
const BROKEN = new Set([
  'snp-neg-vcek-invalid-legacy',
  'snp-neg-vcek-invalid-new',
  'snp-neg-wrong-product-vcek',
  'tdx-v4-spr-2023',
  'tdx-neg-lookalike-root',
]);
/** No TD quote: the page knows no report in it. */
const OF_SGX = 'tdx-neg-sgx-quote';

/** The page carries AMD's certificates above a VCEK or VLEK, as the service does. */
function hardwareOf({ id, family, files }: Vector): keyof typeof HARDWARE_SAYS {
  if (BROKEN.has(id)) return 'failed';
  const hasVek = files.some((file) => /\.(vcek|vlek)\.der$/.test(file));
  return hasVek || (family.includes('tdx') && id !== OF_SGX) ? 'verified' : 'open';
}

type Inspected = Schemas['Inspection'] | Schemas['StructureInspection'] | Schemas['EventLogInspection'];

/** The fields of POST /inspect that the page has to show. */
function rowsOf(inspection: Inspected): readonly ShownField[] {
  if ('events' in inspection) {
    return inspection.events.map(({ index, type, offset, digests, data: { text, length } }) =>
      row(type, offset, { index, text, dataLength: length, digests }),
    );
  }
  return inspection.structures
    .filter(({ name }) => name !== 'configuration' && name !== 'PCR values')
    .flatMap(({ fields }) => fields.map(({ name, offset, value }) => row(name, offset, value)));
}

function row(name: string, offset: number | null, value: unknown): ShownField {
  return {
    name: shownValue(name),
    offset: offset === null ? '' : `0x${offset.toString(16)}`,
    value: shownValue(value),
  };
}

describe.skipIf(!haveVectors || isLacking('real evidence in a browser', [CHROMIUM]))('the inspector shows', () => {
  let folder: string;
  let service: ServiceProcess;
  let browser: Browser;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'veritee-inspector-'));
    for (const name of ['policies', 'chains']) mkdirSync(join(folder, name));
    writeFileSync(join(folder, 'policies/genuine.yaml'), GENUINE);
    for (const { files } of of('roots').filter(({ id }) => id.startsWith('roots-amd-'))) {
      for (const file of files) writeFileSync(join(folder, 'chains', file.replace('/', '-')), readVector(file));
    }
    const configuration = {
      listen: { port: 0 },
      historical: true,
      amd: { kds: 'off', chains: join(folder, 'chains') },
      intel: { pcs: 'off' },
      policies: { directory: join(folder, 'policies'), default: 'genuine' },
    };
    writeFileSync(join(folder, 'veritee.json'), JSON.stringify(configuration));
    const entry = join(inject('installation'), 'dist/main.js');
    const command = [
      process.execPath,
      '--disable-proto=delete',
      entry,
      'serve',
      '--config',
      join(folder, 'veritee.json'),
    ];
    service = await ServiceProcess.start(command, { cwd: folder });
    browser = await startBrowser();
  });

  afterAll(async () => {
    await browser.close();
    service.signal('SIGTERM');
    await service.end();
    rmSync(folder, { recursive: true });
  });

  /** The answer of the service; null if it refuses, which the page reports as the service does. */
  async function ask<T>(path: string, body: JsonObject, page: InspectorPage): Promise<T | null> {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(service.url + path, { method: 'POST', headers, body: JSON.stringify(body) });
    if (answer.ok) return (await answer.json()) as T;
    const { detail, code } = (await answer.json()) as Schemas['Problem'];
    if (path.startsWith('/verify')) {
      expect(await page.page.locator('.verdict.fault h2').textContent()).toBe(`Not judged: ${detail}`);
      expect(await page.page.locator('.verdict.fault p code').first().textContent()).toBe(code);
      page.forget(/status of 400/);
    }
    return null;
  }

  const onPage = (act: (page: InspectorPage) => Promise<void>) => InspectorPage.visit(browser, `${service.url}/`, act);

  /** Every field that POST /inspect shows, with its offset and value. */
  async function expectFields(page: InspectorPage, inspected: JsonObject): Promise<void> {
    const inspection = await ask<Inspected>('/inspect', inspected, page);
    const rows = inspection === null ? [] : rowsOf(inspection);
    expect([...(await page.fields()).values()].flat()).toEqual(expect.arrayContaining([...rows]));
    // Evidence that is refused as a whole has no fields: the page shows those of the parts that it can read.
    expect(rows.length > 0 || inspected['type'] !== 'bytes').toBe(true);
  }

  /** The decision in one sentence, and each reason with what can be done. */
  async function expectDecision(page: InspectorPage, body: JsonObject): Promise<void> {
    const answer = await ask<Schemas['Decision']>('/verify?checks=all', body, page);
    if (answer === null) return;
    const { decision, reasons, checks } = answer;
    const shown = await page.decision();
    expect(shown.sentence.toLowerCase().startsWith(`${decision}:`)).toBe(true);
    expect(shown.reasons).toEqual(
      reasons.map((code) => {
        const check = checks.find(({ id, result }) => id === code && result !== 'pass');
        return `${code} ${check?.detail} ${check?.remedy}`.replaceAll(/\s+/g, ' ');
      }),
    );
  }

  /** The page's own result for the hardware signature, and its worth. */
  async function expectHardware({ page }: InspectorPage, state: keyof typeof HARDWARE_SAYS): Promise<void> {
    const panel = page.locator('.hardware');
    expect([await panel.getAttribute('class'), await panel.locator('h2').textContent()]).toEqual([
      `panel hardware ${state}`,
      HARDWARE_SAYS[state],
    ]);
    expect(await panel.locator('.worth').textContent()).toBe(WORTH);
    const steps = await panel.locator('.steps li').allInnerTexts();
    expect(steps.filter((step) => step.endsWith(': no'))).toHaveLength(state === 'failed' ? 1 : 0);
    expect(steps.at(-1)?.endsWith(': yes')).toBe(state === 'open' ? undefined : state === 'verified');
  }

  it.each(JUDGED)('what the service decides of $id, who signed it, and each of its fields', async (entry) => {
    const body = bodyOf(entry);
    await onPage(async (page) => {
      await page.give(JSON.stringify(body));
      await expectHardware(page, hardwareOf(entry));
      await expectDecision(page, body);
      await expectFields(page, body['evidence'] as JsonObject);
    });
  });

  it.each(JUDGED.filter(({ id }) => id === 'snp-milan-v3-b0'))(
    'that AMD signed $id, with the chain that the service has',
    async (entry) => {
      const { at: _, ...body } = bodyOf(entry);
      await onPage(async (page) => {
        await page.give(JSON.stringify(body));
        await expectHardware(page, 'verified');
        expect(await page.page.locator('.hardware .steps li').allInnerTexts()).toEqual([
          'SEV-VCEK signed the report at /evidence/report: yes',
          'SEV-Milan signed SEV-VCEK: yes',
          'ARK-Milan signed SEV-Milan: yes',
          'ARK-Milan signed itself: yes',
          'its key is a pinned root of AMD: yes',
        ]);
      });
    },
  );

  it.each(FILES)('each field of the file %s', async (file) => {
    await onPage(async (page) => {
      await page.give(readVector(file));
      await expectFields(page, { type: 'bytes', value: base64Url(readVector(file)) });
    });
  });

  it.each(TOKENS)('what the service decides of the token %s, without asking anybody else', async (file) => {
    const token = Buffer.from(readVector(file)).toString('utf8').trim();
    const type = file.startsWith('ita-') ? 'ita-token' : 'maa-token';
    await onPage(async (page) => {
      await page.give(token);
      await expectDecision(page, { evidence: { type, token } });
    });
  });
});
