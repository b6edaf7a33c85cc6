import type { ProofMemory } from '../gates/used-proofs.js';
import type { ConfiguredFilesOf } from '../model/configured-files.js';
import type { Exclusive } from '../model/exclusive.js';

/** What the processes of one service share, as one of them has it. */
export interface Together {
  /** The port that all listen at. */
  readonly port: number;
  /** How files that the configuration names are read: all get the same. */
  readonly files: ConfiguredFilesOf;
  /** The key that signs receipts where none is configured, PEM of PKCS#8. */
  readonly ephemeralKey: string;
  /** So that memories which only grow do. */
  readonly exclusive: Exclusive;
  /** So that a proof is good once. */
  readonly proofs: ProofMemory;
  /** Of TLS sessions, so that each resumes those of the others. */
  readonly ticketKeys: () => Uint8Array;
  /** Metrics of all, in the text format of Prometheus. */
  readonly figures: () => Promise<string>;
}
