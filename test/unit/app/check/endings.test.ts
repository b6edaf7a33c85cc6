import { describe, expect, it, vi } from 'vitest';
import { Endings } from '../../../../src/app/check/endings.js';
import type { EndingReceiptKey } from '../../../../src/app/reload/receipt-keys.js';
import { loadConfiguration } from '../../../../src/config/load-configuration.js';
import type { EndingFile, NamedFile } from '../../../../src/endorsements/files/material-files.js';
import type { TlsMaterial } from '../../../../src/http/listener.js';
import { parsePolicy } from '../../../../src/policy/document/policy-document.js';
import { pemOf } from '../../../lab/pki.js';
import { TlsAuthority } from '../../../lab/tls-authority.js';
import { FakeLog, fixedClock } from '../../judge/fakes.js';
import { derOf } from '../../small-pki.js';

const clock = fixedClock('2026-06-01T12:00:00Z');

interface Others {
  readonly tls?: TlsMaterial;
  readonly managementTls?: Pick<TlsMaterial, 'cert'> | null;
  readonly issuers?: readonly NamedFile[];
  readonly endorsements?: readonly EndingFile[];
  readonly receiptKeys?: readonly EndingReceiptKey[];
}

function endingsOf(
  keyEnds: readonly string[],
  waiverEnds: readonly string[],
  { tls, managementTls = null, issuers = [], endorsements = [], receiptKeys = [] }: Others = {},
  next: object | null = null,
) {
  const entries = keyEnds.map((expires, index) => [
    `caller${index}`,
    { apiKeySha256: index.toString(16).padStart(64, '0'), expires, next, roles: ['verify'] },
  ]);
  const text = JSON.stringify({ callers: Object.fromEntries(entries) });
  const { callers } = loadConfiguration({ text, environment: {} });
  const policy = parsePolicy(
    JSON.stringify({
      apiVersion: 'veritee/v1',
      id: 'waiving',
      version: 1,
      accepts: ['az-snp-vtpm'],
      minimums: { snp: 'any' },
      waivers: waiverEnds.map((expires) => ({ check: 'nonce_stale', reason: 'known', approver: 'alice', expires })),
    }),
  );
  const log = new FakeLog();
  const endings = new Endings({
    callers: () => callers,
    tls: () => tls ?? null,
    managementTls: () => managementTls,
    policies: () => [{ tenant: 'default', policy }],
    akIssuers: () => issuers,
    endorsements: () => endorsements,
    receiptKeys: () => receiptKeys,
    clock,
    log,
  });
  return { endings, log };
}

const said = ({ lines }: FakeLog) => lines.map(({ fields, message }) => [Object(fields).daysLeft, message]);

describe('DEC-14 a warning', () => {
  const ENDED = 'an API key has expired: requests with it are rejected';
  const SOON = 'an API key expires soon';

  it.each([
    ['2026-06-01T12:00:00Z', [[0, ENDED]]],
    ['2026-06-01T12:00:01Z', [[0, SOON]]],
    ['2026-06-02T12:00:00Z', [[1, SOON]]],
    ['2026-07-01T12:00:00Z', [[30, SOON]]],
    ['2026-07-01T12:00:01Z', []],
  ])('DEC-14 of an API key that ends at %s', (expires, expected) => {
    const { endings, log } = endingsOf([expires], []);
    endings.warn('access');
    expect(said(log)).toEqual(expected);
  });

  it('DEC-14 of the successor of an API key, apart from the key', () => {
    const next = { apiKeySha256: 'cd'.repeat(32), expires: '2026-06-03T12:00:00Z' };
    const { endings, log } = endingsOf(['2026-06-01T12:00:00Z'], [], {}, next);
    endings.warn('access');
    expect(said(log)).toEqual([
      [0, ENDED],
      [2, SOON],
    ]);
    expect(log.lines.map(({ fields }) => Object(fields).key)).toEqual(['current', 'next']);
    expect(endings.figures.apiKeys).toEqual([
      { caller: 'caller0', key: 'current', seconds: 0 },
      { caller: 'caller0', key: 'next', seconds: 172_800 },
    ]);
  });

  it.each([
    ['2026-05-31', [[0, 'a waiver has expired: it covers nothing any more']]],
    ['2026-06-01', [[0, 'a waiver has expired: it covers nothing any more']]],
    ['2026-06-02', [[0, 'a waiver expires soon']]],
    ['2026-07-01', [[29, 'a waiver expires soon']]],
    ['2026-07-02', []],
  ])('DEC-14 of a waiver that ends on %s', (expires, expected) => {
    const { endings, log } = endingsOf([], [expires]);
    endings.warnOfWaivers('other');
    expect(said(log)).toEqual([]);
    endings.warnOfWaivers('default');
    expect(said(log)).toEqual(expected);
  });
});

