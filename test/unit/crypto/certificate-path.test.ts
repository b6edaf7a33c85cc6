import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  checkValidity,
  describePathProblem,
  earliestEnd,
  isIssuedBy,
  nameOfCertificate,
  placeOfProblem,
  verifyCertificatePath,
  verifyLeaf,
  verifySelfSigned,
} from '../../../src/crypto/certificate-path.js';
import type { PathProfile } from '../../../src/crypto/path-profile.js';
import type { X509Certificate } from '../../../src/formats/x509-certificate.js';
import { generalizedTime, octetString, oid, printableString, sequence, utcTime } from '../../lab/der-writer.js';
import { labKey, namedRsaKey, newEcKey } from '../../lab/lab-keys.js';
import { ATTRIBUTE, basicConstraints, type ExtensionOrDer, ecSpki, keyUsage, nameOf, rsaSpki } from '../../lab/pki.js';
import { algorithmIdentifier, type LabAlgorithm } from '../../lab/signing.js';
import {
  AT,
  CA_EXTENSIONS,
  certificate,
  ECDSA_SHA256,
  KEYS,
  NOT_AFTER,
  NOT_BEFORE,
  name,
  type Overrides,
  PROFILE,
  path,
  pinOf,
  ROLES,
  type Role,
  SHAPES,
} from '../small-pki.js';

const verify = (chain: readonly X509Certificate[], profile: PathProfile = PROFILE) =>
  verifyCertificatePath(chain, profile).map(({ code, index }) => ({ code, index }));

/** A path of this many certificates, each key its own. */
function longPath(length: number, extensionsAt: (index: number) => readonly ExtensionOrDer[] = () => CA_EXTENSIONS) {
  const keys = Array.from({ length }, (_, index) => (index === length - 1 ? KEYS.root : newEcKey('prime256v1')));
  return keys.map((key, index) =>
    certificate(index === 0 ? 'leaf' : 'root', {
      serial: index + 1,
      subject: name(`n${index}`),
      issuer: name(`n${Math.min(index + 1, length - 1)}`),
      signer: keys[index + 1] ?? key,
      spki: key.spki,
      ...(index === 0 ? {} : { extensions: extensionsAt(index) }),
    }),
  );
}

const limited = (limits: { readonly [index: number]: number }) => (index: number) => {
  const pathLength = limits[index];
  const constraints = basicConstraints(pathLength === undefined ? {} : { pathLength });
  return [constraints, keyUsage(['keyCertSign'])];
};

describe('a path that holds', () => {
  it('has no problem', () => {
    expect(verify(path())).toEqual([]);
  });

  it('CRT-03 may have extensions that are unknown and not critical', () => {
    const extensions = [...CA_EXTENSIONS, { oid: '1.2.3.4', value: octetString(new Uint8Array([1])) }];
    expect(verify(path({ intermediate: { extensions } }))).toEqual([]);
  });

  it('may have a leaf without any extension', () => {
    expect(verify(path({ leaf: { extensions: null } }))).toEqual([]);
  });

  it('may have a key usage that is not critical', () => {
    const extensions = [basicConstraints(), keyUsage(['keyCertSign'], false)];
    expect(verify(path({ intermediate: { extensions } }))).toEqual([]);
  });
});

