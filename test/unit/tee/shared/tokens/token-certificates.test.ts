import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { TokenKey } from '../../../../../src/core/endorsement.js';
import { parseCertificate } from '../../../../../src/formats/x509-certificate.js';
import { checksAt } from '../../../../../src/tee/catalogue.js';
import {
  type KeyCertificateRules,
  verifyKeyCertificates,
} from '../../../../../src/tee/shared/tokens/token-certificates.js';
import {
  ATTRIBUTE,
  basicConstraints,
  buildCertificate,
  buildCrl,
  type CertificateOptions,
  type CrlOptions,
  crlNumber,
  keyUsage,
  type LabKey,
  namedRsaKey,
  nameOf,
} from '../../../../lab/index.js';

/** Certificates of a token key with the shape of Trust Authority's: leaf, signing authority, root. */

const AT = new Date('2026-06-01T12:00:00Z');
const SECOND = 1000;
const KEYS = {
  root: namedRsaKey('token-root', 2048),
  authority: namedRsaKey('token-authority', 2048),
  leaf: namedRsaKey('token-leaf', 2048),
};
const name = (commonName: string) => nameOf([[ATTRIBUTE.commonName, commonName]]);
const CA = [basicConstraints(), keyUsage(['keyCertSign', 'crlSign'])];
const common = {
  notBefore: new Date('2026-01-01T00:00:00Z'),
  notAfter: new Date('2027-01-01T00:00:00Z'),
  algorithm: { scheme: 'pkcs1', hash: 'sha512' },
} as const;
const SHAPES = {
  leaf: {
    ...common,
    serial: 3,
    issuer: name('Authority'),
    subject: name('Leaf'),
    signer: KEYS.authority,
    spki: KEYS.leaf.spki,
    extensions: [basicConstraints({ ca: false }), keyUsage(['digitalSignature'])],
  },
  authority: {
    ...common,
    serial: 2,
    issuer: name('Root'),
    subject: name('Authority'),
    signer: KEYS.root,
    spki: KEYS.authority.spki,
    extensions: CA,
  },
  root: {
    ...common,
    serial: 1,
    issuer: name('Root'),
    subject: name('Root'),
    signer: KEYS.root,
    spki: KEYS.root.spki,
    extensions: CA,
  },
} as const satisfies { readonly [role: string]: CertificateOptions };
type Role = keyof typeof SHAPES;
type Changes = { readonly [role in Role]?: Partial<CertificateOptions> };
const ROLES: readonly Role[] = ['leaf', 'authority', 'root'];

const der = (role: Role, changes: Changes = {}) => buildCertificate({ ...SHAPES[role], ...changes[role] });
const path = (changes: Changes = {}) => ROLES.map((role) => der(role, changes));
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

function keyOf(certificates: readonly Uint8Array[], { spki }: LabKey = KEYS.leaf): TokenKey {
  const { publicKey } = parseCertificate(buildCertificate({ ...SHAPES.leaf, spki }));
  if (publicKey.kind !== 'rsa') throw new Error('not an RSA key');
  return { kid: 'kid', alg: null, key: { n: publicKey.modulus, e: publicKey.exponent }, spki, certificates };
}

function judge(certificates: readonly Uint8Array[], rules: Partial<KeyCertificateRules>) {
  const checks = checksAt('/evidence/token');
  const held = { roots: null, revocation: null, at: AT, ...rules };
  const found = verifyKeyCertificates(checks, keyOf(certificates), held);
  return { found, checks };
}

/** The sentences of what does not hold. */
function said(certificates: readonly Uint8Array[], rules: Partial<KeyCertificateRules> = {}): readonly string[] {
  const { checks } = judge(certificates, rules);
  return checks.all.filter(({ result }) => result !== 'pass').map(({ detail }) => detail);
}

function verify(certificates: readonly Uint8Array[], rules: Partial<KeyCertificateRules> = {}) {
  const { found, checks } = judge(certificates, rules);
  return {
    found,
    outcomes: checks.all.filter(({ result }) => result !== 'pass').map(({ id, result }) => [id, result]),
  };
}

const ROOT_PIN = new Set([sha256(KEYS.root.spki)]);