it('DEC-14 figures are seconds until the end, of keys and waivers', () => {
  const { endings } = endingsOf(['2026-06-01T13:00:00Z', '2026-06-01T11:00:00Z'], ['2026-06-02', '2026-06-01']);
  expect(endings.figures).toEqual({
    apiKeys: [
      { caller: 'caller0', key: 'current', seconds: 3600 },
      { caller: 'caller1', key: 'current', seconds: -3600 },
    ],
    certificates: [],
    endorsements: [],
    waivers: [
      { tenant: 'default', policy: 'waiving', waiver: 0, check: 'nonce_stale', seconds: 43_200 },
      { tenant: 'default', policy: 'waiving', waiver: 1, check: 'nonce_stale', seconds: -43_200 },
    ],
  });
});

describe('a certificate of the listener', () => {
  const pem = (...ends: readonly string[]) =>
    ends.map((end) => pemOf(derOf('root', { notAfter: new Date(end) }))).join('\n');
  const ENDED = 'a certificate of the listener has expired: connections with it fail';
  const SOON = 'a certificate of the listener expires soon';

  it.each([
    ['2026-06-01T12:00:00Z', [[0, ENDED]]],
    ['2026-06-01T12:00:01Z', [[0, SOON]]],
    ['2026-07-01T12:00:00Z', [[30, SOON]]],
    ['2026-07-01T12:00:01Z', []],
  ])('is a warning where it ends at %s, in either file', (end, expected) => {
    for (const tls of [
      { cert: pem(end), key: '', clientCa: null, clientCrl: [] },
      { cert: pem('2099-01-01T00:00:00Z'), key: '', clientCa: pem('2098-01-01T00:00:00Z', end), clientCrl: [] },
    ]) {
      const { endings, log } = endingsOf([], [], { tls });
      endings.warn('access');
      expect(said(log)).toEqual(expected);
      const file = tls.clientCa === null ? 'listen.tls.cert' : 'listen.tls.clientCa';
      if (expected.length > 0) expect(log.lines[0]?.fields).toMatchObject({ file, subject: expect.any(String) });
    }
  });

  it('is passed over where TLS passes over it too: a block that is commented out', () => {
    const cert = `${pem('2026-06-01T13:00:00Z')}${pem('2026-06-01T11:00:00Z').replaceAll(/^/gm, '# ')}`;
    const { endings, log } = endingsOf([], [], { tls: { cert, key: '', clientCa: null, clientCrl: [] } });
    endings.warn('access');
    expect(said(log)).toEqual([[0, SOON]]);
    expect(endings.figures.certificates).toEqual([{ file: 'listen.tls.cert', seconds: 3600 }]);
  });

  it('is a warning of the management listener as well, and in the figures', () => {
    const { endings, log } = endingsOf([], [], { managementTls: { cert: pem('2026-06-01T13:00:00Z') } });
    endings.warn('access');
    expect(log.lines.map(({ fields, message }) => [Object(fields).file, message])).toEqual([
      ['listen.management.tls.cert', SOON],
    ]);
    expect(endings.figures.certificates).toEqual([{ file: 'listen.management.tls.cert', seconds: 3600 }]);
  });

  it('is in the figures, with each file', () => {
    const tls = { cert: pem('2026-06-01T13:00:00Z'), key: '', clientCa: pem('2026-06-01T11:00:00Z'), clientCrl: [] };
    const { endings } = endingsOf([], [], { tls });
    expect(endings.figures.certificates).toEqual([
      { file: 'listen.tls.cert', seconds: 3600 },
      { file: 'listen.tls.clientCa', seconds: -3600 },
    ]);
  });
});

describe('a CRL of client certificates', () => {
  const ENDED = 'a CRL of client certificates has expired: no client of its CA can connect';
  const SOON = 'a CRL of client certificates expires soon';
  const crl = (end: string) => new TlsAuthority('Clients').crl([], new Date(end));
  const tlsWith = (...ends: readonly string[]) => ({ cert: '', key: '', clientCa: '', clientCrl: ends.map(crl) });

  it.each([
    ['2026-06-01T12:00:00Z', [[0, ENDED]]],
    ['2026-06-01T12:00:01Z', [[0, SOON]]],
    ['2026-07-01T12:00:00Z', [[30, SOON]]],
    ['2026-07-01T12:00:01Z', []],
  ])('is a warning where it ends at %s, and names its issuer', (end, expected) => {
    const { endings, log } = endingsOf([], [], { tls: tlsWith('2099-01-01T00:00:00Z', end) });
    endings.warn('access');
    expect(said(log)).toEqual(expected);
    const fields = { file: 'listen.tls.clientCrl', issuer: 'Clients' };
    if (expected.length > 0) expect(log.lines[0]?.fields).toMatchObject(fields);
  });

  it('is in the figures', () => {
    const { endings } = endingsOf([], [], { tls: tlsWith('2026-06-01T11:00:00Z') });
    expect(endings.figures.certificates).toEqual([{ file: 'listen.tls.clientCrl', seconds: -3600 }]);
  });
});

