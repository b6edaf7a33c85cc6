import type { Configuration } from '../config/configuration.js';
import type { PartOutcome } from '../model/reload.js';
import type { TransferredFailure } from './transferred-failure.js';

/** What a worker is started with. It reads no configuration by itself. */
export interface StartedWith {
  readonly worker: number;
  readonly configuration: Configuration;
  /** The port that all listen at. */
  readonly port: number;
  /** The key that signs receipts where none is configured, PEM of PKCS#8. */
  readonly ephemeralKey: string;
  /** 48 bytes. */
  readonly ticketKeys: Uint8Array;
}

/** What everything is read again with: the configuration, or what is wrong with it. */
export type PreparedWith = { readonly configuration: Configuration } | { readonly failure: TransferredFailure };

/** A process that takes over what was reloaded, together with others. */
export interface Participant {
  /** Reads again what is its own to take over. Nothing of it is in force yet. */
  prepare(how: PreparedWith): Promise<readonly PartOutcome[]>;
  /** Puts its own of these parts in force. @param parts those that can be used everywhere. @throws {Error} where one is not in force */
  commit(parts: readonly string[], ticketKeys: Uint8Array): Promise<void>;
  /** What was in force stays. */
  discard(): Promise<void>;
}
