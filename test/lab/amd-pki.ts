import { createHash } from 'node:crypto';
import { SNP_PRODUCTS } from '../../src/core/amd-lines.js';
import type { SnpProduct, SnpTcb } from '../../src/core/claims.js';
import { labLine } from './amd-lines.js';
import { ia5String, integer, octetString, printableString } from './der-writer.js';
import { type LabKey, namedRsaKey, newEcKey } from './lab-keys.js';
import {
  ATTRIBUTE,
  authorityKeyIdentifier,
  basicConstraints,
  buildCertificate,
  buildCrl,
  type CertificateOptions,
  type CrlOptions,
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
import { AMD_ALGORITHM, type LabAlgorithm } from './signing.js';

/** `vcek` keys are certified by the ASK, `vlek` keys by the ASVK. */
export type VekKind = 'vcek' | 'vlek';

/** A certificate authority of the lab: what it signs with, and its own certificate. */
export interface LabAuthority {
  readonly key: LabKey;
  /** Name, DER. */
  readonly name: Uint8Array;
  readonly der: Uint8Array;
  readonly pem: string;
}

/** A VCEK or VLEK: its certificate, and the key that signs reports. */
export interface LabVek {
  readonly kind: VekKind;
  readonly key: LabKey;
  readonly der: Uint8Array;
  readonly pem: string;
}

/** Anything of a certificate or CRL that is to differ from a genuine one. */
export type CertificateOverrides = Partial<CertificateOptions>;
export type CrlOverrides = Partial<CrlOptions>;

export interface AmdPkiOptions {
  /** The instant around which everything issued is valid. */
  readonly at?: Date;
  /** Name of the set of keys. Two PKIs of the same name have the same keys, of another name others. */
  readonly keys?: string;
}

interface VekOptions {
  readonly product: SnpProduct;
  /** The TCB that the key is derived for. */
  readonly tcb: SnpTcb;
  readonly key?: LabKey;
  /** Another authority than the one of this kind of key. */
  readonly issuer?: LabAuthority;
  readonly productName?: string;
  /** Changes the list of extensions. */
  readonly extensions?: (genuine: readonly LabExtension[]) => readonly ExtensionOrDer[];
  readonly overrides?: CertificateOverrides;
}

export interface VcekOptions extends VekOptions {
  /** CHIP_ID, 64 bytes; the certificates of some lines, such as Turin, carry the first 8. */
  readonly chipId: Uint8Array;
  /** Wraps hwID in an OCTET STRING, as newer certificates of Milan and Genoa do. */
  readonly wrapHwId?: boolean;
}

export interface VlekOptions extends VekOptions {
  readonly cspId?: string;
}

export interface IssueCrlOptions {
  readonly product: SnpProduct;
  readonly revoked?: readonly RevokedOptions[];
  readonly number?: number | bigint;
  readonly issuer?: LabAuthority;
  /** Changes the list of extensions. */
  readonly extensions?: (genuine: readonly LabExtension[]) => readonly ExtensionOrDer[];
  readonly overrides?: CrlOverrides;
}

const roleOf = (kind: VekKind) => (kind === 'vcek' ? 'ask' : 'asvk');

/** Arc of AMD's extensions. */
export const AMD_ARC = '1.3.6.1.4.1.3704.1';

const DAY = 24 * 60 * 60_000;
const YEAR = 365 * DAY;
/** AMD wrote the trailer field out in the certificates of its authorities. */
const AUTHORITY_ALGORITHM: LabAlgorithm = { ...AMD_ALGORITHM, trailerField: true };

/**
 * A PKI with the shape of AMD's: for each product line an ARK, below it an ASK for VCEKs and an ASVK for VLEKs, names,
 * serial numbers, extensions, keys and algorithms as the real ones have them. Nothing trusts it unless its pins are
 * configured. Keys of authorities are made when first needed, which takes seconds once on a machine.
 */
export class AmdPki {
  readonly #at: Date;
  readonly #keys: string;
  readonly #authorities = new Map<string, LabAuthority>();

  constructor(options: AmdPkiOptions = {}) {
    this.#at = new Date(Math.floor((options.at ?? new Date()).getTime() / 1000) * 1000);
    this.#keys = options.keys ?? 'amd';
  }

  ark(product: SnpProduct): LabAuthority {
    return this.#once(`ark-${product}`, () => this.issueRoot(product));
  }

  /** ASK or ASVK. */
  intermediate(product: SnpProduct, kind: VekKind): LabAuthority {
    return this.#once(`${kind}-${product}`, () => this.issueIntermediate(product, kind));
  }

  /** PEM as AMD serves it: ASK or ASVK, then ARK. */
  chainPem(product: SnpProduct, kind: VekKind = 'vcek'): string {
    return this.intermediate(product, kind).pem + this.ark(product).pem;
  }

  /** DER of the same. */
  chainDer(product: SnpProduct, kind: VekKind = 'vcek'): readonly [Uint8Array, Uint8Array] {
    return [this.intermediate(product, kind).der, this.ark(product).der];
  }

  /** SHA-256 of the SubjectPublicKeyInfo of the ARKs, hex, by line: what a verifier has to pin to trust this PKI. */
  pins(products: readonly SnpProduct[] = SNP_PRODUCTS): ReadonlyMap<SnpProduct, ReadonlySet<string>> {
    const pin = (product: SnpProduct) => createHash('sha256').update(this.ark(product).key.spki).digest('hex');
    return new Map(products.map((product) => [product, new Set([pin(product)])]));
  }

  /** The certificate of an ARK, with the PKI's key of that line. */
  issueRoot(product: SnpProduct, overrides: CertificateOverrides = {}): LabAuthority {
    const key = namedRsaKey(`${this.#keys}-ark-${product}`);
    const name = amdName(`ARK-${product}`);
    return authority(key, {
      ...this.#authorityOptions(),
      serial: labLine(product).serials.ark,
      signer: key,
      issuer: name,
      subject: name,
      spki: key.spki,
      extensions: [
        keyUsage(['keyCertSign', 'crlSign']),
        subjectKeyIdentifier(key),
        basicConstraints(),
        crlDistributionPoint(product, 'vcek'),
      ],
      ...overrides,
    });
  }

  /** The certificate of an ASK or ASVK, with the PKI's key for it, signed by the ARK unless told otherwise. */
  issueIntermediate(product: SnpProduct, kind: VekKind, overrides: CertificateOverrides = {}): LabAuthority {
    return this.#issueIntermediate(product, kind, namedRsaKey(`${this.#keys}-${roleOf(kind)}-${product}`), overrides);
  }

  /** An ASK or ASVK that was issued again, with a new key, as AMD did with the ASK of Genoa. */
  reissuedIntermediate(product: SnpProduct, kind: VekKind): LabAuthority {
    return this.#once(`${kind}-${product}-reissued`, () => {
      const key = namedRsaKey(`${this.#keys}-${roleOf(kind)}-${product}-reissued`);
      const serial = labLine(product).serials[roleOf(kind)] + 1;
      const notBefore = new Date(this.#at.getTime() - YEAR);
      return this.#issueIntermediate(product, kind, key, { serial, notBefore });
    });
  }

  #issueIntermediate(product: SnpProduct, kind: VekKind, key: LabKey, overrides: CertificateOverrides): LabAuthority {
    const ark = this.ark(product);
    return authority(key, {
      ...this.#authorityOptions(),
      serial: labLine(product).serials[roleOf(kind)],
      signer: ark.key,
      issuer: ark.name,
      subject: amdName(kind === 'vcek' ? `SEV-${product}` : `SEV-VLEK-${product}`),
      spki: key.spki,
      extensions: [
        subjectKeyIdentifier(key),
        authorityKeyIdentifier(ark.key),
        basicConstraints({ pathLength: 0 }),
        keyUsage(['keyCertSign']),
        crlDistributionPoint(product, kind),
      ],
      ...overrides,
    });
  }

  issueVcek(options: VcekOptions): LabVek {
    const { product, chipId, wrapHwId = false } = options;
    const hwId = labLine(product).hwIdBytes === 8 ? chipId.subarray(0, 8) : chipId;
    const value = wrapHwId ? octetString(hwId) : hwId;
    return this.#issueVek('vcek', options, 7 * YEAR, { oid: `${AMD_ARC}.4`, value });
  }

  issueVlek(options: VlekOptions): LabVek {
    const value = ia5String(options.cspId ?? 'CN=cloud.example');
    return this.#issueVek('vlek', options, YEAR, { oid: `${AMD_ARC}.5`, value });
  }

  /** A CRL of a line, DER: signed by its ARK, for a year, empty unless told otherwise. */
  issueCrl(options: IssueCrlOptions): Uint8Array {
    const { product, revoked = [], number = 1, extensions = (genuine) => genuine } = options;
    const issuer = options.issuer ?? this.ark(product);
    return buildCrl({
      signer: issuer.key,
      algorithm: AMD_ALGORITHM,
      issuer: issuer.name,
      thisUpdate: new Date(this.#at.getTime() - DAY),
      nextUpdate: new Date(this.#at.getTime() + YEAR),
      revoked,
      extensions: extensions([authorityKeyIdentifier(issuer.key), crlNumber(number)]),
      ...options.overrides,
    });
  }

  #issueVek(kind: VekKind, options: VekOptions, lifetime: number, identity: LabExtension): LabVek {
    const { product, tcb, extensions = (genuine) => genuine } = options;
    const issuer = options.issuer ?? this.intermediate(product, kind);
    const key = options.key ?? newEcKey('secp384r1');
    const notBefore = new Date(this.#at.getTime() - 30 * DAY);
    const productName = options.productName ?? (kind === 'vcek' ? labLine(product).vcekName : product);
    const der = buildCertificate({
      serial: 0,
      signer: issuer.key,
      algorithm: AMD_ALGORITHM,
      issuer: issuer.name,
      subject: amdName(kind === 'vcek' ? 'SEV-VCEK' : 'SEV-VLEK'),
      notBefore,
      notAfter: new Date(notBefore.getTime() + lifetime),
      spki: key.spki,
      extensions: extensions([...vekExtensions(product, productName, tcb), identity]),
      ...options.overrides,
    });
    return { kind, key, der, pem: pemOf(der) };
  }

  #authorityOptions() {
    return {
      algorithm: AUTHORITY_ALGORITHM,
      notBefore: new Date(this.#at.getTime() - 3 * YEAR),
      notAfter: new Date(this.#at.getTime() + 20 * YEAR),
    };
  }

  #once(name: string, issue: () => LabAuthority): LabAuthority {
    const issued = this.#authorities.get(name) ?? issue();
    this.#authorities.set(name, issued);
    return issued;
  }
}

/** Issues certificates and CRLs as AMD does. */
export function createAmdPki(options: AmdPkiOptions = {}): AmdPki {
  return new AmdPki(options);
}

/** A Name as AMD writes it: these attributes, in this order, the country a PrintableString. */
export function amdName(commonName: string): Uint8Array {
  return nameOf([
    [ATTRIBUTE.organizationalUnitName, 'Engineering'],
    [ATTRIBUTE.countryName, printableString('US')],
    [ATTRIBUTE.localityName, 'Santa Clara'],
    [ATTRIBUTE.stateOrProvinceName, 'CA'],
    [ATTRIBUTE.organizationName, 'Advanced Micro Devices'],
    [ATTRIBUTE.commonName, commonName],
  ]);
}

/** Extensions of a VEK but for the last, in AMD's order. `.3.4` to `.3.7` are reserved, `.3.4` is not on Turin. */
function vekExtensions(product: SnpProduct, productName: string, tcb: SnpTcb): readonly LabExtension[] {
  const { hasFmc } = labLine(product);
  const spl = (arc: number, value: number) => ({ oid: `${AMD_ARC}.3.${arc}`, value: integer(value) });
  const first = [
    { oid: `${AMD_ARC}.1`, value: integer(hasFmc ? 1 : 0) },
    { oid: `${AMD_ARC}.2`, value: ia5String(productName) },
  ];
  const boot = [spl(1, tcb.bootloader), spl(2, tcb.tee)];
  const reserved = [spl(5, 0), spl(6, 0), spl(7, 0)];
  return hasFmc
    ? [...first, spl(9, tcb.fmc ?? 0), ...boot, spl(3, tcb.snp), ...reserved, spl(8, tcb.microcode)]
    : [...first, ...boot, spl(4, 0), ...reserved, spl(3, tcb.snp), spl(8, tcb.microcode)];
}

function authority(key: LabKey, options: CertificateOptions): LabAuthority {
  const der = buildCertificate(options);
  return { key, name: options.subject, der, pem: pemOf(der) };
}

function crlDistributionPoint(product: SnpProduct, kind: VekKind): LabExtension {
  return crlDistributionPointAt(`https://kdsintf.amd.com/${kind}/v1/${product}/crl`);
}
