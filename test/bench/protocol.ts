import type { SnpProduct } from '../../src/model/claims.js';

/** What the worker is asked over IPC, one thing at a time. */
export type Question =
  | { readonly ask: 'start'; readonly material: Material }
  | { readonly ask: 'measure'; readonly what: InProcess; readonly times: number }
  | { readonly ask: 'cpu' }
  | { readonly ask: 'delay' }
  | { readonly ask: 'stop' };

/** What is verified here. Tokens of Trust Authority cost what those of Azure Attestation do, but for the padding. */
export type BenchEvidence = 'snp' | 'az-snp-vtpm' | 'tdx' | 'maa-token';

/** What is measured without HTTP. */
export type InProcess = Primitive | 'dcap-qvl' | `library ${BenchEvidence}`;
export type Primitive = 'P-384' | 'P-256' | 'RSA-2048';

/** What the worker answers: where the service and the servers beside it are, what was measured, CPU time or delay, nothing. */
export interface Answers {
  readonly start: { readonly service: string; readonly plain: string; readonly fastify: string };
  readonly measure: Measured;
  readonly cpu: number;
  /** The longest that the event loop stood still since this was last asked, in milliseconds. */
  readonly delay: number;
  readonly stop: null;
}

export interface Measured {
  readonly count: number;
  /** User and system time of all threads of the process. */
  readonly cpuSeconds: number;
}

/** Requests and endorsements of the lab. Bytes are base64. */
export interface Material {
  readonly folder: string;
  readonly product: SnpProduct;
  readonly pins: readonly (readonly [SnpProduct, readonly string[]])[];
  readonly vek: string;
  readonly chain: readonly [string, string];
  readonly crl: string;
  readonly intel: IntelMaterial;
  /** Bodies of requests, JSON. Each has evidence, nonce and signatures of its own. */
  readonly bodies: { readonly [type in BenchEvidence]: readonly string[] };
  /** Issuer of the tokens, and its key set. */
  readonly issuer: string;
  readonly keySet: string;
}

/** What TD quotes are verified with. */
export interface IntelMaterial {
  readonly pins: readonly string[];
  /** DER, base64. */
  readonly root: string;
  /** As a file of the folder of collateral has it, JSON. */
  readonly collateral: string;
}

/** Verifications, or requests, under way at a time. */
export const AT_A_TIME = 8;

/** A request that is meant to hold the event loop. */
export interface WorstInput {
  readonly name: string;
  readonly path: '/verify' | '/inspect';
  readonly body: string;
}
