import { describe, expect, it } from 'vitest';
import type { NonceStanding } from '../../../src/core/challenge.js';
import type { Checks } from '../../../src/core/check.js';
import type { Outcome } from '../../../src/core/decision.js';
import type { Evidence, EvidenceType } from '../../../src/core/evidence.js';
import type { JsonObject } from '../../../src/core/json.js';
import type { ExpectedBinding } from '../../../src/core/verification.js';
import { type ReleaseSubject, releaseDemands } from '../../../src/judge/release-checks.js';
import { undecided } from '../../../src/judge/undecided.js';
import type { PolicyAppraisal } from '../../../src/policy/appraise/appraise.js';
import { parsePolicy } from '../../../src/policy/document/policy-document.js';
import { checksAt } from '../../../src/tee/catalogue.js';
import { remedyOf } from '../../../src/tee/remedies.js';
import { markVerified } from '../../../src/tee/shared/evidence/mark-verified.js';

const POLICY = parsePolicy(
  JSON.stringify({
    apiVersion: 'veritee/v1',
    id: 'keys',
    version: 1,
    accepts: ['az-snp-vtpm'],
    minimums: 'any',
    nonce: 'challenge',
    binding: 'required',
  }),
);

const ISSUED = new Date('2026-05-01T12:00:00.900Z');
const ISSUED_SECOND = Date.parse('2026-05-01T12:00:00Z') / 1000;
const CHALLENGE: NonceStanding = { origin: 'challenge', state: 'consumed', issuedAt: ISSUED };
const NONCE = new Uint8Array(32).fill(7);
const BINDING: ExpectedBinding = { nonce: NONCE, value: new Uint8Array(40), jkt: 'of wrap' };

/** Thumbprints of the lab: by the kid. */
const keyThumbprint = (key: JsonObject) => (typeof key['kid'] === 'string' ? `of ${key['kid']}` : null);

const WRAP: JsonObject = { kid: 'wrap', kty: 'RSA', key_ops: ['encrypt'], n: 'n', e: 'AQAB' };

function token(keys: unknown = [WRAP], iat: unknown = ISSUED_SECOND): JsonObject {
  return { iat, 'x-ms-runtime': { keys } } as JsonObject;
}

interface Changes {
  readonly claims?: JsonObject | null;
  readonly sameTee?: boolean;
  readonly nonce?: NonceStanding;
  readonly historical?: boolean;
  readonly binding?: ExpectedBinding | null;
  readonly isBound?: boolean;
  readonly policy?: typeof POLICY;
  readonly outcome?: Outcome;
  readonly warn?: (checks: Checks) => void;
  readonly kind?: 'vault' | 'local';
  readonly evidenceType?: EvidenceType;
  readonly hasRuntimeClaims?: boolean;
  readonly anyMachine?: boolean;
}

function releaseSubject(changes: Changes = {}): ReleaseSubject {
  const { claims = token(), sameTee = true, nonce = CHALLENGE, historical = false, isBound = true } = changes;
  const { outcome = 'allow', binding = BINDING, policy = POLICY, warn = () => undefined, kind = 'vault' } = changes;
  const { evidenceType = 'az-snp-vtpm', hasRuntimeClaims = false, anyMachine = false } = changes;
  const checks = checksAt('');
  warn(checks);
  const joined = undecided('deadline', false);
  const maa = { ...(claims && { maa: { claims } }), ...(hasRuntimeClaims && { hcl: {} }) };
  const appraisal = { policy, outcome, checks: checks.all } as unknown as PolicyAppraisal;
  return {
    keyThumbprint,
    terms: { keyId: 'db', kind, anyMachine, dryRun: false },
    asked: { nonce, historical, binding, request: { evidence: { type: evidenceType } as Evidence } },
    joined: {
      ...joined,
      ofSameTee: new Set(sameTee ? ['maa'] : []),
      boundByEvidence: isBound ? ['tpm.extraData'] : [],
      // The bound places of a token count too, as in an appraisal.
      verification: { ...joined.verification, claims: markVerified(maa as never), bound: ['maa.reportData'] },
    },
    appraisal,
  };
}

/** The results of the demands, by id. */
function resultsOf(changes: Changes = {}): Record<string, string> {
  const { checks } = releaseDemands(releaseSubject(changes));
  return Object.fromEntries(checks.map(({ id, result }) => [id, result]));
}

/** The remedies in the answer. */
function toDo(id: string, changes: Changes): string | null {
  const check = releaseDemands(releaseSubject(changes)).checks.find((each) => each.id === id);
  return check === undefined ? null : remedyOf(check);
}

