import { integer, printableString } from './der-writer.js';
import { ATTRIBUTE, basicConstraints, extendedKeyUsage, keyUsage, type LabExtension, nameOf } from './pki.js';
import type { LabAlgorithm } from './signing.js';

/** Root, the two CAs above leaves of 2026, and the one above leaves of 2025. */
export type AkAuthorityName = 'root' | 'ca2025' | 'ca24' | 'globalCa03';

/** Extended key usages of a leaf: lifetime signing (Microsoft), attestation key (TCG). */
export const AK_EXTENDED_KEY_USAGES: readonly string[] = ['1.3.6.1.4.1.311.10.3.12', '2.23.133.8.3'];

const ENDORSEMENT_KEY_USAGE = '2.23.133.8.1';

/** One authority of the PKI. */
export interface AkAuthorityShape {
  /** Name, DER. */
  readonly name: Uint8Array;
  /** Null: signs itself. */
  readonly issuer: AkAuthorityName | null;
  readonly algorithm: LabAlgorithm;
  /** Years before and after the PKI's instant. */
  readonly years: readonly [number, number];
  /** Beside key identifiers and the address of the CRL. */
  readonly extensions: readonly LabExtension[];
}

const CA_USAGES = [...AK_EXTENDED_KEY_USAGES, ENDORSEMENT_KEY_USAGE];
const caUsage = (critical: boolean) => keyUsage(['digitalSignature', 'keyCertSign', 'crlSign'], critical);

/** Their distinguishing members, as in the real ones. */
export const AK_AUTHORITIES: { readonly [which in AkAuthorityName]: AkAuthorityShape } = {
  root: {
    name: nameOf([
      [ATTRIBUTE.countryName, printableString('US')],
      [ATTRIBUTE.organizationName, printableString('Microsoft Corporation')],
      [ATTRIBUTE.commonName, printableString('Azure Virtual TPM Root Certificate Authority 2023')],
    ]),
    issuer: null,
    algorithm: pkcs1('sha384'),
    years: [3, 22],
    extensions: [caUsage(true), basicConstraints(), { oid: '1.3.6.1.4.1.311.21.1', value: integer(0) }],
  },
  ca2025: {
    name: onlyCommonName('Azure Cloud Virtual TPM CA 2025'),
    issuer: 'root',
    algorithm: pkcs1('sha384'),
    years: [1, 5],
    extensions: [caUsage(false), extendedKeyUsage(CA_USAGES), basicConstraints({ pathLength: 1 })],
  },
  ca24: {
    name: onlyCommonName('Azure Cloud Virtual TPM CA - 24'),
    issuer: 'ca2025',
    algorithm: pkcs1('sha512'),
    years: [0.25, 2.5],
    extensions: [basicConstraints({ pathLength: 0 }), extendedKeyUsage(CA_USAGES), caUsage(true)],
  },
  globalCa03: {
    name: onlyCommonName('Global Virtual TPM CA - 03'),
    issuer: 'root',
    algorithm: pkcs1('sha384'),
    years: [2, 4],
    extensions: [caUsage(true), basicConstraints({ pathLength: 0 }), extendedKeyUsage(CA_USAGES)],
  },
};

/** RSASSA-PKCS1-v1_5, as all of the PKI is signed. */
export function pkcs1(hash: 'sha256' | 'sha384' | 'sha512'): LabAlgorithm {
  return { scheme: 'pkcs1', hash };
}

/** A Name of one attribute. */
export function onlyCommonName(text: string): Uint8Array {
  return nameOf([[ATTRIBUTE.commonName, printableString(text)]]);
}
