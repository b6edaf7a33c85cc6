import type { createSnpGuest } from '../lab/index.js';

/** A command to a measured process over IPC, one at a time. */
export type Question =
  | { readonly ask: 'serve'; readonly material: ServiceMaterial }
  | { readonly ask: 'stand'; readonly material: YardstickMaterial }
  | { readonly ask: 'verify'; readonly what: Primitive; readonly times: number }
  | { readonly ask: 'usage' }
  | { readonly ask: 'delay' }
  | { readonly ask: 'stop' };

/** Its answer. */
export interface Answers {
  /** Where the service is. */
  readonly serve: string;
  /** Where the servers are that the service is compared with. */
  readonly stand: { readonly [type in Yardstick]: string };
  readonly verify: null;
  readonly usage: Usage;
  /** The longest that the event loop stood still since this was last asked, in milliseconds. */
  readonly delay: number;
  readonly stop: null;
}

export interface Usage {
  /** User and system time of all threads of the process. */
  readonly cpuSeconds: number;
  /** Milliseconds since the process began. */
  readonly upMs: number;
}

/** The verified evidence. Tokens of Trust Authority cost as much as those of Azure Attestation, but for the padding. */
export type BenchEvidence = 'snp' | 'az-snp-vtpm' | 'tdx' | 'maa-token';
/** Types of evidence that a bare server is compared with. */
export type Yardstick = Exclude<BenchEvidence, 'tdx'>;
export type Primitive = 'P-384' | 'P-256' | 'RSA-2048';

/** The settings by which a service trusts the lab. */
export interface ServiceMaterial {
  readonly folder: string;
  /** SHA-256 of the keys of AMD's roots, by product line, and of Intel's root. */
  readonly amdPins: readonly (readonly [string, readonly string[]])[];
  readonly intelPins: readonly string[];
  /** Issuer of the tokens. */
  readonly issuer: string;
  /** Whether decisions are stored: the verifiers that the service is compared with store none. */
  readonly isStored?: boolean;
}

/** A report and the certificate of its key, base64, and how long the answers of the service are. */
export interface YardstickMaterial {
  readonly report: string;
  readonly vek: string;
  readonly answerBytes: { readonly [type in Yardstick]: number };
}

/** Guests of the lab: what they send, and what a service has to know of them. */
export interface Material {
  readonly service: ServiceMaterial;
  readonly report: string;
  readonly vek: string;
  /** Collateral of the TD quotes as a file of the folder of collateral has it, JSON. */
  readonly collateral: string;
  /** Bodies of requests, JSON. Each has evidence, nonce and signatures of its own. */
  readonly bodies: { readonly [type in BenchEvidence]: readonly string[] };
  /** The same for `az-snp-vtpm`, each with the event log of the boot. */
  readonly logged: readonly string[];
  /** The same for `az-snp-vtpm`, under a policy that also has 15 rules. */
  readonly ruled: readonly string[];
  /** The same for `az-snp-vtpm`, each with an audience. */
  readonly addressed: readonly string[];
  /** The same for `snp`, each of another chip. */
  readonly chips: readonly string[];
}

/** Verifications, or requests, under way at a time. */
export const AT_A_TIME = 8;

/** A request that is meant to hold the event loop. */
export interface WorstInput {
  readonly name: string;
  readonly path: '/verify' | '/verify?explain=tree' | '/inspect' | '/policies:lint' | '/policies:evaluate';
  readonly body: string;
}

/** As guests of the lab give evidence. */
export type JsonObject = ReturnType<ReturnType<typeof createSnpGuest>['wireEvidence']>;