describe('the path of a key', () => {
  it.each([
    ['that nobody pins', null],
    ['that ends at a pinned key', ROOT_PIN],
    ['that ends at a pinned certificate', new Set([sha256(der('root'))])],
  ])('holds where it is one %s', (_, roots) => {
    const { found, outcomes } = verify(path(), { roots });
    expect(outcomes).toEqual([]);
    expect(found?.path.map(({ subject }) => subject.commonName)).toEqual(['Leaf', 'Authority', 'Root']);
    expect(found?.validUntil).toEqual(common.notAfter);
  });

  it('holds without certificates, where nothing is pinned', () => {
    expect(verify([])).toEqual({ found: { path: [], validUntil: null }, outcomes: [] });
    expect(verify([], { roots: ROOT_PIN })).toEqual({ found: null, outcomes: [['cert_untrusted', 'fail']] });
  });

  it('ends at no other root than a pinned one', () => {
    const roots = new Set([sha256(KEYS.leaf.spki), sha256(KEYS.authority.spki), sha256(der('leaf'))]);
    expect(verify(path(), { roots })).toEqual({ found: null, outcomes: [['cert_untrusted', 'fail']] });
  });

  const tampered = { signature: (bytes: Uint8Array) => bytes.map((byte, index) => (index === 9 ? byte ^ 1 : byte)) };

  it.each([
    ['does not begin with the key', path().slice(1)],
    ['lacks the authority', [der('leaf'), der('root')]],
    ['lacks the root', path().slice(0, 2)],
    ['stands in another order', path().reverse()],
    ['has a leaf that was changed', path({ leaf: tampered })],
    ['has an authority that was changed', path({ authority: tampered })],
    ['has a root that was changed', path({ root: tampered })],
    ['has an authority that is none', path({ authority: { extensions: SHAPES.leaf.extensions } })],
    ['has a leaf that is an authority', path({ leaf: { extensions: CA } })],
    ['has a leaf by another authority of the name', path({ leaf: { signer: KEYS.leaf } })],
    ['has an algorithm that nobody uses', path({ leaf: { algorithm: { scheme: 'pkcs1', hash: 'sha1' } } })],
    ['is no path but bytes', [Uint8Array.of(1, 2, 3)]],
  ])('is left open where it %s, since it was fetched', (_, certificates) => {
    expect(verify(certificates)).toEqual({ found: null, outcomes: [['jwks_invalid', 'unavailable']] });
  });

  it('says which certificate of it does not hold', () => {
    expect(said(path({ authority: tampered }))).toEqual([
      'certificates of the key: signature does not verify (certificate 2 of the chain)',
    ]);
    const ended = { notAfter: new Date(AT.getTime() - SECOND) };
    expect(said(path({ root: ended }))).toEqual([`Root, serial 01, was valid until ${ended.notAfter.toISOString()}`]);
  });

  it.each(ROLES)('CRT-04 ends with its %s, to the second', (role) => {
    const ending = path({ [role]: { notAfter: AT } });
    expect(verify(ending).outcomes).toEqual([]);
    expect(verify(ending, { at: new Date(AT.getTime() + SECOND) })).toEqual({
      found: null,
      outcomes: [['cert_validity', 'fail']],
    });
    const beginning = path({ [role]: { notBefore: new Date(AT.getTime() + SECOND) } });
    expect(verify(beginning).outcomes).toEqual([['cert_validity', 'fail']]);
  });

  it('is judged at each instant anew, also for a key that is known', () => {
    const key = keyOf(path());
    const at = (instant: Date) => {
      const checks = checksAt('/evidence/token');
      return verifyKeyCertificates(checks, key, { roots: null, revocation: null, at: instant });
    };
    expect(at(AT)).not.toBeNull();
    expect(at(new Date('2028-01-01T00:00:00Z'))).toBeNull();
  });
});

