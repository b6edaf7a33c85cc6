import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { linkSync, lstatSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A key of the lab. It protects nothing, and nothing trusts it unless a configuration names it. */
export interface LabKey {
  readonly privateKey: KeyObject;
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
}

export function labKey(privateKey: KeyObject): LabKey {
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  return { privateKey, spki: new Uint8Array(spki) };
}

/** A fresh key on a curve, by the name that OpenSSL gives it. */
export function newEcKey(namedCurve: 'prime256v1' | 'secp384r1' | 'secp224r1' | 'secp521r1'): LabKey {
  // As text: Node 20 keeps the job that made a key object, and collecting it while this key is exported never ends.
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  return labKey(createPrivateKey(privateKey));
}

const made = new Map<string, LabKey>();

/**
 * An RSA key by its name: the same one whenever it is asked for, on this machine. RSA keys of 4096 bits take seconds
 * to make, so they are made once and kept in a folder of temporary files that no other user can write to.
 */
export function namedRsaKey(name: string, bits = 4096): LabKey {
  const file = `${name}-${bits}`.toLowerCase();
  const key = made.get(file) ?? labKey(createPrivateKey(keptPem(file, bits)));
  made.set(file, key);
  return key;
}

function keptPem(name: string, bits: number): string {
  const file = join(keyFolder(), `${name}.pem`);
  const kept = readIfThere(file);
  if (kept !== null) return kept;
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: bits });
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  // A link fails if another process was faster. Then both use the key of that process.
  linkUnlessThere(draft, file);
  unlinkSync(draft);
  return readFileSync(file, 'utf8');
}

function keyFolder(): string {
  const user = process.getuid?.() ?? 0;
  const folder = join(tmpdir(), `veritee-lab-keys-${user}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const stat = lstatSync(folder);
  const isOwn = process.getuid === undefined || (stat.uid === user && (stat.mode & 0o077) === 0);
  if (!stat.isDirectory() || !isOwn) throw new Error(`${folder} is not a folder of this user alone`);
  return folder;
}

function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (isCode(error, 'ENOENT')) return null;
    throw error;
  }
}

function linkUnlessThere(draft: string, file: string): void {
  try {
    linkSync(draft, file);
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error;
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
