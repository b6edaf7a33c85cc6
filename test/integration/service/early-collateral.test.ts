import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { RunningService, ServiceOptions } from '../../../src/app/service.js';
import type { JsonObject } from '../../../src/core/json.js';
import { schemaErrors } from '../../contract/openapi-schemas.js';
import {
  AZURE_MRTD,
  createIntelPki,
  createTdxGuest,
  createTdxVirtualMachine,
  type TdxGuest,
  type TdxGuestEvidenceOptions,
  TdxPlatform,
  type TdxVirtualMachine,
} from '../../lab/index.js';
import { LabPcs } from '../../lab/pcs.js';
import { TlsAuthority } from '../../lab/tls-authority.js';
import { base64Url, call, LabService, lenientPolicy, MovableClock, NONCE, post, verdictOf } from './lab-service.js';

/** TDs judged by Intel's early collateral beside the decision, over HTTP, with Intel's service of the lab to ask. */

const HOUR_MS = 60 * 60_000;
const INTEL = createIntelPki();
const tls = new TlsAuthority();
const lab = await LabService.create(tls);
const pcs = await LabPcs.start({ tls });
const world: Partial<ServiceOptions> = { intelRootPins: INTEL.pins };
const askedEarly = ({ platform }: ReturnType<typeof newGuest>) =>
  pcs.count(new RegExp(`${platform.fmspc}&update=early`));
const PATIENT = { timeout: 10_000 };

/** The platform is at number 19; the demands of number 20 were published in February 2026. */
const BEHIND = { evaluationNumber: 20, tcbInfo: { status: 'OutOfDate', date: '2025-05-14T00:00:00Z' } } as const;
const RECOVERIES = [{ number: 20, eventDate: '2026-02-10T00:00:00Z', tcbDate: '2026-02-11T00:00:00Z' }, { number: 19 }];
const FROM = { date: '2027-02-10', estimated: true };

beforeAll(async () => {
  const members = { accepts: ['tdx', 'az-tdx-vtpm'], freshness: 'required' };
  await lab.writePolicy(
    lenientPolicy('current', { ...members, minimums: { tdx: { acceptedStatuses: ['UpToDate'] } } }),
  );
  await lab.writePolicy(lenientPolicy('any', { ...members, minimums: 'any' }));
  pcs.listNumbers({ recoveries: RECOVERIES });
});

afterEach(() => pcs.heal());

afterAll(async () => {
  await lab.close();
  await pcs.close();
});

/** A platform of its own kind, about which nothing is held. */
let platforms = 0;
function newGuest() {
  platforms += 1;
  const platform = new TdxPlatform({ pki: INTEL, fmspc: platforms.toString(16).padStart(12, '0') });
  return { platform, guest: createTdxGuest({ platform }) };
}

const start = (early: 'off' | 'shadow', more: Partial<ServiceOptions> = {}, name: string = early) => {
  const azure = { paravisors: { mrtds: [AZURE_MRTD] } };
  return lab.start({ intel: { pcs: pcs.origin, early }, azure, historical: true }, { ...world, ...more }, name);
};

function verify(
  { url }: RunningService,
  { guest }: { readonly guest: Pick<TdxGuest | TdxVirtualMachine, 'wireEvidence'> },
  members: JsonObject = {},
  options: TdxGuestEvidenceOptions = {},
) {
  const evidence = guest.wireEvidence({ nonce: NONCE, collateral: null, ...options });
  return post(url, '/verify', JSON.stringify({ evidence, nonce: base64Url(NONCE), policy: 'current', ...members }));
}

/** The first answer that is given with early collateral, which is fetched behind the ones before. */
async function verifiedWithEarly(...asked: Parameters<typeof verify>) {
  const first = await verify(...asked);
  let answer = first;
  await vi.waitFor(async () => {
    answer = await verify(...asked);
    expect(answer.body.shadow).not.toEqual([]);
  }, PATIENT);
  return { first, answer };
}

const linesOf = (message: string, fmspc: string) =>
  lab.output
    .split('\n')
    .filter((line) => line.includes(message) && line.includes(fmspc))
    .map((line) => JSON.parse(line) as JsonObject);
const FLIPS = 'allowed now, and denied by early TDX collateral';
const OVER = 'no longer denied by early TDX collateral';
const metricOf = async ({ url }: RunningService) =>
  /veritee_early_collateral_flips_total\{tenant="default",policy="current"\} (\d+)/.exec(
    String((await call(url, '/metrics')).body),
  )?.[1] ?? null;

