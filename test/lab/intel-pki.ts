import { createHash } from 'node:crypto';
import type { CertificateOverrides, CrlOverrides, LabAuthority } from './amd-pki.js';
import { printableString } from './der-writer.js';
import { type LabKey, newEcKey } from './lab-keys.js';
import {
  ATTRIBUTE,
  authorityKeyIdentifier,
  basicConstraints,
  buildCertificate,
  buildCrl,
  type CertificateOptions,
  crlDistributionPointAt,
  crlNumber,
  type ExtensionOrDer,
  keyUsage,
  type LabExtension,
  nameOf,
  pemOf,
  type RevokedOptions,
  subjectKeyIdentifier,
} from './pki.js';
import { buildSgxExtension, type PckCaKind, type SgxExtensionMaking, sgxFieldsUnder } from './sgx-extension-builder.js';
import type { LabAlgorithm } from './signing.js';

/** A certificate of the PKI and its key. TCB signing has one too, although it is no CA. */
export interface IntelAuthority extends LabAuthority {
  readonly serial: CertificateOptions['serial'];
}

/** A PCK: its certificate, and the key that signs QE reports. */
export interface LabPck {
  readonly ca: PckCaKind;
  readonly key: LabKey;
  readonly serial: CertificateOptions['serial'];
  readonly der: Uint8Array;
  readonly pem: string;
  /** PEM: leaf, intermediate, root. */
  readonly chainPem: string;
}

export interface IntelPkiOptions {
  /** The instant around which everything issued is valid. */
  readonly at?: Date;
  /** Where root, CAs and TCB signing say that the root's CRL is. */
  readonly rootCrlUri?: string;
}

export interface IssuePckOptions extends SgxExtensionMaking {
  readonly ca?: PckCaKind;
  readonly key?: LabKey;
  /** Another issuer than the CA of this kind. */
  readonly issuer?: IntelAuthority;
  /** Changes the list of extensions. */
  readonly extensions?: (genuine: readonly LabExtension[]) => readonly ExtensionOrDer[];
  readonly overrides?: CertificateOverrides;
}

export interface IntelCrlOptions {
  /** The list is current then. */
  readonly at?: Date;
  readonly revoked?: readonly RevokedOptions[];
  readonly number?: number | bigint;
  readonly issuer?: IntelAuthority;
  /** Changes the list of extensions. */
  readonly extensions?: (genuine: readonly LabExtension[]) => readonly ExtensionOrDer[];
  readonly overrides?: CrlOverrides;
}

const DAY = 24 * 60 * 60_000;
const YEAR = 365 * DAY;
const ALGORITHM: LabAlgorithm = { scheme: 'ecdsa', hash: 'sha256' };
const ROOT_CRL_URI = 'https://certificates.trustedservices.intel.com/IntelSGXRootCA.der';
const CA_NAME: { readonly [ca in PckCaKind]: string } = {
  platform: 'Intel SGX PCK Platform CA',
  processor: 'Intel SGX PCK Processor CA',
};

/**
 * A PKI with the shape of Intel's for SGX and TDX: root, the two CAs of PCK certificates, and the certificate that
 * signs TCB info and QE identity. Names, extensions, keys and algorithms as the real ones have them. Nothing trusts it
 * unless its pin is configured, and each has keys of its own.
 */
export class IntelPki {
  readonly at: Date;
  readonly root: IntelAuthority;
  readonly tcbSigning: IntelAuthority;
  readonly #rootCrlUri: string;
  readonly #rootKey = newEcKey('prime256v1');
  readonly #tcbSigningKey = newEcKey('prime256v1');
  readonly #caKeys = { platform: newEcKey('prime256v1'), processor: newEcKey('prime256v1') };
  readonly #cas: { readonly [ca in PckCaKind]: IntelAuthority };

  constructor({ at = new Date(), rootCrlUri = ROOT_CRL_URI }: IntelPkiOptions = {}) {
    this.at = new Date(Math.floor(at.getTime() / 1000) * 1000);
    this.#rootCrlUri = rootCrlUri;
    this.root = this.issueRoot();
    this.tcbSigning = this.issueTcbSigning();
    this.#cas = { platform: this.issuePckCa('platform'), processor: this.issuePckCa('processor') };
  }

  pckCa(ca: PckCaKind): IntelAuthority {
    return this.#cas[ca];
  }

