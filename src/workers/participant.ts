import type { Configuration } from '../config/configuration.js';
import type { PartOutcome } from '../model/reload.js';
import type { TransferredFailure } from './transferred-failure.js';

/** What a worker is started with. It reads no configuration by itself. */
export interface StartedWith {
  readonly worker: number;
  readonly configuration: Configuration;
  /** The port that all listen at. */
  readonly port: number;
  /** The MAC key of challenges, 32 bytes. */
  readonly challengeKey: Uint8Array;
  /** Whether it takes the place of a worker that has ended. */
  readonly isAgain: boolean;
  /** The key that signs receipts where none is configured, PEM of PKCS#8. */
  readonly ephemeralKey: string;
  /** 48 bytes. */
  readonly ticketKeys: Uint8Array;
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

/** A process that takes over what was reloaded, together with others. */
export interface Participant {
  /** Reads again what is its own to take over. Nothing of it is in force yet. */
  prepare(how: PreparedWith): Promise<readonly PartOutcome[]>;
  /** Puts those of these parts in force that it has. @param parts those that can be used everywhere. @throws {Error} where one is not in force */
  commit(how: CommittedWith): Promise<void>;
  /** What was in force stays, also where the reload is still being read. */
  discard(reload: number): Promise<void>;
}
