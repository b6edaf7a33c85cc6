import { describe, expect, it } from 'vitest';
import { type Gate, Gates, type GatesParts } from '../../../src/gates/gates.js';
import type { GateRequest } from '../../../src/model/gate.js';
import { receiptVectors } from '../../receipts/vectors.js';

const { now, keySet, expected, receipts } = receiptVectors();
const [allow] = receipts;
const RECEIPT = allow?.receipt ?? '';
const [POLICY] = expected.policies;
if (POLICY === undefined) throw new Error('no policy');

const [TENANT = '', ID = ''] = expected.subject.split(':');
const GATE: Gate = { audience: expected.audience, policy: ID, tenant: TENANT, url: null };
const REQUEST: GateRequest = {
  gate: 'web',
  method: 'GET',
  path: '/',
  receipt: RECEIPT,
  scheme: 'header',
  proof: null,
};

interface Changes {
  readonly gate?: Partial<Gate>;
  readonly policy?: Partial<ReturnType<ReturnType<GatesParts['policies']>['get']> & object> | null;
  readonly doubt?: object | null;
  readonly issuer?: string | null;
  readonly keys?: typeof keySet.keys;
  readonly at?: number;
}

function gates({ gate, policy, doubt = null, issuer = expected.issuer, keys = keySet.keys, at = now }: Changes = {}) {
  const inForce = { sha256: POLICY?.sha256 ?? '', accepts: expected.evidenceTypes, binding: 'optional' as const };
  return new Gates({
    gates: { web: { ...GATE, ...gate } },
    keys: { published: () => keys },
    issuer: () => issuer,
    policies: () => ({ get: (id) => (policy === null || id !== ID ? undefined : { ...inForce, ...policy }) }),
    clock: { now: () => new Date(at * 1000), monotonicMs: () => 0, doubt: () => doubt },
  });
}

const refused = (code: string) => expect.objectContaining({ name: 'GateRefusal', code });
const open = (changes: Changes = {}, request: Partial<GateRequest> = {}) =>
  gates(changes).open({ ...REQUEST, ...request });

/** What each step of docs/receipts.md is called, those that receipts of the vectors break. */
const CODES: Readonly<Record<number, string>> = {
  1: 'receipt_form',
  2: 'receipt_header',
  3: 'receipt_key',
  4: 'receipt_signature',
  5: 'receipt_issuer',
  6: 'receipt_audience',
  8: 'receipt_time',
  9: 'receipt_profile',
  10: 'receipt_policy',
  11: 'receipt_evidence_type',
  12: 'receipt_decision',
};

describe('a gate', () => {
  it('opens for the receipt of an allow, and names the decision', async () => {
    expect(await open()).toEqual({
      decisionId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      expiresAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/),
    });
  });

  // It gives out no nonce, so that step 7 is not made.
  it.each(receipts.filter(({ fails }) => fails !== null && fails !== 7))(
    'REC-01, GAT-02 stays closed for $name, by step $fails',
    async ({ receipt, fails }) => {
      await expect(open({}, { receipt })).rejects.toThrow(refused(CODES[fails ?? 0] ?? ''));
    },
  );

  it.each<[string, Changes, string]>([
    ['whose audience is another', { gate: { audience: 'https://other.example' } }, 'receipt_audience'],
    ['of another policy, which is not in force', { gate: { policy: 'other' } }, 'gate_policy'],
    ['of another tenant', { gate: { tenant: 'other' } }, 'receipt_policy'],
    ['whose policy has another text now', { policy: { sha256: 'cd'.repeat(32) } }, 'receipt_policy'],
    ['whose policy accepts another type', { policy: { accepts: ['tpm'] } }, 'receipt_evidence_type'],
    ['whose policy is gone', { policy: null }, 'gate_policy'],
    ['of a service with another name', { issuer: 'https://other.example' }, 'receipt_issuer'],
    ['of a service without a name', { issuer: null }, 'receipt_issuer'],
    ['of a service with other keys', { keys: [] }, 'receipt_key'],
    ['after the receipt has ended', { at: now + 300 }, 'receipt_time'],
    ['while the clock cannot be relied on', { doubt: {} }, 'gate_clock'],
    ['whose policy binds a key', { policy: { binding: 'required' } }, 'dpop_missing'],
  ])('GAT-01 that is one %s stays closed', async (_what, changes, code) => {
    await expect(open(changes)).rejects.toThrow(refused(code));
  });

  it.each<[string, Partial<GateRequest>, string]>([
    ['at a gate that is not there', { gate: 'other' }, 'gate_unknown'],
    ['at a gate named as what objects have', { gate: 'constructor' }, 'gate_unknown'],
    ['with the scheme DPoP and no proof', { scheme: 'dpop' }, 'dpop_missing'],
    ['with a proof and the scheme Bearer', { scheme: 'bearer', proof: 'p' }, 'dpop_scheme'],
    ['with a proof for a gate without url', { proof: 'p' }, 'dpop_url'],
  ])('GAT-02 stays closed for a request %s', async (_what, request, code) => {
    await expect(open({}, request)).rejects.toThrow(refused(code));
  });

  it('GAT-02 stays closed where the proxy does not pass on the path that a proof is for', async () => {
    const gate = { url: 'https://app.example' };
    await expect(open({ gate }, { proof: 'p', path: null })).rejects.toThrow(refused('dpop_url'));
    await expect(open({ gate }, { proof: 'p' })).rejects.toThrow(refused('dpop_form'));
  });

  it('does not take a fault for a refusal, and lets nothing through with it', async () => {
    const broken = gates({ policy: { accepts: null as never, sha256: POLICY.sha256 }, keys: null as never });
    await expect(broken.open(REQUEST)).rejects.toThrow(refused('receipt_keys_unavailable'));
    const faulty = new Gates({
      gates: { web: GATE },
      keys: { published: () => keySet.keys },
      issuer: () => expected.issuer,
      policies: () => {
        throw new Error('a fault');
      },
      clock: { now: () => new Date(now * 1000), monotonicMs: () => 0, doubt: () => null },
    });
    await expect(faulty.open(REQUEST)).rejects.toThrow('a fault');
  });
});