describe('authority to issue', () => {
  const faults: readonly (readonly [string, readonly ExtensionOrDer[] | null])[] = [
    ['says that it is no ca', [basicConstraints({ ca: false }), keyUsage(['keyCertSign'])]],
    ['has no basic constraints', [keyUsage(['keyCertSign'])]],
    ['has basic constraints that are not critical', [basicConstraints({ critical: false }), keyUsage(['keyCertSign'])]],
    ['may not sign certificates', [basicConstraints(), keyUsage(['crlSign', 'digitalSignature'])]],
    ['has a key usage without bits', [basicConstraints(), keyUsage([])]],
    ['has no key usage', [basicConstraints()]],
    ['has neither basic constraints nor key usage', [{ oid: '2.5.29.14', value: octetString(new Uint8Array(20)) }]],
    ['has no extensions at all', null],
  ];

  it.each(faults)('CRT-01 refuses an intermediate that %s', (_what, extensions) => {
    expect(verify(path({ intermediate: { extensions } }))).toEqual([{ code: 'cert_not_ca', index: 1 }]);
  });

  it.each(faults)('CRT-01 refuses an anchor that %s', (_what, extensions) => {
    expect(verify(path({ root: { extensions } }))).toEqual([{ code: 'cert_not_ca', index: 2 }]);
  });

  it('CRT-01 refuses a leaf that issues', () => {
    const below = certificate('leaf', { issuer: name('Leaf'), signer: KEYS.leaf, spki: KEYS.other.spki });
    expect(verify([below, ...path()])).toEqual([{ code: 'cert_not_ca', index: 1 }]);
  });

  it('refuses a leaf that is a ca, or that says it is not for signing', () => {
    const ca = [basicConstraints(), keyUsage(['digitalSignature', 'keyCertSign'])];
    expect(verify(path({ leaf: { extensions: ca } }))).toEqual([{ code: 'cert_role', index: 0 }]);
    const extensions = [keyUsage(['keyEncipherment'])];
    expect(verify(path({ leaf: { extensions } }))).toEqual([{ code: 'cert_role', index: 0 }]);
  });
});

describe('length and loops', () => {
  it('CRT-02 refuses more authorities below one than it allows', () => {
    expect(verify(longPath(3, limited({ 2: 0 })))).toEqual([{ code: 'cert_path', index: 2 }]);
    expect(verify(longPath(4, limited({ 2: 0 })))).toEqual([{ code: 'cert_path', index: 2 }]);
    expect(verify(longPath(5, limited({ 4: 2, 3: 1 })))).toEqual([
      { code: 'cert_path', index: 3 },
      { code: 'cert_path', index: 4 },
    ]);
  });

  it('takes as many authorities below one as it allows', () => {
    expect(verify(longPath(3, limited({ 1: 0, 2: 1 })))).toEqual([]);
    expect(verify(longPath(5, limited({ 1: 0, 2: 1, 3: 2, 4: 3 })))).toEqual([]);
  });

  it('CRT-02 refuses a path of six, and takes one of five', () => {
    expect(verify(longPath(6))).toEqual([{ code: 'cert_path', index: 0 }]);
    expect(verify(longPath(5))).toEqual([]);
  });

  it('CRT-02 refuses a hundred certificates without looking at them', () => {
    const [leaf, intermediate, root] = path() as [X509Certificate, X509Certificate, X509Certificate];
    expect(verify([leaf, ...Array<X509Certificate>(98).fill(intermediate), root])).toEqual([
      { code: 'cert_path', index: 0 },
    ]);
  });

  it.each([0, 1])('refuses a path of %i', (length) => {
    expect(verify(path().slice(2 - length, 2))).toEqual([{ code: 'cert_path', index: 0 }]);
  });

  it('CRT-02 refuses a loop', () => {
    const a = certificate('intermediate', { subject: name('A'), issuer: name('B'), signer: KEYS.other });
    const b = certificate('intermediate', {
      subject: name('B'),
      issuer: name('A'),
      signer: KEYS.intermediate,
      spki: KEYS.other.spki,
    });
    const leaf = certificate('leaf', { issuer: name('A') });
    const found = verify([leaf, a, b, a, certificate('root')]);
    expect(found).toContainEqual({ code: 'cert_path', index: 3 });
  });

  it('CRT-02 refuses one key under two names', () => {
    const upper = certificate('intermediate', { subject: name('Upper') });
    const lower = certificate('intermediate', { issuer: name('Upper'), signer: KEYS.intermediate });
    expect(verify([certificate('leaf'), lower, upper, certificate('root')])).toEqual([{ code: 'cert_path', index: 2 }]);
  });

  it('CRT-02 refuses two certificates of one authority, the second one expired', () => {
    const [leaf, intermediate, root] = path() as [X509Certificate, X509Certificate, X509Certificate];
    const expired = certificate('intermediate', { notAfter: new Date('2025-06-01T00:00:00Z') });
    const found = verify([leaf, intermediate, expired, root]);
    expect(found).toContainEqual({ code: 'cert_path', index: 2 });
  });

  it('CRT-02 refuses the anchor twice', () => {
    const [leaf, intermediate, root] = path() as [X509Certificate, X509Certificate, X509Certificate];
    expect(verify([leaf, intermediate, root, root])).toEqual([{ code: 'cert_path', index: 3 }]);
  });
});

