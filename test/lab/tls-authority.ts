import { der, sequence } from './der-writer.js';
import { type LabKey, newEcKey } from './lab-keys.js';
import {
  ATTRIBUTE,
  basicConstraints,
  buildCertificate,
  buildCrl,
  crlNumber,
  keyUsage,
  type LabExtension,
  nameOf,
  pemOf,
} from './pki.js';

const DAY_MS = 24 * 60 * 60_000;
const ALGORITHM = { scheme: 'ecdsa', hash: 'sha256' } as const;
const LOOPBACK = nameOf([[ATTRIBUTE.commonName, 'localhost']]);

/** Key and certificate of a server, PEM. */
export interface TlsIdentity {
  readonly key: string;
  readonly cert: string;
}

/** The content of a client certificate; the authority makes the rest. */
export interface ClientCertificate {
  readonly uris?: readonly string[];
  readonly dnsNames?: readonly string[];
  /** Common name of its subject. */
  readonly name?: string;
  readonly serial?: number | Uint8Array;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

/** A self-made authority for the emulators' HTTPS. It has nothing to do with the vendors' PKIs. */
export class TlsAuthority {
  readonly #key: LabKey = newEcKey('prime256v1');
  readonly #name: Uint8Array;
  /** The authority's own certificate, PEM: what a client has to trust. */
  readonly pem: string;

  /**
   * @param name tells authorities of one file apart, of which a certificate's issuer is found by name
   * @param serial of its own certificate: a number, or the content octets of the INTEGER
   */
  constructor(name = 'veritee lab TLS authority', serial: number | Uint8Array = 1) {
    this.#name = nameOf([[ATTRIBUTE.commonName, name]]);
    const extensions = [basicConstraints({ pathLength: 0 }), keyUsage(['keyCertSign', 'crlSign'])];
    this.pem = pemOf(this.#issue(serial, this.#name, this.#key.spki, extensions));
  }

  /** A certificate for `localhost`, 127.0.0.1 and other names, which resolve to the same in the lab. */
  issueForLoopback(names: readonly string[] = []): TlsIdentity {
    const { privateKey, spki } = newEcKey('prime256v1');
    return {
      key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      cert: pemOf(this.#issue(2, LOOPBACK, spki, [loopbackNames(names)])),
    };
  }

  /** A certificate for a client. */
  issueForClient({ uris = [], dnsNames = [], name = 'client', serial = 3, ...dates }: ClientCertificate): TlsIdentity {
    const { privateKey, spki } = newEcKey('prime256v1');
    const names = alternativeNames([
      ...uris.map((uri) => der(0x86, Buffer.from(uri))),
      ...dnsNames.map((dnsName) => der(0x82, Buffer.from(dnsName))),
    ]);
    const subject = nameOf([[ATTRIBUTE.commonName, name]]);
    return {
      key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      cert: pemOf(this.#issue(serial, subject, spki, [names], dates)),
    };
  }

  /** A CRL with these serial numbers, PEM. */
  crl(revoked: readonly number[], nextUpdate = new Date(Date.now() + 30 * DAY_MS)): string {
    const list = buildCrl({
      issuer: this.#name,
      thisUpdate: new Date(Date.now() - DAY_MS),
      nextUpdate,
      revoked: revoked.map((serial) => ({ serial })),
      extensions: [crlNumber(1)],
      signer: this.#key,
      algorithm: ALGORITHM,
    });
    return pemOf(list).replaceAll('CERTIFICATE', 'X509 CRL');
  }

  #issue(
    serial: number | Uint8Array,
    subject: Uint8Array,
    spki: Uint8Array,
    extensions: readonly LabExtension[],
    dates: Pick<ClientCertificate, 'notBefore' | 'notAfter'> = {},
  ): Uint8Array {
    return buildCertificate({
      serial,
      issuer: this.#name,
      subject,
      spki,
      extensions,
      notBefore: new Date(Date.now() - DAY_MS),
      notAfter: new Date(Date.now() + 90 * DAY_MS),
      ...dates,
      signer: this.#key,
      algorithm: ALGORITHM,
    });
  }
}

function loopbackNames(names: readonly string[]): LabExtension {
  const dnsNames = ['localhost', ...names].map((name) => der(0x82, Buffer.from(name)));
  return alternativeNames([...dnsNames, der(0x87, Buffer.from([127, 0, 0, 1]))]);
}

/** Subject alternative names (RFC 5280 4.2.1.6): [2] dNSName, [6] uniformResourceIdentifier, [7] iPAddress. */
function alternativeNames(names: readonly Uint8Array[]): LabExtension {
  return { oid: '2.5.29.17', value: sequence(...names) };
}
