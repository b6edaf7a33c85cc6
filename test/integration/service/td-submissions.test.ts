import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RunningService } from '../../../src/app/service.js';
import type { JsonObject, JsonValue } from '../../../src/core/json.js';
import {
  AZURE_MRTD,
  createIntelPki,
  createTdxGuest,
  createTdxVirtualMachine,
  TdxPlatform,
  type TdxVirtualMachine,
} from '../../lab/index.js';
import { base64Url, challenge, lenientPolicy, NONCE, verdictOf } from './lab-service.js';
import { checksOf, resultsOf, TokenLab, verify } from './token-lab.js';

/** TDX evidence that the service sends to Azure Attestation and Trust Authority itself, over HTTPS. */

const POLICY = '1a2b3c4d-0000-4000-8000-0123456789ab';
const MAA = /^\/attest\/TdxVm\?/;
const ITA = /^\/appraisal\//;

const INTEL = createIntelPki();
const platform = new TdxPlatform({ pki: INTEL });
const guest = createTdxGuest({ platform });

type Kind = 'bare' | 'bare with JSON' | 'behind a paravisor';
const KINDS: readonly Kind[] = ['bare', 'bare with JSON', 'behind a paravisor'];
const WANTS = ['required', 'optional'] as const;

let lab: TokenLab;
let vm: TdxVirtualMachine;
let service: RunningService;

beforeAll(async () => {
  lab = await TokenLab.create();
  vm = await createTdxVirtualMachine({ platform, vtpm: lab.service.vm.vtpm });
  const accepts = ['tdx', 'az-tdx-vtpm'];
  for (const wanted of [...WANTS, 'off']) {
    for (const routes of [{ ita: wanted }, { maa: wanted }, { ita: wanted, maa: wanted }]) {
      const id = `${Object.keys(routes).join('-')}-${wanted}`;
      await lab.service.writePolicy(lenientPolicy(id, { accepts, routes }));
    }
  }
  for (const wanted of WANTS) {
    await lab.service.writePolicy(lenientPolicy(`snp-${wanted}`, { routes: { ita: wanted } }));
  }
  service = await start();
});

beforeEach(() => {
  for (const server of [lab.maa, lab.ita]) {
    server.requests.length = 0;
    server.received.length = 0;
  }
});

afterEach(async () => {
  lab.maa.alter(null);
  lab.ita.alter(null);
  await Promise.all([lab.maa.heal(), lab.ita.heal()]);
});

afterAll(() => lab.close());

async function start(submit: object = {}, data = 'td'): Promise<RunningService> {
  const apiKeyFile = join(lab.service.root, 'ita-key');
  await writeFile(apiKeyFile, `${lab.ita.apiKey}\n`);
  const { maa, ita } = lab.configuration([lab.maa.origin]);
  const keys = {
    maa,
    ita: { ...ita, submit: { api: lab.ita.origin, apiKeyFile, ...submit } },
    intel: { pcs: 'off' },
    azure: { paravisors: { mrtds: [AZURE_MRTD] } },
  };
  return lab.start(keys, { intelRootPins: INTEL.pins }, data);
}

function evidenceOf(kind: Kind): JsonObject {
  if (kind === 'behind a paravisor') return vm.wireEvidence({ nonce: NONCE });
  return guest.wireEvidence({ nonce: NONCE, ...(kind === 'bare' ? {} : { runtimeData: 'nonce' }) });
}

const ask = (policy: string, kind: Kind = 'bare', on = service) => verify(on, evidenceOf(kind), { policy });
const itaCalls = () => lab.ita.requests.filter((url) => ITA.test(url));
const maaCalls = () => lab.maa.requests.filter((url) => MAA.test(url));