  /** SHA-256 of the root's SubjectPublicKeyInfo, hex: what a verifier has to pin to trust this PKI. */
  get pins(): ReadonlySet<string> {
    return new Set([createHash('sha256').update(this.#rootKey.spki).digest('hex')]);
  }

  issueRoot(overrides: CertificateOverrides = {}): IntelAuthority {
    const name = intelName('Intel SGX Root CA');
    return authority(this.#rootKey, {
      ...issuedBy({ key: this.#rootKey, name }),
      ...this.#validity(-8 * YEAR, 20 * YEAR),
      serial: serialOf(this.#rootKey),
      subject: name,
      spki: this.#rootKey.spki,
      extensions: this.#caExtensions(this.#rootKey, this.#rootKey, 1),
      ...overrides,
    });
  }

  issuePckCa(ca: PckCaKind, overrides: CertificateOverrides = {}): IntelAuthority {
    const key = this.#caKeys[ca];
    return authority(key, {
      ...issuedBy(this.root),
      ...this.#validity(-8 * YEAR, 7 * YEAR),
      serial: serialOf(key),
      subject: intelName(CA_NAME[ca]),
      spki: key.spki,
      extensions: this.#caExtensions(key, this.#rootKey, 0),
      ...overrides,
    });
  }

  issueTcbSigning(overrides: CertificateOverrides = {}): IntelAuthority {
    const key = this.#tcbSigningKey;
    return authority(key, {
      ...issuedBy(this.root),
      ...this.#validity(-YEAR, 6 * YEAR),
      serial: serialOf(key),
      subject: intelName('Intel SGX TCB Signing'),
      spki: key.spki,
      extensions: leafExtensions(key, this.#rootKey, this.#rootCrlUri),
      ...overrides,
    });
  }

  issuePck(options: IssuePckOptions = {}): LabPck {
    const { ca = 'platform', key = newEcKey('prime256v1'), extensions = (genuine) => genuine } = options;
    const issuer = options.issuer ?? this.pckCa(ca);
    const sgx = buildSgxExtension({ ...sgxFieldsUnder(ca), ...options.fields }, options);
    const { serial, der, pem } = authority(key, {
      ...issuedBy(issuer),
      ...this.#validity(-30 * DAY, 6 * YEAR),
      serial: serialOf(key),
      subject: intelName('Intel SGX PCK Certificate'),
      spki: key.spki,
      extensions: extensions([...leafExtensions(key, issuer.key, pckCrlUri(ca)), sgx]),
      ...options.overrides,
    });
    return { ca, key, serial, der, pem, chainPem: pem + issuer.pem + this.root.pem };
  }

  /** The root's CRL, DER: for a year. */
  rootCrl(options: IntelCrlOptions = {}): Uint8Array {
    return this.#issueCrl(this.root, YEAR, options);
  }

  /** The CRL of a CA of PCK certificates, DER: for 30 days. */
  pckCrl(ca: PckCaKind, options: IntelCrlOptions = {}): Uint8Array {
    return this.#issueCrl(this.pckCa(ca), 30 * DAY, options);
  }

  /** PEM: TCB signing, root. */
  tcbIssuerChain(signing: IntelAuthority = this.tcbSigning): string {
    return signing.pem + this.root.pem;
  }

  /** PEM: CA, root. */
  pckCrlIssuerChain(ca: PckCaKind): string {
    return this.pckCa(ca).pem + this.root.pem;
  }

  #issueCrl(genuine: IntelAuthority, lifetime: number, options: IntelCrlOptions): Uint8Array {
    const { at = this.at, revoked = [], number = 1, issuer = genuine, extensions = (list) => list } = options;
    const thisUpdate = new Date(at.getTime() - DAY);
    return buildCrl({
      ...issuedBy(issuer),
      thisUpdate,
      nextUpdate: new Date(thisUpdate.getTime() + lifetime),
      revoked,
      extensions: extensions([crlNumber(number), authorityKeyIdentifier(issuer.key)]),
      ...options.overrides,
    });
  }

  #caExtensions(key: LabKey, issuer: LabKey, pathLength: number): readonly LabExtension[] {
    return [
      authorityKeyIdentifier(issuer),
      crlDistributionPointAt(this.#rootCrlUri),
      subjectKeyIdentifier(key),
      keyUsage(['keyCertSign', 'crlSign']),
      basicConstraints({ pathLength }),
    ];
  }

  #validity(from: number, to: number) {
    return { notBefore: new Date(this.at.getTime() + from), notAfter: new Date(this.at.getTime() + to) };
  }
}

/** Issues certificates and CRLs as Intel does. Two have the same names and different keys. */
export function createIntelPki(options: IntelPkiOptions = {}): IntelPki {
  return new IntelPki(options);
}

/** A Name as Intel writes it: these attributes, in this order, the country a PrintableString. */
export function intelName(commonName: string): Uint8Array {
  return nameOf([
    [ATTRIBUTE.commonName, commonName],
    [ATTRIBUTE.organizationName, 'Intel Corporation'],
    [ATTRIBUTE.localityName, 'Santa Clara'],
    [ATTRIBUTE.stateOrProvinceName, 'CA'],
    [ATTRIBUTE.countryName, printableString('US')],
  ]);
}

function leafExtensions(key: LabKey, issuer: LabKey, crlUri: string): readonly LabExtension[] {
  return [
    authorityKeyIdentifier(issuer),
    crlDistributionPointAt(crlUri),
    subjectKeyIdentifier(key),
    keyUsage(['digitalSignature', 'nonRepudiation']),
    basicConstraints({ ca: false }),
  ];
}

function pckCrlUri(ca: PckCaKind): string {
  return `https://api.trustedservices.intel.com/sgx/certification/v4/pckcrl?ca=${ca}&encoding=der`;
}

function issuedBy({ key, name }: Pick<LabAuthority, 'key' | 'name'>) {
  return { signer: key, issuer: name, algorithm: ALGORITHM };
}

function authority(key: LabKey, options: CertificateOptions): IntelAuthority {
  const der = buildCertificate(options);
  return { key, name: options.subject, serial: options.serial, der, pem: pemOf(der) };
}

/** Positive, and 20 octets at most, the same for the same key. */
function serialOf(key: LabKey): bigint {
  return BigInt(`0x${createHash('sha256').update(key.spki).digest('hex')}`) >> 97n;
}
