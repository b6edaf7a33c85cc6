import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Request } from 'playwright-core';
import { describe, expect, inject, it } from 'vitest';
import { shownValue } from '../../src/inspector/shown-value.js';
import type { components } from '../../src/wire/generated/openapi-types.js';
import { isLacking } from '../requirements.js';
import { CHROMIUM } from './browser.js';
import type { InspectorPage } from './inspector-page.js';
import { inspectorSuite } from './inspector-suite.js';

type Schemas = components['schemas'];

const KEY = 'key-of-the-reader-0123456789abcdef';
const reader = (policy: string) => ({
  apiKeySha256: createHash('sha256').update(KEY).digest('hex'),
  expires: '2099-01-01',
  roles: ['verify'],
  policies: [policy],
});

/** Text that does something where it is taken for anything but text. */
const HOSTILE = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '\u202egnp.exe',
  '</textarea><svg onload=alert(1)>',
];

/** Whether the beginning of an element is in the window. */
const IS_IN_VIEW = (selector: string) => `(() => {
  const { top } = document.querySelector('${selector}').getBoundingClientRect();
  return top >= 0 && top < innerHeight;
})()`;

const fileOf = (body: string) => ({ name: 'evidence', mimeType: 'application/json', buffer: Buffer.from(body) });

const NONCE_OF_BODY =
  'The nonce came with the body, so the author of the body chose it. It only shows that the evidence is fresh if you issued it: enter it above to compare.';

