import type { ProofStore, ProofUse } from '../../core/gate.js';
import type { Clock } from '../../core/ports.js';
import { ExpiredRecords } from '../expired-records.js';
import { KeptCounts } from '../kept-counts.js';
import { PROOF_KEPT_MS, PROOFS_OF_GATE } from '../proof-limits.js';
import type { SqliteStore } from './sqlite-store.js';

/** Stores used proofs in the file of a store. Each is on the disk before it counts. */
export class SqliteProofStore implements ProofStore {
  readonly #store: Pick<SqliteStore, 'ask'>;
  readonly #clock: Clock;
  readonly #counts: KeptCounts;
  readonly #expired: ExpiredRecords;
  /** Start of this process: the file may be a restored copy from before. */
  readonly #knownSince: Date;

  constructor(store: Pick<SqliteStore, 'ask'>, clock: Clock, capacity: number = PROOFS_OF_GATE) {
    this.#store = store;
    this.#clock = clock;
    this.#counts = new KeptCounts(clock, 'proof', capacity);
    this.#expired = new ExpiredRecords(clock, () => store.ask('dropProofs', clock.now().getTime()));
    this.#knownSince = clock.now();
  }

  async use(gate: string, proof: string): Promise<ProofUse> {
    this.#counts.add(gate, PROOF_KEPT_MS);
    this.#expired.dropIfDue();
    const isNew = await this.#store.ask('useProof', proof, this.#clock.now().getTime() + PROOF_KEPT_MS);
    return { isNew, knownSince: this.#knownSince };
  }
}
