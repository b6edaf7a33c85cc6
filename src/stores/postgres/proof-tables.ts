import type { Tables } from './tables.js';

export const PROOF_TABLES: Tables = {
  create: `
    CREATE TABLE used_proofs (
      proof text COLLATE "C" PRIMARY KEY,
      kept_until timestamptz NOT NULL
    );
    CREATE INDEX used_proofs_by_end ON used_proofs (kept_until);`,
  grants: ['SELECT, INSERT, UPDATE, DELETE ON used_proofs'],
};
