// @peculiar/x509 needs it.
import 'reflect-metadata';
import { X509Certificate as NodeCertificate } from 'node:crypto';
import { X509Certificate as PeculiarCertificate } from '@peculiar/x509';
import { describe, expect, it } from 'vitest';
import { hex } from '../../../src/core/bytes.js';
import { FormatError } from '../../../src/core/errors.js';
import { checkValidity, earliestEnd, verifyCertificatePath } from '../../../src/crypto/certificate-path.js';
import { sha256 } from '../../../src/crypto/digest.js';
import { spkiDigest } from '../../../src/crypto/key-cache.js';
import type { PathProfile } from '../../../src/crypto/path-profile.js';
import { checkRevocationListTime, isRevoked, verifyRevocationList } from '../../../src/crypto/revocation-list.js';
import { parsePemCertificates } from '../../../src/formats/pem.js';
import { parseCertificate, type X509Certificate } from '../../../src/formats/x509-certificate.js';
import { parseCrl } from '../../../src/formats/x509-crl.js';
import { amdVekProfile } from '../../../src/tee/snp/amd/roots.js';
import { applyRecipe, haveVectors, readVector, recipes, vector } from '../../vectors.js';
import { problemOf } from '../small-pki.js';

type Line = 'milan' | 'genoa' | 'turin';
const LINES: readonly Line[] = ['milan', 'genoa', 'turin'];

/** SHA-256 of the SubjectPublicKeyInfo of AMD's root keys, as published. */
const PINS: { readonly [line in Line]: string } = {
  milan: '9f056bee44377e29308cb5ffa895bdfb62d18881fa6bed8d6f075b0204089cb9',
  genoa: '429a69c9422aa258ee4d8db5fcda9c6470ef15f8cd5a9cebd6cbc7d90b863831',
  turin: '4f125410563a2ab9a50356f9243f6fe0b6f73de98603f53f90339c70e9d7ad08',
};

const ALL_PINS = amdVekProfile(new Set(Object.values(PINS)));
const text = (file: string) => Buffer.from(readVector(file)).toString('latin1');
const pemOf = (file: string) => parsePemCertificates(text(file), 'cert_chain').map((der) => parseCertificate(der));
const chainOf = (line: Line, kind: string) => pemOf(`roots/amd-${line}-${kind}.pem`);
const vek = (file: string) => parseCertificate(readVector(file), { allowZeroSerial: true });

const VEKS: readonly (readonly [id: string, file: string, line: Line, kind: 'vcek' | 'vlek'])[] = [
  ['snp-milan-v2-debug', 'snp/snp-milan-v2-debug.vcek.der', 'milan', 'vcek'],
  ['snp-milan-v2-aci', 'snp/snp-milan-v2-aci.vcek.der', 'milan', 'vcek'],
  ['snp-milan-v2-trustee', 'snp/snp-milan-v2-trustee.vcek.der', 'milan', 'vcek'],
  ['snp-milan-v3-b0', 'snp/snp-milan-v3-b0.vcek.der', 'milan', 'vcek'],
  ['snp-milan-vlek-v3', 'snp/snp-milan-vlek-v3.vlek.der', 'milan', 'vlek'],
  ['snp-genoa-v3-tsm', 'snp/snp-genoa-v3-tsm.vcek.der', 'genoa', 'vcek'],
  ['snp-genoa-v5', 'snp/snp-genoa-v5.vcek.der', 'genoa', 'vcek'],
  ['roots-vcek-turin-sample', 'roots/vcek-turin-sample.der', 'turin', 'vcek'],
  ['az-snp-milan-hcl1-a', 'az-snp-vtpm/az-snp-milan-hcl1-a.vcek.der', 'milan', 'vcek'],
  ['az-snp-milan-hcl1-b', 'az-snp-vtpm/az-snp-milan-hcl1-b.vcek.der', 'milan', 'vcek'],
];

interface CertificateFacts {
  readonly subject: string;
  readonly issuer: string;
  readonly serialHex: string;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly sha256: string;
}

const commonName = (name: string) => /CN=([^,]*)/.exec(name)?.[1];
const seconds = (date: Date | null) => date?.toISOString().replace('.000Z', 'Z');

/** The facts of the manifest, as far as they are of a certificate. */
function factsOf(certificate: X509Certificate) {
  return {
    subject: certificate.subject.commonName,
    issuer: certificate.issuer.commonName,
    serialHex: hex(certificate.serial).replace(/^0/, ''),
    notBefore: seconds(certificate.notBefore),
    notAfter: seconds(certificate.notAfter),
    sha256: hex(sha256(certificate.der)),
  };
}

function expected(facts: CertificateFacts) {
  const { subject, issuer, serialHex, notBefore, notAfter, sha256: digest } = facts;
  return { subject: commonName(subject), issuer: commonName(issuer), serialHex, notBefore, notAfter, sha256: digest };
}

