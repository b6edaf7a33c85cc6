import type { ProofMemory } from '../gates/used-proofs.js';
import type { ConfiguredFilesOf } from '../model/configured-files.js';
import type { EndorsementsByDigest } from '../model/endorsement.js';
import type { Exclusive } from '../model/exclusive.js';
import type { HeldTime } from '../model/ports.js';

/** What the processes of one service share, as one of them has it. */
export interface Together {
  /** The port that all listen at. */
  readonly port: number;
  /** How files that the configuration names are read: all get the same. */
  readonly files: ConfiguredFilesOf;
  /** The MAC key of challenges: with another one, a worker would take challenges of the others for nonces of the caller's own. */
  readonly challengeKey: Uint8Array;
  /** What the service knew of the time when this one was started. */
  readonly heldTime: HeldTime;
  /** Whether this one takes the place of a worker that has ended: files then count as at a reload, and not as at a start. */
  readonly isAgain: boolean;
  /** The key that signs receipts where none is configured, PEM of PKCS#8. */
  readonly ephemeralKey: string;
  /** Keeps others from raising the same rollback mark, or the same reset counts, meanwhile. */
  readonly exclusive: Exclusive;
  /** Proofs that were accepted at gates by any of them. */
  readonly proofs: ProofMemory;
  /** Endorsements that any of them judged evidence by. */
  readonly endorsement: EndorsementsByDigest['find'];
  /** Of TLS session tickets, the same for all. */
  readonly ticketKeys: () => Uint8Array;
  /** Resolves once connections that were accepted for all were handed to one of them. */
  readonly handedOver: () => Promise<void>;
  /** Metrics of all, in the text format of Prometheus. */
  readonly figures: () => Promise<string>;
}