describe('a key of receipts in a vault', () => {
  it.each([
    ['2026-06-01T12:00:00.000Z', [[0, 'a key of receipts has expired in its vault: it signs nothing']]],
    ['2026-06-01T12:00:01.000Z', [[0, 'a key of receipts expires soon in its vault']]],
    ['2026-07-01T12:00:00.000Z', [[30, 'a key of receipts expires soon in its vault']]],
    ['2026-07-01T12:00:01.000Z', []],
  ])('is a warning where it ends at %s', (expires, expected) => {
    const ending = { key: 'receipts.key', vaultKey: 'https://v.vault.azure.net/keys/k/1', expires };
    const { endings, log } = endingsOf([], [], { receiptKeys: [ending] });
    endings.warn('receiptKeys');
    expect(said(log)).toEqual(expected);
    if (expected.length > 0) expect(log.lines[0]?.fields).toMatchObject(ending);
  });
});

describe('an issuer of attestation keys', () => {
  const ENDED = 'an issuer of AK certificates has expired: chains with it fail today';
  const SOON = 'an issuer of AK certificates expires soon';

  it.each([
    ['2026-06-01T12:00:00Z', [[0, ENDED]]],
    ['2026-06-01T12:00:01Z', [[0, SOON]]],
    ['2026-07-01T12:00:00Z', [[30, SOON]]],
    ['2026-07-01T12:00:01Z', []],
  ])('is a warning where it ends at %s, with its file', (end, expected) => {
    const issuers = [{ name: 'ca.crt', bytes: derOf('root', { notAfter: new Date(end) }) }];
    const { endings, log } = endingsOf([], [], { issuers });
    endings.warn('akIssuers');
    expect(said(log)).toEqual(expected);
    if (expected.length > 0)
      expect(log.lines[0]?.fields).toMatchObject({ file: 'ca.crt', subject: expect.any(String) });
    expect(endings.figures.certificates).toEqual([]);
  });
});

describe('an endorsement in a folder', () => {
  const CRL_ENDED = 'a CRL has expired: without a newer one, checks that need it are crl_stale';
  const SET_ENDED =
    'TDX collateral has expired: without newer collateral, TDs of this kind are judged by older collateral, or collateral_stale';

  it.each([
    ['amd.chains', '2026-06-01T12:00:00Z', [[0, CRL_ENDED]]],
    ['amd.chains', '2026-06-01T12:00:01Z', [[0, 'a CRL expires soon']]],
    ['amd.chains', '2026-07-01T12:00:00Z', [[30, 'a CRL expires soon']]],
    ['amd.chains', '2026-07-01T12:00:01Z', []],
    ['intel.collateral', '2026-06-01T12:00:00Z', [[0, SET_ENDED]]],
    ['intel.collateral', '2026-06-08T12:00:00Z', [[7, 'TDX collateral expires soon']]],
    // Collateral that was fetched just now ends in 30 days.
    ['intel.collateral', '2026-06-08T12:00:01Z', []],
  ] as const)('of %s is a warning where it ends at %s, with its file', (key, expires, expected) => {
    const endorsements = [{ key, file: 'x', subject: 'of something', expires }];
    const { endings, log } = endingsOf([], [], { endorsements });
    endings.warn('endorsements');
    expect(said(log)).toEqual(expected);
    if (expected.length > 0) expect(log.lines[0]?.fields).toMatchObject({ key, file: 'x', subject: 'of something' });
  });

  it('is in the figures, whenever it ends', () => {
    const ends = (file: string, expires: string): EndingFile => ({ key: 'amd.chains', file, subject: '', expires });
    const endorsements = [ends('a.crl', '2026-06-01T13:00:00Z'), ends('b.crl', '2026-06-01T11:00:00Z')];
    expect(endingsOf([], [], { endorsements }).endings.figures.endorsements).toEqual([
      { key: 'amd.chains', file: 'a.crl', seconds: 3600 },
      { key: 'amd.chains', file: 'b.crl', seconds: -3600 },
    ]);
  });
});

it('DEC-14 all of it is said once a day, until it is closed', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  try {
    const issuers = [{ name: 'ca.crt', bytes: derOf('root', { notAfter: new Date('2026-06-02T12:00:00Z') }) }];
    const endorsements: readonly EndingFile[] = [
      { key: 'amd.chains', file: 'x.crl', subject: 'CRL of ARK-Milan', expires: '2026-06-02T12:00:00Z' },
    ];
    const { endings, log } = endingsOf(['2026-06-01T12:00:00Z'], ['2026-06-02'], { issuers, endorsements });
    endings.watch();
    endings.watch();
    vi.advanceTimersByTime(24 * 60 * 60 * 1000 - 1);
    expect(log.lines).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(log.lines).toHaveLength(4);
    await endings.close();
    vi.advanceTimersByTime(48 * 60 * 60 * 1000);
    expect(log.lines).toHaveLength(4);
  } finally {
    vi.useRealTimers();
  }
});
