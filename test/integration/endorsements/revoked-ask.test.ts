import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AmdSnpReportVerifier } from '../../../src/tee/snp/snp-report-verifier.js';
import { SnpVerifier } from '../../../src/tee/snp/snp-verifier.js';
import { AMD_SERIALS, createSnpGuest } from '../../lab/index.js';
import { failed, idsWith } from '../../unit/tee/fixture.js';
import { AmdLab, DAY_MS, type Opened, PINS, pki } from './amd-lab.js';

const REISSUED = pki.reissuedIntermediate('Milan', 'vcek');
const guest = createSnpGuest({ pki, signingKey: 'vcek', vcek: { issuer: pki.intermediate('Milan', 'vcek') } });
const { chipId, tcb, vek } = guest.platform;
const next = pki.issueVcek({ product: 'Milan', chipId, tcb, key: vek.key, issuer: REISSUED }).der;
const verifier = new SnpVerifier(new AmdSnpReportVerifier({ refuseProducts: new Set(), pins: PINS }), new Map());

let lab: AmdLab;

beforeEach(async () => {
  lab = await AmdLab.start();
  lab.kds.serveVcek('Milan', chipId, tcb, vek.der);
});

afterEach(() => lab.close());

/** Codes of what failed and of what was out of reach, and how often KDS was asked for a VCEK. */
async function judged(opened: Opened) {
  const before = lab.kds.count(/SPL/);
  const at = lab.clock.now();
  const evidence = guest.evidence({ endorsements: { vek: null, chain: null, crls: [] } });
  const context = { at, historical: false, signal: new AbortController().signal };
  const endorsements = await opened.source.fetch(verifier.open(evidence).needs, context);
  const found = await verifier.open(evidence).verify({ at, endorsements, binding: null });
  return [[...failed(found), ...idsWith(found, 'unavailable')], lab.kds.count(/SPL/) - before];
}

function revoke(): void {
  lab.kds.serveChain('Milan', 'vcek', REISSUED.pem + pki.ark('Milan').pem);
  const revoked = [{ serial: AMD_SERIALS.Milan.ask }];
  lab.kds.serveCrl('Milan', 'vcek', pki.issueCrl({ product: 'Milan', number: 99, revoked }));
}

const serveNext = () => lab.kds.serveVcek('Milan', chipId, tcb, next);

describe('a VCEK below an ASK that AMD has revoked', () => {
  it('SNP-27 is asked for anew, and the one below another ASK takes its place', async () => {
    const opened = lab.open({ inBackground: false });
    expect(await judged(opened)).toEqual([[], 1]);
    revoke();
    serveNext();
    lab.clock.advance(DAY_MS);
    await opened.refreshDue();
    expect(await judged(opened)).toEqual([[], 1]);
    expect(await judged(opened)).toEqual([[], 0]);
  });

  it('SNP-27 of the operator gives way to the one that was fetched in its place, each time', async () => {
    await lab.fill({ 'vcek.der': vek.der });
    const opened = lab.open({ inBackground: false });
    expect(await judged(opened)).toEqual([[], 0]);
    revoke();
    serveNext();
    lab.clock.advance(DAY_MS);
    await opened.refreshDue();
    expect([await judged(opened), await judged(opened), await judged(opened)]).toEqual([
      [[], 1],
      [[], 0],
      [[], 0],
    ]);
  });

  it('SNP-27 is asked for again where KDS was not asked, or about the past', async () => {
    const opened = lab.open({ inBackground: false });
    await judged(opened);
    revoke();
    serveNext();
    lab.clock.advance(DAY_MS);
    await opened.refreshDue();
    const evidence = guest.evidence({ endorsements: { vek: null, chain: null, crls: [] } });
    const { needs } = verifier.open(evidence);
    const at = lab.clock.now();
    await opened.source.fetch(needs, { at, historical: false, signal: AbortSignal.abort() });
    await opened.source.fetch(needs, { at, historical: true, signal: new AbortController().signal });
    expect((await judged(opened))[0]).toEqual([]);
  });

  it('SNP-27 stays revoked where AMD has no other, which is asked once in ten minutes', async () => {
    const opened = lab.open({ inBackground: false });
    await judged(opened);
    revoke();
    lab.clock.advance(DAY_MS);
    await opened.refreshDue();
    expect(await judged(opened)).toEqual([['cert_revoked'], 1]);
    expect(await judged(opened)).toEqual([['cert_revoked'], 0]);
    lab.clock.advance(10 * 60_000);
    serveNext();
    expect(await judged(opened)).toEqual([[], 1]);
  });
});