describe('extensions', () => {
  const unknown = { oid: '1.2.3.4', critical: true, value: octetString(new Uint8Array([1])) };
  const indexOf = (role: Role) => ROLES.indexOf(role);
  const own = (role: Role) => (role === 'leaf' ? [] : CA_EXTENSIONS);

  it.each(ROLES)('CRT-03 refuses an unknown critical extension in the %s', (role) => {
    const overrides = { [role]: { extensions: [...own(role), unknown] } };
    expect(verify(path(overrides))).toEqual([{ code: 'cert_extension', index: indexOf(role) }]);
  });

  it.each(ROLES)('CRT-03 refuses an extension that appears twice in the %s', (role) => {
    const twice = { oid: '1.2.3.4', value: octetString(new Uint8Array([1])) };
    const overrides = { [role]: { extensions: [...own(role), twice, twice] } };
    expect(verify(path(overrides))).toEqual([{ code: 'cert_extension', index: indexOf(role) }]);
  });

  it('CRT-03 refuses basic constraints that come twice, the first saying ca', () => {
    const extensions = [basicConstraints(), keyUsage(['keyCertSign']), basicConstraints({ ca: false })];
    expect(verify(path({ intermediate: { extensions } }))).toEqual([{ code: 'cert_extension', index: 1 }]);
  });

  it.each(ROLES)('CRT-03 refuses a version 1 %s with extensions', (role) => {
    expect(verify(path({ [role]: { version: 1 } }))).toEqual([{ code: 'cert_extension', index: indexOf(role) }]);
  });

  it.each(ROLES)('CRT-03 refuses a version 2 %s', (role) => {
    expect(verify(path({ [role]: { version: 2 } }))).toEqual([{ code: 'cert_extension', index: indexOf(role) }]);
  });

  it('CRT-03 refuses a version 1 leaf without extensions', () => {
    expect(verify(path({ leaf: { version: 1, extensions: null } }))).toEqual([{ code: 'cert_extension', index: 0 }]);
  });

  it.each([
    ['name constraints', '2.5.29.30'],
    ['policy constraints', '2.5.29.36'],
    ['extended key usage', '2.5.29.37'],
    ['subject alternative name', '2.5.29.17'],
  ])('CRT-03 refuses critical %s, which are not checked here', (_what, id) => {
    const extensions = [...CA_EXTENSIONS, { oid: id, critical: true, value: sequence() }];
    expect(verify(path({ intermediate: { extensions } }))).toEqual([{ code: 'cert_extension', index: 1 }]);
  });
});

