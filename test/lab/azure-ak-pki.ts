import { createHash, createPublicKey, type JsonWebKey } from 'node:crypto';
import type { AkCertificateInput } from '../../src/core/evidence.js';
import type { JsonObject } from '../../src/core/json.js';
import type { CertificateOverrides, LabAuthority } from './amd-pki.js';
import {
  AK_AUTHORITIES,
  AK_EXTENDED_KEY_USAGES,
  type AkAuthorityName,
  onlyCommonName,
  pkcs1,
} from './azure-ak-authorities.js';
import { oid, sequence } from './der-writer.js';
import { type LabKey, namedRsaKey } from './lab-keys.js';
import {
  authorityKeyIdentifier,
  basicConstraints,
  buildCertificate,
  crlDistributionPointAt,
  type ExtensionOrDer,
  extendedKeyUsage,
  issuerAddresses,
  keyUsage,
  type LabExtension,
  pemOf,
  subjectKeyIdentifier,
} from './pki.js';

/**
 * Leaves as Azure issues them. `2026`: by CA - 24 below CA 2025, SHA-512, with the issuer's addresses. `2025`: by
 * Global Virtual TPM CA - 03, SHA-256, without addresses, zeros up to the size of the NV index.
 */
export type AkLeafShape = '2026' | '2025';

export interface AzureAkPkiOptions {
  /** The instant around which everything issued is valid. */
  readonly at?: Date;
  /** Name of the set of keys. Two PKIs of the same name have the same keys, of another name others. */
  readonly keys?: string;
}

export interface IssueAkOptions {
  /** Public RSA JWK, or SubjectPublicKeyInfo, DER. */
  readonly key: JsonObject | Uint8Array;
  readonly shape?: AkLeafShape;
  /** The owner of the key in the subject. */
  readonly vm?: 'ConfidentialVM' | 'TrustedVM';
  /** In place of the subject that `vm` makes. */
  readonly commonName?: string;
  readonly extendedKeyUsages?: readonly string[];
  readonly issuer?: LabAuthority;
  /** Changes the list of extensions. */
  readonly extensions?: (genuine: readonly LabExtension[]) => readonly ExtensionOrDer[];
  readonly overrides?: CertificateOverrides;
}

/** How a certificate is sent. */
export interface AkCertificateOptions extends IssueAkOptions {
  /** PEM in place of the genuine chain; null: none. */
  readonly chain?: string | null;
  /** After the DER; what the shape has if left out. */
  readonly filling?: Uint8Array;
  /** Sends the leaf as PEM. */
  readonly pem?: boolean;
}

const NV_INDEX_SIZE = 4096;
const DAY = 24 * 60 * 60_000;
const YEAR = 365 * DAY;

/**
 * A PKI with the shape of Azure's for attestation keys of vTPMs: Virtual TPM root 2023, below it CA 2025 and CA - 24,
 * and Global Virtual TPM CA - 03. Nothing trusts it unless its pin is configured. Keys of authorities are made when
 * first needed, which takes seconds once on a machine.
 */
export class AzureAkPki {
  readonly at: Date;
  readonly #keys: string;
  readonly #authorities = new Map<AkAuthorityName, LabAuthority>();

  constructor({ at = new Date(), keys = 'azure-vtpm' }: AzureAkPkiOptions = {}) {
    this.at = new Date(Math.floor(at.getTime() / 1000) * 1000);
    this.#keys = keys;
  }

  authority(which: AkAuthorityName): LabAuthority {
    const issued = this.#authorities.get(which) ?? this.issueAuthority(which);
    this.#authorities.set(which, issued);
    return issued;
  }

  /** SHA-256 of the root's SubjectPublicKeyInfo, hex: what a verifier has to pin to trust this PKI. */
  get pins(): ReadonlySet<string> {
    return new Set([createHash('sha256').update(this.authority('root').key.spki).digest('hex')]);
  }

  /** A certificate of an authority, with the PKI's key for it. */
  issueAuthority(which: AkAuthorityName, overrides: CertificateOverrides = {}): LabAuthority {
    const { name, issuer, algorithm, years, extensions } = AK_AUTHORITIES[which];
    const key = namedRsaKey(`${this.#keys}-${which}`);
    const above = issuer === null ? { key, name } : this.authority(issuer);
    const options = {
      signer: above.key,
      algorithm,
      issuer: above.name,
      serial: serialFrom(key.spki),
      subject: name,
      notBefore: new Date(this.at.getTime() - years[0] * YEAR),
      notAfter: new Date(this.at.getTime() + years[1] * YEAR),
      spki: key.spki,
      extensions: [
        ...extensions,
        subjectKeyIdentifier(key),
        ...(issuer === null ? [] : issuedExtensions(issuer, above.key)),
      ],
      ...overrides,
    };
    const der = buildCertificate(options);
    return { key, name: options.subject, der, pem: pemOf(der) };
  }

