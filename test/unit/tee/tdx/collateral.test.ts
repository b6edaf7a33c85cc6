import { describe, expect, it } from 'vitest';
import { NO_ENDORSEMENTS } from '../../../../src/core/endorsement.js';
import { flipBit } from '../../../lab/byte-patch.js';
import type { CollateralOptions } from '../../../lab/collateral-builder.js';
import { utcTime } from '../../../lab/der-writer.js';
import { intelName } from '../../../lab/intel-pki.js';
import { newEcKey } from '../../../lab/lab-keys.js';
import {
  ABOUT,
  AT,
  expectFailed,
  expectMalformed,
  expectUndecided,
  expectVerified,
  FOREIGN_PKI,
  HOUR_MS,
  idsWith,
  newVerifier,
  PKI,
  PLATFORM,
  platformOf,
  verify,
} from './fixture.js';

const withTcbInfo = (tcbInfo: NonNullable<CollateralOptions['tcbInfo']>) => verify({ collateral: { tcbInfo } });
const members = (change: Readonly<Record<string, string | number>>) => ({ members: change });
const seconds = (date: Date, number: number) => new Date(date.getTime() + number * 1000);
const SOON = new Date(AT.getTime() + HOUR_MS);
const JUST_NOW = new Date(AT.getTime() - HOUR_MS);