describe('validity', () => {
  const second = 1000;
  const secondBefore = (date: Date) => new Date(date.getTime() - second);
  const secondAfter = (date: Date) => new Date(date.getTime() + second);

  it.each(ROLES)('CRT-04 judges the %s by the second', (role) => {
    const index = ROLES.indexOf(role);
    const long = { notBefore: new Date('2020-01-01T00:00:00Z'), notAfter: new Date('2040-01-01T00:00:00Z') };
    const overrides = Object.fromEntries(ROLES.map((other) => [other, other === role ? {} : long]));
    const chain = path(overrides);
    expect(checkValidity(chain, secondBefore(NOT_BEFORE))).toMatchObject({ code: 'cert_validity', index });
    expect(checkValidity(chain, NOT_BEFORE)).toBeNull();
    expect(checkValidity(chain, AT)).toBeNull();
    expect(checkValidity(chain, NOT_AFTER)).toBeNull();
    expect(checkValidity(chain, secondAfter(NOT_AFTER))).toMatchObject({ code: 'cert_validity', index });
  });

  it('CRT-04 gives no leeway of a millisecond', () => {
    expect(checkValidity(path(), new Date(NOT_AFTER.getTime() + 1))).toMatchObject({ code: 'cert_validity' });
    expect(checkValidity(path(), new Date(NOT_BEFORE.getTime() - 1))).toMatchObject({ code: 'cert_validity' });
  });

  it.each([
    ['a UTCTime of 50, which is 1950', { notAfter: utcTime('500101000000Z') }],
    ['a GeneralizedTime before 2050', { notAfter: generalizedTime('20400101000000Z') }],
    ['a GeneralizedTime with a fraction', { notAfter: generalizedTime('20500101000000.0Z') }],
    ['a UTCTime without seconds', { notBefore: utcTime('2001010000Z') }],
    ['a day that does not exist', { notAfter: utcTime('300230000000Z') }],
    ['an end before its start', { notBefore: NOT_AFTER, notAfter: NOT_BEFORE }],
  ] as readonly (readonly [string, Overrides])[])('CRT-04 refuses %s', (_what, leaf) => {
    expect(checkValidity(path({ leaf }), AT)).toMatchObject({ code: 'cert_validity', index: 0 });
  });

  it.each([
    ['a UTCTime of 49, which is 2049', utcTime('491231235959Z'), '2049-12-31T23:59:59Z'],
    ['a GeneralizedTime of 2050', generalizedTime('20500101000000Z'), '2050-01-01T00:00:00Z'],
  ])('takes %s', (_what, notAfter, end) => {
    const chain = path({ leaf: { notAfter } });
    expect(checkValidity(chain, AT)).toBeNull();
    expect(checkValidity(chain.slice(0, 1), new Date(end))).toBeNull();
    expect(checkValidity(chain.slice(0, 1), secondAfter(new Date(end)))).not.toBeNull();
  });

  it('says when the first certificate ends', () => {
    const end = new Date('2026-02-01T00:00:00Z');
    expect(earliestEnd(path({ intermediate: { notAfter: end } }))).toEqual(end);
    expect(earliestEnd(path())).toEqual(NOT_AFTER);
    expect(earliestEnd(path({ leaf: { notAfter: utcTime('') } }))).toEqual(new Date(0));
  });

  it('plays no part in the verdict on the path', () => {
    expect(verify(path({ leaf: { notAfter: NOT_BEFORE } }))).toEqual([]);
  });
});

