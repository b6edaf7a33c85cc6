import { beforeAll, describe, expect, it } from 'vitest';
import { SNP_PRODUCTS } from '../../../src/core/amd-lines.js';
import type { SnpProduct, SnpTcb } from '../../../src/core/claims.js';
import { checkValidity, verifyCertificatePath } from '../../../src/crypto/certificate-path.js';
import { checkRevocationListTime, isRevoked, verifyRevocationList } from '../../../src/crypto/revocation-list.js';
import { parseCertificate, type X509Certificate } from '../../../src/formats/x509-certificate.js';
import { parseCrl } from '../../../src/formats/x509-crl.js';
import { amdVekProfile } from '../../../src/tee/snp/amd/roots.js';
import { AMD_SERIALS } from '../../lab/amd-lines.js';
import {
  AMD_ARC,
  type AmdPki,
  amdName,
  type CertificateOverrides,
  createAmdPki,
  type LabAuthority,
  type VekKind,
} from '../../lab/amd-pki.js';
import { integer, octetString, printableString } from '../../lab/der-writer.js';
import { namedRsaKey, newEcKey } from '../../lab/lab-keys.js';
import { ATTRIBUTE, basicConstraints, keyUsage, nameOf } from '../../lab/pki.js';
import { AMD_ALGORITHM, algorithmIdentifier, type LabAlgorithm } from '../../lab/signing.js';
import { formatErrorOf, problemOf } from '../small-pki.js';

const AT = new Date('2026-01-15T12:00:00Z');
const CHIP_ID = Uint8Array.from({ length: 64 }, (_, index) => (index < 8 ? index + 1 : 0));
const TCB: SnpTcb = { fmc: 1, bootloader: 4, tee: 0, snp: 24, microcode: 219 };
const LEAF_KEY = newEcKey('secp384r1');

const pki = createAmdPki({ at: AT });
/** The same names under keys that nobody pins. */
const impostor = createAmdPki({ at: AT, keys: 'impostor' });

// RSA keys of 4096 bits are made once on a machine, and then take no time
beforeAll(() => {
  for (const product of SNP_PRODUCTS) pki.chainPem(product, 'vlek');
  pki.chainPem('Milan');
  impostor.chainPem('Milan');
}, 300_000);

interface PathOptions {
  readonly product?: SnpProduct;
  readonly kind?: VekKind;
  readonly from?: AmdPki;
  readonly vek?: CertificateOverrides;
  readonly intermediate?: LabAuthority;
  readonly root?: LabAuthority;
}

function path(options: PathOptions = {}): readonly X509Certificate[] {
  const { product = 'Milan', kind = 'vcek', from = pki } = options;
  const intermediate = options.intermediate ?? from.intermediate(product, kind);
  const common = { product, tcb: TCB, key: LEAF_KEY, issuer: intermediate, overrides: options.vek ?? {} };
  const vek = kind === 'vcek' ? from.issueVcek({ ...common, chipId: CHIP_ID }) : from.issueVlek(common);
  return [
    parseCertificate(vek.der, { allowZeroSerial: true }),
    parseCertificate(intermediate.der),
    parseCertificate((options.root ?? from.ark(product)).der),
  ];
}

const profileOf = (product: SnpProduct) => amdVekProfile(pki.pins([product]).get(product) ?? new Set());
const verify = (chain: readonly X509Certificate[], product: SnpProduct = 'Milan') =>
  verifyCertificatePath(chain, profileOf(product)).map(({ code, index }) => ({ code, index }));

describe('paths of the shape that AMD has', () => {
  it.each(SNP_PRODUCTS)('a VLEK of %s holds', (product) => {
    const chain = path({ product, kind: 'vlek' });
    expect(verify(chain, product)).toEqual([]);
    expect(checkValidity(chain, AT)).toBeNull();
  });

  it('a VCEK holds, with the PSS trailer field written out and left out', () => {
    expect(verify(path())).toEqual([]);
    expect(verify(path({ vek: { algorithm: { ...AMD_ALGORITHM, trailerField: true } } }))).toEqual([]);
    const intermediate = pki.issueIntermediate('Milan', 'vcek', { algorithm: AMD_ALGORITHM });
    expect(verify(path({ intermediate }))).toEqual([]);
  });

  it('CRT-06 allows serial number 0 for a VCEK only where the reader says so', () => {
    const vek = pki.issueVcek({ product: 'Milan', tcb: TCB, chipId: CHIP_ID, key: LEAF_KEY });
    expect(formatErrorOf(() => parseCertificate(vek.der)).message).toBe('serial number is zero');
    const ask = pki.issueIntermediate('Milan', 'vcek', { serial: 0 });
    expect(formatErrorOf(() => parseCertificate(ask.der)).code).toBe('cert_format');
  });
});