describe.skipIf(!haveVectors)('real certificates of AMD', () => {
  it.each(LINES)('the chains of %s are those of the manifest, and end at the pin', (line) => {
    const [ask, ark] = chainOf(line, 'vcek') as [X509Certificate, X509Certificate];
    const [asvk, again] = chainOf(line, 'vlek') as [X509Certificate, X509Certificate];
    const facts: readonly CertificateFacts[] = vector(`roots-amd-${line}`).expect.facts.certs;
    expect([ask, asvk, ark].map(factsOf)).toEqual(facts.map(expected));
    expect(hex(again.der)).toBe(hex(ark.der));
    expect(spkiDigest(ark)).toBe(PINS[line]);
  });

  it.each(VEKS)('%s verifies at its instant', (id, file, line, kind) => {
    const certificate = vek(file);
    const path = [certificate, ...chainOf(line, kind)];
    const { verifyAt, expect: wanted } = vector(id);
    expect(verifyCertificatePath(path, amdVekProfile(new Set([PINS[line]])))).toEqual([]);
    expect(checkValidity(path, new Date(verifyAt ?? ''))).toBeNull();
    expect(earliestEnd(path)).toEqual(certificate.notAfter);
    expect(factsOf(certificate)).toEqual(expected(wanted.facts.cert ?? wanted.facts.snp.cert));
  });

  it.each(VEKS)('%s does not verify under the pins of the other lines', (_id, file, line, kind) => {
    const others = new Set(LINES.filter((other) => other !== line).map((other) => PINS[other]));
    const problems = verifyCertificatePath([vek(file), ...chainOf(line, kind)], amdVekProfile(others));
    expect(problems.map(({ code, index }) => ({ code, index }))).toEqual([{ code: 'cert_untrusted', index: 2 }]);
  });

  it('CRT-04 the VLEK that lived a year is past its end a second after it', () => {
    const path = [vek('snp/snp-milan-vlek-v3.vlek.der'), ...chainOf('milan', 'vlek')];
    expect(checkValidity(path, new Date('2025-12-10T22:14:21Z'))).toBeNull();
    expect(checkValidity(path, new Date('2025-12-10T22:14:22Z'))).toMatchObject({ code: 'cert_validity', index: 0 });
    expect(checkValidity(path, new Date('2024-12-10T22:14:20Z'))).toMatchObject({ code: 'cert_validity', index: 0 });
  });

  it.each(['legacy', 'new'])('a forged VCEK (%s) has a signature that does not verify', (form) => {
    const path = [vek(`snp/snp-neg-vcek-invalid-${form}.vcek.der`), ...chainOf('milan', 'vcek')];
    const problems = verifyCertificatePath(path, ALL_PINS);
    expect(problems.map(({ code, index }) => ({ code, index }))).toEqual([{ code: 'cert_signature', index: 0 }]);
  });

  it('SNP-25 refuses the ASVK above a VCEK, and the ASK of another line', () => {
    const vcek = vek('snp/snp-milan-v3-b0.vcek.der');
    for (const chain of [chainOf('milan', 'vlek'), chainOf('genoa', 'vcek')]) {
      const problems = verifyCertificatePath([vcek, ...chain], ALL_PINS);
      expect(problems.map(({ code, index }) => ({ code, index }))).toEqual([{ code: 'cert_untrusted', index: 0 }]);
    }
  });

  it('every recipe that breaks a chain breaks it here', () => {
    const broken = recipes('snp', 'az-snp-vtpm').filter(({ expectedReason }) => expectedReason === 'snp-chain');
    const codes = broken.map((recipe) => {
      const [, file, line, kind] = VEKS.find(([id]) => id === recipe.base) ?? [];
      if (file === undefined || line === undefined || kind === undefined) throw new Error(`no base ${recipe.base}`);
      try {
        const leaf = parseCertificate(applyRecipe(recipe, file), { allowZeroSerial: true });
        return verifyCertificatePath([leaf, ...chainOf(line, kind)], ALL_PINS)[0]?.code;
      } catch (error) {
        return error instanceof FormatError ? error.code : 'thrown';
      }
    });
    expect(codes.length).toBeGreaterThanOrEqual(4);
    for (const code of codes) expect(['cert_untrusted', 'cert_signature', 'cert_format']).toContain(code);
  });

  it('every flipped bit of a VCEK is malformed or breaks the path', () => {
    const der = readVector('snp/snp-milan-v3-b0.vcek.der');
    const chain = chainOf('milan', 'vcek');
    const passed: number[] = [];
    // each byte once, another bit of it each time: all bits are the robustness suite's
    for (let offset = 0; offset < der.length; offset += 1) {
      const flipped = Uint8Array.from(der);
      flipped[offset] = (flipped[offset] ?? 0) ^ (1 << (offset & 7));
      if (holds(flipped, chain)) passed.push(offset);
    }
    expect(passed).toEqual([]);
  });
});

function holds(der: Uint8Array, chain: readonly X509Certificate[]): boolean {
  try {
    return verifyCertificatePath([parseCertificate(der, { allowZeroSerial: true }), ...chain], ALL_PINS).length === 0;
  } catch (error) {
    if (error instanceof FormatError && error.code === 'cert_format') return false;
    throw error;
  }
}