describe.skipIf(isLacking('the inspector in a browser', [CHROMIUM]))('the inspector', () => {
  const suite = inspectorSuite();

  /** The answer of the service. */
  async function ask<T>(path: string, body: string): Promise<T> {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(suite.service.url + path, { method: 'POST', headers, body });
    return (await answer.json()) as T;
  }

  const questionsOf = (decision: string) =>
    suite.lab.questions.filter((question) => question.decision === decision).slice(0, 2);

  /** Evidence of the Azure VM of the lab: its chain has the most links. */
  function azureThat(decision: string): string {
    return (
      suite.lab.questions.find((each) => each.decision === decision && each.body.includes('hclReport'))?.body ?? ''
    );
  }
  /** Results of the checks of a link, from above, each once for all rows of it that stand together. */
  async function orderOf({ page }: InspectorPage, title: string): Promise<readonly string[]> {
    await page.locator('.links button', { hasText: title }).click();
    const results = await page.locator('#link-checks tbody td:nth-child(2)').allInnerTexts();
    return results.filter((result, index) => result !== results[index - 1]);
  }

  /** The shown values that a check compared: an absent one is not shown. */
  function comparedIn(check: Schemas['Check'] | undefined): readonly string[] {
    const values = { expected: check?.expected ?? null, found: check?.actual ?? null };
    return Object.entries(values).flatMap(([name, value]) => (value === null ? [] : [name, shownValue(value, 100)]));
  }

  const nonceIn = (body: string): string => JSON.parse(body).nonce;

  it.each(['allow', 'deny'])(
    'shows the decision, its reasons and their remedies as the service has them: %s',
    async (expected) => {
      await suite.visit(async (page) => {
        for (const { body } of questionsOf(expected)) {
          const { decision, reasons, checks } = await ask<Schemas['Decision']>('/verify', body);
          await page.give(body);
          const shown = await page.decision();
          expect(decision).toBe(expected);
          expect(shown.sentence.toLowerCase().startsWith(`${decision}:`)).toBe(true);
          expect(shown.reasons).toHaveLength(reasons.length);
          for (const [index, code] of reasons.entries()) {
            const check = checks.find(({ id, result }) => id === code && result !== 'pass');
            expect(shown.reasons[index]).toBe(`${code} ${check?.detail} ${check?.remedy}`);
            expect(shown.compared[index]).toEqual(comparedIn(check));
          }
        }
      });
    },
  );

  it('shows each link of the chain of trust in the state of its checks', async () => {
    const [allowed, refused] = [azureThat('allow'), azureThat('deny')];
    await suite.visit(async (page) => {
      await page.fillIn({ nonce: nonceIn(allowed) });
      await page.give(allowed);
      expect(await page.links()).toEqual([
        'verified | Root of the vendor | verified',
        'verified | Certificates and CRLs | verified',
        // A warning about the product line.
        'open | Hardware report | with reservations',
        'verified | Hash of the runtime claims | verified',
        'verified | Attestation key | verified',
        'verified | vTPM quote | verified',
        'verified | PCR values | verified',
        'not_reached | Event log | not reached',
        'verified | Nonce and key | verified',
        'verified | Policy | verified',
      ]);
      expect(await page.page.locator('.warnings li').allInnerTexts()).toEqual([
        expect.stringMatching(/^snp_product_advisory a published attack extracts keys of Milan/),
      ]);
      expect(await orderOf(page, 'Hardware report')).toEqual(['warn', 'pass']);
      await page.fillIn({ nonce: nonceIn(refused) });
      await page.give(refused);
      expect(await page.links()).toEqual([
        'verified | Root of the vendor | verified',
        'verified | Certificates and CRLs | verified',
        'failed | Hardware report | failed',
        'not_reached | Hash of the runtime claims | not reached',
        'not_reached | Attestation key | not reached',
        'not_reached | vTPM quote | not reached',
        'not_reached | PCR values | not reached',
        'not_reached | Event log | not reached',
        'not_reached | Nonce and key | not reached',
        'not_reached | Policy | not reached',
      ]);
      expect(await page.page.locator('.warnings').count()).toBe(0);
      // The link stayed open.
      await page.page.click('.links button[aria-expanded=true]');
      expect(await orderOf(page, 'Hardware report')).toEqual(['fail', 'pass', 'skipped']);
    });
  });

  it('judges by what is filled in, in place of what the body says', async () => {
    const body = azureThat('allow');
    const nonce = nonceIn(body);
    const other = Buffer.alloc(32, 1).toString('base64url');
    const hexOf = (text: string) => Buffer.from(text, 'base64url').toString('hex');
    const freshIn = async (page: InspectorPage) => (await page.links()).find((link) => link.includes('Nonce and key'));
    await suite.visit(async (page) => {
      const says = page.page.getByText(NONCE_OF_BODY);
      await page.give(body);
      expect(await freshIn(page)).toBe('open | Nonce and key | with reservations');
      expect(await says.count()).toBe(1);
      await page.fillIn({ nonce });
      await page.give(body);
      expect(await freshIn(page)).toBe('verified | Nonce and key | verified');
      expect(await says.count()).toBe(0);
      await page.fillIn({ nonce: other });
      await page.give(body);
      expect((await page.decision()).reasons).toEqual([expect.stringMatching(/^nonce_mismatch /)]);
      expect(await freshIn(page)).toBe('failed | Nonce and key | failed');
      await page.page.locator('.links button', { hasText: 'Nonce and key' }).click();
      const compared = page.page.locator('#link-checks tr.fail .compared').first();
      expect(await compared.locator('> *').allInnerTexts()).toEqual([
        'expected',
        expect.stringContaining(hexOf(other)),
        'found',
        expect.stringContaining(hexOf(nonce)),
      ]);
      await page.fillIn({ nonce: '', policy: 'tdx' });
      await page.give(body);
      expect((await page.decision()).sentence).toMatch(/^Deny: policy tdx refuses /);
      expect((await page.decision()).reasons[0]).toMatch(/^policy_evidence_type /);
      await page.fillIn({ policy: '', audience: 'https://gate.example' });
      expect(await page.page.locator('.receipt').count()).toBe(0);
      await page.give(body);
      await page.page.locator('.receipt[data-state="incomplete"]').waitFor();
      expect(
        await page.page.locator('.claims-of-receipt tr', { hasText: 'audience' }).locator('td').allInnerTexts(),
      ).toEqual(['pass', 'https://gate.example']);
    });
  });

  it.each(['snp', 'az-snp-vtpm', 'tdx'] as const)(
    'shows every field that POST /inspect shows, with its offset and value: %s',
    async (type) => {
      const [body = ''] = suite.lab.bodies(type);
      const { structures } = await ask<Schemas['Inspection']>('/inspect', body);
      await suite.visit(async (page) => {
        await page.give(body);
        const shown = [...(await page.fields()).values()].flat();
        const expected = structures
          .filter(({ name }) => name !== 'configuration' && name !== 'PCR values')
          .flatMap(({ fields }) => fields)
          .map(({ name, offset, value }) => ({
            name,
            offset: offset === null ? '' : `0x${offset.toString(16)}`,
            value: (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, 2_000),
          }));
        expect(expected.length).toBeGreaterThan(20);
        const meanings = structures
          .filter(({ name }) => name !== 'configuration' && name !== 'PCR values')
          .flatMap(({ fields }) => fields)
          .flatMap(({ name, meaning }) => (meaning === null ? [] : [`${name}: ${meaning}`]));
        expect(meanings).not.toEqual([]);
        expect(await page.meanings()).toEqual(expect.arrayContaining(meanings));
        for (const field of expected) {
          expect(
            shown.map((each) => ({ ...each, value: each.value.replace(/… \(\d+ characters\)$/, '') })),
          ).toContainEqual(field);
        }
      });
    },
  );

  it('links the bytes with their fields, both ways', async () => {
    const [body = ''] = suite.lab.bodies('snp');
    await suite.visit(async (inspector) => {
      await inspector.give(body);
      const { page } = inspector;
      await page.click('table.fields button:text-is("MEASUREMENT")');
      const selected = await page.locator('.rows .selected').allInnerTexts();
      const report = Buffer.from(JSON.parse(body).evidence.report, 'base64url');
      expect(selected.join(' ').replaceAll(/\s+/g, '')).toBe(report.subarray(0x90, 0xc0).toString('hex'));
      await page.locator('.rows .field').first().dispatchEvent('mousedown');
      expect(await page.locator('tr.selected button').textContent()).toBe('VERSION');
    });
  });

  it.each(['form.intake', 'footer'])('takes a file that is dropped anywhere in the window: %s', async (place) => {
    const [body = ''] = suite.lab.bodies('snp');
    await suite.visit(async ({ page }) => {
      const transfer = await page.evaluateHandle(
        `(() => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([${JSON.stringify(body)}], 'evidence'));
          return transfer;
        })()`,
      );
      // A drop without a file is no reason for the browser to open something in place of the page.
      const empty = "new DragEvent('drop', { bubbles: true, cancelable: true })";
      expect(await page.evaluate(`document.querySelector('${place}').dispatchEvent(${empty})`)).toBe(false);
      expect(await page.locator('.verdict').count()).toBe(0);
      await page.dispatchEvent(place, 'dragover', { dataTransfer: transfer });
      expect(await page.locator('form.intake.over').count()).toBe(1);
      await page.dispatchEvent(place, 'dragleave', {});
      expect(await page.locator('form.intake.over').count()).toBe(0);
      await page.dispatchEvent(place, 'dragover', { dataTransfer: transfer });
      await page.dispatchEvent(place, 'drop', { dataTransfer: transfer });
      expect(await page.textContent('.verdict h2')).toMatch(/^Allow:/);
      expect(await page.locator('form.intake.over').count()).toBe(0);
      expect(await page.inputValue('#evidence')).toBe(body);
    });
  });

  it('says in three sentences what it is for', async () => {
    await suite.visit(async ({ page }) => {
      const [said] = await page.locator('form.intake > p').allInnerTexts();
      expect(said?.match(/\.(?= |$)/g)).toHaveLength(3);
      expect(await page.locator('.card').count()).toBe(8);
    });
  });

  it('makes a body of several files, and names each that is not used with the reason', async () => {
    const body = JSON.parse(azureThat('allow'));
    const { hclReport, tpmQuote, endorsements } = body.evidence;
    const [script = ''] = HOSTILE;
    const files = [
      ['hcl.bin', Buffer.from(hclReport, 'base64url')],
      ['quote.msg', Buffer.from(tpmQuote.message, 'base64url')],
      ['quote.sig', Buffer.from(tpmQuote.signature, 'base64url')],
      ['pcrs.bin', Buffer.from(Object.values<string>(tpmQuote.pcrs.sha256).join(''), 'hex')],
      ['vcek.der', Buffer.from(endorsements.vek, 'base64url')],
      ['again.der', Buffer.from(endorsements.vek, 'base64url')],
      [script, Buffer.from('nothing')],
    ] as const;
    await suite.visit(async (inspector) => {
      const { page } = inspector;
      await inspector.fillIn({ nonce: body.nonce, policy: body.policy ?? '' });
      await page.setInputFiles(
        'input[type=file]',
        files.map(([name, buffer]) => ({ name, mimeType: 'application/octet-stream', buffer })),
      );
      await page.locator('main[data-looked="1"]').waitFor();
      expect(JSON.parse(await page.inputValue('#evidence')).evidence).toMatchObject({
        type: 'az-snp-vtpm',
        hclReport,
        tpmQuote,
      });
      expect((await inspector.decision()).sentence).toMatch(/^Allow:/);
      expect(await inspector.read(IS_IN_VIEW('.unused li:last-child'))).toBe(true);
      expect(await inspector.read(IS_IN_VIEW('.verdict h2'))).toBe(true);
      expect(await page.locator('.unused li').allInnerTexts()).toEqual([
        'again.der: “vcek.der” is the VCEK or VLEK already.',
        expect.stringContaining(`${script}: It is none of what this page knows`),
      ]);
      expect(await inspector.violations()).toEqual([]);
      await page.locator('.card button').first().click();
      await page.locator('.example-note').waitFor();
      expect(await page.locator('.unused li').count()).toBe(0);
    });
  });

  it('names files that it cannot read, and those beyond 64', async () => {
    const fault = 'The browser cannot read it: it may be a folder.';
    await suite.visit(async ({ page }) => {
      await page.addInitScript(
        "const read = Blob.prototype.arrayBuffer; Blob.prototype.arrayBuffer = function () { return this.name === 'folder' ? Promise.reject(new Error()) : read.call(this); }",
      );
      await page.reload();
      const named = (name: string) => ({ ...fileOf('nothing'), name });
      const names = ['folder', ...Array.from({ length: 64 }, (_, index) => `file ${index}`)];
      await page.setInputFiles('input[type=file]', names.map(named));
      await page.locator('main[data-looked="1"]').waitFor();
      const unused = await page.locator('.unused li').allInnerTexts();
      expect(unused).toHaveLength(65);
      expect(unused.slice(63)).toEqual([`folder: ${fault}`, 'file 63: The page reads 64 files at once.']);
      expect(await page.locator('.intake .problem').textContent()).toMatch(/^None of the files is a report or a quote/);
      await page.setInputFiles('input[type=file]', [named('folder')]);
      await page.locator('main[data-looked="2"]').waitFor();
      expect(await page.locator('.intake .problem').textContent()).toBe(fault);
    });
  });

  it('shows what was given last, also where an older look ends later', async () => {
    const [[older = ''], newer] = [suite.lab.bodies('snp'), azureThat('deny')];
    const isOfOlder = (request: Request) => request.postData()?.includes(nonceIn(older)) === true;
    await suite.visit(async (inspector) => {
      const { page } = inspector;
      let letGo = () => {};
      const held = new Promise<void>((resolve) => {
        letGo = resolve;
      });
      await page.route('**/verify*', async (route) => {
        if (isOfOlder(route.request())) await held;
        await route.continue();
      });
      const answered = page.waitForResponse((response) => isOfOlder(response.request()));
      await page.setInputFiles('input[type=file]', fileOf(older));
      await inspector.give(newer);
      expect((await inspector.decision()).sentence).toMatch(/^Deny:/);
      letGo();
      await (await answered).finished();
      // The work after the answer has run in the page by the time of another look.
      await inspector.read('new Promise((resolve) => setTimeout(resolve, 200))');
      expect((await inspector.decision()).sentence).toMatch(/^Deny:/);
      expect(await page.getAttribute('main', 'data-looked')).toBe('1');
    });
  });

  it('shows hostile text as text, and stays usable', async () => {
    const [script = '', image = '', reordered = '', closing = ''] = HOSTILE;
    const token = [{ alg: 'RS256', kid: script }, { iss: closing, [image]: reordered }, 's']
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    await suite.visit(async (page) => {
      await page.paste(token);
      const fields = new Map([...(await page.fields()).values()].flat().map(({ name, value }) => [name, value]));
      expect([fields.get('kid'), fields.get('iss'), fields.get(image)]).toEqual([script, closing, '\\u202egnp.exe']);
      // Refused with the name of what is wrong, which the caller chose.
      await page.give(JSON.stringify({ evidence: { type: script, [image]: 1 }, nonce: 'x'.repeat(1_000_000) }));
      expect(await page.page.locator('.verdict.fault h2').textContent()).toMatch(/^Not judged: /);
      await page.give(Uint8Array.of(0x7b, 0x22, 0xff, 0xfe, 0x22));
      expect(await page.page.locator('.problem').first().textContent()).toMatch(/^It is not strict JSON: /);
      const [body = ''] = suite.lab.bodies('snp');
      await page.paste(body);
      expect((await page.decision()).sentence).toMatch(/^Allow:/);
      await page.page.click('table.fields button:text-is("MEASUREMENT")');
      expect(await page.page.locator('.chosen strong').textContent()).toBe('MEASUREMENT');
      page.forget(/status of 400/);
    });
  });

  it('is red by its own verification where the service was made to say green', async () => {
    const question = suite.lab.questions.find(
      ({ decision, body }) => decision === 'deny' && JSON.parse(body).evidence.type === 'snp',
    );
    const good = suite.lab.questions.find(
      ({ decision, body }) => decision === 'allow' && JSON.parse(body).evidence.type === 'snp',
    );
    const green = await ask<Schemas['Decision']>('/verify?checks=all', good?.body ?? '');
    await suite.visit(async (page) => {
      await page.page.route('**/verify*', (route) => route.fulfill({ json: green }));
      await page.give(question?.body ?? '');
      expect((await page.decision()).sentence).toMatch(/^Allow:/);
      expect(await page.page.locator('.hardware.failed h2').textContent()).toBe(
        'This page could not verify the signature of the hardware report.',
      );
      expect(await page.page.locator('.hardware .steps .fail').allInnerTexts()).toEqual([
        expect.stringMatching(/signed the report at \/evidence\/report: no$/),
      ]);
    });
  });

  it('is red, too, where every signature holds under a root that it does not know', async () => {
    const good = suite.lab.questions.find(
      ({ decision, body }) => decision === 'allow' && JSON.parse(body).evidence.type === 'snp',
    );
    await suite.visit(async (page) => {
      await page.give(good?.body ?? '');
      expect(await page.page.locator('.hardware.failed h2').textContent()).toBe(
        'Every signature of the report holds, and its certificates end at a root that this page does not know.',
      );
      expect(await page.page.locator('.hardware .steps .fail').allInnerTexts()).toEqual([
        'its key is a pinned root of AMD: no',
      ]);
    });
  });

  it('shows an error of the page as one, and nothing that could be taken for a verdict', async () => {
    const [body = ''] = suite.lab.bodies('snp');
    await suite.visit(async (page) => {
      await page.page.addInitScript("SubtleCrypto.prototype.verify = async () => { throw new TypeError('a bug'); }");
      await page.page.reload();
      await page.give(body);
      expect(await page.page.locator('.intake .problem').textContent()).toBe('a bug');
      expect(await page.page.locator('.result').count()).toBe(0);
    });
  });

  it('asks for a key where the service has callers, and keeps it nowhere', async () => {
    const [body = ''] = suite.lab.bodies('snp');
    const callers = { reader: reader(JSON.parse(body).policy) };
    await suite.beside(await suite.lab.command({ callers }), async (url) => {
      const act = async (page: InspectorPage) => {
        await page.give(body);
        expect(await page.page.locator('.verdict.fault h2').textContent()).toMatch(/^Not judged: /);
        await page.page.click('summary');
        await page.page.fill('#option-key', KEY);
        expect(await page.page.locator('#option-key').getAttribute('type')).toBe('password');
        await page.give(body);
        expect((await page.decision()).sentence).toMatch(/^Allow:/);
        const kept = await page.read('[localStorage.length, sessionStorage.length, document.cookie]');
        expect(kept).toEqual([0, 0, '']);
        page.forget(/status of 401/);
      };
      await suite.visit(act, { at: url });
    });
  });

  it.each([360, 768, 1280])('fits into %d pixels', async (width) => {
    const [body = ''] = suite.lab.bodies('az-snp-vtpm');
    await suite.visit(
      async (page) => {
        await page.give(body);
        const overflow = await page.read('document.documentElement.scrollWidth - document.documentElement.clientWidth');
        expect(overflow).toBe(0);
      },
      { width },
    );
  });

  it.each(['light', 'dark'] as const)('has no violation that axe-core knows: %s', async (scheme) => {
    const [body = ''] = suite.lab.bodies('az-snp-vtpm');
    const act = async (page: InspectorPage) => {
      expect(await page.violations()).toEqual([]);
      await page.give(body);
      await page.page.locator('.links button').first().click();
      expect(await page.violations()).toEqual([]);
    };
    await suite.visit(act, { scheme });
  });

  it('is reached by the keyboard alone', async () => {
    const [body = ''] = suite.lab.bodies('snp');
    await suite.visit(async ({ page }) => {
      await page.focus('#evidence');
      await page.fill('#evidence', body);
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      await page.waitForSelector('.verdict');
      // The result has the focus: the list of its sections is next, then the link to the record, and then the chain.
      await page.keyboard.press('Tab');
      expect(await page.evaluate('document.activeElement.textContent')).toBe('Decision');
      await page.keyboard.press('Enter');
      await page.keyboard.press('Tab');
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      expect(await page.locator('#link-checks table').count()).toBe(1);
      await page.focus('[role=tab][aria-selected=true]');
      await page.keyboard.press('ArrowRight');
      expect(await page.locator('[role=tab][aria-selected=true]').textContent()).toBe(
        'Which firmware, how far behind?',
      );
      expect(await page.evaluate("document.activeElement.getAttribute('aria-selected')")).toBe('true');
      await page.keyboard.press('End');
      expect(await page.locator('[role=tab][aria-selected=true]').textContent()).toBe('What does this not prove?');
      await page.keyboard.press('ArrowRight');
      expect(await page.locator('[role=tab][aria-selected=true]').textContent()).toBe('Which hardware?');
    });
  });

  it('is one file too, which reads evidence and contacts nobody', async () => {
    const file = join(inject('installation'), 'dist/inspector/veritee-inspector.html');
    const [body = ''] = suite.lab.bodies('snp');
    expect(readFileSync(file, 'utf8')).not.toContain('http://127.0.0.1');
    await suite.visit(
      async (page) => {
        await page.give(body);
        expect(await page.page.textContent('.hardware.open h2')).toBe(
          'This page has not verified the hardware report itself.',
        );
        expect(await page.page.textContent('.hardware .worth')).toBe(
          'It looks at signatures alone: not at dates, revocation, firmware, policy or freshness. It is worth as much as this file: compare its SHA-256 with the published one.',
        );
        expect(await page.page.locator('.verdict').count()).toBe(0);
        expect([...(await page.fields()).keys()]).toContain('/evidence/report: an SNP report');
        // It could not contact even a service that lets every page read: its own policy does not let it.
        const keys = `${suite.service.url}/.well-known/jwks.json`;
        expect(await page.read(`fetch('${keys}').then(() => 'answered', ({ name }) => name)`)).toBe('TypeError');
        // The event comes after the answer.
        await expect.poll(() => page.faults).toContain('policy: connect-src');
        expect(page.faults.filter((fault) => fault.startsWith('request: '))).toEqual([]);
        page.forget(/^policy: connect-src$|^console: .*Content Security Policy/);
      },
      { at: pathToFileURL(file).href },
    );
  });
});
