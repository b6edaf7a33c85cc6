import { describe, expect, it } from 'vitest';
import { hex } from '../../../../src/core/bytes.js';
import {
  type EndorsementSet,
  type HashedDer,
  type MissingCrl,
  NO_ENDORSEMENTS,
  type SnpEndorsementSet,
} from '../../../../src/core/endorsement.js';
import type { Verification } from '../../../../src/core/verification.js';
import { hashed, sha256 } from '../../../../src/crypto/digest.js';
import { AMD_SERIALS, createSnpGuest, type IssueCrlOptions } from '../../../lab/index.js';
import { AT, expectFailed, expectMalformed, expectVerified, FOREIGN_PKI, idsWith, PKI, verifySnp } from '../fixture.js';

const milan = createSnpGuest({ pki: PKI });
const vlek = createSnpGuest({ pki: PKI, signingKey: 'vlek' });

const crlOf = (options: Partial<IssueCrlOptions> = {}) => PKI.issueCrl({ product: 'Milan', ...options });
const withCrls = (...crls: readonly Uint8Array[]) => milan.evidence({ endorsements: { crls } });

function held(members: Partial<SnpEndorsementSet>): EndorsementSet {
  const empty: SnpEndorsementSet = {
    vek: null,
    chains: new Map(),
    chainProblem: null,
    crls: new Map(),
    otherCrls: new Map(),
    crlProblems: new Map(),
  };
  return { snp: { ...empty, ...members } };
}

const heldCrl = (crl: Uint8Array) => held({ crls: new Map([['Milan', { value: hashed(crl), origin: 'cache' }]]) });

const otherCrls = (lists: readonly Uint8Array[]): SnpEndorsementSet['otherCrls'] =>
  new Map([['Milan', lists.map((list) => ({ value: hashed(list), origin: 'store' }) as const)]]);

/** A source that has the list for VCEKs, and others. */
const beside = (own: Uint8Array, ...others: readonly Uint8Array[]) =>
  held({ crls: new Map([['Milan', { value: hashed(own), origin: 'cache' }]]), otherCrls: otherCrls(others) });

/** Any genuine CRL of the request may be used. */
const ANY = { newest: null, otherSeries: [] };

/** A source that has lists, none of which is known to be the one for VCEKs. */
function withoutOwn(others: readonly Uint8Array[], substitute: MissingCrl['substitute'] = ANY): EndorsementSet {
  const problem = { code: 'crl_unavailable', detail: 'none of this series', retryable: true, substitute } as const;
  return held({
    otherCrls: otherCrls(others),
    crlProblems: new Map([['Milan', problem]]),
  });
}