describe('a service that judges by early collateral beside the decision', () => {
  let service: RunningService;
  beforeAll(async () => {
    service = await start('shadow');
  });

  it('says what will be denied, why and from about when, and decides as without it', async () => {
    const asked = newGuest();
    pcs.serve(asked.platform);
    pcs.serve(asked.platform, { ...BEHIND, update: 'early' });
    const before = Number(await metricOf(service));
    const { first, answer } = await verifiedWithEarly(service, asked);
    expect([verdictOf(first), first.body.shadow]).toEqual([['allow'], []]);
    expect(verdictOf(answer)).toEqual(['allow']);
    const [policy] = answer.body.policies;
    expect(answer.body.shadow).toEqual([
      {
        ...policy,
        outcome: 'deny',
        matched: expect.any(Array),
        unmatched: ['tdx_tcb_status'],
        reasons: ['tdx_tcb_status'],
        collateral: 'early',
        expectedFrom: FROM,
      },
    ]);
    expect(schemaErrors('Decision', answer.body)).toEqual([]);
    // Nothing else of the answer is of the early collateral.
    expect(answer.body.claims).toEqual(first.body.claims);
    expect(answer.body.claims.tdx.tcb).toMatchObject({ evaluationDataNumber: 19, status: 'UpToDate' });
    const digests = ({ body }: typeof answer) => body.endorsements.map(({ sha256 }: { sha256: string }) => sha256);
    expect(digests(answer)).toEqual(digests(first));
    expect(Number(await metricOf(service))).toBe(before + 1);
    await verify(service, asked);
    expect(linesOf(FLIPS, asked.platform.fmspc)).toMatchObject([
      { level: 'info', policy: 'current', reasons: ['tdx_tcb_status'], expectedFrom: FROM },
    ]);
    expect(linesOf(OVER, asked.platform.fmspc)).toEqual([]);
  });

  it('says of each policy what it would decide, also where that is the same', async () => {
    const asked = newGuest();
    pcs.serve(asked.platform);
    pcs.serve(asked.platform, { ...BEHIND, update: 'early' });
    const { answer } = await verifiedWithEarly(service, asked, { policy: ['any', 'current'] });
    const told = answer.body.shadow.map(({ id, outcome, expectedFrom }: JsonObject) => [id, outcome, expectedFrom]);
    expect(told).toEqual([
      ['any', 'allow', null],
      ['current', 'deny', FROM],
    ]);
    expect(linesOf(FLIPS, asked.platform.fmspc)).toHaveLength(1);
  });

  it('allows nothing by early collateral that the standard one denies', async () => {
    const asked = newGuest();
    pcs.serve(asked.platform, { tcbInfo: { status: 'OutOfDate' } });
    pcs.serve(asked.platform, { update: 'early', evaluationNumber: 20 });
    const before = await metricOf(service);
    const { answer } = await verifiedWithEarly(service, asked);
    expect(verdictOf(answer)).toEqual(['deny', 'tdx_tcb_status']);
    expect(answer.body.shadow).toMatchObject([{ outcome: 'allow', reasons: [], expectedFrom: null }]);
    expect([await metricOf(service), linesOf(FLIPS, asked.platform.fmspc)]).toEqual([before, []]);
  });

  it('denies nothing by early collateral that revokes', async () => {
    const asked = newGuest();
    pcs.serve(asked.platform);
    pcs.serve(asked.platform, { update: 'early', evaluationNumber: 20, tcbInfo: { status: 'Revoked' } });
    const { answer } = await verifiedWithEarly(service, asked);
    expect(verdictOf(answer)).toEqual(['allow']);
    expect(answer.body.shadow).toMatchObject([{ outcome: 'deny', reasons: ['tdx_tcb_status'], expectedFrom: FROM }]);
  });

  it('judges Azure VMs too', async () => {
    const { platform } = newGuest();
    pcs.serve(platform);
    pcs.serve(platform, { ...BEHIND, update: 'early' });
    const vm = await createTdxVirtualMachine({ platform, vtpm: lab.vm.vtpm });
    const { answer } = await verifiedWithEarly(service, { guest: vm });
    expect(verdictOf(answer)).toEqual(['allow']);
    expect(answer.body.shadow).toMatchObject([{ outcome: 'deny', reasons: ['tdx_tcb_status'], expectedFrom: FROM }]);
  });

  it('takes nothing of a request as early', async () => {
    const asked = newGuest();
    pcs.serve(asked.platform);
    const collateral = { ...BEHIND, evaluationNumber: 19 };
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const answer = await verify(service, asked, {}, { collateral });
      expect([verdictOf(answer), answer.body.shadow]).toEqual([['allow'], []]);
    }
    await vi.waitFor(() => expect(askedEarly(asked)).toBe(1), PATIENT);
    expect((await verify(service, asked, {}, { collateral })).body.shadow).toEqual([]);
  });

  it('neither waits for early collateral that does not come, nor decides otherwise', async () => {
    const asked = newGuest();
    pcs.serve(asked.platform);
    pcs.fail(/update=early/, 'half_open');
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const answer = await verify(service, asked);
      expect([verdictOf(answer), answer.body.shadow]).toEqual([['allow'], []]);
    }
  });

  it('asks about no platform whose quote does not hold, and about no past', async () => {
    const asked = newGuest();
    pcs.serve(asked.platform);
    pcs.serve(asked.platform, { ...BEHIND, update: 'early' });
    const forged = await verify(service, asked, {}, { quote: { signature: (bytes) => bytes.fill(1) } });
    expect([verdictOf(forged)[0], forged.body.shadow]).toEqual(['deny', []]);
    const past = await verify(service, asked, { at: new Date(Date.now() - HOUR_MS).toISOString() });
    expect([past.body.historical, past.body.shadow]).toEqual([true, []]);
    const snp = await lab.verify(service);
    expect([snp.body.evidence.type, snp.body.shadow]).toEqual(['az-snp-vtpm', []]);
    expect(askedEarly(asked)).toBe(0);
    await verifiedWithEarly(service, asked);
    const later = await verify(service, asked, { at: new Date(Date.now() - HOUR_MS).toISOString() });
    expect(later.body.shadow).toEqual([]);
  });

  it('keeps nothing of it over a restart: what is standard is neither rolled back nor judged by it', async () => {
    const asked = newGuest();
    pcs.serve(asked.platform);
    pcs.serve(asked.platform, { ...BEHIND, update: 'early' });
    await verifiedWithEarly(await start('shadow', {}, 'restarted'), asked);
    const answer = await verify(await start('off', {}, 'restarted'), asked);
    expect([verdictOf(answer), answer.body.shadow]).toEqual([['allow'], []]);
    expect(answer.body.claims.tdx.tcb.evaluationDataNumber).toBe(19);
  });
});

