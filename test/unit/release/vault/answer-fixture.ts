import { createPublicKey } from 'node:crypto';
import { UnfitError } from '../../../../src/core/errors.js';
import { parseCertificate } from '../../../../src/formats/x509-certificate.js';
import { publicRoots } from '../../../../src/release/vault/public-roots.js';
import { type ReleaseQuestion, verifyReleaseAnswer } from '../../../../src/release/vault/release-answer.js';
import { headerOf, type ReleaseMaking, releaseAnswer } from '../../../lab/key-release.js';
import { namedRsaKey } from '../../../lab/lab-keys.js';
import { VaultAnswerPki } from '../../../lab/vault-answer-pki.js';

export const AT = new Date('2026-06-01T12:00:00Z');
export const HOST = 'lab.vault.azure.net';
export const VERSION = 'e473cd4c66224d16870bbe2eb4c58078';
export const KID = `https://${HOST}/keys/disk/${VERSION}`;
export const MATERIAL = new Uint8Array(Buffer.from('the key of a disk, of 32 bytes..'));
export const NONCE = 'bm9uY2Ugb2YgdGhlIHNlcnZpY2U';

export const pki = new VaultAnswerPki('vault.azure.net', () => AT);
export const stranger = new VaultAnswerPki('vault.azure.net', () => AT, 'strangers-answers');
/** Of the guest: its token names the public half. */
export const guestKey = namedRsaKey('vault', 2048).privateKey;

export const wrapping = { kid: 'TpmEphemeralEncryptionKey', publicKey: createPublicKey(guestKey) };

export const QUESTION: ReleaseQuestion = {
  key: { host: HOST, name: 'disk', version: VERSION },
  nonce: NONCE,
  enc: 'RSA_AES_KEY_WRAP_384',
  at: AT,
  roots: [...publicRoots(), parseCertificate(pki.rootCertificate())],
};

/** The answer of the lab's vault to the question. */
export function answer(making: ReleaseMaking = {}): string {
  const call = { nonce: NONCE, enc: 'RSA_AES_KEY_WRAP_384', asked: KID, kid: KID };
  return releaseAnswer(call, MATERIAL, wrapping, pki, making);
}

/** An answer that other certificates vouch for, leaf first; the service's key signs. */
export function answerOf(...chain: readonly Uint8Array[]): string {
  return answer({ chain, header: headerOf(chain) });
}

/** Why an answer is refused; null if it holds. */
export async function problemOf(value: string, question: Partial<ReleaseQuestion> = {}): Promise<string | null> {
  try {
    await verifyReleaseAnswer(value, { ...QUESTION, ...question });
    return null;
  } catch (error) {
    if (error instanceof UnfitError) return error.message;
    throw error;
  }
}
