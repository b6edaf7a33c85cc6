import { describe, expect, it } from 'vitest';
import { NO_ENDORSEMENTS } from '../../../src/core/endorsement.js';
import { TRUST_AUTHORITY_ISSUERS } from '../../../src/core/trust-authority-issuers.js';
import { type Evidence, open, publicItaIssuers, sharedMaaIssuers, verify } from '../../../src/library/verifier.js';
import { formatErrorOf } from '../../format-error-of.js';
import { createAmdPki, createIntelPki, createSnpGuest, createTdxGuest, TdxPlatform } from '../../lab/index.js';

const AT = new Date('2026-01-15T12:00:00Z');
const AMD = createAmdPki({ at: AT });
const INTEL = createIntelPki({ at: AT });
const GUEST = createSnpGuest({ pki: AMD });
const TD = createTdxGuest({ platform: new TdxPlatform({ pki: INTEL }) });
const OF_AMD = { amdPins: AMD.pins() };
const OF_INTEL = { intelPins: INTEL.pins };

const resultOf = (checks: Awaited<ReturnType<typeof verify>>['checks'], sought: string) =>
  checks.find(({ id }) => id === sought)?.result;

describe('open', () => {
  it('rejects a type of evidence that it has no verifier for', () => {
    const evidence = { type: 'sgx' } as unknown as Evidence;
    expect(formatErrorOf(() => open(evidence))).toEqual({ code: 'type_unsupported', pointer: '/evidence/type' });
  });

  it('needs nothing for a TD quote whose PCK chain does not end at the pinned root', () => {
    const evidence = TD.evidence({ collateral: null });
    expect(open(evidence, OF_INTEL).needs).toMatchObject([{ kind: 'intel-tdx', supplied: null }]);
    expect(open(evidence).needs).toEqual([]);
  });

  it('limits event logs to 1 MiB, or to another length', () => {
    const evidence = TD.evidence({ ccel: new Uint8Array(2 ** 20 + 1) });
    expect(formatErrorOf(() => open(evidence))).toMatchObject({ code: 'eventlog_limit' });
    expect(formatErrorOf(() => open(evidence, { eventLogBytes: 2 ** 21 }))).toMatchObject({ code: 'eventlog_format' });
  });
});

describe('options', () => {
  it.each(['tokenLeewaySeconds', 'eventLogBytes'] as const)('reject %s that bounds nothing', (name) => {
    const message = `${name} is no number of 0 or more`;
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, -1, '60' as never]) {
      expect(() => open(GUEST.evidence(), { [name]: value })).toThrow(new RangeError(message));
    }
  });

  it('are the defaults where they are undefined', async () => {
    const undefinedOptions = {
      intelPins: undefined,
      refuseProducts: undefined,
      tokenLeewaySeconds: undefined,
      akRoots: undefined,
      eventLogBytes: undefined,
    };
    const tooLong = TD.evidence({ ccel: new Uint8Array(2 ** 20 + 1) });
    expect(formatErrorOf(() => open(tooLong, undefinedOptions as never))).toMatchObject({ code: 'eventlog_limit' });
    const opened = open(GUEST.evidence(), { ...undefinedOptions, amdPins: undefined } as never);
    expect(resultOf((await verify(opened, { at: AT })).checks, 'cert_untrusted')).toBe('fail');
  });
});

describe('verify', () => {
  it("SNP-01 trusts AMD's roots where no others are pinned", async () => {
    const evidence = GUEST.evidence();
    const byAmd = await verify(open(evidence), { at: AT });
    expect(resultOf(byAmd.checks, 'cert_untrusted')).toBe('fail');
    expect(byAmd.claims).toEqual({});
    const byLab = await verify(open(evidence, OF_AMD), { at: AT });
    expect(resultOf(byLab.checks, 'cert_untrusted')).toBe('pass');
    expect(byLab.claims.snp?.product).toBe('Milan');
  });

  it('warns where only the evidence has a CRL or collateral', async () => {
    const ofSnp = await verify(open(GUEST.evidence(), OF_AMD), { at: AT });
    expect(resultOf(ofSnp.checks, 'crl_unconfirmed')).toBe('warn');
    const ofTd = await verify(open(TD.evidence(), OF_INTEL), { at: AT });
    expect(resultOf(ofTd.checks, 'collateral_unconfirmed')).toBe('warn');
    expect(ofTd.claims.tdx).toBeDefined();
  });

  it('verifies by the collateral of a source, and without any there are no claims', async () => {
    const opened = open(TD.evidence({ collateral: null }), OF_INTEL);
    const value = TD.platform.collateral({});
    const found = await verify(opened, {
      at: AT,
      endorsements: { ...NO_ENDORSEMENTS, tdx: { value, origin: 'store' } },
    });
    expect(found.claims.tdx).toBeDefined();
    expect(resultOf(found.checks, 'collateral_unconfirmed')).toBeUndefined();
    const without = await verify(opened, { at: AT });
    expect(resultOf(without.checks, 'collateral_unavailable')).toBe('unavailable');
    expect(without.claims).toEqual({});
  });

  it('prefers that a source has none to the collateral of the evidence', async () => {
    const tdx = { code: 'collateral_rollback', detail: 'older than what was fetched', retryable: true } as const;
    const opened = open(TD.evidence(), OF_INTEL);
    const found = await verify(opened, { at: AT, endorsements: { ...NO_ENDORSEMENTS, tdx } });
    expect(resultOf(found.checks, 'collateral_rollback')).toBe('unavailable');
  });

  it.each([
    ['not at all', undefined],
    ['an invalid date', new Date('soon')],
    ['a text', '2026-01-15'],
  ])('rejects %s as the verification time, at which nothing would have expired', async (_, at) => {
    const opened = open(GUEST.evidence(), OF_AMD);
    await expect(verify(opened, { at: at as Date })).rejects.toThrow(new TypeError('at is not a valid date'));
  });

  it('verifies the same evidence again at another time', async () => {
    const opened = open(GUEST.evidence(), OF_AMD);
    expect(resultOf((await verify(opened, { at: AT })).checks, 'cert_validity')).toBe('pass');
    const later = await verify(opened, { at: new Date('2060-01-01T00:00:00Z') });
    expect(resultOf(later.checks, 'cert_validity')).toBe('fail');
  });
});

describe('the issuers of tokens', () => {
  it('are the shared providers of Azure, under whatever policy Microsoft writes', () => {
    const issuers = sharedMaaIssuers(['weu']);
    expect([...issuers.values()]).toEqual([
      {
        issuer: 'https://sharedweu.weu.attest.azure.net',
        policyHashes: 'shared',
        policySigners: null,
        teeSigner: 'any',
      },
    ]);
  });

  it("are Intel's instances of Trust Authority", () => {
    expect([...publicItaIssuers().keys()]).toEqual(TRUST_AUTHORITY_ISSUERS.map(({ issuer }) => issuer));
  });
});
