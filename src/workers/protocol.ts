import type { Configuration } from '../config/configuration.js';
import type { HeldEndorsement } from '../model/endorsement.js';
import type { Liveness, Readiness } from '../model/health.js';
import type { HeldTime } from '../model/ports.js';
import type { PartOutcome } from '../model/reload.js';
import type { FileQuestion } from './file-bundle.js';
import type { TransferredFailure } from './transferred-failure.js';

/** What a worker answers its parent. */
export interface WorkerCalls {
  /** Opens the service. @throws {Error} what kept it from listening */
  readonly start: (how: StartedWith) => Promise<Started>;
  readonly prepare: (how: PreparedWith) => Promise<readonly PartOutcome[]>;
  readonly commit: (how: CommittedWith) => Promise<void>;
  readonly discard: (reload: number) => Promise<void>;
  /** Its metrics, as the metrics library gives them. */
  readonly figures: () => Promise<unknown>;
  /** What it has of that digest itself. */
  readonly endorsement: (asked: AskedEndorsement) => Promise<HeldEndorsement | null>;
  /** Drains. The worker ends by itself afterwards. */
  readonly stop: () => Promise<void>;
}

/** What the parent answers a worker. */
export interface ParentCalls extends SharedCalls {
  /** The worker listens to calls from now on. */
  readonly hello: () => Promise<void>;
  readonly beat: (health: Health) => Promise<void>;
  readonly file: (asked: { readonly part: string; readonly question: FileQuestion }) => Promise<unknown>;
  /** Resolves once the worker has the lock of this name. */
  readonly lock: (name: string) => Promise<void>;
  readonly unlock: (name: string) => Promise<void>;
}

/** What workers share beside files and locks. */
export interface SharedCalls {
  /** Metrics of all workers, in the text format of Prometheus. */
  readonly metrics: () => Promise<string>;
  /** Uses up a proof at a gate. @throws {GateRefusal} where it was used before, or cannot be kept */
  readonly proof: (used: UsedProof) => Promise<void>;
  /** Resolves once the connections that the parent has accepted for all were handed to workers. */
  readonly handedOver: () => Promise<void>;
  /** What any worker has of that digest. */
  readonly endorsement: (asked: AskedEndorsement) => Promise<HeldEndorsement | null>;
}

/** An endorsement that evidence of a tenant was judged by. */
export interface AskedEndorsement {
  readonly tenant: string;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** A DPoP proof that a gate accepts: its id, and the thumbprint of its key. */
export interface UsedProof {
  readonly gate: string;
  readonly jkt: string;
  readonly jti: string;
}

/** What a worker is started with. It reads no configuration by itself. */
export interface StartedWith {
  readonly worker: number;
  readonly configuration: Configuration;
  /** The port that all listen at. */
  readonly port: number;
  /** The MAC key of challenges, 32 bytes. */
  readonly challengeKey: Uint8Array;
  /** What the service knows of the time, so that no worker believes a clock that the others refuse. */
  readonly heldTime: HeldTime;
  /** Whether it takes the place of a worker that has ended. */
  readonly isAgain: boolean;
  /** The key that signs receipts where none is configured, PEM of PKCS#8. */
  readonly ephemeralKey: string;
  /** 48 bytes. */
  readonly ticketKeys: Uint8Array;
}

/** What a worker says of itself with each heartbeat. */
export interface Health {
  readonly readiness: Readiness;
  readonly liveness: Liveness;
}

/** What a worker answers once it listens. */
export interface Started extends Health {
  readonly url: string;
}

/** What everything is read again with: the configuration, or what is wrong with it. Each reload has a number. */
export type PreparedWith = { readonly reload: number } & (
  | { readonly configuration: Configuration }
  | { readonly failure: TransferredFailure }
);

/** What is put in force of a reload. */
export interface CommittedWith {
  readonly reload: number;
  readonly parts: readonly string[];
  /** 48 bytes. */
  readonly ticketKeys: Uint8Array;
}
