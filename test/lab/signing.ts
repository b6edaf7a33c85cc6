import { constants, createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { integer, nullValue, octetString, oid, sequence, tagged } from './der-writer.js';

export type LabHash = 'md5' | 'sha1' | 'sha224' | 'sha256' | 'sha384' | 'sha512';

/** How a certificate or CRL is signed, weak ways included. */
export type LabAlgorithm =
  | {
      readonly scheme: 'pss';
      readonly hash: LabHash;
      readonly saltLength: number;
      /** Hash of MGF1, if it is a different one. */
      readonly mgfHash?: LabHash;
      /** Writes the trailer field out although it has its default, as AMD did until 2024. */
      readonly trailerField?: boolean;
    }
  | { readonly scheme: 'pkcs1'; readonly hash: LabHash }
  | { readonly scheme: 'ecdsa'; readonly hash: LabHash };

/** The signature algorithm of AMD's certificates: RSASSA-PSS, SHA-384, MGF1-SHA-384, salt 48. */
export const AMD_ALGORITHM = { scheme: 'pss', hash: 'sha384', saltLength: 48 } as const satisfies LabAlgorithm;

const HASH_OID: { readonly [hash in LabHash]: string } = {
  md5: '1.2.840.113549.2.5',
  sha1: '1.3.14.3.2.26',
  sha224: '2.16.840.1.101.3.4.2.4',
  sha256: '2.16.840.1.101.3.4.2.1',
  sha384: '2.16.840.1.101.3.4.2.2',
  sha512: '2.16.840.1.101.3.4.2.3',
};

const PKCS1_OID: { readonly [hash in LabHash]: string } = {
  md5: '1.2.840.113549.1.1.4',
  sha1: '1.2.840.113549.1.1.5',
  sha224: '1.2.840.113549.1.1.14',
  sha256: '1.2.840.113549.1.1.11',
  sha384: '1.2.840.113549.1.1.12',
  sha512: '1.2.840.113549.1.1.13',
};

const ECDSA_OID: { readonly [hash in Exclude<LabHash, 'md5'>]: string } = {
  sha1: '1.2.840.10045.4.1',
  sha224: '1.2.840.10045.4.3.1',
  sha256: '1.2.840.10045.4.3.2',
  sha384: '1.2.840.10045.4.3.3',
  sha512: '1.2.840.10045.4.3.4',
};

const PSS_OID = '1.2.840.113549.1.1.10';
const MGF1_OID = '1.2.840.113549.1.1.8';

/** The AlgorithmIdentifier of an algorithm, with its parameters. */
export function algorithmIdentifier(algorithm: LabAlgorithm): Uint8Array {
  if (algorithm.scheme === 'pss') return sequence(oid(PSS_OID), pssParameters(algorithm));
  if (algorithm.scheme === 'pkcs1') return sequence(oid(PKCS1_OID[algorithm.hash]), nullValue());
  if (algorithm.hash === 'md5') throw new Error('there is no ecdsa with md5');
  return sequence(oid(ECDSA_OID[algorithm.hash]));
}

/** Signs data as an issuer of certificates does: an ECDSA signature is DER. */
export function signAs(algorithm: LabAlgorithm, key: KeyObject, data: Uint8Array): Uint8Array {
  if (algorithm.scheme !== 'pss') return new Uint8Array(sign(algorithm.hash, data, key));
  const { hash, mgfHash, saltLength } = algorithm;
  const options = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength };
  const signer = mgfHash === undefined || mgfHash === hash ? key : boundToPss(algorithm, key);
  return new Uint8Array(sign(hash, data, { key: signer, ...options }));
}

/** The runtime takes the hash of MGF1 only from a key that is bound to it, so the same key is wrapped as one. */
function boundToPss(algorithm: Extract<LabAlgorithm, { scheme: 'pss' }>, key: KeyObject): KeyObject {
  const rsaPrivateKey = key.export({ type: 'pkcs1', format: 'der' });
  const wrapped = sequence(integer(0), algorithmIdentifier(algorithm), octetString(rsaPrivateKey));
  return createPrivateKey({ key: Buffer.from(wrapped), format: 'der', type: 'pkcs8' });
}

/** RSASSA-PSS-params (RFC 4055 section 3.1). */
function pssParameters(algorithm: Extract<LabAlgorithm, { scheme: 'pss' }>): Uint8Array {
  const hash = sequence(oid(HASH_OID[algorithm.hash]), nullValue());
  const mgfHash = sequence(oid(HASH_OID[algorithm.mgfHash ?? algorithm.hash]), nullValue());
  return sequence(
    tagged(0, hash),
    tagged(1, sequence(oid(MGF1_OID), mgfHash)),
    tagged(2, integer(algorithm.saltLength)),
    ...(algorithm.trailerField === true ? [tagged(3, integer(1))] : []),
  );
}
