import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { ListenConfiguration, ManagementConfiguration } from '../config/configuration.js';
import { allOrProblems, ConfigurationError, FormatError, UnfitError } from '../core/errors.js';
import { fileProblem, isSystemError } from '../core/file-problem.js';
import type { KeyPath } from '../core/places.js';
import { readConfiguredText } from '../files/configured-text.js';
import type { ReadBytes } from '../files/whole-files.js';
import { parseCertificate } from '../formats/x509-certificate.js';
import { type CrlFrame, parseCrlFrame } from '../formats/x509-crl.js';
import type { TlsIdentity, TlsMaterial } from '../http/listener.js';

type TlsFiles = ListenConfiguration['tls'];

/**
 * Reads the files of `listen.tls`; null if TLS is not configured.
 * @throws {ConfigurationError} if a file cannot be read, or has the wrong content
 */
export async function readTlsMaterial(tls: TlsFiles, readBytes?: ReadBytes): Promise<TlsMaterial | null> {
  if (tls.cert === null || tls.key === null) return null;
  const identity = readIdentity(TLS, { cert: tls.cert, key: tls.key }, readBytes);
  const clients = readClients(tls, readBytes);
  await allOrProblems<unknown>([identity, clients]);
  return { ...(await identity), ...(await clients) };
}

/**
 * Reads the files of `listen.management.tls`; null if there is no such listener, or it has no TLS.
 * @throws {ConfigurationError} if a file cannot be read, or has the wrong content
 */
export async function readManagementTls(
  management: ManagementConfiguration | null,
  readBytes?: ReadBytes,
): Promise<TlsIdentity | null> {
  if (management === null || management.tls === null) return null;
  return readIdentity(['listen', 'management', 'tls'], management.tls, readBytes);
}

async function readClients(
  { clientCa, clientCrl }: TlsFiles,
  readBytes?: ReadBytes,
): Promise<Pick<TlsMaterial, 'clientCa' | 'clientCrl'>> {
  if (clientCa === null) return { clientCa: null, clientCrl: [] };
  const authorities = await readAuthorities(clientCa, readBytes);
  if (clientCrl === null) return { clientCa: authorities, clientCrl: [] };
  const subjects = pemCertificates(authorities).map((pem) => subjectOf(pem, clientCa));
  return { clientCa: authorities, clientCrl: await readCrls(clientCrl, subjects, readBytes) };
}

/** @param place of the keys that name the files */
async function readIdentity(place: KeyPath, files: TlsIdentity, readBytes?: ReadBytes): Promise<TlsIdentity> {
  const [cert = '', key = ''] = await allOrProblems([
    readConfiguredText([...place, 'cert'], files.cert, readBytes),
    readConfiguredText([...place, 'key'], files.key, readBytes),
  ]);
  const certificate = firstCertificate(cert, [...place, 'cert'], files.cert);
  const at = [...place, 'key'];
  if (!certificate.checkPrivateKey(privateKeyOf(key, at, files.key))) {
    throw unusable(at, `${files.key}: is not the private key of the first certificate of ${files.cert}`);
  }
  usable(place, `${files.cert} and ${files.key}: TLS does not take them`, () => createSecureContext({ cert, key }));
  return { cert, key };
}

/**
 * Requires a CERTIFICATE block. TLS also accepts other labels, such as TRUSTED CERTIFICATE, but the expiry checks do
 * not read them. @throws {ConfigurationError}
 */
function firstCertificate(text: string, place: KeyPath, file: string): X509Certificate {
  const [first] = pemCertificates(text);
  if (first === undefined) {
    const found = PRIVATE_KEY.test(text) ? ', and has a private key' : '';
    throw unusable(place, `${file}: has no block that begins with -----BEGIN CERTIFICATE-----${found}`);
  }
  return usable(place, `${file}: its first certificate cannot be read`, () => new X509Certificate(first));
}

const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----/;
const WITH_PASSPHRASE = /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m;

/** @throws {ConfigurationError} */
function privateKeyOf(text: string, place: KeyPath, file: string): KeyObject {
  if (WITH_PASSPHRASE.test(text)) {
    throw unusable(
      place,
      `${file}: has a passphrase, which nobody could enter: write the key without one, as openssl pkey does`,
    );
  }
  return usable(place, `${file}: has no private key in PEM`, () => createPrivateKey(text));
}