describe('time, for a service that judges by early collateral', () => {
  it('leaves open what has no standard collateral any more, although the early one is held', async () => {
    const clock = new MovableClock();
    const service = await start('shadow', { clock }, 'ended');
    const asked = newGuest();
    pcs.serve(asked.platform, { tcbInfo: { nextUpdate: new Date(Date.now() + HOUR_MS) } });
    pcs.serve(asked.platform, { evaluationNumber: 20, update: 'early' });
    const { answer } = await verifiedWithEarly(service, asked);
    expect(answer.body.shadow).toMatchObject([{ outcome: 'allow' }]);
    pcs.fail(/./, { status: 404 });
    clock.advance(2 * HOUR_MS);
    const ended = await verify(service, asked);
    expect(verdictOf(ended)).toEqual(['indeterminate', 'collateral_stale']);
    expect([ended.body.shadow, ended.body.claims.tdx]).toEqual([[], null]);
  });

  it('tells once that a platform is no longer denied, when no machine of its kind has been for an hour', async () => {
    const clock = new MovableClock();
    const service = await start('shadow', { clock }, 'over');
    const asked = newGuest();
    const { fmspc } = asked.platform;
    const updated = { guest: createTdxGuest({ platform: new TdxPlatform({ pki: INTEL, fmspc, pceSvn: 99 }) }) };
    const { sgxSvns, pceSvn, teeTcbSvn } = asked.platform;
    pcs.serve(asked.platform);
    const level = { sgxSvns: [...sgxSvns], tdxSvns: [0, 0, ...teeTcbSvn.slice(2)] };
    const levels = [
      { ...level, pceSvn: 99, date: '2026-02-11T00:00:00Z' },
      { ...level, pceSvn, status: 'OutOfDate', date: '2025-05-14T00:00:00Z' },
    ];
    pcs.serve(asked.platform, { update: 'early', evaluationNumber: 20, tcbInfo: { levels } });
    await verifiedWithEarly(service, asked);
    const shadowOf = async (machine: typeof updated) => (await verify(service, machine)).body.shadow[0].outcome;
    for (const [machine, outcome] of [
      [updated, 'allow'],
      [asked, 'deny'],
      [updated, 'allow'],
    ] as const) {
      expect(await shadowOf(machine)).toBe(outcome);
    }
    expect([linesOf(FLIPS, fmspc).length, linesOf(OVER, fmspc).length]).toEqual([1, 0]);
    clock.advance(HOUR_MS + 1);
    await shadowOf(updated);
    await shadowOf(updated);
    expect([linesOf(FLIPS, fmspc).length, linesOf(OVER, fmspc)]).toEqual([
      1,
      [expect.objectContaining({ level: 'info', policy: 'current' })],
    ]);
  });
});

describe('a service that does not judge by early collateral', () => {
  it('asks for none, and has an empty list', async () => {
    const service = await start('off', {}, 'never');
    const asked = newGuest();
    pcs.serve(asked.platform);
    for (let attempt = 0; attempt < 2; attempt += 1) expect((await verify(service, asked)).body.shadow).toEqual([]);
    expect([askedEarly(asked), await metricOf(service)]).toEqual([0, null]);
  });

  it('does not start where there is nobody to ask', async () => {
    await expect(lab.start({ intel: { pcs: 'off', early: 'shadow' } }, world, 'nobody')).rejects.toThrow(
      /intel\.early: intel\.pcs is off/,
    );
  });
});
