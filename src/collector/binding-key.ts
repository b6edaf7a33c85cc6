import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { fileProblem, outputProblem } from '../core/file-problem.js';
import type { JsonObject } from '../core/json.js';
import { jwkThumbprint } from '../crypto/jwk-thumbprint.js';
import { CollectError } from './collect-error.js';
import { hasCode, readRegularFile, UnfitFileError } from './files.js';

/** A key of the guest for binding evidence. The private half never leaves the file. */
export interface BindingKey {
  /** Only members of the public half. */
  readonly jwk: JsonObject;
  /** RFC 7638 SHA-256 thumbprint, base64url. */
  readonly jkt: string;
}

/** An RSA key of 8192 bits in PEM has 6.4 kB. */
const KEY_FILE_BYTES = 16 * 1024;

const ACCEPTED_CURVES: ReadonlySet<unknown> = new Set(['P-256', 'P-384', 'P-521', 'Ed25519', 'X25519']);
const RSA_BITS = { from: 2048, to: 8192 } as const;

/**
 * Reads the key of a file. If the file is missing, creates a new P-256 key, which every JOSE library accepts for signatures and for key
 * agreement. An existing file is never written.
 *
 * @throws {CollectError} `key_file`
 */
export async function bindingKey(path: string): Promise<BindingKey> {
  const kept = await readKey(path);
  return publicHalf(path, kept ?? (await makeKey(path)));
}

async function readKey(path: string): Promise<KeyObject | null> {
  try {
    const bytes = await readRegularFile(path, KEY_FILE_BYTES, refuseOtherReaders);
    return parsePrivateKey(Buffer.from(bytes).toString('utf8'));
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    if (error instanceof UnfitFileError) throw keyProblem(path, error.message, error);
    throw keyProblem(path, hasSyscall(error) ? fileProblem(error) : 'is no private key in PEM or JWK', error);
  }
}

/** Rejects a key that others can read: the evidence would bind them as well. */
function refuseOtherReaders({ mode, uid }: { readonly mode: number; readonly uid: number }): void {
  if ((mode & 0o077) !== 0) throw new UnfitFileError('others than its owner may read or write it');
  const user = process.getuid?.() ?? uid;
  if (uid !== user) throw new UnfitFileError('belongs to another user');
}

/** Parses PEM, or a JWK. Drops messages of OpenSSL and Node, which may quote the text. */
function parsePrivateKey(text: string): KeyObject {
  if (!text.trimStart().startsWith('{')) return createPrivateKey({ key: text, format: 'pem' });
  return createPrivateKey({ key: JSON.parse(text), format: 'jwk' });
}

async function makeKey(path: string): Promise<KeyObject> {
  // As text: on Node 20 a key object keeps its generation job, and a garbage collection during the export hangs.
  const { privateKey: pem } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  try {
    const file = await open(path, 'wx', 0o600);
    try {
      await file.writeFile(pem);
      await file.sync();
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    } finally {
      await file.close();
    }
  } catch (error) {
    throw keyProblem(path, outputProblem(error), error);
  }
  return createPrivateKey(pem);
}

/** Only the members of the thumbprint: verifiers ignore kid, key_ops and others. */
function publicHalf(path: string, key: KeyObject): BindingKey {
  const { kty, n, e, crv, x, y } = createPublicKey(key).export({ format: 'jwk' });
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  const isAccepted = kty === 'RSA' ? bits >= RSA_BITS.from && bits <= RSA_BITS.to : ACCEPTED_CURVES.has(crv);
  const members = Object.entries({ kty, n, e, crv, x, y }).filter(([, value]) => value !== undefined);
  const jwk: JsonObject = Object.fromEntries(members) as JsonObject;
  const jkt = isAccepted ? jwkThumbprint(jwk) : null;
  if (jkt === null) throw keyProblem(path, 'is of a kind that no request can name', null);
  return { jwk, jkt };
}

function keyProblem(path: string, what: string, cause: unknown): CollectError {
  return new CollectError('key_file', `${path}: ${what}`, { cause });
}

function hasSyscall(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}