describe('TCB info', () => {
  it.each([
    ['is not signed', { signature: () => new Uint8Array() }],
    ['has a signature that was changed', { signature: (genuine: Uint8Array) => flipBit(genuine, 9) }],
    ['is signed by another key', { signer: newEcKey('prime256v1') }],
    ['was changed after signing', { afterSigning: (text: string) => text.replace('"tcbType":0', '"tcbType":1') }],
    ['was written again after signing', { afterSigning: (text: string) => JSON.stringify(JSON.parse(text), null, 1) }],
    ['has a member twice', { beforeSigning: (text: string) => text.replace('"version":3', '"version":3,"version":3') }],
    [
      'has a member twice under another spelling',
      { beforeSigning: (text: string) => text.replace('"id"', '"\\u0069d":"TDX","id"') },
    ],
    ['is of SGX', members({ id: 'SGX' })],
    ['is of another FMSPC', members({ fmspc: '00806F050001' })],
    ['is of another PCEID', members({ pceId: '0001' })],
    ['does not say when it was issued', { beforeSigning: (text: string) => text.replace(/"issueDate":"[^"]*",/, '') }],
    ['has an evaluation number that is a string', members({ tcbEvaluationDataNumber: '19' })],
    ['has a component that is a string', { beforeSigning: (text: string) => text.replace('"svn":8', '"svn":"8"') }],
    ['has 15 components', { beforeSigning: (text: string) => text.replace('{"svn":0},{"svn":0}', '{"svn":0}') }],
    ['has an SVN over 255', { beforeSigning: (text: string) => text.replace('"svn":8', '"svn":256') }],
    ['has no levels', { levels: [] }],
    [
      'has two module identities of one id',
      {
        modules: [
          { id: 'TDX_01', levels: [{ isvSvn: 6 }] },
          { id: 'tdx_01', levels: [{ isvSvn: 6 }] },
        ],
      },
    ],
  ])('TDX-09 denies one that %s', async (_, tcbInfo) => {
    const found = await withTcbInfo(tcbInfo);
    expectFailed(found, 'tdx_tcb_info');
    expect(found.claims).toBeNull();
    expect(found.checks.find(({ result }) => result === 'fail')?.about).toBe('/evidence/collateral/tcb_info');
  });

  it.each([2, 4, 0xffff])('TDX-27 denies one of version %i: only 3 is read', async (version) => {
    const found = await withTcbInfo(members({ version }));
    expectFailed(found, 'tdx_tcb_info');
    expect(found.checks.find(({ result }) => result === 'fail')?.detail).toBe(
      `TCB info is of version ${version}, not 3`,
    );
    expectVerified(await withTcbInfo(members({ version: 3 })));
  });

  it('TDX-09 denies one whose issuer chain is short', async () => {
    const overrides = { tcbInfoIssuerChain: PKI.tcbSigning.pem };
    expectFailed(await verify({ collateral: { overrides } }), 'tdx_tcb_info');
  });

  it('TDX-09 takes hex in either case, and members that nobody knows', async () => {
    expectVerified(await withTcbInfo(members({ fmspc: '00806f050000', later: 1 })));
  });

  it('keeps what the quote alone shows, where the collateral does not hold', async () => {
    const found = await withTcbInfo(members({ id: 'SGX' }));
    expect(found.reportData).toEqual(new Uint8Array(64));
    expect(idsWith(found, 'pass')).toContain('tdx_signature');
    expect(idsWith(found, 'skipped')).toContain('tdx_tcb_level_unsupported');
  });

  it('TDX-29 takes it beside a QE identity of another evaluation, and claims both numbers', async () => {
    const found = await verify({ collateral: { evaluationNumber: 18, tcbInfo: { evaluationNumber: 19 } } });
    expectVerified(found);
    expect(found.claims?.tcb).toMatchObject({ evaluationDataNumber: 19, qeEvaluationDataNumber: 18 });
    const numbers = found.checks
      .filter(({ about }) => about.startsWith('/evidence/collateral/'))
      .map(({ actual }) => actual);
    expect(numbers).toEqual(expect.arrayContaining([{ evaluationDataNumber: 19 }, { evaluationDataNumber: 18 }]));
  });
});

describe('windows of the collateral, at the instant and without leeway', () => {
  const windows: readonly (readonly [string, (from: Date, to: Date) => CollateralOptions])[] = [
    ['tcb_info', (issueDate, nextUpdate) => ({ tcbInfo: { issueDate, nextUpdate } })],
    ['qe_identity', (issueDate, nextUpdate) => ({ qeIdentity: { issueDate, nextUpdate } })],
    ['pck_crl', (thisUpdate, nextUpdate) => ({ pckCrl: { overrides: { thisUpdate, nextUpdate } } })],
    ['root_ca_crl', (thisUpdate, nextUpdate) => ({ rootCrl: { overrides: { thisUpdate, nextUpdate } } })],
  ];

  it.each(windows)('TDX-10 holds %s from its issue to its next update, both included', async (member, making) => {
    const collateral = making(JUST_NOW, SOON);
    expectVerified(await verify({ collateral, at: JUST_NOW }));
    expectVerified(await verify({ collateral, at: SOON }));
    const early = await verify({ collateral, at: seconds(JUST_NOW, -1) });
    expectFailed(early, 'collateral_not_yet');
    expect(early.checks.find(({ result }) => result === 'fail')?.detail).toContain(member);
    const late = await verify({ collateral, at: seconds(SOON, 1) });
    expectUndecided(late, 'collateral_stale');
    expect(late.checks.find(({ result }) => result === 'unavailable')).toMatchObject({
      detail: `past its next update at the verification time: ${member} (${SOON.toISOString()})`,
      retryable: true,
    });
    expect(late.claims).toBeNull();
    expect(late.reportData).not.toBeNull();
  });

  it.each([
    ['pck_crl', 'pckCrl'],
    ['root_ca_crl', 'rootCrl'],
  ] as const)('TDX-10 denies %s that does not say when it was made', async (member, list) => {
    const noDay = utcTime('261301000000Z');
    const found = await verify({ collateral: { [list]: { overrides: { thisUpdate: noDay } } } });
    expectFailed(found, 'collateral_not_yet');
    expect(found.checks.find(({ id }) => id === 'collateral_not_yet')).toMatchObject({
      actual: { [member]: null },
      detail: `issued after the verification time: ${member}`,
    });
  });

  it('TDX-10 takes a CRL without next update as stale', async () => {
    const collateral = { pckCrl: { overrides: { nextUpdate: null } } };
    const found = await verify({ collateral });
    expectUndecided(found, 'collateral_stale');
    expect(found.checks.find(({ result }) => result === 'unavailable')?.detail).toBe(
      'past its next update at the verification time: pck_crl (does not say when)',
    );
  });

  it('TDX-10 denies TCB info without next update', async () => {
    const beforeSigning = (text: string) => text.replace(/"nextUpdate":"[^"]*",/, '');
    expectFailed(await withTcbInfo({ beforeSigning }), 'tdx_tcb_info');
  });

  it('TDX-10 judges all else while it is stale: a quote that was changed is denied', async () => {
    const collateral = { tcbInfo: { issueDate: JUST_NOW, nextUpdate: SOON } };
    const quote = { signature: (genuine: Uint8Array) => flipBit(genuine, 0) };
    expectFailed(await verify({ collateral, quote, at: seconds(SOON, 1) }), 'tdx_signature');
  });
});

describe('collateral that the request alone vouches for', () => {
  const WHY = 'no source of intel could be asked';
  const SINCE = new Date(AT.getTime() - 48 * HOUR_MS);

  const judged = (issuedSince: Date | null, collateral: CollateralOptions = {}) => {
    const value = PLATFORM.collateral(collateral);
    return verify({
      endorsements: { snp: null, tdx: { value, origin: 'evidence', unconfirmed: { why: WHY, issuedSince } } },
    });
  };
  const dated: readonly (readonly [string, (at: Date) => CollateralOptions])[] = [
    ['tcb_info', (issueDate) => ({ tcbInfo: { issueDate } })],
    ['qe_identity', (issueDate) => ({ qeIdentity: { issueDate } })],
    ['pck_crl', (thisUpdate) => ({ pckCrl: { overrides: { thisUpdate } } })],
  ];

  it.each(dated)('TDX-25 counts with a warning where its %s is as old as it may be', async (member, making) => {
    const found = await judged(SINCE, making(SINCE));
    expect(found.checks.filter(({ result }) => result !== 'pass')).toMatchObject([
      {
        id: 'collateral_unconfirmed',
        result: 'warn',
        about: '/evidence/collateral',
        expected: SINCE.toISOString(),
        actual: { [member]: SINCE.toISOString() },
        detail: `no source confirms the collateral that the request supplied: ${WHY}`,
      },
    ]);
    expect(found.claims?.tcb.status).toBe('UpToDate');
  });

  it.each(dated)('TDX-25 does not count where its %s is a second older', async (member, making) => {
    const found = await judged(SINCE, making(seconds(SINCE, -1)));
    expectUndecided(found, 'collateral_unavailable');
    expect(found.checks.find(({ result }) => result === 'unavailable')).toMatchObject({
      expected: SINCE.toISOString(),
      actual: { [member]: seconds(SINCE, -1).toISOString() },
      detail: `issued more than 48 hours ago (${member}), and no source confirms it: ${WHY}`,
      retryable: true,
    });
    expect(idsWith(found, 'warn')).toEqual([]);
    expect([found.claims, found.collateralIssued]).toEqual([null, null]);
    expect(found.reportData).not.toBeNull();
  });

  it('TDX-25 may have a list of the root that is older: that lives for a year', async () => {
    const found = await judged(SINCE, { rootCrl: { overrides: { thisUpdate: seconds(SINCE, -1) } } });
    expect([idsWith(found, 'warn'), idsWith(found, 'unavailable')]).toEqual([['collateral_unconfirmed'], []]);
  });

  it('TDX-25 counts with a warning whatever its age where no source is configured, and about the past', async () => {
    const found = await judged(null, { tcbInfo: { issueDate: seconds(SINCE, -1) } });
    expect([idsWith(found, 'warn'), idsWith(found, 'unavailable')]).toEqual([['collateral_unconfirmed'], []]);
    expect(found.claims).not.toBeNull();
  });

  it('TDX-25 is judged all the same: what is stale, revoked or forged is said', async () => {
    const old = { issueDate: seconds(SINCE, -1), nextUpdate: seconds(AT, -1) };
    expectUndecided(await judged(SINCE, { tcbInfo: old }), 'collateral_stale', 'collateral_unavailable');
    const revoked = { pckCrl: { revoked: [{ serial: PLATFORM.pck.serial }] }, tcbInfo: { issueDate: old.issueDate } };
    expectFailed(await judged(SINCE, revoked), 'cert_revoked');
    expectFailed(await judged(SINCE, { tcbInfo: { signature: () => new Uint8Array(64) } }), 'tdx_tcb_info');
  });

  it('TDX-28 says when it was issued, for a policy to judge', async () => {
    const found = await verify({ collateral: { tcbInfo: { issueDate: JUST_NOW }, qeIdentity: { issueDate: SINCE } } });
    expectVerified(found);
    expect(found.collateralIssued).toEqual({ tcbInfo: JUST_NOW, qeIdentity: SINCE, pckCrl: seconds(AT, -24 * 3600) });
  });
});

describe('where collateral is from', () => {
  it('is out of reach where nobody has any', async () => {
    const found = await verify({ endorsements: NO_ENDORSEMENTS });
    expectUndecided(found, 'collateral_unavailable');
    expect(found.checks.find(({ result }) => result === 'unavailable')?.retryable).toBe(false);
    expect(found.endorsements.map(({ kind, revocation }) => [kind, revocation])).toEqual([
      ['pck', 'unavailable'],
      ['pck-ca', 'unavailable'],
      ['sgx-root', 'not_applicable'],
    ]);
    expect(found.shortfalls).toEqual([]);
    expectUndecided(await verify({ endorsements: { snp: null, tdx: null } }), 'collateral_unavailable');
  });

  it.each(['collateral_unavailable', 'collateral_stale', 'collateral_rollback'] as const)(
    'TDX-10 passes on that the source says %s',
    async (code) => {
      const tdx = { code, detail: 'as the source says', retryable: true };
      const found = await verify({ endorsements: { snp: null, tdx } });
      expectUndecided(found, code);
      expect(found.claims).toBeNull();
      expect(found.reportData).not.toBeNull();
    },
  );

  it('is listed part by part, with where each is from', async () => {
    const value = PLATFORM.collateral();
    const partOrigins = { tcbInfo: 'evidence', qeIdentity: 'network', pckCrl: 'store', rootCaCrl: 'cache' } as const;
    const { endorsements } = await verify({
      endorsements: { snp: null, tdx: { value, origin: 'evidence', partOrigins } },
    });
    expect(endorsements.filter(({ kind }) => kind === 'crl').map(({ source }) => source)).toEqual(['store', 'cache']);
    expect(endorsements.find(({ kind }) => kind === 'tcb-info')?.source).toBe('evidence');
    expect(endorsements.find(({ kind }) => kind === 'qe-identity')?.source).toBe('network');
  });

  it.each(['cache', 'store', 'network'] as const)('verifies with that of a %s, and says so', async (origin) => {
    const found = await verify({ origin });
    expectVerified(found);
    const of = new Map(found.endorsements.map(({ kind, source }) => [kind, source]));
    expect([of.get('pck'), of.get('tcb-info'), of.get('crl')]).toEqual(['evidence', origin, origin]);
  });

  it.each([
    ['does not verify', { tcbInfo: { signature: () => new Uint8Array(64) } }],
    ['is of another PKI', { overrides: { tcbInfoIssuerChain: FOREIGN_PKI.tcbIssuerChain() } }],
    ['cannot be read', { overrides: { pckCrl: Uint8Array.of(0x30) } }],
    ['has no chain', { overrides: { pckCrlIssuerChain: '' } }],
  ])('is out of reach where that of a source %s', async (_, collateral) => {
    const found = await verify({ collateral, origin: 'cache' });
    expectUndecided(found, 'collateral_unavailable');
    expect(found.checks.find(({ result }) => result === 'unavailable')?.retryable).toBe(true);
  });

  it('TDX-10 denies that of a source that is from the future, and leaves open what is stale', async () => {
    const collateral = { tcbInfo: { issueDate: JUST_NOW, nextUpdate: SOON } };
    expectFailed(await verify({ collateral, origin: 'cache', at: seconds(JUST_NOW, -1) }), 'collateral_not_yet');
    expectUndecided(await verify({ collateral, origin: 'cache', at: seconds(SOON, 1) }), 'collateral_stale');
  });

  it('denies that of a source for another platform', async () => {
    expectFailed(
      await verify({ origin: 'cache', collateral: { tcbInfo: members({ fmspc: '00806F050001' }) } }),
      'tdx_tcb_info',
    );
  });
});

describe('issuer chains of the collateral', () => {
  const root = PKI.root.pem;
  const signer = PKI.tcbSigning.pem;
  const ca = PKI.pckCa('platform').pem;
  const members = [
    ['tcb_info_issuer_chain', 'tcbInfoIssuerChain', signer],
    ['qe_identity_issuer_chain', 'qeIdentityIssuerChain', signer],
    ['pck_crl_issuer_chain', 'pckCrlIssuerChain', ca],
  ] as const;
  const chains: readonly (readonly [string, (first: string) => string])[] = [
    ['a third certificate', (first) => first + ca + root],
    ['a root more', (first) => first + root + root],
    ['certificates more that cannot be read', (first) => `${first}${root}${unreadable()}${unreadable()}`],
    ['its first certificate twice', (first) => first + first],
    ['its first certificate twice, and the root', (first) => first + first + root],
    ['its root twice', () => root + root],
    ['its root first', (first) => root + first],
    ['another certificate in place of the root', (first) => first + (first === ca ? signer : ca)],
  ];
  const cases = members.flatMap(([member, key, first]) =>
    chains.map(([what, chain]) => [member, what, { [key]: chain(first) }] as const),
  );

  it.each(cases)('CRT-07 %s is refused with %s', async (member, _, overrides) => {
    await expectMalformed(verify({ collateral: { overrides } }), 'cert_chain', `/evidence/collateral/${member}`);
    expectUndecided(await verify({ collateral: { overrides }, origin: 'cache' }), 'collateral_unavailable');
  });

  it('TDX-20 a PCK chain in the place of one is of another role', async () => {
    const overrides = { tcbInfoIssuerChain: PLATFORM.pck.chainPem };
    expectFailed(await verify({ collateral: { overrides } }), 'cert_role');
    expectFailed(
      await verify({ collateral: { overrides: { pckCrlIssuerChain: PLATFORM.pck.chainPem } } }),
      'crl_invalid',
    );
  });

  it('TDX-20 a signer for collateral that a PCK CA certified is of another role', async () => {
    const made = PKI.issuePck({ overrides: { subject: intelName('Intel SGX TCB Signing') } });
    const overrides = { tcbInfoIssuerChain: made.chainPem, qeIdentityIssuerChain: made.chainPem };
    const { der, key, serial, pem } = made;
    const tcbSigning = { der, key, serial, pem, name: intelName('Intel SGX TCB Signing') };
    expectFailed(await verify({ collateral: { tcbSigning, overrides } }), 'cert_role');
  });

  it.each([
    ['tcb_info_issuer_chain', { tcbInfoIssuerChain: signer }, 'tdx_tcb_info'],
    ['qe_identity_issuer_chain', { qeIdentityIssuerChain: signer }, 'tdx_qe_identity'],
    ['qe_identity_issuer_chain, a root', { qeIdentityIssuerChain: root }, 'tdx_qe_identity'],
    ['pck_crl_issuer_chain', { pckCrlIssuerChain: ca }, 'crl_invalid'],
  ] as const)('TDX-07 %s that is short denies, and leaves that of a source open', async (_, overrides, code) => {
    expectFailed(await verify({ collateral: { overrides } }), code);
    expectUndecided(await verify({ collateral: { overrides }, origin: 'cache' }), 'collateral_unavailable');
  });
});

/** A block of PEM that holds no certificate. */
function unreadable(): string {
  return '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
}

describe('form of the collateral of a request', () => {
  it.each([
    ['tcb_info_issuer_chain', { tcbInfoIssuerChain: 'PEM' }, 'cert_chain'],
    ['qe_identity_issuer_chain', { qeIdentityIssuerChain: `${PKI.tcbIssuerChain()}text\n` }, 'cert_chain'],
    ['pck_crl_issuer_chain', { pckCrlIssuerChain: '' }, 'cert_chain'],
    ['pck_crl', { pckCrl: new Uint8Array(8) }, 'cert_format'],
    ['root_ca_crl', { rootCaCrl: Uint8Array.of(0x30, 0) }, 'cert_format'],
  ] as const)('is refused where %s is malformed', async (member, overrides, code) => {
    await expectMalformed(verify({ collateral: { overrides } }), code, `/evidence/collateral/${member}`);
  });

  const MALFORMED = [{ serial: -1 }];
  const forged = (signature: Uint8Array) => flipBit(signature, signature.length - 1);

  it.each([
    ['pck_crl', 'pckCrl'],
    ['root_ca_crl', 'rootCrl'],
  ] as const)('CRT-09 reads the entries of %s once its signature holds', async (member, list) => {
    const signed = { [list]: { revoked: MALFORMED } };
    await expectMalformed(verify({ collateral: signed }), 'cert_format', `/evidence/collateral/${member}`);
    expectUndecided(await verify({ collateral: signed, origin: 'cache' }), 'collateral_unavailable');
    const unsigned = { [list]: { revoked: MALFORMED, overrides: { signature: forged } } };
    expectFailed(await verify({ collateral: unsigned }), 'crl_invalid');
    const formless = { [list]: { overrides: { version: 3, signature: forged } } };
    await expectMalformed(verify({ collateral: formless }), 'cert_format', `/evidence/collateral/${member}`);
  });

  describe('with the certificates of the quote once more', () => {
    const ask = (pckCertificateChain: string, platform = PLATFORM) =>
      newVerifier().open(platform.quote(), { ...PLATFORM.collateral(), pckCertificateChain }, ABOUT).needs;
    const { chainPem, pem } = PLATFORM.pck;
    const refused = expect.objectContaining({
      code: 'cert_chain',
      pointer: '/evidence/collateral/pck_certificate_chain',
    });

    it('is taken, however its lines end', () => {
      for (const chain of [chainPem, chainPem.replaceAll('\n', '\r\n')]) expect(ask(chain)).toHaveLength(1);
    });

    it.each([
      ['of another platform', platformOf().pck.chainPem],
      ['of a PKI of the same names', platformOf({ pki: FOREIGN_PKI }).pck.chainPem],
      ['the PCK certificate alone', pem],
      ['the issuers alone', PKI.pckCrlIssuerChain('platform')],
      ['in another order', PKI.pckCrlIssuerChain('platform') + pem],
      ['and one more', chainPem + pem],
      ['no PEM', 'PEM'],
      ['an empty text', ''],
    ])('CRT-07 is refused where they are %s', (_, chain) => {
      expect(() => ask(chain)).toThrow(refused);
    });

    it('CRT-07 is refused too where the path of the quote does not hold', () => {
      expect(() => ask(chainPem, platformOf({ pki: FOREIGN_PKI }))).toThrow(refused);
    });
  });

  it('endorsements are asked for by platform and CA, with what the request brings', () => {
    const supplied = PLATFORM.collateral();
    const ask = (platform = PLATFORM) => newVerifier().open(platform.quote(), supplied, ABOUT).needs;
    expect(ask()).toEqual([{ kind: 'intel-tdx', fmspc: '00806f050000', ca: 'platform', supplied }]);
    const other = platformOf({ ca: 'processor', fmspc: 'b0c06f000000' });
    expect(ask(other)).toEqual([{ kind: 'intel-tdx', fmspc: 'b0c06f000000', ca: 'processor', supplied }]);
  });

  it('endorsements are asked for by no platform that another root than Intel’s vouches for', () => {
    const made = platformOf({ pki: FOREIGN_PKI });
    expect(newVerifier().open(made.quote(), null, ABOUT).needs).toEqual([]);
  });
});
