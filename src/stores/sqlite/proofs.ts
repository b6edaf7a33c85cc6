import { DROPPED_AT_ONCE } from '../expired-records.js';
import type { SqliteFile } from './sqlite-file.js';

/** Within a transaction. @returns whether the proof was not there before */
export function useProof(file: SqliteFile, proof: string, keptUntilMs: number): boolean {
  return file.run('INSERT INTO used_proofs VALUES (?, ?) ON CONFLICT DO NOTHING', [proof, keptUntilMs]) === 1;
}

/** Within a transaction: `DROPPED_AT_ONCE` at a time. @returns how many went */
export function dropProofs(file: SqliteFile, nowMs: number): number {
  return file.run(
    'DELETE FROM used_proofs WHERE proof IN (SELECT proof FROM used_proofs WHERE kept_until < ? ORDER BY kept_until LIMIT ?)',
    [nowMs, DROPPED_AT_ONCE],
  );
}
