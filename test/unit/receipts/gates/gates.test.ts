import { describe, expect, it, vi } from 'vitest';
import { RefusedError } from '../../../../src/core/errors.js';
import type { GateRequest, ProofStore } from '../../../../src/core/gate.js';
import { type Gate, Gates, type GatesParts } from '../../../../src/receipts/gates/gates.js';
import { ReceiptError } from '../../../../src/relying-party/receipt-error.js';
import { receiptVectors } from '../../../receipts/vectors.js';
import * as sample from '../../relying-party/sample-receipt.js';
import { type ClientKey, clientKey, makeProof } from './proofs.js';

const { now, keySet, expected, receipts } = receiptVectors();
const [allow] = receipts;
const RECEIPT = allow?.receipt ?? '';
const [POLICY] = expected.policies;
if (POLICY === undefined) throw new Error('no policy');

const [TENANT = '', ID = ''] = expected.subject.split(':');
const GATE: Gate = { audience: expected.audience, policy: ID, tenant: TENANT, url: null, ownNonces: false };
const REQUEST: GateRequest = {
  gate: 'web',
  method: 'GET',
  path: '/',
  receipt: RECEIPT,
  scheme: 'header',
  proof: null,
};

/** No gate here gets as far as to use a proof up. */
const NO_PROOFS: ProofStore = {
  use: async () => {
    throw new Error('a proof was used up');
  },
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
    proofs: NO_PROOFS,
    clock: { now: () => new Date(at * 1000), monotonicMs: () => 0, doubt: () => doubt },
  });
}

const refusal = (code: string) => ({ name: 'GateRefusal', code });
const refused = (code: string) => expect.objectContaining(refusal(code));
const open = (changes: Changes = {}, request: Partial<GateRequest> = {}) =>
  gates(changes).open({ ...REQUEST, ...request });

/** The codes of the steps of docs/receipts.md that receipts of the vectors break. */
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
  it('is there by its name', () => {
    expect(['web', 'other', 'constructor'].map((name) => gates().has(name))).toEqual([true, false, false]);
  });

  it('opens for the receipt of an allow, and names the decision', async () => {
    expect(await open()).toEqual({
      decisionId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      expiresAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/),
    });
  });

  it.each(receipts.filter(({ fails, name }) => fails === null && name.includes('veritee_nonce')))(
    'GAT-03 stays closed for $name, unless own nonces open it',
    async ({ receipt }) => {
      await expect(open({}, { receipt })).rejects.toThrow(refused('receipt_own_nonce'));
      expect(await open({ gate: { ownNonces: true } }, { receipt })).toHaveProperty('decisionId');
    },
  );

  // It gives out no nonce, so that step 7 is not made.
  it.each(receipts.filter(({ fails }) => fails !== null && fails !== 7))(
    'REC-01, GAT-02 stays closed for $name, by step $fails',
    async ({ receipt, fails }) => {
      await expect(open({}, { receipt })).rejects.toThrow(
        expect.objectContaining({ ...refusal(CODES[fails ?? 0] ?? ''), cause: expect.any(ReceiptError) }),
      );
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
    ['of a service with other keys', { keys: [] }, 'receipt_key'],
    ['after the receipt has ended', { at: now + 300 }, 'receipt_time'],
    ['while the clock cannot be relied on', { doubt: {} }, 'gate_clock'],
    ['whose policy binds a key', { policy: { binding: 'required' } }, 'dpop_missing'],
  ])('GAT-01 that is one %s stays closed', async (_what, changes, code) => {
    await expect(open(changes)).rejects.toThrow(refused(code));
  });

  it('refuses any receipt before the service has a name', async () => {
    await expect(open({ issuer: null }, { receipt: 'x' })).rejects.toThrow(refused('receipt_issuer'));
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
    await expect(open({ policy: { accepts: 7 as never } })).rejects.toThrow(TypeError);
    const faulty = new Gates({
      gates: { web: GATE },
      keys: { published: () => keySet.keys },
      issuer: () => expected.issuer,
      policies: () => {
        throw new Error('a fault');
      },
      proofs: NO_PROOFS,
      clock: { now: () => new Date(now * 1000), monotonicMs: () => 0, doubt: () => null },
    });
    await expect(faulty.open(REQUEST)).rejects.toThrow('a fault');
  });
});