  /** The certificate of an attestation key, DER, without filling. */
  issueLeaf(options: IssueAkOptions): Uint8Array {
    const { shape = '2026', vm = 'ConfidentialVM', extensions = (genuine) => genuine } = options;
    const issuer = options.issuer ?? this.authority(LEAF_ISSUER[shape]);
    const spki = spkiOf(options.key);
    const subject = options.commonName ?? `2ede2d532aaf.${vm}.Azure.windows.net`;
    return buildCertificate({
      signer: issuer.key,
      algorithm: pkcs1(shape === '2026' ? 'sha512' : 'sha256'),
      issuer: issuer.name,
      serial: serialFrom(spki),
      subject: onlyCommonName(subject),
      notBefore: new Date(this.at.getTime() - 7 * DAY),
      notAfter: new Date(this.at.getTime() + 357 * DAY),
      spki,
      extensions: extensions(leafExtensions(shape, spki, issuer, options.extendedKeyUsages ?? AK_EXTENDED_KEY_USAGES)),
      ...options.overrides,
    });
  }

  /** PEM: the leaf's issuer first, the root last. */
  chainPem(shape: AkLeafShape = '2026'): string {
    const names: readonly AkAuthorityName[] = shape === '2026' ? ['ca24', 'ca2025', 'root'] : ['globalCa03', 'root'];
    return names.map((name) => this.authority(name).pem).join('');
  }

  /** Leaf and chain as a request brings them. */
  certificate(options: AkCertificateOptions): AkCertificateInput {
    const { shape = '2026', chain = this.chainPem(shape), pem = false } = options;
    const leaf = this.issueLeaf(options);
    const zeros = shape === '2026' ? 0 : NV_INDEX_SIZE - leaf.byteLength;
    const filled = Uint8Array.from(Buffer.concat([leaf, options.filling ?? new Uint8Array(zeros)]));
    return { certificate: pem ? { pem: pemOf(leaf) } : { der: filled }, chain };
  }
}

/** Issues certificates of attestation keys as Azure does. */
export function createAzureAkPki(options: AzureAkPkiOptions = {}): AzureAkPki {
  return new AzureAkPki(options);
}

const LEAF_ISSUER = { '2026': 'ca24', '2025': 'globalCa03' } as const;

function leafExtensions(
  shape: AkLeafShape,
  spki: Uint8Array,
  issuer: LabAuthority,
  usages: readonly string[],
): readonly LabExtension[] {
  const common = [
    basicConstraints({ ca: false }),
    extendedKeyUsage(usages),
    keyUsage(['digitalSignature']),
    subjectKeyIdentifier({ spki }),
    authorityKeyIdentifier(issuer.key),
  ];
  if (shape === '2025') return common;
  const policy = sequence(sequence(oid('1.3.6.1.4.1.311.108.200.2')));
  const address = 'http://crl.microsoft.com/westus3/cacerts/azurevtpmicapki/azurevtpmicausw3/cert.cer';
  return [{ oid: '2.5.29.32', value: policy }, ...common, issuerAddresses([address])];
}

function issuedExtensions(issuer: AkAuthorityName, key: LabKey): readonly LabExtension[] {
  const folder = `http://crl.microsoft.com/azurevtpm/${issuer}`;
  return [
    authorityKeyIdentifier(key),
    crlDistributionPointAt(`${folder}/current.crl`),
    issuerAddresses([`${folder}/cert.cer`]),
  ];
}

function spkiOf(key: JsonObject | Uint8Array): Uint8Array {
  if (key instanceof Uint8Array) return key;
  const imported = createPublicKey({ key: { ...key } as JsonWebKey, format: 'jwk' });
  return Uint8Array.from(imported.export({ type: 'spki', format: 'der' }));
}

/** Positive, and 16 octets at most, the same for the same key. */
function serialFrom(spki: Uint8Array): bigint {
  return BigInt(`0x${createHash('sha256').update(spki).digest('hex')}`) >> 129n;
}
