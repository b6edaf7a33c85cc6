import { DROPPED_AT_ONCE } from '../expired-records.js';
import type { SqliteFile } from './sqlite-file.js';

/** Runs within a transaction. @returns whether the proof is new */
export function useProof(file: SqliteFile, proof: string, keptUntilMs: number): boolean {
  return file.run('INSERT INTO used_proofs VALUES (?, ?) ON CONFLICT DO NOTHING', [proof, keptUntilMs]) === 1;
}

/** Runs within a transaction. Drops at most `DROPPED_AT_ONCE` proofs. @returns how many it dropped */
export function dropProofs(file: SqliteFile, nowMs: number): number {
  return file.run(
    'DELETE FROM used_proofs WHERE proof IN (SELECT proof FROM used_proofs WHERE kept_until < ? ORDER BY kept_until LIMIT ?)',
    [nowMs, DROPPED_AT_ONCE],
  );
}