describe('a policy that wants other opinions of a TD', () => {
  it.each(KINDS)('TOK-18 twin: allows where both agree with the hardware, %s', async (kind) => {
    for (const wanted of WANTS) {
      const answer = await ask(`ita-maa-${wanted}`, kind);
      expect(verdictOf(answer)).toEqual(['allow']);
      const { crossCheck, claims } = answer.body;
      expect(crossCheck).toMatchObject({ routes: ['hardware', 'maa', 'ita'], agree: true, differences: [] });
      // The very quote of the request: then all of it can be compared.
      expect(crossCheck.equal).toEqual(
        expect.arrayContaining(['tee', 'tdx.reportData', 'tdx.mrtd', 'tdx.tdAttributes.debug', 'tdx.tcb.status']),
      );
      expect(claims.maa).toMatchObject({ issuer: lab.maa.issuer, attestationType: 'tdxvm' });
      expect(claims.ita).toMatchObject({ issuer: lab.ita.issuer, attestationType: 'TDX' });
    }
    expect([maaCalls().length, itaCalls().length]).toEqual([2, 2]);
  });

  it.each<[Kind, string]>([
    ['bare', '/appraisal/v2/attest'],
    ['bare with JSON', '/appraisal/v2/attest'],
    ['behind a paravisor', '/appraisal/v2/attest/azure'],
  ])('sends to Trust Authority the quote and no nonce, %s', async (kind, path) => {
    await ask('ita-required', kind);
    expect(itaCalls()).toEqual([path]);
    expect(maaCalls()).toEqual([]);
    const { tdx } = JSON.parse(lab.ita.received.find(({ url }) => ITA.test(url))?.body ?? '');
    expect(Object.keys(tdx)).toEqual(kind === 'behind a paravisor' ? ['quote', 'runtime_data'] : ['quote']);
    expect(lab.service.output).not.toContain(lab.ita.apiKey);
  });

  it('compares what the paravisor says by both routes', async () => {
    const { body } = await ask('ita-maa-required', 'behind a paravisor');
    expect(body.crossCheck.equal).toEqual(
      expect.arrayContaining(['hcl.akThumbprint', 'hcl.userData', 'hcl.vmConfiguration.secureBoot']),
    );
  });

  it('sends nothing under one whose routes are off, or of what does not hold here', async () => {
    expect(verdictOf(await ask('ita-maa-off'))).toEqual(['allow']);
    const stale = guest.wireEvidence({ nonce: new Uint8Array(32).fill(0x77) });
    const answer = await verify(service, stale, { policy: 'ita-maa-required' });
    expect(verdictOf(answer)).toEqual(['deny', 'nonce_mismatch']);
    expect([...maaCalls(), ...itaCalls()]).toEqual([]);
  });

  it('FRS-01 sends nothing with a challenge of another scope', async () => {
    const nonce = await challenge(service, { policy: 'ita-maa-off' });
    const members = { nonce: base64Url(nonce), policy: 'ita-maa-required' };
    const answer = await verify(service, guest.wireEvidence({ nonce }), members);
    expect(verdictOf(answer)).toEqual(['deny', 'nonce_scope']);
    expect([...maaCalls(), ...itaCalls()]).toEqual([]);
  });

  it('sends no SEV-SNP evidence to Trust Authority, which does not judge it', async () => {
    const own = await start({}, 'snp');
    for (const [wanted, verdict] of [
      ['required', ['deny', 'route_missing']],
      ['optional', ['allow']],
    ] as const) {
      const answer = await verify(own, lab.evidence().wire, { policy: `snp-${wanted}` });
      expect(verdictOf(answer)).toEqual(verdict);
    }
    expect(itaCalls()).toEqual([]);
  });

  it('has a TD judged by the configured policies of Trust Authority', async () => {
    const own = await start({ policyIds: [POLICY], signingAlgorithm: 'RS256' }, 'policies');
    const answer = await ask('ita-required', 'bare', own);
    expect(verdictOf(answer)).toEqual(['allow']);
    expect(answer.body.claims.ita.claims.policy_ids_matched).toEqual([{ id: POLICY, version: 'v1' }]);
    lab.ita.alter({ policies: { unmatched: [POLICY] } });
    for (const wanted of WANTS) {
      const denied = await ask(`ita-${wanted}`, 'bare', own);
      expect(verdictOf(denied)).toEqual(['deny', 'ita_policy']);
    }
    lab.ita.alter({ policies: {} });
    for (const wanted of WANTS) {
      expect(verdictOf(await ask(`ita-${wanted}`, 'bare', own))).toEqual(['deny', 'ita_policy']);
    }
  });
});

describe('an opinion on a TD that differs', () => {
  it.each<[string, JsonValue, JsonObject]>([
    ['tdx.mrtd', 'ab'.repeat(48), { tdx_mrtd: 'ab'.repeat(48) }],
    ['tdx.rtmr[2]', 'ab'.repeat(48), { tdx_rtmr2: 'ab'.repeat(48) }],
    ['tdx.reportData', 'ab'.repeat(64), { tdx_report_data: 'ab'.repeat(64) }],
    ['tdx.teeTcbSvn', 'ab'.repeat(16), { tdx_tee_tcb_svn: 'ab'.repeat(16) }],
    ['tdx.xfam', 'ab'.repeat(8), { tdx_xfam: 'ab'.repeat(8) }],
    ['tdx.tdAttributes.perfmon', true, { tdx_td_attributes_perfmon: true }],
    ['tdx.tcb.status', 'OutOfDate', { attester_tcb_status: 'OutOfDate' }],
  ])('TOK-18 denies on %s, and shows both sides', async (claim, said, members) => {
    for (const [route, alter] of [
      ['ita', () => lab.ita.alter({ tdx: members })],
      ['maa', () => lab.maa.alter({ claims: members })],
    ] as const) {
      alter();
      for (const wanted of WANTS) {
        const { body } = await ask(`${route}-${wanted}`);
        expect([body.decision, body.reasons.includes('disagreement')]).toEqual(['deny', true]);
        expect(body.crossCheck.differences).toMatchObject([{ claim, values: { [route]: said } }]);
        expect(body.crossCheck.differences[0].values.hardware).not.toEqual(said);
      }
    }
  });

  it.each(WANTS)('TOK-18 denies where Trust Authority issues no token by its policies, under %s', async (wanted) => {
    const own = await start({ policyIds: [POLICY], policyMustMatch: true }, `must-match-${wanted}`);
    expect(verdictOf(await ask(`ita-${wanted}`, 'bare', own))).toEqual(['allow']);
    lab.ita.alter({ policies: { unmatched: [POLICY] } });
    const answer = await ask(`ita-${wanted}`, 'bare', own);
    expect(verdictOf(answer)).toEqual(['deny', 'disagreement']);
    expect(checksOf(answer, 'disagreement')).toMatchObject([{ expected: 'hardware', actual: null }]);
  });
});

