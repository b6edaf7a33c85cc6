import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { RunningService, ServiceOptions } from '../../../src/app/service.js';
import type { JsonObject } from '../../../src/core/json.js';
import { createIntelPki, createTdxGuest, type TdxGuestEvidenceOptions, TdxPlatform } from '../../lab/index.js';
import { LabPcs } from '../../lab/pcs.js';
import { TlsAuthority } from '../../lab/tls-authority.js';
import { base64Url, LabService, lenientPolicy, NONCE, post, verdictOf } from './lab-service.js';

/** Collateral that comes with a TD quote, judged over HTTP by a service that has Intel's service of the lab to ask. */

const DAY_MS = 24 * 60 * 60_000;
const INTEL = createIntelPki();
const tls = new TlsAuthority();
const lab = await LabService.create(tls);
const pcs = await LabPcs.start({ tls });
const world: Partial<ServiceOptions> = { intelRootPins: INTEL.pins };

beforeAll(async () => {
  const members = { accepts: ['tdx'], freshness: 'required' };
  const tdx = { acceptedStatuses: ['UpToDate'] };
  await lab.writePolicy(lenientPolicy('current', { ...members, minimums: { tdx } }));
  await lab.writePolicy(
    lenientPolicy('newest', {
      ...members,
      minimums: { tdx: { ...tdx, minEvaluationDataNumber: 20, maxCollateralAgeDays: 7 } },
    }),
  );
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

function verify(
  { url }: RunningService,
  guest: ReturnType<typeof newGuest>['guest'],
  options: TdxGuestEvidenceOptions = {},
  members: JsonObject = {},
) {
  const evidence = guest.wireEvidence({ nonce: NONCE, ...options });
  return post(url, '/verify', JSON.stringify({ evidence, nonce: base64Url(NONCE), policy: 'current', ...members }));
}

const ago = (days: number) => new Date(Date.now() - days * DAY_MS);
const issued = (days: number) => ({
  tcbInfo: { issueDate: ago(days) },
  qeIdentity: { issueDate: ago(days) },
  pckCrl: { overrides: { thisUpdate: ago(days), nextUpdate: ago(days - 30) } },
});

type Answer = Awaited<ReturnType<typeof verify>>;
const warnings = ({ body }: Answer) =>
  body.checks.filter(({ result }: { result: string }) => result === 'warn').map(({ id }: { id: string }) => id);
const sourceOf = ({ body }: Answer, kind: string) =>
  body.endorsements.find((endorsement: { kind: string }) => endorsement.kind === kind)?.source;

describe('a service that holds no collateral, and can ask Intel', () => {
  it('TDX-24 denies by what Intel has now, in the first request, and twin: allows where that says so', async () => {
    const service = await lab.start({ intel: { pcs: pcs.origin } }, world, 'asking');
    const { platform, guest } = newGuest();
    pcs.serve(platform, { tcbInfo: { status: 'OutOfDate', evaluationNumber: 20 } });
    const denied = await verify(service, guest);
    expect(verdictOf(denied)).toEqual(['deny', 'tdx_tcb_status']);
    expect([sourceOf(denied, 'tcb-info'), warnings(denied)]).toEqual(['network', []]);
    const good = newGuest();
    pcs.serve(good.platform, { evaluationNumber: 20 });
    const allowed = await verify(service, good.guest, { collateral: { evaluationNumber: 18 } });
    expect([verdictOf(allowed), warnings(allowed)]).toEqual([['allow'], []]);
    expect(allowed.body.claims.tdx.tcb).toMatchObject({ evaluationDataNumber: 20, qeEvaluationDataNumber: 20 });
  });

  it('TDX-24 denies a revoked PCK certificate, although the request brings a list from before', async () => {
    const service = await lab.start({ intel: { pcs: pcs.origin } }, world, 'revoked');
    const { platform, guest } = newGuest();
    pcs.serve(platform, { pckCrl: { revoked: [{ serial: platform.pck.serial }] } });
    const collateral = { pckCrl: { overrides: { thisUpdate: ago(3) } } };
    expect(verdictOf(await verify(service, guest, { collateral }))).toEqual(['deny', 'cert_revoked']);
  });

  it('TDX-29 allows TCB info and QE identity of two evaluations, with both in the claims', async () => {
    const service = await lab.start({ intel: { pcs: pcs.origin } }, world, 'uneven');
    const { platform, guest } = newGuest();
    pcs.serve(platform, { tcbInfo: { evaluationNumber: 20 }, qeIdentity: { evaluationNumber: 19 } });
    const answer = await verify(service, guest, { collateral: null });
    expect(verdictOf(answer)).toEqual(['allow']);
    expect(answer.body.claims.tdx.tcb).toMatchObject({ evaluationDataNumber: 20, qeEvaluationDataNumber: 19 });
    const floored = await verify(service, guest, { collateral: null }, { policy: 'newest' });
    expect(verdictOf(floored)).toEqual(['deny', 'tdx_tcb_date']);
  });
});

describe('a service that holds no collateral, and cannot ask Intel', () => {
  it('TDX-25 allows by new collateral of the request with a warning, and by older not', async () => {
    const service = await lab.start({ intel: { pcs: pcs.origin } }, world, 'failing');
    pcs.fail(/./, { status: 503 });
    const fresh = await verify(service, newGuest().guest);
    expect([verdictOf(fresh), warnings(fresh)]).toEqual([['allow'], ['collateral_unconfirmed']]);
    expect(sourceOf(fresh, 'tcb-info')).toBe('evidence');
    const old = await verify(service, newGuest().guest, { collateral: issued(3) });
    expect(verdictOf(old)).toEqual(['indeterminate', 'collateral_unavailable']);
    expect([old.body.retryable, old.body.claims.tdx]).toEqual([true, null]);
  });

  it('TDX-25 answers in time where Intel hangs', async () => {
    const service = await lab.start({ intel: { pcs: pcs.origin } }, world, 'hanging');
    pcs.fail(/./, 'half_open');
    const { guest } = newGuest();
    const answer = await verify(service, guest);
    expect([verdictOf(answer), warnings(answer)]).toEqual([['allow'], ['collateral_unconfirmed']]);
    const asked = pcs.count();
    expect(verdictOf(await verify(service, guest, { collateral: issued(3) }))).toEqual([
      'indeterminate',
      'collateral_unavailable',
    ]);
    expect(pcs.count()).toBe(asked);
  });

  it('TDX-25 allows by collateral of any age with the warning where Intel is never asked, and in an audit', async () => {
    const service = await lab.start({ intel: { pcs: 'off' }, historical: true }, world, 'off');
    const { guest } = newGuest();
    const old = { collateral: issued(20) };
    const at = { at: new Date(Date.now() - DAY_MS).toISOString() };
    for (const members of [{}, at]) {
      const answer = await verify(service, guest, old, members);
      expect([verdictOf(answer), warnings(answer)]).toEqual([['allow'], ['collateral_unconfirmed']]);
    }
  });

  it('TDX-28 leaves open collateral that is older than a policy takes, and denies a lower evaluation', async () => {
    const service = await lab.start({ intel: { pcs: 'off' } }, world, 'floors');
    const { guest } = newGuest();
    const judged = async (days: number, evaluationNumber: number) =>
      verdictOf(
        await verify(service, guest, { collateral: { ...issued(days), evaluationNumber } }, { policy: 'newest' }),
      );
    expect(await judged(6, 20)).toEqual(['allow']);
    expect(await judged(8, 20)).toEqual(['indeterminate', 'collateral_stale']);
    expect(await judged(6, 19)).toEqual(['deny', 'tdx_tcb_date']);
  });

  it('TDX-28 lists advisories beside UpToDate, and allows', async () => {
    const service = await lab.start({ intel: { pcs: 'off' } }, world, 'advisories');
    const collateral = { tcbInfo: { advisories: ['INTEL-SA-00837'] } };
    const answer = await verify(service, newGuest().guest, { collateral });
    expect(verdictOf(answer)).toEqual(['allow']);
    expect(answer.body.claims.tdx.tcb).toMatchObject({ status: 'UpToDate', advisories: ['INTEL-SA-00837'] });
  });
});

describe('collateral in the form of other clients', () => {
  it('CRT-07 may hold the certificates of the quote, and no others', async () => {
    const service = await lab.start({ intel: { pcs: 'off' } }, world, 'chains');
    const { platform, guest } = newGuest();
    const withChain = (chain: string | number | null) => {
      const evidence = guest.wireEvidence({ nonce: NONCE });
      const collateral = { ...(evidence['collateral'] as JsonObject), pck_certificate_chain: chain };
      const body = { evidence: { ...evidence, collateral }, nonce: base64Url(NONCE), policy: 'current' };
      return post(service.url, '/verify', JSON.stringify(body));
    };
    expect(verdictOf(await withChain(platform.pck.chainPem))).toEqual(['allow']);
    expect(verdictOf(await withChain(null))).toEqual(['allow']);
    const number = await withChain(7);
    expect([number.status, number.body.code, number.body.pointer]).toEqual([
      400,
      'schema',
      '/evidence/collateral/pck_certificate_chain',
    ]);
    const other = await withChain(newGuest().platform.pck.chainPem);
    expect([other.status, other.body.code, other.body.pointer]).toEqual([
      400,
      'cert_chain',
      '/evidence/collateral/pck_certificate_chain',
    ]);
  });
});

describe('signed quotes of TDs that a service TD is bound to', () => {
  const register = (byte: number) => new Uint8Array(48).fill(byte);
  const MIGTD = register(0x38);
  let service: RunningService;

  beforeAll(async () => {
    const members = { accepts: ['tdx'], freshness: 'required', minimums: 'any' };
    await lab.writePolicy(lenientPolicy('no-service-td', members));
    const mrServiceTd = [Buffer.from(MIGTD).toString('hex')];
    await lab.writePolicy(lenientPolicy('service-td', { ...members, require: { tdx: { mrServiceTd } } }));
    service = await lab.start({ intel: { pcs: 'off' } }, world, 'registers');
  });

  it('TDX-16 are denied, and twin: allowed where it is listed, or none is bound', async () => {
    const { guest } = newGuest();
    const judged = async (mrServiceTd: Uint8Array, policy: string) =>
      verdictOf(await verify(service, guest, { quote: { version: 5, fields: { mrServiceTd } } }, { policy }));
    expect(await judged(MIGTD, 'no-service-td')).toEqual(['deny', 'tdx_service_td']);
    expect(await judged(register(0x39), 'service-td')).toEqual(['deny', 'tdx_service_td']);
    expect(await judged(MIGTD, 'service-td')).toEqual(['allow']);
    expect(await judged(register(0), 'no-service-td')).toEqual(['allow']);
  });
});