function detailOf(id: string, changes: Changes): string | undefined {
  return releaseDemands(releaseSubject(changes)).checks.find((check) => check.id === id)?.detail;
}

const ALL_PASS = {
  release_token_stale: 'pass',
  release_other_vm: 'pass',
  release_key_unbound: 'pass',
  release_warning: 'pass',
};

describe('the conditions of a release by a vault', () => {
  it('all hold, and all are required', () => {
    expect(resultsOf()).toEqual(ALL_PASS);
    expect(releaseDemands(releaseSubject()).required).toEqual(Object.keys(ALL_PASS));
  });

  it('REL-03 a token of the second before the challenge is stale, one of its second is not', () => {
    expect(resultsOf({ claims: token([WRAP], ISSUED_SECOND - 1) })).toEqual({
      ...ALL_PASS,
      release_token_stale: 'fail',
    });
    expect(resultsOf({ claims: token([WRAP], ISSUED_SECOND) })).toEqual(ALL_PASS);
  });

  it.each([[undefined], ['1'], [null]])('REL-03 a token whose iat is %j is stale', (iat) => {
    const claims = { ...token(), ...(iat === undefined ? {} : { iat }) } as JsonObject;
    const { iat: _, ...without } = claims;
    expect(resultsOf({ claims: iat === undefined ? without : claims })).toEqual({
      ...ALL_PASS,
      release_token_stale: 'fail',
    });
  });

  it('REL-03 a token of another VM is of another VM', () => {
    expect(resultsOf({ sameTee: false })).toEqual({ ...ALL_PASS, release_other_vm: 'fail' });
  });

  it.each([
    ['no keys', token(null)],
    ['keys that are no list', token({ 0: WRAP })],
    ['an empty list', token([])],
    ['items that are no objects', token(['wrap', null, 7])],
    ['two keys that encrypt', token([WRAP, { ...WRAP, kid: 'other' }])],
    ['HCLAkPub alone, which tokens of 2022 say encrypts', token([{ ...WRAP, kid: 'HCLAkPub' }])],
    ['a key of another type', token([{ ...WRAP, kty: 'EC' }])],
    ['a key that signs', token([{ ...WRAP, key_ops: ['sign'] }])],
    ['a key without use', token([{ kid: 'wrap', kty: 'RSA' }])],
    ['a key_ops that is no list', token([{ ...WRAP, key_ops: 'encrypt' }])],
    ['another key', token([{ ...WRAP, kid: 'other' }])],
    ['a key without kid', token([{ ...WRAP, kid: undefined }])],
    ['a key with an empty kid', token([{ ...WRAP, kid: '' }])],
    ['another key of the same kid', token([WRAP, { kid: 'wrap', kty: 'EC', use: 'sig' }])],
    ['no runtime claims', { iat: ISSUED_SECOND }],
    [
      'keys in the claims of the TEE alone',
      { iat: ISSUED_SECOND, 'x-ms-isolation-tee': { 'x-ms-runtime': { keys: [WRAP] } } },
    ],
  ])('REL-01 a token with %s is one whose key is not bound', (_, claims) => {
    expect(resultsOf({ claims: claims as JsonObject })).toEqual({ ...ALL_PASS, release_key_unbound: 'fail' });
  });

  it.each([
    ['use enc', { kid: 'wrap', kty: 'RSA', use: 'enc' }],
    ['key_ops with encrypt', { kid: 'wrap', kty: 'RSA', key_ops: ['wrapKey', 'encrypt'] }],
  ])('REL-01 a key is one by %s, beside others that sign', (_, key) => {
    const signs = { kid: 'sign', kty: 'RSA', use: 'sig' };
    expect(resultsOf({ claims: token([signs, { ...WRAP, kid: 'HCLAkPub' }, key]) })).toEqual(ALL_PASS);
  });

  it('a key that the evidence does not vouch for is not bound', () => {
    const unbound = { ...ALL_PASS, release_key_unbound: 'fail' };
    expect(resultsOf({ isBound: false })).toEqual(unbound);
    expect(resultsOf({ binding: null })).toEqual(unbound);
    expect(resultsOf({ binding: { ...BINDING, jkt: null } })).toEqual(unbound);
  });

  it.each([
    ['no kid', { ...WRAP, kid: undefined }],
    ['an empty kid', { ...WRAP, kid: '' }],
    ['a kid that is no text', { ...WRAP, kid: 7 }],
  ])('REL-01 the bound key itself is not bound where it has %s, by which no answer could name it', (_, key) => {
    const changes = { claims: token([key]) };
    const thumbprint = { keyThumbprint: () => BINDING.jkt };
    const { checks } = releaseDemands({ ...releaseSubject(changes), ...thumbprint });
    const [check] = checks.filter(({ id }) => id === 'release_key_unbound');
    expect([check?.result, check?.detail]).toEqual(['fail', expect.stringContaining('has no kid of its own')]);
  });

  it('nothing that a token says is looked at where it fails', () => {
    expect(resultsOf({ claims: null })).toEqual({
      release_token_stale: 'skipped',
      release_other_vm: 'skipped',
      release_key_unbound: 'skipped',
      release_warning: 'pass',
    });
  });

  it.each([
    ['past', { historical: true }, 'the verification time is in the past'],
    ['own nonce', { nonce: { origin: 'caller' } as const }, 'the nonce is no unused challenge of this service'],
    [
      'used challenge',
      { nonce: { origin: 'challenge', state: 'used' } as const },
      'the nonce is no unused challenge of this service',
    ],
    [
      'warnings',
      {
        warn: (checks: Checks) => {
          checks.warn('nonce_stale');
          checks.warn('snp_product_advisory');
          checks.warn('nonce_stale');
        },
      },
      'the warning nonce_stale is not waived; the warning snp_product_advisory is not waived',
    ],
    [
      'a warning that no waiver names',
      { warn: (checks: Checks) => checks.warn('eventlog_replay') },
      'the warning eventlog_replay, which no policy can waive',
    ],
    ['policy', { policy: { ...POLICY, binding: 'optional' as const } }, 'the policy lacks binding: required'],
    [
      'policy under which no report is too old',
      { policy: { ...POLICY, freshness: 'none' as const } },
      'the policy lacks freshness: strict or required',
    ],
  ])('REL-03 %s keeps the key back, and is told', (_, changes: Changes, detail) => {
    expect(resultsOf(changes)['release_warning']).toBe('fail');
    expect(detailOf('release_warning', changes)).toBe(detail);
  });

  it('FRS-03 a store of challenges that cannot tell leaves it open, and hides no other reason', () => {
    const nonce: NonceStanding = { origin: 'challenge', state: 'store_unavailable' };
    expect(resultsOf({ nonce })).toMatchObject({ release_token_stale: 'skipped', release_warning: 'skipped' });
    const detail = 'the challenge store is unavailable, so whether the challenge is unused is unknown';
    expect(['release_token_stale', 'release_warning'].map((id) => detailOf(id, { nonce }))).toEqual([detail, detail]);
    const warn = (checks: Checks) => checks.warn('nonce_stale');
    expect(resultsOf({ nonce, warn })['release_warning']).toBe('fail');
    expect(detailOf('release_warning', { nonce, warn })).toBe('the warning nonce_stale is not waived');
  });

  it.each(['local', 'vault'] as const)('evidence that cannot be verified now leaves it open: %s', (kind) => {
    const open: Changes = { kind, isBound: false, sameTee: false, outcome: 'indeterminate' };
    const results = Object.values(resultsOf(open));
    expect(results).toContain('skipped');
    expect(results).not.toContain('fail');
    const detail = 'a check is unavailable, so what the evidence vouches for is unknown';
    expect(detailOf('release_key_unbound', open)).toBe(detail);
    expect(resultsOf({ ...open, outcome: 'deny' })['release_key_unbound']).toBe('fail');
  });

  it('REL-03 verified evidence of another VM is refused, although another check is unavailable', () => {
    const other: Changes = { sameTee: false, outcome: 'indeterminate' };
    expect(resultsOf(other)).toEqual({ ...ALL_PASS, release_other_vm: 'fail' });
  });

  it('CRT-41 a CRL that AMD has not confirmed keeps the key back', () => {
    const warn = (checks: Checks) => checks.warn('crl_unconfirmed');
    expect([resultsOf({ warn })['release_warning'], resultsOf({})['release_warning']]).toEqual(['fail', 'pass']);
    expect(detailOf('release_warning', { warn })).toBe('the warning crl_unconfirmed is not waived');
  });

  it('a policy is said to waive warnings, and nothing else', () => {
    const warn = (checks: Checks) => checks.warn('nonce_stale');
    expect(toDo('release_warning', { warn })).toBe(
      'The operator or the caller should resolve, or the policy waive: the warning nonce_stale is not waived.',
    );
    expect(toDo('release_warning', { warn: (checks) => checks.warn('eventlog_replay') })).toBe(
      'The operator or the caller should resolve, since no policy waives it: the warning eventlog_replay, which no policy can waive.',
    );
    expect(toDo('release_warning', { historical: true })).toBe(
      'The operator or the caller should resolve, since no policy waives it: the verification time is in the past.',
    );
    expect(toDo('release_warning', { historical: true, warn })).toBe(
      'The operator or the caller should resolve, or the policy waive where it can: the verification time is in the past, the warning nonce_stale is not waived.',
    );
  });

  it('a warning that is waived does not keep the key back', () => {
    const release = releaseSubject({ warn: (checks) => checks.warn('snp_product_advisory') });
    const [warning] = release.appraisal.checks;
    const appraisal = { ...release.appraisal, checks: [{ ...warning, waived: true }] } as unknown as PolicyAppraisal;
    expect(releaseDemands({ ...release, appraisal }).checks.find(({ id }) => id === 'release_warning')?.result).toBe(
      'pass',
    );
  });
});