describe('a gate with receipts of its own issuer', () => {
  const URL_OF_GATE = 'https://app.example';
  const KEY = clientKey();
  const START = sample.NOW.getTime() - 5_000;

  /** Proofs of a store that knows all of them since the service started. */
  function usedProofs() {
    const used = new Set<string>();
    const use = vi.fn<ProofStore['use']>(async (_gate, proof) => {
      const isNew = !used.has(proof);
      used.add(proof);
      return { isNew, knownSince: new Date(START) };
    });
    return { used, use };
  }

  /** A service that started some seconds ago, with two gates that differ in their names. */
  function started(
    binding: 'optional' | 'required' = 'required',
    { ownNonces = false, proofs = usedProofs() }: Partial<Gate> & { readonly proofs?: ProofStore } = {},
  ) {
    const gate = { audience: sample.AUDIENCE, policy: 'payments', tenant: 'default', url: URL_OF_GATE, ownNonces };
    return new Gates({
      gates: { web: gate, other: gate },
      keys: { published: () => sample.KEY_SET.keys as never },
      issuer: () => sample.ISSUER,
      policies: () => ({ get: () => ({ sha256: sample.SHA256, accepts: ['az-snp-vtpm'], binding }) }),
      proofs,
      clock: { now: () => sample.NOW, monotonicMs: () => sample.NOW.getTime(), doubt: () => null },
    });
  }

  const bound = ({ jwk }: ClientKey) => sample.receiptWith({ cnf: { jwk } });

  async function requestOf(receipt: string, key = KEY, claims: object = {}): Promise<GateRequest> {
    const target = { htm: 'GET', htu: `${URL_OF_GATE}/`, iat: sample.SECONDS, receipt };
    return { ...REQUEST, receipt, proof: await makeProof(key, target, { claims }) };
  }

  it('opens for the proof of the key that the receipt names', async () => {
    expect(await started().open(await requestOf(bound(KEY)))).toMatchObject({ decisionId: sample.CLAIMS.jti });
  });

  it.each([[undefined], [null], ['own'], ['Challenge'], ['challenge '], [['challenge']], [true]])(
    'GAT-03 stays closed for a proof of the bound key where the receipt has the veritee_nonce %j',
    async (claim) => {
      const receipt = sample.receiptWith({ cnf: { jwk: KEY.jwk }, veritee_nonce: claim });
      await expect(started().open(await requestOf(receipt))).rejects.toThrow(refused('receipt_own_nonce'));
      const open = started('required', { ownNonces: true });
      expect(await open.open(await requestOf(receipt))).toHaveProperty('decisionId');
    },
  );

  it('GAT-03 stays closed whatever else is wrong with the proof, which is not used up', async () => {
    const receipt = sample.receiptWith({ cnf: { jwk: KEY.jwk }, veritee_nonce: 'own' });
    const proofs = usedProofs();
    await expect(started('required', { proofs }).open(await requestOf(receipt))).rejects.toThrow(
      refused('receipt_own_nonce'),
    );
    expect(proofs.use).not.toHaveBeenCalled();
  });

  const { jti: ID_OF_DECISION } = sample.CLAIMS;
  const CHANGED = [`${ID_OF_DECISION}\r\n`, `x${ID_OF_DECISION}`, ID_OF_DECISION.toUpperCase()];
  it.each(['x', '', undefined, 7, ...CHANGED].map((jti) => ({ jti })))(
    'stays closed for a receipt whose jti is $jti, which a header of the answer would say',
    async ({ jti }) => {
      const receipt = sample.receiptWith({ jti });
      await expect(started('optional').open({ ...REQUEST, receipt })).rejects.toThrow(refused('receipt_id'));
    },
  );

  it('opens for a receipt that names no key, where the policy binds none', async () => {
    const receipt = sample.receiptWith({ cnf: undefined });
    expect(await started('optional').open({ ...REQUEST, receipt })).toHaveProperty('decisionId');
    await expect(started('required').open({ ...REQUEST, receipt })).rejects.toThrow(refused('dpop_missing'));
  });

  it.each(['optional', 'required'] as const)(
    'GAT-02 stays closed for a proof where the receipt names no key, under binding %s',
    async (binding) => {
      const request = await requestOf(sample.receiptWith({ cnf: undefined }));
      await expect(started(binding).open(request)).rejects.toThrow(refused('receipt_binding'));
    },
  );

  it('GAT-02 misses the key of a receipt before its nonce, where the request has a proof', async () => {
    const request = await requestOf(sample.receiptWith({ cnf: undefined, veritee_nonce: 'own' }));
    await expect(started('optional').open(request)).rejects.toThrow(refused('receipt_binding'));
  });

  it('GAT-02 stays closed for a proof from before the store knows of all that were used', async () => {
    const receipt = bound(KEY);
    const before = await requestOf(receipt, KEY, { iat: START / 1000 - 1 });
    await expect(started().open(before)).rejects.toThrow(refused('dpop_time'));
    expect(await started().open(await requestOf(receipt, KEY, { iat: START / 1000 }))).toHaveProperty('decisionId');
  });

  it('GAT-02 takes a proof once, and lets nobody use up the ids of another key or gate', async () => {
    const made = started();
    const [key, another] = [KEY, clientKey()];
    const request = await requestOf(bound(key), key, { jti: 'one' });
    expect(await made.open(request)).toHaveProperty('decisionId');
    await expect(made.open(request)).rejects.toThrow(refused('dpop_replayed'));
    expect(await made.open(await requestOf(bound(another), another, { jti: 'one' }))).toHaveProperty('decisionId');
    expect(await made.open({ ...request, gate: 'other' })).toHaveProperty('decisionId');
  });

  it('GAT-02 tells the store which gate it is, and of a proof only a digest', async () => {
    const proofs = usedProofs();
    await started('required', { proofs }).open(await requestOf(bound(KEY), KEY, { jti: 'i'.repeat(256) }));
    expect(proofs.use.mock.calls).toEqual([['web', expect.stringMatching(/^[\w-]{43}$/)]]);
  });

  it('GAT-02 stays closed where the store is out of reach or full', async () => {
    const request = await requestOf(bound(KEY));
    for (const cause of [new Error('out of reach'), new RefusedError('overloaded', 'full')]) {
      const failing = started('required', { proofs: { use: () => Promise.reject(cause) } }).open(request);
      await expect(failing).rejects.toThrow(expect.objectContaining({ code: 'dpop_memory', cause }));
    }
  });
});
