import type { Tables } from './tables.js';

/**
 * `born` is the transaction that wrote the row. In a restored dump it differs from the transaction of the row: a restore
 * brings back challenges that were used meanwhile.
 */
export const CHALLENGE_TABLES: Tables = {
  create: `
    CREATE TABLE challenges (
      id text COLLATE "C" PRIMARY KEY,
      tenant text COLLATE "C" NOT NULL,
      audience text COLLATE "C",
      policy text COLLATE "C",
      evidence_type text COLLATE "C",
      issued_at timestamptz NOT NULL,
      expires_at timestamptz NOT NULL,
      used boolean NOT NULL DEFAULT false,
      system_identifier bigint NOT NULL,
      server_started timestamptz NOT NULL,
      born xid8 NOT NULL DEFAULT pg_current_xact_id()
    ) WITH (fillfactor = 80);
    CREATE INDEX challenges_by_expiry ON challenges (expires_at);
    CREATE TABLE challenge_key (
      only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
      fingerprint text COLLATE "C" NOT NULL
    );`,
  grants: ['SELECT, INSERT, UPDATE, DELETE ON challenges', 'SELECT, INSERT ON challenge_key'],
};