describe('revocation', () => {
  const NEXT = new Date(AT.getTime() + 60 * SECOND);
  const list = (issuer: 'authority' | 'root', overrides: Partial<CrlOptions> = {}) =>
    buildCrl({
      signer: KEYS[issuer],
      algorithm: common.algorithm,
      issuer: SHAPES[issuer].subject,
      thisUpdate: new Date(AT.getTime() - SECOND),
      nextUpdate: NEXT,
      revoked: [],
      extensions: [crlNumber(5)],
      ...overrides,
    });
  const judged = (crls: readonly Uint8Array[], required = true) => verify(path(), { revocation: { crls, required } });
  const revoked = (serial: number) => ({ revoked: [{ serial }] });

  it('holds where no list of an issuer names a certificate, for as long as the lists do', () => {
    const { found, outcomes } = judged([list('root', revoked(3)), list('authority', revoked(2))]);
    expect(outcomes).toEqual([]);
    expect(found?.validUntil).toEqual(NEXT);
  });

  it.each([
    ['leaf', [list('authority', revoked(3)), list('root')]],
    ['authority', [list('authority'), list('root', revoked(2))]],
  ])('refuses a key whose %s is on a list', (which, crls) => {
    expect(judged(crls)).toEqual({ found: null, outcomes: [['cert_revoked', 'fail']] });
    expect(judged(crls, false)).toEqual({ found: null, outcomes: [['cert_revoked', 'fail']] });
    expect(said(path(), { revocation: { crls, required: true } })).toEqual([
      expect.stringMatching(new RegExp(`^its issuer has revoked ${which}, serial 0[23]$`, 'i')),
    ]);
  });

  it('holds a list against each issuer anew, also where it is known to be of another of the same name', () => {
    const revocation = { crls: [list('authority'), list('root')], required: true };
    expect(verify(path(), { revocation }).outcomes).toEqual([]);
    const other = namedRsaKey('token-other-authority', 2048);
    const others = path({ authority: { spki: other.spki }, leaf: { signer: other } });
    expect(verify(others, { revocation }).outcomes).toEqual([['crl_unavailable', 'unavailable']]);
    expect(verify(path(), { revocation }).outcomes).toEqual([]);
  });

  it('counts the newest of several lists', () => {
    const [older, newer] = [{ extensions: [crlNumber(6)] }, { extensions: [crlNumber(7)] }];
    const of = (first: Partial<CrlOptions>, second: Partial<CrlOptions>) => [
      list('authority', first),
      list('authority', second),
      list('root'),
    ];
    expect(judged(of({ ...older, ...revoked(3) }, newer)).outcomes).toEqual([]);
    expect(judged(of(older, { ...newer, ...revoked(3) })).outcomes).toEqual([['cert_revoked', 'fail']]);
    expect(judged(of({ ...newer, ...revoked(3) }, older)).outcomes).toEqual([['cert_revoked', 'fail']]);
  });

  it.each([
    ['that is missing', []],
    ['of another key', [list('root', { signer: KEYS.leaf })]],
    ['that is malformed', [Uint8Array.of(0x30)]],
    ['whose entries are malformed', [list('root', { revoked: [{ serial: -1 }] })]],
    ['of another key whose entries are malformed', [list('root', { signer: KEYS.leaf, revoked: [{ serial: -1 }] })]],
    ['of an issuer of another name', [list('root', { issuer: name('Other') })]],
  ])(
    'CRT-09, CRT-10 is left open without a list, and without one %s; or a warning where lists are not required',
    (_, crls) => {
      const all = [list('authority'), ...crls];
      expect(judged(all)).toEqual({ found: null, outcomes: [['crl_unavailable', 'unavailable']] });
      const { found, outcomes } = judged(all, false);
      expect(outcomes).toEqual([['crl_unavailable', 'warn']]);
      expect(found?.validUntil).toEqual(NEXT);
    },
  );

  it.each([
    ['past its next update', { nextUpdate: new Date(AT.getTime() - SECOND) }],
    ['without a next update', { nextUpdate: null }],
    ['from the future', { thisUpdate: new Date(AT.getTime() + SECOND) }],
  ])('CRT-09 is left open with a list %s', (_, overrides) => {
    const crls = [list('authority'), list('root', overrides)];
    expect(judged(crls)).toEqual({ found: null, outcomes: [['crl_stale', 'unavailable']] });
    expect(judged(crls, false)).toEqual({ found: null, outcomes: [['crl_stale', 'unavailable']] });
  });
});