describe('algorithms and keys', () => {
  const PKCS1_SHA256: LabAlgorithm = { scheme: 'pkcs1', hash: 'sha256' };
  const rsa = namedRsaKey('small-rsa', 2048);
  const rsaProfile: PathProfile = {
    anchors: new Set([pinOf(rsa)]),
    signatureAlgorithms: new Set(['rsassa-pkcs1-sha256', 'rsassa-pkcs1-sha384', 'rsassa-pkcs1-sha512']),
    issuerKeys: [{ kind: 'rsa', minimumBits: 2048, maximumBits: 4096 }],
    leafKeys: [
      { kind: 'rsa', minimumBits: 2048, maximumBits: 4096 },
      { kind: 'ec', curve: 'P-256' },
    ],
  };
  /** Leaf and root alone, signed with RSA. */
  const rsaPath = (leaf: Overrides = {}, root: Overrides = {}) => [
    certificate('leaf', { signer: rsa, algorithm: PKCS1_SHA256, issuer: name('Root'), ...leaf }),
    certificate('root', { signer: rsa, algorithm: PKCS1_SHA256, spki: rsa.spki, ...root }),
  ];
  const ALL_MODULUS_BITS = 2n ** 2047n + 1n;

  it.each(['sha256', 'sha384', 'sha512'] as const)('takes RSA signatures with %s where the profile does', (hash) => {
    expect(verify(rsaPath({ algorithm: { scheme: 'pkcs1', hash } }), rsaProfile)).toEqual([]);
  });

  it.each(['md5', 'sha1', 'sha224'] as const)('CRT-05 refuses an RSA signature with %s', (hash) => {
    const chain = rsaPath({ algorithm: { scheme: 'pkcs1', hash } });
    expect(verify(chain, rsaProfile)).toEqual([{ code: 'cert_algorithm', index: 0 }]);
  });

  it.each(['sha1', 'sha224', 'sha384', 'sha512'] as const)('CRT-05 refuses an ECDSA signature with %s', (hash) => {
    const chain = path({ intermediate: { algorithm: { scheme: 'ecdsa', hash } } });
    expect(verify(chain)).toEqual([{ code: 'cert_algorithm', index: 1 }]);
  });

  it('CRT-05 refuses an anchor that signed itself with SHA-1', () => {
    const chain = path({ root: { algorithm: { scheme: 'ecdsa', hash: 'sha1' } } });
    expect(verify(chain)).toEqual([{ code: 'cert_algorithm', index: 2 }]);
  });

  it('CRT-05 refuses signed and stated algorithms that differ, whichever is the weak one', () => {
    const weak = algorithmIdentifier({ scheme: 'ecdsa', hash: 'sha1' });
    const strong = algorithmIdentifier(ECDSA_SHA256);
    expect(verify(path({ leaf: { innerAlgorithm: weak } }))).toEqual([{ code: 'cert_algorithm', index: 0 }]);
    expect(verify(path({ leaf: { outerAlgorithm: weak } }))).toEqual([{ code: 'cert_algorithm', index: 0 }]);
    expect(verify(path({ leaf: { innerAlgorithm: strong, outerAlgorithm: strong } }))).toEqual([]);
    const padded = algorithmIdentifier({ scheme: 'pkcs1', hash: 'sha384' });
    expect(verify(rsaPath({ innerAlgorithm: padded }), rsaProfile)).toEqual([{ code: 'cert_algorithm', index: 0 }]);
  });

  it("CRT-05 refuses an algorithm that the issuer's key cannot have made", () => {
    const both: PathProfile = {
      ...rsaProfile,
      signatureAlgorithms: new Set(['rsassa-pkcs1-sha256', 'ecdsa-sha256']),
    };
    const stated = algorithmIdentifier(ECDSA_SHA256);
    const chain = rsaPath({ innerAlgorithm: stated, outerAlgorithm: stated });
    expect(verify(chain, both)).toEqual([{ code: 'cert_algorithm', index: 0 }]);
  });

  it('CRT-05 refuses an algorithm that the profile does not list, although it is a sound one', () => {
    const chain = rsaPath({ algorithm: { scheme: 'pss', hash: 'sha384', saltLength: 48 } });
    expect(verify(chain, rsaProfile)).toEqual([{ code: 'cert_algorithm', index: 0 }]);
  });

  it('CRT-05 refuses an RSA key of 1024 and 2047 bits, and takes one of 2048', () => {
    expect(verify(rsaPath({ spki: rsaSpki(2n ** 1023n + 1n, 65537) }), rsaProfile)).toEqual([
      { code: 'cert_algorithm', index: 0 },
    ]);
    expect(verify(rsaPath({ spki: rsaSpki(2n ** 2047n - 1n, 65537) }), rsaProfile)).toEqual([
      { code: 'cert_algorithm', index: 0 },
    ]);
    expect(verify(rsaPath({ spki: rsaSpki(ALL_MODULUS_BITS, 65537) }), rsaProfile)).toEqual([]);
  });

  it('CRT-05 refuses an RSA key over the largest size', () => {
    expect(verify(rsaPath({ spki: rsaSpki(2n ** 16383n + 1n, 65537) }), rsaProfile)).toEqual([
      { code: 'cert_algorithm', index: 0 },
    ]);
  });

  it.each([1, 2, 3, 17, 65536, 65539])('CRT-05 refuses an RSA key with exponent %i', (exponent) => {
    expect(verify(rsaPath({ spki: rsaSpki(ALL_MODULUS_BITS, exponent) }), rsaProfile)).toEqual([
      { code: 'cert_algorithm', index: 0 },
    ]);
  });

  it('CRT-05 refuses an issuer whose RSA key is weak, without using that key', () => {
    const weak = namedRsaKey('small-weak', 1024);
    const chain = [
      certificate('leaf', { signer: weak, algorithm: PKCS1_SHA256 }),
      certificate('intermediate', { signer: rsa, algorithm: PKCS1_SHA256, spki: weak.spki }),
      certificate('root', { signer: rsa, algorithm: PKCS1_SHA256, spki: rsa.spki }),
    ];
    expect(verify(chain, rsaProfile)).toEqual([{ code: 'cert_algorithm', index: 1 }]);
  });

  it('CRT-05 refuses explicit curve parameters, also of a curve that is allowed', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1', paramEncoding: 'explicit' });
    const explicit = labKey(privateKey);
    expect(verify(path({ leaf: { spki: explicit.spki } }))).toEqual([{ code: 'cert_algorithm', index: 0 }]);
    const chain = path({ leaf: { signer: explicit }, intermediate: { spki: explicit.spki } });
    expect(verify(chain)).toContainEqual({ code: 'cert_algorithm', index: 1 });
  });

  it.each(['secp224r1', 'secp384r1', 'secp521r1'] as const)('CRT-05 refuses a leaf key on %s', (curve) => {
    expect(verify(path({ leaf: { spki: newEcKey(curve).spki } }))).toEqual([{ code: 'cert_algorithm', index: 0 }]);
  });

  it('CRT-05 refuses a leaf key of another kind', () => {
    expect(verify(path({ leaf: { spki: rsa.spki } }))).toEqual([{ code: 'cert_algorithm', index: 0 }]);
    const ed25519 = labKey(generateKeyPairSync('ed25519').privateKey);
    expect(verify(path({ leaf: { spki: ed25519.spki } }))).toEqual([{ code: 'cert_algorithm', index: 0 }]);
  });

  it('CRT-05 refuses a point that is not on its curve, in the leaf and in an issuer', () => {
    const x = Buffer.alloc(32, 1);
    const offCurve = ecSpki(oid('1.2.840.10045.3.1.7'), Buffer.concat([Buffer.from([4]), x, x]));
    expect(verify(path({ leaf: { spki: offCurve } }))).toEqual([{ code: 'cert_algorithm', index: 0 }]);
    expect(verify(path({ intermediate: { spki: offCurve } }))).toEqual([{ code: 'cert_algorithm', index: 1 }]);
  });

  it('CRT-05 refuses coordinates that are not below the prime of the field', () => {
    // two points with a coordinate so small that adding the prime leaves 32 octets: the same points, in no valid form
    const p = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
    const y = 0x66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4n;
    const x = 0xd7325d7646cd60d80a92738ceb345f844cffaf35841022cab176f692de8de1d7n;
    const withPoint = (...coordinates: readonly bigint[]) => {
      const digits = coordinates.map((value) => value.toString(16).padStart(64, '0')).join('');
      const spki = ecSpki(oid('1.2.840.10045.3.1.7'), Buffer.from(`04${digits}`, 'hex'));
      return verify(path({ leaf: { spki } }));
    };
    expect(withPoint(0n, y)).toEqual([]);
    expect(withPoint(p, y)).toEqual([{ code: 'cert_algorithm', index: 0 }]);
    expect(withPoint(x, 5n)).toEqual([]);
    expect(withPoint(x, p + 5n)).toEqual([{ code: 'cert_algorithm', index: 0 }]);
  });
});

