import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { ListenConfiguration } from '../config/configuration.js';
import type { TlsMaterial } from '../http/listener.js';
import { ConfigurationError } from '../model/errors.js';

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
  // The context takes what is no certificate for an authority of nobody.
  if (clientCa !== null)
    requireUsable('listen.tls.clientCa: not a PEM certificate', () => new X509Certificate(clientCa));
  return { cert, key, clientCa };
}

function read(member: string, path: string): Promise<string> {
  return readFile(path, 'utf8').catch((cause: unknown) => {
    throw new ConfigurationError([`listen.tls.${member}: ${path} cannot be read`], { cause });
  });
}

function requireUsable(problem: string, use: () => unknown): void {
  try {
    use();
  } catch (cause) {
    throw new ConfigurationError([problem], { cause });
  }
}
