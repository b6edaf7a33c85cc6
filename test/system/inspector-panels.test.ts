import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/core/json.js';
import type { components } from '../../src/wire/generated/openapi-types.js';
import { buildEventLog, LOG_EVENT } from '../lab/event-log-builder.js';
import { isLacking } from '../requirements.js';
import { CHROMIUM } from './browser.js';
import { everywhere, HOSTILE_TEXTS, replaced, textsIn } from './hostile-texts.js';
import type { InspectorPage } from './inspector-page.js';
import { inspectorSuite } from './inspector-suite.js';

type Schemas = components['schemas'];

describe.skipIf(isLacking('panels of the inspector in a browser', [CHROMIUM]))('the inspector', () => {
  const suite = inspectorSuite();

  /** The VM of the lab with an event log that is not of its boot. */
  function withLog(): string {
    const body = JSON.parse(azure());
    const event = { pcr: 0, type: LOG_EVENT.crtmVersion, data: Buffer.from('version 1') };
    return JSON.stringify({ ...body, evidence: { ...body.evidence, eventLog: base64Url(buildEventLog([event])) } });
  }

  /** The VM of the lab with the policy that its requests name. */
  const azure = () => suite.lab.bodies('az-snp-vtpm')[0] ?? '';

  /** Class and heading of what an evaluation came to. */
  const evaluation = async ({ page }: InspectorPage) => [
    await page.getAttribute('.evaluation', 'class'),
    await page.textContent('.evaluation h3'),
  ];

  it('shows registers with the events that made them', async () => {
    await suite.visit(async (inspector) => {
      await inspector.give(withLog());
      const { page } = inspector;
      const [first] = await page.locator('.register > summary').allInnerTexts();
      expect(first).toBe('PCR 0: the event log does not explain it (1 event)');
      expect(await page.locator('.register').first().getAttribute('class')).toBe('register differs');
      expect(await page.locator('.registers > p').first().textContent()).toMatch(
        /^The values are those of the verified quote or report\. /,
      );
      await page.click('.register > summary');
      const event = await page.locator('.register[open] .events tbody tr').textContent();
      expect(event).toMatch(/^0x45EV_S_CRTM_VERSION: version 1[0-9a-f]{64}$/);
      // Of a quote whose key nobody vouches for, they are neither good nor bad.
      const { evidence, ...body } = JSON.parse(withLog());
      const report = Buffer.from(evidence.hclReport, 'base64url');
      report.writeUInt8(report.readUInt8(0xb0) ^ 1, 0xb0);
      await inspector.give(JSON.stringify({ ...body, evidence: { ...evidence, hclReport: base64Url(report) } }));
      expect((await inspector.decision()).sentence).toMatch(/^Deny: /);
      const classes = await page
        .locator('.register')
        .evaluateAll((all) => all.map((each) => each.getAttribute('class')));
      expect(new Set(classes)).toEqual(new Set(['register unverified']));
      expect(await page.locator('.registers > p').first().textContent()).toMatch(
        /^Nothing vouches for the values: they are what the evidence says\. /,
      );
    });
  });

  it('shows the text of the policy with the lines that decided', async () => {
    await suite.visit(async (inspector) => {
      await inspector.give(azure());
      const { page } = inspector;
      await page.click('.policy > summary');
      await page.waitForSelector('.policy-text .pass');
      const shown = await page.locator('.policy-text .pass').allInnerTexts();
      expect(shown.join('\n')).toMatch(/accepts.*\n?.*met: policy_evidence_type/);
      expect(await page.locator('.policy > .problem').allInnerTexts()).toEqual(['']);
    });
  });

  it('marks no line of a text that is not the one that decided', async () => {
    await suite.visit(async (inspector) => {
      const { page } = inspector;
      const other = (text: string) => `${text}# changed since\n`;
      let served = '';
      await page.route('**/policies/*', async (route) => {
        const policy = await (await route.fetch()).json();
        served = other(policy.text);
        await route.fulfill({ json: { ...policy, text: served } });
      });
      await inspector.give(azure());
      await page.click('.policy > summary');
      await page.waitForSelector('.policy-text');
      const digest = createHash('sha256').update(served).digest('hex');
      expect(await page.locator('.policy > .problem').allInnerTexts()).toEqual([
        '',
        `This is not the text that decided: its SHA-256 is ${digest}. The policy was changed since, so no line is marked.`,
      ]);
      expect(await page.locator('.policy-text td').last().textContent()).toBe('# changed since');
      expect(await page.locator('.policy-text tr:not([class=""])').count()).toBe(0);
      expect(await page.locator('.policy-text small').count()).toBe(0);
      expect(await page.getByText('By default, where the policy says nothing').count()).toBe(0);
    });
  });

  it('lints a policy as it is typed, and evaluates it against the evidence at hand', async () => {
    await suite.visit(async (inspector) => {
      await inspector.give(azure());
      const { page } = inspector;
      await page.click('.policy > summary');
      await page.click('.editor > summary');
      await page.click('.editor button:text-is("Evaluate")');
      await page.waitForSelector('.evaluation');
      expect(await evaluation(inspector)).toEqual(['evaluation allow', 'It would allow.']);
      const text = await page.inputValue('.editor textarea');
      await page.fill('.editor textarea', text.replace(/\baccepts\b/, 'acceptz'));
      await page.waitForSelector('.lint .error code:text-is("policy_schema")');
      await page.fill('.editor textarea', OF_TDS);
      await page.waitForSelector('.lint .error', { state: 'detached' });
      await page.click('.editor button:text-is("Evaluate")');
      await page.waitForSelector('.evaluation');
      expect(await evaluation(inspector)).toEqual(['evaluation deny', 'It would deny.']);
      expect(await page.locator('.evaluation').textContent()).toContain('policy_evidence_type');
    });
  });

  it('says what is not evaluated, and sends none of it', async () => {
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' };
    const withKey = { ...JSON.parse(azure()), binding: { jwk } };
    await suite.visit(async (inspector) => {
      await inspector.give(JSON.stringify(withKey));
      const { page } = inspector;
      await page.click('.policy > summary');
      await page.click('.editor > summary');
      expect(await page.textContent('.editor .not-evaluated')).toMatch(
        /leaves out its binding and attestationResults;/,
      );
      const asked = page.waitForRequest('**/policies:evaluate');
      await page.click('.editor button:text-is("Evaluate")');
      expect(Object.keys((await asked).postDataJSON()).sort()).toEqual(['evidence', 'nonce', 'text']);
      await page.waitForSelector('.evaluation');
      // An allow of less than was asked is none.
      expect(await evaluation(inspector)).toEqual(['evaluation partial', 'It would allow.']);
      expect(await page.textContent('.evaluation .problem')).toBe(
        'That is without binding of the request: with them, it may be decided otherwise.',
      );
    });
  });

  it.each([
    ['binding', { jwk: {} }],
    ['attestationResults', []],
  ])('says that %s is not evaluated, which the service takes in no evaluation', async (name, value) => {
    const { evidence, nonce } = JSON.parse(azure());
    const body = JSON.stringify({ text: OF_TDS, evidence, nonce, [name]: value });
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${suite.service.url}/policies:evaluate`, { method: 'POST', headers, body });
    expect(await answer.json()).toMatchObject({ status: 400, code: 'unknown_property', pointer: `/${name}` });
  });

  it('says that it may not show the policy where the caller may not read policies', async () => {
    const key = 'key-of-the-verifier-0123456789abcdef';
    const verifier = {
      apiKeySha256: createHash('sha256').update(key).digest('hex'),
      expires: '2099-01-01',
      roles: ['verify'],
      policies: [JSON.parse(azure()).policy],
    };
    const command = await suite.lab.command({ callers: { verifier } });
    await suite.beside(command, async (url) => {
      const act = async (inspector: InspectorPage) => {
        const { page } = inspector;
        await page.click('.intake summary');
        await page.fill('#option-key', key);
        await inspector.give(azure());
        await page.click('.policy > summary');
        await page.waitForSelector('.policy .problem:has-text("Its text is not shown")');
        inspector.forget(/status of 403/);
      };
      await suite.visit(act, { at: url });
    });
  });

  it('shows what was found under the names of Azure Attestation', async () => {
    await suite.visit(async (inspector) => {
      await inspector.give(azure());
      const { page } = inspector;
      await page.click('[role=tab]:text-is("What did Azure say, what did we find?")');
      const rows = await page.locator('.azure tbody tr').allInnerTexts();
      expect(rows.join('\n')).toMatch(/x-ms-isolation-tee\.x-ms-sevsnpvm-launchmeasurement/);
    });
  });

  it('shows the claims of a token beside what was found, and what an allow does not prove', async () => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${suite.service.url}/verify?checks=all`, { method: 'POST', headers, body: azure() });
    const answer = (await response.json()) as Schemas['Decision'];
    const maa = { claims: { one: 'a', two: 'b', three: 'c' } };
    const json = {
      ...answer,
      claims: { ...answer.claims, maa },
      maaView: { one: 'a', two: 'other', four: 'd' },
      crossCheck: { agree: false, equal: ['one'], differences: [{ claim: 'two' }] },
    };
    await suite.visit(async (inspector) => {
      const { page } = inspector;
      await page.route('**/verify*', (route) => route.fulfill({ json }));
      await inspector.give(azure());
      await page.click('[role=tab]:text-is("What did Azure say, what did we find?")');
      expect(await page.locator('[role=tabpanel] > p').first().textContent()).toBe(
        'The token disagrees with the evidence about two.',
      );
      expect(await page.locator('.azure thead th').allInnerTexts()).toEqual([
        'Claim',
        'Azure Attestation says',
        'veritee found',
        'Compared',
      ]);
      expect(await inspector.read(AZURE_ROWS)).toEqual([
        'differs | two | b | other | differs',
        'equal | one | a | a | the same',
        'only_azure | three | c |  | only in the token',
        'only_found | four |  | d | only found here',
      ]);
      await page.click('[role=tab]:text-is("What does this not prove?")');
      expect(await page.locator('.limits li').allInnerTexts()).toEqual([
        'Anything about a later time: the guest may change a second after it was measured.',
        'That the sender of the evidence is the machine that generated it, unless a key is bound.',
        'That the software in the guest is good: it has these measurements, no more.',
        "Anything about the guest's operating system through snp.measurement, which measures the paravisor.",
        "Any value of a PCR outside the quote's selection: such a PCR is not a claim.",
      ]);
    });
  });

  it('links the claims of the answer with their bytes, both ways', async () => {
    await suite.visit(async (inspector) => {
      await inspector.give(azure());
      const { page } = inspector;
      await page.click('[role=tab]:text-is("Which boot chain?")');
      await page.click('.claims div:has(dt:has-text("snp.measurement")) button');
      // The focus moves once the page is drawn.
      const focused = () => page.evaluate('document.activeElement.textContent');
      await expect.poll(focused).toBe('MEASUREMENT');
      expect(await page.locator('tr.selected button[aria-pressed=true]').textContent()).toBe('MEASUREMENT');
      const report = Buffer.from(JSON.parse(azure()).evidence.hclReport, 'base64url').subarray(32);
      const marked = await page.locator('.rows .selected').allInnerTexts();
      expect(marked.join(' ').replaceAll(/\s+/g, '')).toBe(report.subarray(0x90, 0xc0).toString('hex'));
      await page.click('tr:has(button:text-is("CHIP_ID")) button.place');
      await expect.poll(focused).toBe('its bytes (snp.chipId)');
      expect(await page.locator('[role=tab][aria-selected=true]').textContent()).toBe('Which hardware?');
    });
  });

  it('compares two pieces of evidence', async () => {
    const [one = '', other = ''] = suite.lab.bodies('snp');
    await suite.visit(async (inspector) => {
      await inspector.give(one);
      const { page } = inspector;
      await page.fill('#other-evidence', other);
      await page.click('.comparison button:text-is("Compare")');
      await page.waitForSelector('.pairs');
      const differing = await page.locator('.pairs tr.differs th').allInnerTexts();
      expect(differing).toContain('REPORT_DATA');
      expect(differing).not.toContain('VERSION');
      const dataOf = (body: string) => hexAt(JSON.parse(body).evidence.report, 0x50, 0x40);
      expect(await page.locator('.pairs tr', { hasText: 'REPORT_DATA' }).locator('td').allInnerTexts()).toEqual([
        dataOf(one),
        dataOf(other),
      ]);
      expect(await page.locator('.comparison h3 + p').first().textContent()).toMatch(
        /^Nothing differs that tells one boot from another: /,
      );
      expect(await page.locator('.differences').count()).toBe(0);
      await page.check('.comparison input[type=checkbox]');
      expect(await page.locator('.pairs tbody th').allInnerTexts()).toContain('VERSION');
      const changed = JSON.parse(one);
      const report = Buffer.from(changed.evidence.report, 'base64url');
      report.writeUInt8(report.readUInt8(0x90) ^ 1, 0x90);
      changed.evidence.report = base64Url(report);
      await page.fill('#other-evidence', JSON.stringify(changed));
      await page.click('.comparison button:text-is("Compare")');
      expect(await page.locator('.differences li').allInnerTexts()).toEqual([
        'MEASUREMENT of the ATTESTATION_REPORT differs',
      ]);
      // A comparison does not stay for the next evidence.
      await inspector.give(other);
      expect(await page.locator('.differences, .pairs').count()).toBe(0);
      await page.fill('#other-evidence', 'nothing');
      await page.click('.comparison button:text-is("Compare")');
      expect(await page.locator('.comparison .problem').textContent()).not.toBe('');
      expect(await page.locator('.pairs').count()).toBe(0);
    });
  });

  it('shows hostile text as text, wherever a request has text', async () => {
    const body: JsonObject = JSON.parse(azure());
    const places = textsIn(body);
    expect(places.length).toBeGreaterThan(10);
    await suite.visit(async (inspector) => {
      const shown: string[] = [];
      for (const [index, place] of places.entries()) {
        const hostile = HOSTILE_TEXTS[index % HOSTILE_TEXTS.length] ?? '';
        await inspector.give(JSON.stringify(replaced(body, place, hostile)));
        expect(await inspector.page.locator(ELEMENTS_OF_TEXT).count()).toBe(0);
        if (
          await inspector.read(
            `document.querySelector('.result').textContent.includes(${JSON.stringify(hostile.slice(0, 10))})`,
          )
        )
          shown.push(place.join('/'));
      }
      // The sentence of the refusal names the type of evidence: of other members it has no text of the caller.
      expect(shown).toEqual(['evidence/type']);
      inspector.forget(/status of 400/);
    });
  });

  it('shows hostile text as text, wherever an answer has text', async () => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${suite.service.url}/verify?checks=all`, { method: 'POST', headers, body: azure() });
    const answer = (await response.json()) as Schemas['Decision'];
    await suite.visit(async (inspector) => {
      const { page } = inspector;
      for (const hostile of HOSTILE_TEXTS.map((text) => text.slice(0, 10_000))) {
        // The members by which the page chooses stay: else it would show nothing of the rest.
        const json = everywhere(answer as unknown as JsonObject, hostile, new Set(['decision', 'result', 'type']));
        await page.route('**/verify*', (route) => route.fulfill({ json }));
        await inspector.give(azure());
        for (const tab of await page.locator('[role=tab]').all()) await tab.click();
        expect(await page.locator(ELEMENTS_OF_TEXT).count()).toBe(0);
        expect(await page.locator('.verdict .facts').textContent()).toContain(hostile.slice(0, 7));
        await page.unroute('**/verify*');
      }
      inspector.forget(/status of 404/);
    });
  });

  it('lets the keyboard alone reach everything that can be used', async () => {
    await suite.visit(async (inspector) => {
      await inspector.give(azure());
      const { page } = inspector;
      await page.click('.policy > summary');
      await page.waitForSelector('.policy-text');
      const all = await inspector.read<number>(`(${NUMBER_ALL})()`);
      expect(all).toBeGreaterThan(40);
      const reached = new Set<string>();
      for (let press = 0; press < all + 10; press += 1) {
        await page.keyboard.press('Tab');
        reached.add((await inspector.read<string | null>("document.activeElement.getAttribute('data-number')")) ?? '');
      }
      const missing = Array.from({ length: all }, (_, number) => String(number)).filter(
        (number) => !reached.has(number),
      );
      const elements = await Promise.all(
        missing.map((number) =>
          inspector.read(`document.querySelector('[data-number="${number}"]').outerHTML.slice(0, 120)`),
        ),
      );
      expect(elements).toEqual([]);
    });
  });

  it.each(['light', 'dark'] as const)(
    'has no violation that axe-core knows with everything open: %s',
    async (scheme) => {
      const [one = ''] = suite.lab.bodies('snp');
      const act = async (inspector: InspectorPage) => {
        const { page } = inspector;
        await inspector.give(withLog());
        await page.click('.policy > summary');
        await page.click('.editor > summary');
        await page.click('.editor button:text-is("Evaluate")');
        await page.waitForSelector('.evaluation');
        await page.click('.register > summary');
        await page.fill('#other-evidence', one);
        await page.click('.comparison button:text-is("Compare")');
        await page.click('[role=tab]:text-is("What did Azure say, what did we find?")');
        expect(await inspector.violations()).toEqual([]);
      };
      await suite.visit(act, { scheme });
    },
  );

  it('fits into 360 pixels with everything open', async () => {
    await suite.visit(
      async (inspector) => {
        const { page } = inspector;
        await inspector.give(withLog());
        await page.click('.policy > summary');
        await page.click('.editor > summary');
        await page.click('.register > summary');
        await page.fill('#other-evidence', azure());
        await page.click('.comparison button:text-is("Compare")');
        await page.check('.comparison input[type=checkbox]');
        await page.click('[role=tab]:text-is("What did Azure say, what did we find?")');
        const overflow = await inspector.read(
          'document.documentElement.scrollWidth - document.documentElement.clientWidth',
        );
        expect(overflow).toBe(0);
      },
      { width: 360 },
    );
  });
});

/** Refuses the VM of the suite.lab. */
const OF_TDS = `apiVersion: veritee/v1
id: of-tds
version: 1
accepts: [tdx]
minimums: { tdx: { acceptedStatuses: [UpToDate] } }
`;

/** Class and cells of each row. */
const AZURE_ROWS = `Array.from(document.querySelectorAll('.azure tbody tr'), (row) =>
  [row.className, ...Array.from(row.children, (cell) => cell.textContent)].join(' | '))`;

const hexAt = (encoded: string, at: number, length: number) =>
  Buffer.from(encoded, 'base64url')
    .subarray(at, at + length)
    .toString('hex');
const base64Url = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');

/** Elements that a hostile text would make if it were parsed as HTML. */
const ELEMENTS_OF_TEXT = 'main script, main img, main svg, main iframe, main style';

/** Numbers everything that the keyboard has to reach: what is hidden or closed is left out. */
const NUMBER_ALL = `() => {
  const usable = 'a[href], button:not(:disabled), input, select, textarea, summary, [tabindex="0"]';
  const seen = Array.from(document.querySelectorAll(usable)).filter((each) =>
    each.tabIndex >= 0 && each.checkVisibility({ contentVisibilityAuto: true }));
  seen.forEach((each, index) => { each.dataset.number = String(index); });
  return seen.length;
}`;