describe('trust', () => {
  it('CRT-08 refuses a root with the trusted name and another key', () => {
    const impostor = { signer: KEYS.other, spki: KEYS.other.spki };
    const chain = path({ intermediate: { signer: KEYS.other }, root: impostor });
    expect(verify(chain)).toEqual([{ code: 'cert_untrusted', index: 2 }]);
  });

  it('CRT-08 refuses a root that is pinned by nothing', () => {
    expect(verify(path(), { ...PROFILE, anchors: new Set() })).toEqual([{ code: 'cert_untrusted', index: 2 }]);
  });

  it('CRT-08 refuses a path whose intermediate is pinned and whose root is not', () => {
    const anchors = new Set([pinOf(KEYS.intermediate)]);
    expect(verify(path(), { ...PROFILE, anchors })).toEqual([{ code: 'cert_untrusted', index: 2 }]);
  });

  it.each([
    ['of another case', name('root')],
    ['of another type of string', nameOf([[ATTRIBUTE.commonName, printableString('Root')]])],
    ['with a blank at its end', name('Root ')],
    ['with NUL at its end', name('Root\0')],
    ['with a homograph', name('R\u043eot')],
    ['with another attribute', nameOf([[ATTRIBUTE.organizationName, 'Root']])],
    [
      'with two attributes',
      nameOf([
        [ATTRIBUTE.commonName, 'Root'],
        [ATTRIBUTE.organizationName, 'Root'],
      ]),
    ],
  ])('CRT-08 refuses an issuer name %s', (_what, issuer) => {
    expect(verify(path({ intermediate: { issuer } }))).toEqual([{ code: 'cert_untrusted', index: 1 }]);
  });

  it('CRT-08 refuses an anchor under another name than its issuer', () => {
    expect(verify(path({ root: { issuer: name('Other') } }))).toEqual([{ code: 'cert_untrusted', index: 2 }]);
  });

  it('CRT-08 refuses a pinned key whose certificate somebody else signed', () => {
    expect(verify(path({ root: { signer: KEYS.other } }))).toEqual([{ code: 'cert_signature', index: 2 }]);
  });

  it('CRT-07 refuses certificates in another order', () => {
    const [leaf, intermediate, root] = path() as [X509Certificate, X509Certificate, X509Certificate];
    expect(verify([leaf, root, intermediate])).toContainEqual({ code: 'cert_untrusted', index: 2 });
    expect(verify([root, intermediate, leaf])).toContainEqual({ code: 'cert_untrusted', index: 2 });
  });
});