describe('trust', () => {
  it('SNP-25 refuses an ARK with the right name and another key', () => {
    expect(verify(path({ from: impostor }))).toEqual([{ code: 'cert_untrusted', index: 2 }]);
  });

  it('SNP-25 refuses a false ARK above a genuine ASK', () => {
    expect(verify(path({ root: impostor.ark('Milan') }))).toEqual([
      { code: 'cert_signature', index: 1 },
      { code: 'cert_untrusted', index: 2 },
    ]);
  });

  it('SNP-25 refuses an ASK that a false ARK signed, below the genuine one', () => {
    expect(verify(path({ intermediate: impostor.intermediate('Milan', 'vcek') }))).toEqual([
      { code: 'cert_signature', index: 1 },
    ]);
  });

  it('SNP-25 refuses the ASVK of another product line', () => {
    const found = verify(path({ kind: 'vlek', intermediate: pki.intermediate('Genoa', 'vlek') }));
    expect(found).toEqual([{ code: 'cert_untrusted', index: 1 }]);
  });

  it('SNP-25 refuses the whole chain of another product line', () => {
    expect(verify(path({ product: 'Genoa', kind: 'vlek' }), 'Milan')).toEqual([{ code: 'cert_untrusted', index: 2 }]);
  });

  it('SNP-25 refuses a VCEK of the ASK below the ASVK', () => {
    const [vcek, , ark] = path() as [X509Certificate, X509Certificate, X509Certificate];
    const asvk = parseCertificate(pki.intermediate('Milan', 'vlek').der);
    expect(verify([vcek, asvk, ark])).toEqual([{ code: 'cert_untrusted', index: 0 }]);
  });

  it('SNP-25 refuses a VCEK that names the ASK and that the ASVK signed', () => {
    const vek = { signer: pki.intermediate('Milan', 'vlek').key };
    expect(verify(path({ vek }))).toEqual([{ code: 'cert_signature', index: 0 }]);
  });

  it('CRT-08 refuses an ARK whose name is written with another type of string', () => {
    const subject = nameOf([
      [ATTRIBUTE.organizationalUnitName, 'Engineering'],
      [ATTRIBUTE.countryName, printableString('US')],
      [ATTRIBUTE.localityName, 'Santa Clara'],
      [ATTRIBUTE.stateOrProvinceName, 'CA'],
      [ATTRIBUTE.organizationName, 'Advanced Micro Devices'],
      [ATTRIBUTE.commonName, printableString('ARK-Milan')],
    ]);
    const root = pki.issueRoot('Milan', { subject, issuer: subject });
    expect(verify(path({ root }))).toEqual([{ code: 'cert_untrusted', index: 1 }]);
  });

  it('CRT-08 refuses an ARK whose name is in another case', () => {
    const subject = amdName('ark-milan');
    expect(verify(path({ root: pki.issueRoot('Milan', { subject, issuer: subject }) }))).toEqual([
      { code: 'cert_untrusted', index: 1 },
    ]);
  });
});

