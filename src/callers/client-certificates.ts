import { type CredentialClock, requireReliable } from '../core/clock-doubt.js';
import { FormatError } from '../core/errors.js';
import type { Caller } from '../core/request.js';
import { spkiDigest } from '../crypto/key-cache.js';
import { dnsNames, uriNames } from '../formats/alternative-names.js';
import { parseCertificate, type X509Certificate } from '../formats/x509-certificate.js';
import { unauthorized } from './unauthorized.js';

export interface CertificateCaller {
  readonly caller: Caller;
  /** The part of a certificate that identifies the caller. */
  readonly mark: 'uri' | 'dns' | 'spkiSha256';
  /** A URI, a DNS name in lower case, or the SHA-256 of the SubjectPublicKeyInfo in lower-case hex. */
  readonly value: string;
}

/** Callers with client certificates, which TLS has verified up to a CA of `listen.tls.clientCa`. */
export class CertificateCallers {
  readonly #callers: readonly CertificateCaller[];
  readonly #clock: CredentialClock;

  constructor(callers: readonly CertificateCaller[], clock: CredentialClock) {
    this.#callers = callers;
    this.#clock = clock;
  }

  /**
   * Returns the callers of a certificate. Names are compared as a whole, and the subject is ignored. TLS checks the dates when a
   * connection begins; this method checks them again at each request.
   *
   * @param der as sent by the client
   * @throws {RefusedError} `unauthorized` if it is not valid now, or malformed; `clock` if it has not expired, while the clock
   *   is unreliable
   */
  find(der: Uint8Array): readonly Caller[] {
    const { notBefore, notAfter, values } = readClientCertificate(der);
    const at = this.#clock.highest();
    // With an unreliable clock, the begin of the validity cannot be checked.
    if (notAfter !== null && at <= notAfter) requireReliable(this.#clock);
    if (notBefore === null || notAfter === null || at < notBefore || at > notAfter) {
      // A client with a renewed certificate only sends the new one on its next connection.
      throw unauthorized('the client certificate of this connection is not valid now', { endsConnection: true });
    }
    return this.#callers.filter(({ mark, value }) => values[mark].includes(value)).map(({ caller }) => caller);
  }
}

type Values = Readonly<Record<CertificateCaller['mark'], readonly string[]>>;

/**
 * Uses the parser of this service: names that libraries print as text can be confused with others. It is stricter than OpenSSL, except
 * for a serial number of zero: small CAs start with it, and callers are not identified by it.
 */
function readClientCertificate(
  der: Uint8Array,
): Pick<X509Certificate, 'notBefore' | 'notAfter'> & { readonly values: Values } {
  try {
    const certificate = parseCertificate(der, { allowZeroSerial: true });
    const { notBefore, notAfter } = certificate;
    return { notBefore, notAfter, values: valuesOf(certificate) };
  } catch (error) {
    if (error instanceof FormatError) throw unauthorized(`the client certificate cannot be read: ${error.message}`);
    throw error;
  }
}

/** A workload has one URI (SPIFFE X509-SVID, 2): several would be ambiguous. It may have many DNS names. */
function valuesOf(certificate: X509Certificate): Values {
  const uris = uriNames(certificate);
  return {
    uri: uris.length === 1 ? uris : [],
    // DNS names are compared without case (RFC 5280 7.2).
    dns: dnsNames(certificate).map((name) => name.toLowerCase()),
    spkiSha256: [spkiDigest(certificate)],
  };
}