describe('revocation', () => {
  it('SNP-27 denies where the ASK is on the list', async () => {
    const crl = crlOf({ revoked: [{ serial: AMD_SERIALS.Milan.ask }] });
    const found = await verifySnp(withCrls(crl));
    expectFailed(found, 'cert_revoked');
    expect(found.claims).toEqual({});
    expect(found.endorsements.map(({ kind, revocation }) => [kind, revocation])).toEqual([
      ['vcek', 'not_applicable'],
      ['ask', 'revoked'],
      ['ark', 'not_applicable'],
      ['crl', 'not_applicable'],
    ]);
  });

  it('CRT-41 warns of a CRL that AMD has not confirmed, and says when it was fetched', async () => {
    const fetchedAt = new Date('2026-05-29T00:00:00Z');
    const crl = { value: hashed(crlOf({})), origin: 'cache', fetchedAt, unconfirmed: 'AMD KDS is silent' } as const;
    const found = await verifySnp(withCrls(), { endorsements: held({ crls: new Map([['Milan', crl]]) }) });
    expectFailed(found);
    expect(found.checks.filter(({ result }) => result === 'warn')).toMatchObject([
      {
        id: 'crl_unconfirmed',
        actual: crl.value.sha256,
        detail: 'AMD KDS has not confirmed the CRL of Milan for more than 48 hours: AMD KDS is silent',
      },
    ]);
    expect(found.endorsements.map(({ kind, fetchedAt: at }) => [kind, at])).toEqual([
      ['vcek', null],
      ['ask', null],
      ['ark', null],
      ['crl', fetchedAt],
    ]);
  });

  it('CRT-41 denies by an unconfirmed CRL that revokes, without a warning', async () => {
    const revoking = hashed(crlOf({ revoked: [{ serial: AMD_SERIALS.Milan.ask }] }));
    const crl = { value: revoking, origin: 'cache', unconfirmed: 'AMD KDS is silent' } as const;
    const found = await verifySnp(withCrls(), { endorsements: held({ crls: new Map([['Milan', crl]]) }) });
    expectFailed(found, 'cert_revoked');
    expect(idsWith(found, 'warn')).toEqual([]);
  });

  it('SNP-27 denies where the ASVK is on the list', async () => {
    const crls = [crlOf({ revoked: [{ serial: AMD_SERIALS.Milan.asvk }] })];
    expectFailed(await verifySnp(vlek.evidence({ endorsements: { crls } })), 'cert_revoked');
  });

  it('SNP-27 accepts where other serials are on the list, the 0 of every VEK too', async () => {
    const { ark, asvk } = AMD_SERIALS.Milan;
    const found = await verifySnp(withCrls(crlOf({ revoked: [{ serial: 0 }, { serial: ark }, { serial: asvk }] })));
    expectVerified(found);
    expect(found.endorsements.map(({ kind, revocation }) => [kind, revocation])).toEqual([
      ['vcek', 'not_applicable'],
      ['ask', 'good'],
      ['ark', 'not_applicable'],
      ['crl', 'not_applicable'],
    ]);
  });

  it.each([
    ['signed by another key', FOREIGN_PKI.issueCrl({ product: 'Milan' })],
    ['of another line', PKI.issueCrl({ product: 'Genoa' })],
    ['changed after it was signed', crlOf({ overrides: { signature: (bytes) => bytes.map((byte) => byte ^ 1) } })],
    ['from the future', crlOf({ overrides: { thisUpdate: new Date('2026-06-02T00:00:00Z') } })],
    ['without a number', crlOf({ extensions: ([authority]) => (authority === undefined ? [] : [authority]) })],
  ])('SNP-27 denies a list in the request that is %s', async (_, crl) => {
    expectFailed(await verifySnp(withCrls(crl)), 'crl_invalid');
  });

  it('SNP-27 cannot judge by a list past its nextUpdate, and keeps the other findings', async () => {
    const crl = crlOf({ overrides: { nextUpdate: new Date(AT.getTime() - 1000) } });
    const found = await verifySnp(withCrls(crl));
    expectFailed(found);
    expect(found.checks.filter(({ result }) => result === 'unavailable')).toMatchObject([
      {
        id: 'crl_stale',
        detail: 'Milan: CRL is past its next update, 2026-06-01T11:59:59.000Z',
        retryable: true,
      },
    ]);
    expect(idsWith(found, 'pass')).toContain('snp_signature');
    expect(found.endorsements.map(({ kind, revocation }) => [kind, revocation])).toEqual([
      ['vcek', 'not_applicable'],
      ['ask', 'unavailable'],
      ['ark', 'not_applicable'],
    ]);
  });

  it('SNP-27 cannot judge by a list of a source that is past its nextUpdate, whatever the request has beside it', async () => {
    const stale = crlOf({ overrides: { nextUpdate: new Date(AT.getTime() - 1000) } });
    for (const sent of [[], [crlOf({ number: 9 })]]) {
      const found = await verifySnp(withCrls(...sent), { endorsements: heldCrl(stale) });
      expectFailed(found);
      expect(found.endorsements.find(({ kind }) => kind === 'ask')?.revocation).toBe('unavailable');
      expect(idsWith(found, 'unavailable')).toEqual([sent.length === 0 ? 'crl_stale' : 'crl_unavailable']);
    }
  });

  it('SNP-27 accepts a list at its nextUpdate', async () => {
    expectVerified(await verifySnp(withCrls(crlOf({ overrides: { nextUpdate: AT } }))));
  });

  it('says that there is not a list', async () => {
    const found = await verifySnp(withCrls());
    expectFailed(found);
    expect(found.checks.filter(({ result }) => result === 'unavailable')).toMatchObject([
      { id: 'crl_unavailable', detail: 'no CRL of Milan is available', retryable: false },
    ]);
  });

  const REVOKED = [{ serial: AMD_SERIALS.Milan.ask }];
  const hoursAgo = (hours: number) => ({ thisUpdate: new Date(AT.getTime() - hours * 60 * 60_000) });

  it.each([
    ['an older list revokes, and the newer one does not', crlOf({ number: 1, revoked: REVOKED }), crlOf({ number: 9 })],
    ['a newer list revokes, and the older one does not', crlOf({ number: 9, revoked: REVOKED }), crlOf({ number: 1 })],
    [
      'of two lists with one number the earlier revokes',
      crlOf({ revoked: REVOKED, overrides: hoursAgo(2) }),
      crlOf({ overrides: hoursAgo(1) }),
    ],
  ])('SNP-28 denies where %s, wherever the two are from', async (_, revoking, other) => {
    const places: readonly [readonly Uint8Array[], EndorsementSet][] = [
      [[revoking, other], withoutOwn([])],
      [[revoking], heldCrl(other)],
      [[other], heldCrl(revoking)],
      [[], beside(other, revoking)],
      [[], beside(revoking, other)],
      [[other], withoutOwn([revoking])],
      [[], withoutOwn([revoking])],
    ];
    for (const [sent, endorsements] of places) {
      const found = await verifySnp(withCrls(...sent), { endorsements });
      expectFailed(found, 'cert_revoked');
      expect(idsWith(found, 'unavailable')).toEqual([]);
    }
  });

  it('SNP-28 denies a VLEK that the list for VCEKs revokes, and a VCEK that the list for VLEKs revokes', async () => {
    const asvk = crlOf({ revoked: [{ serial: AMD_SERIALS.Milan.asvk }] });
    const bare = { endorsements: { crls: [] } };
    expectFailed(await verifySnp(vlek.evidence(bare), { endorsements: beside(crlOf(), asvk) }), 'cert_revoked');
    expectFailed(
      await verifySnp(withCrls(), { endorsements: beside(crlOf(), crlOf({ revoked: REVOKED })) }),
      'cert_revoked',
    );
    expectVerified(await verifySnp(withCrls(), { endorsements: beside(crlOf(), asvk) }));
  });

  it('SNP-28 does not revoke by a list that is not valid at the verification time, or not genuine', async () => {
    const ended = { nextUpdate: new Date(AT.getTime() - 1000) };
    const begins = { thisUpdate: new Date(AT.getTime() + 1000) };
    const others = [
      crlOf({ revoked: REVOKED, overrides: ended }),
      crlOf({ revoked: REVOKED, overrides: begins }),
      FOREIGN_PKI.issueCrl({ product: 'Milan', revoked: REVOKED }),
      Uint8Array.of(0x30, 0x00),
    ];
    expectVerified(await verifySnp(withCrls(), { endorsements: beside(crlOf(), ...others) }));
  });

  const warnings = (found: Verification) => found.checks.filter(({ result }) => result === 'warn');

  it.each([
    ['without any source', NO_ENDORSEMENTS],
    ['where the source says that it may', withoutOwn([])],
  ])('CRT-10 takes a list of the request %s, with a warning', async (_, endorsements) => {
    const found = await verifySnp(withCrls(crlOf()), { endorsements });
    expectVerified(found);
    expect(warnings(found)).toMatchObject([
      {
        id: 'crl_unconfirmed',
        about: '/evidence/endorsements/crls',
        detail: expect.stringContaining('only the request'),
      },
    ]);
    expect(found.endorsements.find(({ kind }) => kind === 'crl')?.source).toBe('evidence');
  });

  it('CRT-10 has no such warning where the source has the list of the series', async () => {
    const found = await verifySnp(withCrls(crlOf({ number: 9 })), { endorsements: heldCrl(crlOf()) });
    expectVerified(found);
    expect(warnings(found)).toEqual([]);
    expect(found.endorsements.find(({ kind }) => kind === 'crl')?.source).toBe('cache');
  });

  it('CRT-09 takes no list of the request that is older than one that was relied on before', async () => {
    const newest = { number: 9n, thisUpdate: new Date(AT.getTime() - 2 * 24 * 60 * 60_000) };
    const endorsements = withoutOwn([], { newest, otherSeries: [] });
    expectVerified(await verifySnp(withCrls(crlOf({ number: 9 })), { endorsements }));
    const found = await verifySnp(withCrls(crlOf({ number: 8 })), { endorsements });
    expectFailed(found);
    expect(idsWith(found, 'unavailable')).toEqual(['crl_unavailable']);
    expect(warnings(found)).toEqual([]);
  });

  it('CRT-10 takes the list of the request where the folder has it as well, and none of the other series', async () => {
    const crl = crlOf({ number: 9 });
    expectVerified(await verifySnp(withCrls(crl), { endorsements: withoutOwn([crl]) }));
    const otherSeries = [hashed(crl).sha256];
    const endorsements = withoutOwn([], { newest: null, otherSeries });
    const found = await verifySnp(withCrls(crl), { endorsements });
    expect(idsWith(found, 'unavailable')).toEqual(['crl_unavailable']);
  });

  it('CRT-10 takes no list of the request where the source has a say, and says nothing of the line', async () => {
    const found = await verifySnp(withCrls(crlOf()), { endorsements: held({}) });
    expectFailed(found);
    expect(idsWith(found, 'unavailable')).toEqual(['crl_unavailable']);
    expect(warnings(found)).toEqual([]);
  });

  it('SNP-28 takes no list for one of the series that is merely at hand', async () => {
    const found = await verifySnp(withCrls(), { endorsements: withoutOwn([crlOf({ number: 9 })]) });
    expectFailed(found);
    expect(idsWith(found, 'unavailable')).toEqual(['crl_unavailable']);
  });

  it('takes of several lists of the request the one that was made last', async () => {
    const [earlier, later] = [crlOf({ number: 9, overrides: hoursAgo(2) }), crlOf({ overrides: hoursAgo(1) })];
    for (const crls of [
      [earlier, later],
      [later, earlier],
    ]) {
      const found = await verifySnp(withCrls(...crls));
      expect(found.endorsements.find(({ kind }) => kind === 'crl')?.sha256).toBe(hex(sha256(later)));
    }
  });

  it('says until when the list that counts is valid, and whose it is', async () => {
    const crl = crlOf({ overrides: { nextUpdate: new Date('2026-06-08T00:00:00Z') } });
    const checkOf = async (verifying: ReturnType<typeof verifySnp>) =>
      (await verifying).checks.find(({ id }) => id === 'crl_unavailable');
    expect(await checkOf(verifySnp(withCrls(crl)))).toMatchObject({
      actual: '2026-06-08T00:00:00.000Z',
      detail: 'CRL of Milan from evidence, valid until the time shown',
    });
    expect((await checkOf(verifySnp(withCrls(), { endorsements: heldCrl(crl) })))?.detail).toContain('from cache');
  });

  it('takes a held list that does not verify for none', async () => {
    for (const crl of [FOREIGN_PKI.issueCrl({ product: 'Milan' }), Uint8Array.of(0x30, 0x00)]) {
      const found = await verifySnp(withCrls(), { endorsements: heldCrl(crl) });
      expectFailed(found);
      expect(idsWith(found, 'unavailable')).toEqual(['crl_unavailable']);
    }
  });

  it('does not take a fault of its own for one of a held list', async () => {
    const broken = held({ crls: new Map([['Milan', { value: null as unknown as HashedDer, origin: 'cache' }]]) });
    await expect(verifySnp(withCrls(), { endorsements: broken })).rejects.toThrow(TypeError);
  });

  it.each([
    ['crl_stale', false],
    ['crl_rollback', false],
    ['crl_unavailable', true],
  ] as const)('passes on why the source has no list: %s', async (code, retryable) => {
    const problem = { code, detail: 'as the source says', retryable, substitute: ANY };
    const found = await verifySnp(withCrls(), { endorsements: held({ crlProblems: new Map([['Milan', problem]]) }) });
    expectFailed(found);
    expect(found.checks.filter(({ result }) => result === 'unavailable')).toMatchObject([
      { id: code, detail: problem.detail, retryable },
    ]);
  });

  it('SNP-27 says that a list of the request is past its nextUpdate, also where the source has none', async () => {
    const crl = crlOf({ overrides: { nextUpdate: new Date(AT.getTime() - 1000) } });
    const problem = {
      code: 'crl_unavailable',
      detail: 'none is held',
      retryable: false,
      substitute: ANY,
    } as const;
    const found = await verifySnp(withCrls(crl), {
      endorsements: held({ crlProblems: new Map([['Milan', problem]]) }),
    });
    expect(idsWith(found, 'unavailable')).toEqual(['crl_stale']);
  });

  it('CRT-09 denies a list of the request from the future, also where a valid one is held', async () => {
    const crl = crlOf({ overrides: { thisUpdate: new Date(AT.getTime() + 1000) } });
    expectFailed(await verifySnp(withCrls(crl), { endorsements: heldCrl(crlOf()) }), 'crl_invalid');
  });

  const MALFORMED = [{ serial: -1 }];
  const forged = (signature: Uint8Array) => signature.map((byte) => byte ^ 1);

  it('CRT-09 reads the entries of a list once its signature holds', async () => {
    const crl = crlOf({ revoked: MALFORMED, overrides: { signature: forged } });
    expectFailed(await verifySnp(withCrls(crl)), 'crl_invalid');
  });

  it.each([
    ['entries that are malformed, although the ARK has signed them', { revoked: MALFORMED }],
    ['a form that is none, whoever has signed it', { overrides: { version: 3, signature: forged } }],
  ])('CRT-09 refuses a list in the request with %s', async (_, options) => {
    await expectMalformed(verifySnp(withCrls(crlOf(options))), 'cert_format', '/evidence/endorsements/crls/0');
  });

  it('takes a held list for none whose entries are malformed', async () => {
    const found = await verifySnp(withCrls(), { endorsements: heldCrl(crlOf({ revoked: MALFORMED })) });
    expectFailed(found);
    expect(idsWith(found, 'unavailable')).toEqual(['crl_unavailable']);
  });

  it('refuses a list in the request that cannot be read', async () => {
    const verifying = verifySnp(withCrls(crlOf(), Uint8Array.of(0x30, 0x00)));
    await expectMalformed(verifying, 'cert_format', '/evidence/endorsements/crls/1');
  });
});