describe('signatures', () => {
  it.each(ROLES)('refuses a %s that was changed after it was signed', (role) => {
    const afterSigning = (tbs: Uint8Array) => {
      const forged = Uint8Array.from(tbs);
      // the last octet of the serial number, which nothing else looks at
      const offset = Buffer.from(forged).indexOf(Buffer.from([0x02, 0x01, SHAPES[role].serial])) + 2;
      forged[offset] = 0x55;
      return forged;
    };
    expect(verify(path({ [role]: { afterSigning } }))).toEqual([
      { code: 'cert_signature', index: ROLES.indexOf(role) },
    ]);
  });

  it('refuses a signature by another key', () => {
    expect(verify(path({ leaf: { signer: KEYS.other } }))).toEqual([{ code: 'cert_signature', index: 0 }]);
  });

  it.each([
    ['that is empty', () => new Uint8Array()],
    ['that is no DER', () => Buffer.alloc(70, 0xff)],
    ['with r = 0 and s = 0', () => Buffer.from('3006020100020100', 'hex')],
    ['with bytes after it', (signature: Uint8Array) => Buffer.concat([signature, Buffer.from([0])])],
    [
      'with a third number',
      (signature: Uint8Array) =>
        Buffer.concat([
          Buffer.from([0x30, (signature[1] ?? 0) + 3]),
          signature.subarray(2),
          Buffer.from('020101', 'hex'),
        ]),
    ],
    ['with a negative number', () => Buffer.from('30060201ff020101', 'hex')],
    ['with a number of 33 octets', () => Buffer.from(`3026022101${'00'.repeat(32)}020101`, 'hex')],
  ])('refuses an ECDSA signature %s', (_what, signature) => {
    expect(verify(path({ leaf: { signature } }))).toEqual([{ code: 'cert_signature', index: 0 }]);
  });

  it('looks at every certificate, and names the first problem of each', () => {
    const found = verifyCertificatePath(
      path({
        leaf: { signer: KEYS.other, version: 1 },
        intermediate: { extensions: null },
        root: { version: 1 },
      }),
      { ...PROFILE, anchors: new Set() },
    );
    expect(found).toEqual([
      { code: 'cert_signature', index: 0, detail: 'signature does not verify' },
      { code: 'cert_not_ca', index: 1, detail: 'issuer is not a CA' },
      { code: 'cert_untrusted', index: 2, detail: 'chain does not end at a pinned key' },
    ]);
  });

  it('takes nothing that a certificate says of itself before its signature', () => {
    const forged = { signer: KEYS.other, extensions: null, spki: namedRsaKey('small-weak', 1024).spki };
    const found = verify(path({ intermediate: forged }));
    expect(found).toContainEqual({ code: 'cert_signature', index: 1 });
    expect(found).not.toContainEqual({ code: 'cert_not_ca', index: 1 });
  });
});