describe('algorithms and keys', () => {
  const weak: readonly (readonly [string, LabAlgorithm])[] = [
    ['salt 20', { ...AMD_ALGORITHM, saltLength: 20 }],
    ['salt 0', { ...AMD_ALGORITHM, saltLength: 0 }],
    ['salt 47', { ...AMD_ALGORITHM, saltLength: 47 }],
    ['MGF1 with SHA-1', { ...AMD_ALGORITHM, mgfHash: 'sha1' }],
    ['MGF1 with SHA-256', { ...AMD_ALGORITHM, mgfHash: 'sha256' }],
    ['SHA-256', { scheme: 'pss', hash: 'sha256', saltLength: 32 }],
    ['SHA-512', { scheme: 'pss', hash: 'sha512', saltLength: 64 }],
    ['SHA-1', { scheme: 'pss', hash: 'sha1', saltLength: 20 }],
    ['PKCS#1 v1.5', { scheme: 'pkcs1', hash: 'sha384' }],
  ];

  it.each(weak)('SNP-26 refuses a VCEK signed with %s', (_what, algorithm) => {
    expect(verify(path({ vek: { algorithm } }))).toEqual([{ code: 'cert_algorithm', index: 0 }]);
  });

  it.each(weak)('SNP-26 refuses an ASK signed with %s', (_what, algorithm) => {
    const intermediate = pki.issueIntermediate('Milan', 'vcek', { algorithm });
    expect(verify(path({ intermediate }))).toEqual([{ code: 'cert_algorithm', index: 1 }]);
  });

  it.each(weak)('SNP-26 refuses an ARK that signed itself with %s', (_what, algorithm) => {
    expect(verify(path({ root: pki.issueRoot('Milan', { algorithm }) }))).toEqual([
      { code: 'cert_algorithm', index: 2 },
    ]);
  });

  it.each(weak)('SNP-26 refuses a VCEK that states the right algorithm and is signed with %s', (_what, algorithm) => {
    const stated = algorithmIdentifier(AMD_ALGORITHM);
    const vek = { algorithm, innerAlgorithm: stated, outerAlgorithm: stated };
    expect(verify(path({ vek }))).toEqual([{ code: 'cert_signature', index: 0 }]);
  });

  it('CRT-05 refuses trailer fields that differ inside and outside', () => {
    const vek = { innerAlgorithm: algorithmIdentifier({ ...AMD_ALGORITHM, trailerField: true }) };
    expect(verify(path({ vek }))).toEqual([{ code: 'cert_algorithm', index: 0 }]);
  });

  it.each(['prime256v1', 'secp224r1', 'secp521r1'] as const)('SNP-26 refuses a VCEK key on %s', (curve) => {
    expect(verify(path({ vek: { spki: newEcKey(curve).spki } }))).toEqual([{ code: 'cert_algorithm', index: 0 }]);
  });

  it('SNP-26 refuses an RSA key in a VCEK', () => {
    const vek = { spki: namedRsaKey('small-rsa', 2048).spki };
    expect(verify(path({ vek }))).toEqual([{ code: 'cert_algorithm', index: 0 }]);
  });

  it('CRT-05 refuses an ASK with an RSA key of 2048 bits', () => {
    const small = namedRsaKey('small-rsa', 2048);
    const issued = pki.issueIntermediate('Milan', 'vcek', { spki: small.spki });
    expect(verify(path({ intermediate: { ...issued, key: small } }))).toEqual([{ code: 'cert_algorithm', index: 1 }]);
  });
});

describe('authority and extensions', () => {
  const askWith = (overrides: CertificateOverrides) =>
    path({ intermediate: pki.issueIntermediate('Milan', 'vcek', overrides) });

  it('CRT-01 refuses an ASK that is no ca, and an ARK that may not sign certificates', () => {
    expect(verify(askWith({ extensions: [keyUsage(['keyCertSign'])] }))).toEqual([{ code: 'cert_not_ca', index: 1 }]);
    const root = pki.issueRoot('Milan', { extensions: [basicConstraints(), keyUsage(['crlSign'])] });
    expect(verify(path({ root }))).toEqual([{ code: 'cert_not_ca', index: 2 }]);
  });

  it('CRT-02 refuses an authority below an ASK, whose path length is 0', () => {
    const { key } = impostor.intermediate('Milan', 'vcek');
    const ask = pki.intermediate('Milan', 'vcek');
    const below = pki.issueIntermediate('Milan', 'vcek', {
      signer: ask.key,
      issuer: ask.name,
      subject: amdName('SEV-Below'),
      spki: key.spki,
    });
    const [vek, , root] = path({ intermediate: { ...below, key } }) as [
      X509Certificate,
      X509Certificate,
      X509Certificate,
    ];
    const chain = [vek, parseCertificate(below.der), parseCertificate(ask.der), root];
    expect(verify(chain)).toEqual([{ code: 'cert_path', index: 2 }]);
  });

  it('SNP-13 SNP-14 refuses an AMD extension that appears twice', () => {
    for (const suffix of ['4', '3.8', '3.3']) {
      const vek = pki.issueVcek({
        product: 'Milan',
        tcb: TCB,
        chipId: CHIP_ID,
        key: LEAF_KEY,
        extensions: (genuine) => [...genuine, { oid: `${AMD_ARC}.${suffix}`, value: integer(1) }],
      });
      const [, ...chain] = path();
      const found = verify([parseCertificate(vek.der, { allowZeroSerial: true }), ...chain]);
      expect(found).toEqual([{ code: 'cert_extension', index: 0 }]);
    }
  });

  it('CRT-03 refuses an unknown critical extension in a VCEK', () => {
    const extra = { oid: '1.3.6.1.4.1.3704.1.99', critical: true, value: octetString(new Uint8Array(1)) };
    expect(verify(path({ vek: { extensions: [extra] } }))).toEqual([{ code: 'cert_extension', index: 0 }]);
  });

  it('CRT-04 refuses a VCEK one second after its end, and an ASK one second before its start', () => {
    const end = new Date('2026-01-15T11:59:59Z');
    expect(checkValidity(path({ vek: { notAfter: end } }), AT)).toMatchObject({ code: 'cert_validity', index: 0 });
    expect(checkValidity(path({ vek: { notAfter: AT } }), AT)).toBeNull();
    const start = new Date('2026-01-15T12:00:01Z');
    expect(checkValidity(askWith({ notBefore: start }), AT)).toMatchObject({ code: 'cert_validity', index: 1 });
  });
});

