import { generateKeyPairSync, type KeyObject, sign, verify, X509Certificate } from 'node:crypto';
import { type FastifyInstance, fastify } from 'fastify';
import type { Answers, Primitive, Yardstick, YardstickMaterial } from './protocol.js';
import { repeat } from './repeat.js';

/** Verifies one signature and throws where it does not hold. */
type Verify = () => Promise<void>;

/** The signatures of each type of evidence that no cache can save. A token is compared with the framework alone. */
const SIGNATURES: { readonly [type in Yardstick]: readonly Primitive[] } = {
  snp: ['P-384'],
  'az-snp-vtpm': ['P-384', 'RSA-2048'],
  'maa-token': [],
};

/**
 * The yardsticks for the service in this runtime: bare signature verifications, and Fastify with bodies and answers
 * of the same size and those verifications, without schema, plugins or log.
 */
export class Yardsticks {
  readonly urls: Answers['stand'];
  readonly #primitives: { readonly [name in Primitive]: Verify };
  readonly #servers: readonly FastifyInstance[];

  private constructor(
    urls: Answers['stand'],
    primitives: { readonly [name in Primitive]: Verify },
    servers: readonly FastifyInstance[],
  ) {
    this.urls = urls;
    this.#primitives = primitives;
    this.#servers = servers;
  }

  static async start({ report, vek, answerBytes }: YardstickMaterial): Promise<Yardsticks> {
    const primitives = primitivesOver(Buffer.from(report, 'base64'), Buffer.from(vek, 'base64'));
    const servers: FastifyInstance[] = [];
    const start = async (type: Yardstick) => {
      const server = bareServer(
        SIGNATURES[type].map((name) => primitives[name]),
        answerBytes[type],
      );
      servers.push(server);
      return server.listen({ host: '127.0.0.1', port: 0 });
    };
    const urls = {
      snp: await start('snp'),
      'az-snp-vtpm': await start('az-snp-vtpm'),
      'maa-token': await start('maa-token'),
    };
    return new Yardsticks(urls, primitives, servers);
  }

  verify(what: Primitive, times: number): Promise<void> {
    return repeat(times, this.#primitives[what]);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.close()));
  }
}

function bareServer(signatures: readonly Verify[], answerBytes: number): FastifyInstance {
  const answer = { decision: 'allow', filling: 'x'.repeat(answerBytes) };
  const server = fastify({ forceCloseConnections: true });
  server.post('/verify', async () => {
    for (const verifySignature of signatures) await verifySignature();
    return answer;
  });
  return server;
}

/** Bytes of a report that its signature covers. */
const SIGNED_LENGTH = 0x2a0;

/** As node has them: keys imported, signatures at hand, nothing else done. */
function primitivesOver(report: Uint8Array, vek: Uint8Array): { readonly [name in Primitive]: Verify } {
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