describe('a 400 of Trust Authority', () => {
  it.each(WANTS)('TOK-26 denies where it is about the quote, under %s', async (wanted) => {
    lab.ita.fail(ITA, { status: 400, body: { error: 'Invalid nonce and/or run time data' } });
    const answer = await ask(`ita-${wanted}`);
    expect(verdictOf(answer)).toEqual(['deny', 'disagreement']);
    expect(checksOf(answer, 'disagreement')).toMatchObject([{ expected: 'hardware', actual: null }]);
  });

  it('TOK-26 is a route out of reach where it is about anything else', async () => {
    lab.ita.fail(ITA, { status: 400, body: { error: 'this version of the interface is retired' } });
    expect(verdictOf(await ask('ita-required'))).toEqual(['indeterminate', 'route_unavailable']);
    expect(verdictOf(await ask('ita-optional'))).toEqual(['allow']);
  });
});

describe('Trust Authority out of reach', () => {
  it('leaves a required route open, and an optional one aside, and comes back without a restart', async () => {
    const own = await start({}, 'ita-down');
    lab.ita.fail(ITA, { status: 500 });
    const required = await ask('ita-required', 'bare', own);
    expect(verdictOf(required)).toEqual(['indeterminate', 'route_unavailable']);
    expect([required.body.retryable, required.headers['retry-after']]).toEqual([true, '5']);
    const optional = await ask('ita-optional', 'bare', own);
    expect(verdictOf(optional)).toEqual(['allow']);
    expect(resultsOf(optional, 'route_unavailable')).toEqual(['unavailable']);
    await lab.ita.heal();
    expect(verdictOf(await ask('ita-required', 'bare', own))).toEqual(['allow']);
  });

  it('passes on how long it wants to be left alone', async () => {
    const own = await start({}, 'ita-throttled');
    lab.ita.fail(ITA, { status: 429, retryAfter: '17' });
    const answer = await ask('ita-required', 'bare', own);
    expect([...verdictOf(answer), answer.headers['retry-after']]).toEqual(['indeterminate', 'route_unavailable', '17']);
  });

  it('leaves what Azure Attestation says as it is', async () => {
    const own = await start({}, 'ita-alone-down');
    await lab.ita.connect('refused');
    const answer = await ask('ita-maa-optional', 'bare', own);
    expect(verdictOf(answer)).toEqual(['allow']);
    expect(answer.body.crossCheck).toMatchObject({ routes: ['hardware', 'maa'], agree: true });
    expect(verdictOf(await ask('ita-maa-required', 'bare', own))).toEqual(['indeterminate', 'route_unavailable']);
  });

  it('is what a key that is not its own makes it, and not for a while only', async () => {
    const own = await start({}, 'ita-refused-key');
    lab.ita.fail(ITA, { status: 401, body: { error: 'secret words' } });
    const answer = await ask('ita-required', 'bare', own);
    expect([...verdictOf(answer), answer.body.retryable]).toEqual(['indeterminate', 'route_unavailable', false]);
    expect(JSON.stringify(answer.body)).not.toContain('secret words');
  });

  it.each<[string, (at: number) => JsonObject]>([
    ['from before the call', (at) => ({ iat: at - 120, nbf: at - 120, exp: at + 120 })],
    ['that has expired', (at) => ({ iat: at - 600, nbf: at - 600, exp: at - 300 })],
  ])('is what a token %s makes it', async (_, times) => {
    lab.ita.alter({ claims: (claims) => ({ ...claims, ...times(Math.floor(Date.now() / 1000)) }) });
    expect(verdictOf(await ask('ita-required'))).toEqual(['indeterminate', 'route_unavailable']);
    expect(verdictOf(await ask('ita-optional'))).toEqual(['allow']);
  });
});