describe('a leaf below issuers that hold', () => {
  const [, intermediate, root] = path();
  const below = (leaf: X509Certificate) => {
    if (intermediate === undefined || root === undefined) throw new Error('not a path');
    return verifyLeaf(leaf, [intermediate, root], PROFILE);
  };

  it('has no problem', () => {
    expect(below(certificate('leaf'))).toEqual([]);
  });

  it('has the problems that it has in a path', () => {
    const [other, again] = [
      certificate('leaf', { signer: KEYS.other }),
      certificate('leaf', { spki: KEYS.intermediate.spki }),
    ];
    expect(below(other)).toMatchObject([{ code: 'cert_signature', index: 0 }]);
    expect(below(again)).toMatchObject([{ code: 'cert_path', index: 1 }]);
    for (const leaf of [other, again])
      expect(below(leaf)).toEqual(verifyCertificatePath([leaf, ...path().slice(1)], PROFILE));
  });
});

describe('a certificate that signs itself', () => {
  it('holds if its key is pinned', () => {
    expect(verifySelfSigned(certificate('root'), PROFILE)).toBeNull();
  });

  it.each([
    ['whose key is not pinned', { signer: KEYS.other, spki: KEYS.other.spki }, 'cert_untrusted'],
    ['with a signature of another key', { signer: KEYS.other }, 'cert_signature'],
  ])('does not hold %s', (_what, overrides, code) => {
    expect(verifySelfSigned(certificate('root', overrides), PROFILE)).toMatchObject({ code, index: 0 });
  });
});

describe('isIssuedBy', () => {
  it('goes by name and signature', () => {
    expect(isIssuedBy(certificate('leaf'), certificate('intermediate'), PROFILE)).toBe(true);
    expect(isIssuedBy(certificate('leaf'), certificate('root'), PROFILE)).toBe(false);
    const forged = certificate('leaf', { signer: KEYS.other });
    expect(isIssuedBy(forged, certificate('intermediate'), PROFILE)).toBe(false);
  });

  it('never uses a key that may not issue', () => {
    const profile = { ...PROFILE, issuerKeys: [] };
    expect(isIssuedBy(certificate('leaf'), certificate('intermediate'), profile)).toBe(false);
  });
});

describe('what is said of a problem', () => {
  const problem = { code: 'cert_path', index: 1, detail: 'issuer is not a CA' } as const;

  it('names its place, and the role of the certificate if it is known', () => {
    expect(describePathProblem(problem)).toBe('issuer is not a CA (certificate 2 of the chain)');
    expect(describePathProblem(problem, ['VCEK', 'ASK'])).toBe('issuer is not a CA (certificate 2 of the chain, ASK)');
    expect(placeOfProblem(problem)).toBe('certificate 2 of the chain');
    expect(placeOfProblem(problem, ['VCEK', 'ASK'])).toBe('certificate 2 of the chain (ASK)');
    const first = { ...problem, index: 0 };
    expect(describePathProblem(first)).toBe('issuer is not a CA (certificate 1 of the chain)');
    expect(placeOfProblem(first)).toBe('certificate 1 of the chain');
  });

  it('names a certificate by subject and serial number', () => {
    expect(nameOfCertificate(certificate('leaf'))).toBe('Leaf, serial 53');
    const nameless = certificate('leaf', { subject: nameOf([]) });
    expect(nameOfCertificate(nameless)).toBe('a certificate without a common name, serial 53');
  });
});
