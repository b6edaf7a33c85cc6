import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { RunningService } from '../../../src/app/service.js';
import type { JsonObject } from '../../../src/core/json.js';
import {
  CCEL_EVENT,
  createIntelPki,
  createTdxGuest,
  labCcelEvents,
  TdxPlatform,
  type TokenMaking,
} from '../../lab/index.js';
import { LabPcs } from '../../lab/pcs.js';
import type { Answer } from '../http/exchange.js';
import { lenientPolicy, NONCE, post, verdictOf } from './lab-service.js';
import { TokenLab, verify } from './token-lab.js';

/** Decisions judged again as they were, by a service whose configuration is another one since. */

const INTEL = createIntelPki();
const PATIENT = { timeout: 10_000 };

let lab: TokenLab;
let pcs: LabPcs;

beforeAll(async () => {
  lab = await TokenLab.create();
  pcs = await LabPcs.start({ tls: lab.tls });
  for (const route of ['maa', 'ita']) {
    const ofToken = { accepts: [`${route}-token`], routes: { hardware: 'off', [route]: 'required' } };
    await lab.service.writePolicy(lenientPolicy(route, ofToken));
  }
  await lab.service.writePolicy(lenientPolicy('tdx', { accepts: ['tdx'] }));
});

afterAll(async () => {
  await lab.close();
  await pcs.close();
});

/** A service that keeps what decisions rest on. */
const start = (data: string, keys: object = {}) => {
  const ofIntel = { intel: { pcs: pcs.origin, early: 'shadow' }, time: { tokenLeewaySeconds: 300 } };
  const kept = { historical: true, decisions: { keepEvidence: 'full' } };
  return lab.start({ ...kept, ...ofIntel, ...keys }, { intelRootPins: INTEL.pins }, data);
};

/** Keys whose value differs from that at the time of the decision, one at a time. */
const CHANGES: readonly (readonly [string, () => object])[] = [
  ['no leeway', () => ({ time: { tokenLeewaySeconds: 0 } })],
  ['other issuers of Azure Attestation', () => ({ maa: { shared: false, issuers: [] } })],
  ['other issuers of Trust Authority', () => ({ ita: { issuers: [] } })],
  ['no early collateral, and none of Intel at all', () => ({ intel: { pcs: 'off', early: 'off' } })],
  ['a smaller limit of event logs', () => ({ limits: { eventLogBytes: 1024 } })],
];

const replayed = async ({ url }: RunningService, { decisionId }: JsonObject) =>
  (await post(url, `/decisions/${decisionId}:replay`, '{"at":"then"}')).body;

/** Has ended a minute ago, which a leeway forgives. */
const ENDED: TokenMaking = {
  claims: (claims) => {
    const now = Math.floor(Date.now() / 1000);
    return { ...claims, nbf: now - 600, iat: now - 600, exp: now - 60 };
  },
};

const submitted = (service: RunningService, type: 'maa' | 'ita', token: string) =>
  verify(service, { type: `${type}-token`, token }, { policy: type });

const itaToken = (making: TokenMaking = {}) =>
  lab.ita.issue({ ...making, tdx: { attester_held_data: Buffer.from(NONCE).toString('base64') } });

/** Each of them is denied, or refused, under one of the changes. */
const DECISIONS: readonly (readonly [string, (service: RunningService) => Promise<Answer>])[] = [
  ['a token of Azure Attestation', (service) => submitted(service, 'maa', lab.guestToken(lab.evidence(), ENDED))],
  ['a token of Trust Authority', (service) => submitted(service, 'ita', itaToken(ENDED))],
  ['a TD whose early collateral was compared', askedWithEarly],
];

/** With an event log that is longer than the least that a limit allows. */
function evidenceOf(platform: TdxPlatform): JsonObject {
  const long = { register: 3, type: CCEL_EVENT.ipl, data: new Uint8Array(2048) };
  const guest = createTdxGuest({ platform, ccel: [...labCcelEvents(), long] });
  return guest.wireEvidence({ nonce: NONCE, collateral: null });
}

/** The first answer that is given with early collateral, which is fetched behind the ones before. */
async function askedWithEarly(service: RunningService): Promise<Answer> {
  const platform = new TdxPlatform({ pki: INTEL });
  pcs.serve(platform);
  pcs.serve(platform, { evaluationNumber: 20, update: 'early' });
  const evidence = evidenceOf(platform);
  return vi.waitFor(async () => {
    const answer = await verify(service, evidence, { policy: 'tdx' });
    expect(answer.body.shadow).not.toEqual([]);
    return answer;
  }, PATIENT);
}

describe('a decision judged again as it was, under another configuration', () => {
  it.each(DECISIONS)('is equal: %s', async (what, ask) => {
    const first = await start(what);
    const answer = await ask(first);
    expect(verdictOf(answer)).toEqual(['allow']);
    await first.close();
    for (const [change, keys] of CHANGES) {
      const other = await start(what, keys());
      expect(await replayed(other, answer.body), change).toMatchObject({ equal: true, differences: [] });
      await other.close();
    }
  });

  it('says as of now that it is the recorded request that is over a limit of today', async () => {
    const first = await start('over a limit');
    const evidence = evidenceOf(new TdxPlatform({ pki: INTEL }));
    const { body } = await verify(first, evidence, { policy: 'tdx' });
    await first.close();
    const other = await start('over a limit', { limits: { eventLogBytes: 1024 } });
    const again = await post(other.url, `/decisions/${body.decisionId}:replay`, '{"at":"now"}');
    expect([again.status, again.body.code, again.body.pointer]).toEqual([400, 'eventlog_limit', undefined]);
    expect(again.body.detail).toMatch(/^the recorded request is refused by the configuration of today: /);
  });

  it('would be another one by what counts now', async () => {
    const service = await start('today', {
      time: { tokenLeewaySeconds: 0 },
      limits: { eventLogBytes: 1024 },
    });
    expect(verdictOf(await submitted(service, 'maa', lab.guestToken(lab.evidence(), ENDED)))).toEqual([
      'deny',
      'token_time',
    ]);
    expect(verdictOf(await submitted(service, 'ita', itaToken(ENDED)))).toEqual(['deny', 'token_time']);
    const evidence = evidenceOf(new TdxPlatform({ pki: INTEL }));
    expect(verdictOf(await verify(service, evidence, { policy: 'tdx' }))).toEqual([400, 'eventlog_limit']);
    const strangers = await start('strangers', { maa: { shared: false, issuers: [] }, ita: { issuers: [] } });
    const codes = async (type: 'maa' | 'ita', token: string) => verdictOf(await submitted(strangers, type, token));
    expect(await codes('maa', lab.guestToken(lab.evidence()))).toEqual(['deny', 'token_issuer']);
    expect(await codes('ita', itaToken())).toEqual(['deny', 'token_issuer']);
  });
});