async function readAuthorities(file: string, readBytes?: ReadBytes): Promise<string> {
  const text = await readConfiguredText([...TLS, 'clientCa'], file, readBytes);
  // The TLS context ignores blocks that are not certificates.
  usable([...TLS, 'clientCa'], `${file}: not PEM certificates`, () => requireAuthorities(text));
  return text;
}

/**
 * Reads the authorities that may issue a server's certificate. Rejects a file without any: for an empty text, TLS uses
 * the authorities of Node.js.
 * @throws {UnfitError}
 */
export async function readServerAuthorities(file: string): Promise<string> {
  try {
    const text = await readFile(file, 'utf8');
    requireAuthorities(text);
    return text;
  } catch (error) {
    throw new UnfitError(`${file}: ${isSystemError(error) ? fileProblem(error) : 'not PEM certificates'}`);
  }
}

/** Subject name of an authority. */
interface AuthoritySubject {
  readonly der: Uint8Array;
  /** For people. */
  readonly text: string;
}

/**
 * The subject of a CA certificate. Its serial number may be zero: small CAs often have such certificates, and nothing
 * here uses the serial number. @throws {ConfigurationError}
 */
function subjectOf(pem: string, file: string): AuthoritySubject {
  const { raw, subject } = new X509Certificate(pem);
  const text = subject.replaceAll('\n', ', ');
  try {
    return { der: parseCertificate(raw, { allowZeroSerial: true }).subject.der, text };
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    const what = `${file}: the certificate of ${text} cannot be read, which clientCrl needs: ${cause.message}`;
    throw new ConfigurationError([{ path: [...TLS, 'clientCa'], what }], { cause });
  }
}

/**
 * Reads one CRL of each CA. If a CRL is missing, TLS rejects every client under that CA. TLS checks the dates of CRLs
 * at each connection, and a warning precedes their expiry.
 */
async function readCrls(
  file: string,
  authorities: readonly AuthoritySubject[],
  readBytes?: ReadBytes,
): Promise<readonly string[]> {
  const text = await readConfiguredText([...TLS, 'clientCrl'], file, readBytes);
  const crls = pemBlocks(text, 'X509 CRL');
  const begun = text.split('-----BEGIN').length - 1;
  usable([...TLS, 'clientCrl'], `${file}: not PEM CRLs`, () => {
    if (crls.length === 0 || crls.length < begun) throw new Error('something other than CRLs');
    for (const crl of crls) crlOf(crl);
  });
  const issuers = crls.map((crl) => crlOf(crl).issuer.der);
  for (const { der, text: name } of authorities) {
    if (issuers.some((issuer) => Buffer.from(issuer).equals(der))) continue;
    const what = `${file}: has no CRL of ${name}`;
    throw new ConfigurationError([{ path: [...TLS, 'clientCrl'], what }]);
  }
  return crls;
}

/** @throws {FormatError} */
export function crlOf(pem: string): CrlFrame {
  return parseCrlFrame(Buffer.from(pem.replace(/-----[^-]*-----/g, ''), 'base64'));
}

/** The configuration keys of the main listener's files. */
const TLS: KeyPath = ['listen', 'tls'];

/** The certificates of a PEM text. Ignores other text between them, which files of authorities often have. */
export function pemCertificates(text: string): readonly string[] {
  return pemBlocks(text, 'CERTIFICATE');
}

function pemBlocks(text: string, label: string): readonly string[] {
  return text.match(new RegExp(`-----BEGIN ${label}-----[^-]*-----END ${label}-----`, 'g')) ?? [];
}

function requireAuthorities(text: string): void {
  const certificates = pemCertificates(text);
  const begun = text.split('-----BEGIN').length - 1;
  if (certificates.length === 0 || certificates.length < begun) throw new Error('something other than certificates');
  for (const certificate of certificates) new X509Certificate(certificate);
}

/** @throws {ConfigurationError} with the text `what`, if `use` throws */
function usable<T>(place: KeyPath, what: string, use: () => T): T {
  try {
    return use();
  } catch (cause) {
    throw unusable(place, what, cause);
  }
}

function unusable(path: KeyPath, what: string, cause?: unknown): ConfigurationError {
  return new ConfigurationError([{ path, what }], { cause });
}
