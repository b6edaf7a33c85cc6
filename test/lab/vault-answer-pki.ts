import { der, sequence } from './der-writer.js';
import { type LabKey, namedRsaKey } from './lab-keys.js';
import {
  ATTRIBUTE,
  basicConstraints,
  buildCertificate,
  type CertificateOptions,
  extendedKeyUsage,
  keyUsage,
  type LabExtension,
  nameOf,
  pemOf,
} from './pki.js';
import type { LabAlgorithm } from './signing.js';

const DAY_MS = 24 * 60 * 60_000;
const ALGORITHM: LabAlgorithm = { scheme: 'pkcs1', hash: 'sha384' };
/** id-kp-serverAuth, id-kp-clientAuth. */
export const SERVER_PURPOSES = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'] as const;

const named = (commonName: string) =>
  nameOf([
    [ATTRIBUTE.organizationName, 'veritee lab'],
    [ATTRIBUTE.commonName, commonName],
  ]);

const ROOT = named('Lab Global Root G2');
const ISSUING = named('Lab Azure TLS Issuing CA 06');

/** Subject alternative names (RFC 5280 4.2.1.6), all of them dNSName. */
export function dnsNamesExtension(names: readonly string[]): LabExtension {
  return { oid: '2.5.29.17', value: sequence(...names.map((name) => der(0x82, Buffer.from(name, 'latin1')))) };
}

/** Names that Key Vault's certificate has for the vaults of a domain. */
export function serviceNames(domain: string): readonly string[] {
  return [domain, `*.${domain}`];
}

/** Root, issuing CA and server certificate with which the vaults of a domain sign what they release, as Microsoft's. */
export class VaultAnswerPki {
  readonly root: LabKey;
  readonly issuing: LabKey;
  readonly leaf: LabKey;
  readonly #domain: string;
  readonly #at: () => Date;

  /** @param keys names the set of keys: another name is another PKI */
  constructor(domain: string, at: () => Date = () => new Date(), keys = 'vault-answers') {
    this.#domain = domain;
    this.#at = at;
    this.root = namedRsaKey(`${keys}-root`, 2048);
    this.issuing = namedRsaKey(`${keys}-issuing`, 2048);
    this.leaf = namedRsaKey(`${keys}-leaf`, 2048);
  }

  /** DER. */
  rootCertificate(overrides: Partial<CertificateOptions> = {}): Uint8Array {
    return buildCertificate({
      ...this.#issued(ROOT, this.root, ROOT, this.root),
      serial: 1,
      extensions: [basicConstraints(), keyUsage(['keyCertSign', 'crlSign'])],
      ...overrides,
    });
  }

  /** DER. */
  issuingCertificate(overrides: Partial<CertificateOptions> = {}): Uint8Array {
    return buildCertificate({
      ...this.#issued(ISSUING, this.issuing, ROOT, this.root),
      serial: 2,
      extensions: [
        basicConstraints({ pathLength: 0 }),
        keyUsage(['digitalSignature', 'keyCertSign', 'crlSign']),
        extendedKeyUsage(SERVER_PURPOSES),
      ],
      ...overrides,
    });
  }

  /** DER. */
  leafCertificate(overrides: Partial<CertificateOptions> = {}): Uint8Array {
    return buildCertificate({
      ...this.#issued(named(this.#domain), this.leaf, ISSUING, this.issuing),
      serial: 3,
      extensions: leafExtensions(serviceNames(this.#domain)),
      ...overrides,
    });
  }

  /** Leaf first, root last, DER. */
  chain(): readonly Uint8Array[] {
    return [this.leafCertificate(), this.issuingCertificate(), this.rootCertificate()];
  }

  /** The root as an operator configures it. */
  rootPem(): string {
    return pemOf(this.rootCertificate());
  }

  #issued(subject: Uint8Array, { spki }: LabKey, issuer: Uint8Array, signer: LabKey) {
    const at = this.#at().getTime();
    const [notBefore, notAfter] = [new Date(at - 90 * DAY_MS), new Date(at + 270 * DAY_MS)];
    return { subject, spki, issuer, signer, notBefore, notAfter, algorithm: ALGORITHM };
  }
}

/** Extensions of a server's certificate. */
export function leafExtensions(
  names: readonly string[],
  purposes: readonly string[] = SERVER_PURPOSES,
): readonly LabExtension[] {
  return [
    basicConstraints({ ca: false }),
    keyUsage(['digitalSignature', 'keyEncipherment']),
    extendedKeyUsage(purposes),
    dnsNamesExtension(names),
  ];
}