describe.skipIf(!haveVectors)('real certificates, as others read them', () => {
  const files = [
    ...VEKS.map(([, file]) => file),
    'roots/intel-sgx-root-ca.der',
    'az-tdx-vtpm/az-tdx-v4-akchain-2026.ak-cert.der',
  ];

  it.each(files)('%s', (file) => {
    const der = readVector(file);
    const read = parseCertificate(der, { allowZeroSerial: true });
    const node = new NodeCertificate(der);
    const peculiar = new PeculiarCertificate(Uint8Array.from(der));
    expect(read.notBefore).toEqual(peculiar.notBefore);
    expect(read.notAfter).toEqual(peculiar.notAfter);
    expect(hex(read.spki)).toBe(Buffer.from(peculiar.publicKey.rawData).toString('hex'));
    expect(BigInt(`0x${hex(read.serial)}`)).toBe(BigInt(`0x${node.serialNumber}`));
    expect(read.subject.commonName).toBe(/CN=(.*)/.exec(node.subject)?.[1]);
    expect(read.issuer.commonName).toBe(/CN=(.*)/.exec(node.issuer)?.[1]);
    expect(hex(read.signature)).toBe(Buffer.from(peculiar.signature).toString('hex'));
    expect(read.extensions.map(({ oid, critical, value }) => [oid, critical, hex(value)])).toEqual(
      peculiar.extensions.map(({ type, critical, value }) => [type, critical, Buffer.from(value).toString('hex')]),
    );
  });
});

describe.skipIf(!haveVectors)('real certificates of other vendors', () => {
  const AZURE: PathProfile = {
    anchors: new Set(['azure']),
    signatureAlgorithms: new Set(['rsassa-pkcs1-sha384', 'rsassa-pkcs1-sha512']),
    issuerKeys: [{ kind: 'rsa', minimumBits: 2048, maximumBits: 4096 }],
    leafKeys: [{ kind: 'rsa', minimumBits: 2048, maximumBits: 4096 }],
  };
  const INTEL: PathProfile = {
    anchors: new Set(['intel']),
    signatureAlgorithms: new Set(['ecdsa-sha256']),
    issuerKeys: [{ kind: 'ec', curve: 'P-256' }],
    leafKeys: [{ kind: 'ec', curve: 'P-256' }],
  };
  const pinnedTo = (profile: PathProfile, anchor: X509Certificate) => ({
    ...profile,
    anchors: new Set([spkiDigest(anchor)]),
  });

  it('the path of an attestation key of Azure verifies', () => {
    const folder = 'az-tdx-vtpm/az-tdx-v4-akchain-2026';
    const [root] = pemOf('roots/azure-virtual-tpm-root-2023.pem') as [X509Certificate];
    const path = [
      parseCertificate(readVector(`${folder}.ak-cert.der`)),
      ...pemOf(`${folder}.ak-intermediates.pem`),
      root,
    ];
    expect(verifyCertificatePath(path, pinnedTo(AZURE, root))).toEqual([]);
    expect(checkValidity(path, new Date(vector('az-tdx-v4-akchain-2026').verifyAt ?? ''))).toBeNull();
  });

  const collateral = (file: string): ReadonlyMap<string, string> =>
    new Map(Object.entries(JSON.parse(text(`collateral/${file}.json`))));

  it.each(['collateral-00806f-2026-06', 'collateral-b0c06f-2025-06'])('the lists of Intel in %s verify', (file) => {
    const { verifyAt } = vector(file);
    const held = collateral(file);
    const chain = parsePemCertificates(held.get('pck_crl_issuer_chain') ?? '', 'cert_chain').map((der) =>
      parseCertificate(der),
    );
    const [platform, root] = chain as [X509Certificate, X509Certificate];
    const profile = pinnedTo(INTEL, root);
    for (const [member, issuer] of [
      ['pck_crl', platform],
      ['root_ca_crl', root],
    ] as const) {
      const crl = parseCrl(Buffer.from(held.get(member) ?? '', 'hex'));
      expect(problemOf(verifyRevocationList(crl, issuer, profile))).toBeNull();
      expect(checkRevocationListTime(crl, new Date(verifyAt ?? ''))).toBeNull();
      expect(crl.entries.every(({ serial }) => isRevoked(crl, serial))).toBe(true);
      expect(isRevoked(crl, platform.serial)).toBe(false);
    }
    const own = parseCrl(Buffer.from(held.get('pck_crl') ?? '', 'hex'));
    expect(problemOf(verifyRevocationList(own, root, profile))?.code).toBe('crl_invalid');
  });

  it('the look-alike of the root of Intel has the name and not the key', () => {
    const [lookalike] = pemOf('tdx/tdx-neg-lookalike-root.root.pem') as [X509Certificate];
    const genuine = parseCertificate(readVector('roots/intel-sgx-root-ca.der'));
    expect(hex(lookalike.subject.der)).toBe(hex(genuine.subject.der));
    const problems = verifyCertificatePath([lookalike, lookalike], pinnedTo(INTEL, genuine));
    expect(problems).toContainEqual(expect.objectContaining({ code: 'cert_untrusted', index: 1 }));
  });
});
