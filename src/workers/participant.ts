import type { PartOutcome } from '../model/reload.js';
import type { CommittedWith, PreparedWith } from './protocol.js';

/** A process that takes over what was reloaded, together with others. */
export interface Participant {
  /** Reads again what is its own to take over. Nothing of it is in force yet. */
  prepare(how: PreparedWith): Promise<readonly PartOutcome[]>;
  /** Puts those of these parts in force that it has. @param parts those that can be used everywhere. @throws {Error} where one is not in force */
  commit(how: CommittedWith): Promise<void>;
  /** What was in force stays, also where the reload is still being read. */
  discard(reload: number): Promise<void>;
}
