import { generateKeyPairSync, type KeyObject, sign, verify, X509Certificate } from 'node:crypto';
import type { Primitive } from './protocol.js';

/** Verifies one signature and throws where it does not hold. */
export type Verify = () => Promise<void>;

/** Bytes of a report that its signature covers. */
const SIGNED_LENGTH = 0x2a0;

/** The primitives alone, as node has them: keys imported, signatures at hand, nothing else done. */
export function primitives(report: Uint8Array, vek: Uint8Array): { readonly [name in Primitive]: Verify } {
  const signed = report.subarray(0, SIGNED_LENGTH);
  return {
    'P-384': inThreadPool(signed, new X509Certificate(vek).publicKey, signatureOf(report)),
    'P-256': atOnce(signed, generateKeyPairSync('ec', { namedCurve: 'P-256' })),
    'RSA-2048': atOnce(signed, generateKeyPairSync('rsa', { modulusLength: 2048 })),
  };
}

function inThreadPool(data: Uint8Array, key: KeyObject, signature: Uint8Array): Verify {
  return () =>
    new Promise((resolve, reject) => {
      verify('sha384', data, { key, dsaEncoding: 'ieee-p1363' }, signature, (error, holds) =>
        error === null && holds ? resolve() : reject(error ?? new Error('signature does not verify')),
      );
    });
}

/** These are so short that handing them to another thread would be most of the work. */
function atOnce(data: Uint8Array, pair: { readonly publicKey: KeyObject; readonly privateKey: KeyObject }): Verify {
  const signature = sign('sha256', data, { key: pair.privateKey, dsaEncoding: 'ieee-p1363' });
  const key = { key: pair.publicKey, dsaEncoding: 'ieee-p1363' } as const;
  return async () => {
    if (!verify('sha256', data, key, signature)) throw new Error('signature does not verify');
  };
}

/** r and s of a report, little endian there (AMD 56860, table 131), as r‖s, big endian. */
function signatureOf(report: Uint8Array): Uint8Array {
  const bigEndian = (start: number) => Buffer.from(report.subarray(start, start + 48)).reverse();
  return Buffer.concat([bigEndian(0x2a0), bigEndian(0x2e8)]);
}