describe('revocation', () => {
  const ark = () => parseCertificate(pki.ark('Milan').der);
  const ask = () => parseCertificate(pki.intermediate('Milan', 'vcek').der);
  const crl = (options: Partial<Parameters<AmdPki['issueCrl']>[0]> = {}) =>
    parseCrl(pki.issueCrl({ product: 'Milan', ...options }));
  const verifyCrl = (list: ReturnType<typeof crl>, issuer = ark()) =>
    problemOf(verifyRevocationList(list, issuer, profileOf('Milan')));

  it('takes a list of the ARK that does not name the ASK', () => {
    const list = crl({ revoked: [{ serial: AMD_SERIALS.Milan.asvk }] });
    expect(verifyCrl(list)).toBeNull();
    expect(checkRevocationListTime(list, AT)).toBeNull();
    expect(isRevoked(list, ask().serial)).toBe(false);
  });

  it('SNP-27 finds a revoked ASK and a revoked ASVK by their serial numbers', () => {
    const list = crl({ revoked: [{ serial: AMD_SERIALS.Milan.ask }, { serial: AMD_SERIALS.Milan.asvk }] });
    expect(verifyCrl(list)).toBeNull();
    expect(isRevoked(list, ask().serial)).toBe(true);
    expect(isRevoked(list, parseCertificate(pki.intermediate('Milan', 'vlek').der).serial)).toBe(true);
  });

  it('SNP-27 refuses a list signed by another key, and one of another line', () => {
    const other = { ...pki.ark('Milan'), key: impostor.ark('Milan').key };
    expect(verifyCrl(crl({ issuer: other }))?.code).toBe('crl_invalid');
    expect(verifyCrl(crl({ product: 'Genoa' }))?.code).toBe('crl_invalid');
  });

  it('SNP-27 refuses a list signed by the ASK, which may not sign lists', () => {
    const list = crl({ issuer: pki.intermediate('Milan', 'vcek') });
    expect(verifyCrl(list, ask())?.detail).toBe('issuer may not sign CRLs');
  });

  it.each([
    ['salt 20', { ...AMD_ALGORITHM, saltLength: 20 }],
    ['PKCS#1 v1.5', { scheme: 'pkcs1', hash: 'sha384' }],
  ] as readonly (readonly [string, LabAlgorithm])[])('SNP-27 refuses a list signed with %s', (_what, algorithm) => {
    expect(verifyCrl(crl({ overrides: { algorithm } }))?.code).toBe('crl_invalid');
  });

  it('SNP-27 takes a list past its next update for stale', () => {
    const nextUpdate = new Date('2026-01-15T11:59:59Z');
    expect(checkRevocationListTime(crl({ overrides: { nextUpdate } }), AT)?.code).toBe('crl_stale');
  });
});
