import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseCrl } from '../../../src/formats/x509-crl.js';
import type { Exclusive } from '../../../src/model/exclusive.js';
import * as amd from './amd-lab.js';
import * as intel from './intel-lab.js';

const passing: Exclusive = (_name, work) => work();

/** Has something happen in another worker when this one gets its first lock. */
function after(before: () => Promise<unknown>): Exclusive {
  let isFirst = true;
  return async (_name, work) => {
    const wasFirst = isFirst;
    isFirst = false;
    if (wasFirst) await before();
    return work();
  };
}

describe("AMD's CRLs of two workers", () => {
  const COMPLETE = amd.requestFor({ supplied: { vek: amd.SUPPLIED_VCEK, chain: true, crls: false } });
  const MARK = 'crl-highest-milan-vcek';
  const CRL = 'crl-milan-vcek.crl';
  const [FIVE, SEVEN, EIGHT] = [amd.issueCrl(5, -2, 300), amd.issueCrl(7, -1, 300), amd.issueCrl(8, 0, 300)];
  let lab: amd.AmdLab;

  beforeEach(async () => {
    lab = await amd.AmdLab.start();
    await lab.fill({ 'chain.pem': amd.pki.chainPem('Milan') });
    serve(FIVE);
  });

  afterEach(() => lab.close());

  /** What it renews by itself when it starts could be late, and be what it finds afterwards. */
  const open = (exclusive: Exclusive = passing) => lab.open({ exclusive, inBackground: false });
  const serve = (list: Uint8Array) => lab.kds.serveCrl('Milan', 'vcek', list);
  const inCache = (name: string) => readFile(join(lab.cacheFolder, name));

  /** The number of the CRL that counts, or the code of why none does. */
  async function told(opened: amd.Opened): Promise<unknown> {
    const { crls, crlProblems } = await amd.find(opened, COMPLETE, { at: lab.clock.now() });
    const found = crls.get('Milan');
    return found === undefined ? crlProblems.get('Milan')?.code : parseCrl(found.value.der).crlNumber;
  }

  /** Two workers of which both have relied on 5, and the first on 8 since. KDS answers no more. */
  async function oneAhead() {
    const [ahead, behind] = [open(), open()];
    expect([await told(ahead), await told(behind), await told(behind)]).toEqual([5n, 5n, 5n]);
    serve(EIGHT);
    lab.clock.advance(amd.DAY_MS);
    await ahead.refreshDue();
    expect(String(await inCache(MARK))).toMatch(/^8 /);
    lab.kds.fail(/crl/, { status: 503 });
    return behind;
  }

  it('CRT-09 none relies on a list that is older than what another has relied on', async () => {
    const behind = await oneAhead();
    await rm(join(lab.cacheFolder, CRL));
    for (let call = 0; call < 2; call += 1) expect(await told(behind)).toBe('crl_rollback');
  });

  it('CRT-09 each takes the newer list that another has kept', async () => {
    const behind = await oneAhead();
    for (let call = 0; call < 2; call += 1) expect(await told(behind)).toBe(8n);
    // And when it was fetched: it is not due before a day is over.
    expect((await behind.fetched())[0]?.fetchedAt).toEqual(lab.clock.now());
  });

  it('SNP-28 each has the list of the other series that another has fetched', async () => {
    const [ahead, behind] = [open(), open()];
    expect([await told(ahead), await told(behind), await told(behind)]).toEqual([5n, 5n, 5n]);
    const others = async () => {
      const { otherCrls } = await amd.find(behind, COMPLETE, { at: lab.clock.now() });
      return otherCrls.get('Milan')?.map(({ value }) => parseCrl(value.der).crlNumber);
    };
    expect(await others()).toEqual([]);
    lab.kds.serveCrl('Milan', 'vlek', EIGHT);
    await amd.find(ahead, { ...COMPLETE, signingKey: 'vlek' }, { at: lab.clock.now() });
    expect(await others()).toEqual([8n]);
  });

  it('CRT-09 none keeps a list where another has relied on a newer one meanwhile', async () => {
    serve(SEVEN);
    const other = open();
    const opened = open(
      after(async () => {
        serve(EIGHT);
        expect(await told(other)).toBe(8n);
      }),
    );
    expect(await told(opened)).toBe('crl_rollback');
    expect(Buffer.compare(await inCache(CRL), EIGHT)).toBe(0);
    expect(await told(lab.open({ kds: null }))).toBe(8n);
  });
});

describe('TDX collateral of two workers', () => {
  const MARK = `tdx-highest-pcs-${intel.fmspc}`;
  let lab: intel.IntelLab;

  beforeEach(async () => {
    lab = await intel.IntelLab.start();
  });

  afterEach(() => lab.close());

  /** Two workers of which both have relied on 18, and the first on 20 since, which the source has no more. */
  async function oneAhead() {
    const old = { evaluationNumber: 18, at: intel.NOW };
    lab.serve(old);
    const [ahead, behind] = [lab.open({ exclusive: passing }), lab.open({ exclusive: passing })];
    expect([await lab.told(ahead), await lab.told(behind)]).toEqual(['network 18', 'network 18']);
    lab.clock.advance(3 * intel.DAY_MS);
    lab.serve({ evaluationNumber: 20, at: intel.NOW });
    expect(await lab.told(ahead)).toBe('network 20');
    expect(await readFile(join(lab.cacheFolder, MARK), 'utf8')).toBe('20\n');
    lab.serve(old);
    return behind;
  }

  const removeKept = async () => {
    for (const name of await lab.cached('tdx-collateral-')) await rm(join(lab.cacheFolder, name));
  };

  it('TDX-10 none relies on a set that is older than what another has relied on', async () => {
    const behind = await oneAhead();
    await removeKept();
    await lab.pcs.connect('refused');
    for (let call = 0; call < 2; call += 1) expect(await lab.told(behind)).toBe('collateral_rollback');
  });

  it('TDX-10 each takes the newer set that another has kept', async () => {
    const behind = await oneAhead();
    await lab.pcs.connect('refused');
    for (let call = 0; call < 2; call += 1) expect(await lab.told(behind)).toBe('cache 20');
  });

  it('TDX-10 none takes an older set of a source that lags, nor keeps it', async () => {
    const behind = await oneAhead();
    await removeKept();
    expect(await lab.told(behind)).toBe('collateral_rollback');
    expect(behind.log.of(/older than what the source gave/)).toHaveLength(1);
    expect(await lab.cached('tdx-collateral-')).toEqual([]);
  });

  it('TDX-10 each keeps a set while no other can rely on one of the source', async () => {
    const held: string[] = [];
    const exclusive: Exclusive = async (name, work) => {
      const result = await work();
      if (name === 'tdx-collateral-pcs') held.push(...(await lab.cached('tdx-collateral-')));
      return result;
    };
    lab.serve({ evaluationNumber: 20 });
    expect(await lab.told(lab.open({ exclusive }))).toBe('network 20');
    expect(held).toEqual([expect.stringContaining(intel.fmspc)]);
  });

  it('TDX-10 none keeps a set where another has relied on a newer one meanwhile', async () => {
    lab.serve({ evaluationNumber: 19 });
    const other = lab.open({ exclusive: passing });
    const exclusive = after(async () => {
      lab.serve({ evaluationNumber: 20 });
      expect(await lab.told(other)).toBe('network 20');
    });
    const opened = lab.open({ exclusive });
    expect(await lab.told(opened)).toBe('collateral_rollback');
    expect(opened.log.of(/older than what the source gave/)).toHaveLength(1);
    expect(await lab.told(lab.open({ pcs: null }))).toBe('cache 20');
  });
});