describe('REL-07 bare evidence of a paravisor, for a key', () => {
  const VM_ID = '7df7b373-b947-4aaa-96e5-c358f2a03d20';
  const bare = (members: object) =>
    parsePolicy(JSON.stringify({ ...JSON.parse(POLICY.text), accepts: ['snp', 'tdx'], ...members }));
  const typeOf = (members: object, changes: Changes = {}) =>
    resultsOf({ evidenceType: 'snp', hasRuntimeClaims: true, policy: bare(members), ...changes })[
      'policy_evidence_type'
    ];
  const CODE = {
    referenceValues: [
      { snp: { measurement: ['a1'.repeat(48)], hostData: ['d4'.repeat(32)] } },
      { tdx: { mrtd: ['a1'.repeat(48)] } },
    ],
  };
  const VM = { referenceValues: [{ hcl: { vmUniqueId: [VM_ID] } }] };

  it('is refused where the policy pins code, which is Microsoft’s, and the answer says what to do', () => {
    const changes: Changes = { evidenceType: 'snp', hasRuntimeClaims: true, policy: bare(CODE) };
    expect(typeOf(CODE)).toBe('fail');
    expect(typeOf(CODE, { evidenceType: 'tdx' })).toBe('fail');
    expect(detailOf('policy_evidence_type', changes)).toMatch(/^the runtime data has HCLAkPub, /);
    expect(toDo('policy_evidence_type', changes)).toMatch(/^The operator should pin machines or hcl\.vmUniqueId /);
  });

  it('twin: is taken without runtime claims, with a vTPM, and for a key that any VM may have', () => {
    expect(typeOf(CODE, { hasRuntimeClaims: false })).toBeUndefined();
    expect(
      typeOf({ ...CODE, accepts: ['az-snp-vtpm', 'snp', 'tdx'] }, { evidenceType: 'az-snp-vtpm' }),
    ).toBeUndefined();
    expect(typeOf(CODE, { anyMachine: true })).toBeUndefined();
  });

  it('is taken where the policy pins the machine, or the VM under a known paravisor', () => {
    const machines = { chipId: ['22'.repeat(64)] };
    expect(typeOf({ ...CODE, require: { snp: { machines } } })).toBeUndefined();
    expect(typeOf({ ...CODE, require: { snp: { machines } } }, { evidenceType: 'tdx' })).toBe('fail');
    expect(typeOf(VM)).toBeUndefined();
    expect(typeOf({ ...VM, paravisor: 'any' })).toBe('fail');
  });
});

describe('the conditions of the release of a local key', () => {
  it('are about the bound key and about warnings, and not about a token', () => {
    expect(resultsOf({ kind: 'local', claims: null })).toEqual({
      release_key_unbound: 'pass',
      release_warning: 'pass',
    });
    expect(releaseDemands(releaseSubject({ kind: 'local' })).required).toEqual([
      'release_key_unbound',
      'release_warning',
    ]);
  });

  it('do not hold for a key that the evidence does not vouch for', () => {
    for (const changes of [{ isBound: false }, { binding: null }, { binding: { ...BINDING, jkt: null } }]) {
      expect(resultsOf({ kind: 'local', ...changes })['release_key_unbound']).toBe('fail');
    }
  });

  it('ask for evidence about that key, and not for a token, which there is none of', () => {
    expect(toDo('release_key_unbound', { kind: 'local', isBound: false })).toBe(
      'The guest should make evidence for the nonce and the key of this request (binding.jwk).',
    );
  });
});
