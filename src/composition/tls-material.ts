import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { ListenConfiguration } from '../config/configuration.js';
import type { TlsMaterial } from '../http/listener.js';
import { ConfigurationError } from '../model/errors.js';
import { fileProblem } from '../model/file-problem.js';

/**
 * Reads the files of `listen.tls`; null where TLS is not configured.
 * @throws {ConfigurationError} where one cannot be read, or is not what it must be
 */
export async function readTlsMaterial(tls: ListenConfiguration['tls']): Promise<TlsMaterial | null> {
  if (tls.cert === null || tls.key === null) return null;
  const cert = await read('cert', tls.cert);
  const key = await read('key', tls.key);
  const clientCa = tls.clientCa === null ? null : await read('clientCa', tls.clientCa);
  requireUsable('listen.tls: not a PEM certificate and its private key', () => createSecureContext({ cert, key }));
  // TLS takes other labels too, such as TRUSTED CERTIFICATE, whose end nothing here would see.
  if (pemCertificates(cert).length === 0)
    throw new ConfigurationError([
      `listen.tls.cert: ${tls.cert}: has no block that begins with -----BEGIN CERTIFICATE-----`,
    ]);
  // The context passes over what is no certificate.
  if (clientCa !== null) requireUsable('listen.tls.clientCa: not PEM certificates', () => requireAuthorities(clientCa));
  return { cert, key, clientCa };
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** The certificates of a PEM text, which may say more between them, as files of authorities often do. */
export function pemCertificates(text: string): readonly string[] {
  return text.match(CERTIFICATE) ?? [];
}

function requireAuthorities(text: string): void {
  const certificates = pemCertificates(text);
  const begun = text.split('-----BEGIN').length - 1;
  if (certificates.length === 0 || certificates.length < begun) throw new Error('something other than certificates');
  for (const certificate of certificates) new X509Certificate(certificate);
}

function read(member: string, path: string): Promise<string> {
  return readFile(path, 'utf8').catch((cause: unknown) => {
    throw new ConfigurationError([`listen.tls.${member}: ${path}: ${fileProblem(cause)}`], { cause });
  });
}

function requireUsable(problem: string, use: () => unknown): void {
  try {
    use();
  } catch (cause) {
    throw new ConfigurationError([problem], { cause });
  }
}
