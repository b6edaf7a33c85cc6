import type { Tables } from './tables.js';

/**
 * Tables of the decision log. Hashed text is stored as bytes, so that no encoding of the database changes it. The service
 * may drop salt and content of a record, but no record.
 */
export const LOG_TABLES: Tables = {
  create: `
    CREATE TABLE chains (
      chain text COLLATE "C" PRIMARY KEY,
      seq bigint NOT NULL,
      hash text COLLATE "C" NOT NULL
    ) WITH (fillfactor = 50);
    CREATE TABLE records (
      chain text COLLATE "C" NOT NULL,
      seq bigint NOT NULL,
      previous text COLLATE "C" NOT NULL,
      content_sha256 text COLLATE "C" NOT NULL,
      hash text COLLATE "C" NOT NULL,
      salt bytea,
      content bytea,
      PRIMARY KEY (chain, seq)
    );
    CREATE TABLE heads (
      chain text COLLATE "C" NOT NULL,
      seq bigint NOT NULL,
      jws text COLLATE "C" NOT NULL,
      PRIMARY KEY (chain, seq)
    );

    CREATE TABLE decisions (
      decision_id text COLLATE "C" PRIMARY KEY,
      chain text COLLATE "C" NOT NULL,
      seq bigint NOT NULL,
      tenant text COLLATE "C" NOT NULL,
      outcome text COLLATE "C" NOT NULL,
      policies text[] COLLATE "C" NOT NULL,
      summary bytea NOT NULL,
      withdrawn boolean NOT NULL DEFAULT false
    );
    CREATE INDEX decisions_by_outcome ON decisions (tenant, outcome, decision_id);
    CREATE INDEX decisions_by_record ON decisions (chain, seq);
    CREATE TABLE decision_policies (
      tenant text COLLATE "C" NOT NULL,
      policy text COLLATE "C" NOT NULL,
      outcome text COLLATE "C" NOT NULL,
      decision_id text COLLATE "C" NOT NULL,
      PRIMARY KEY (tenant, policy, outcome, decision_id)
    );
    CREATE TABLE releases (
      decision_id text COLLATE "C" NOT NULL,
      chain text COLLATE "C" NOT NULL,
      seq bigint NOT NULL,
      kind text COLLATE "C" NOT NULL,
      PRIMARY KEY (decision_id, chain, seq)
    );
    CREATE INDEX releases_by_record ON releases (chain, seq);

    CREATE TABLE objects (
      sha256 text COLLATE "C" PRIMARY KEY,
      bytes bytea NOT NULL
    );
    CREATE TABLE decision_objects (
      decision_id text COLLATE "C" NOT NULL,
      sha256 text COLLATE "C" NOT NULL,
      PRIMARY KEY (decision_id, sha256)
    );
    CREATE INDEX decision_objects_by_object ON decision_objects (sha256);

    CREATE TABLE pruning (
      only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
      marked_at_ms bigint NOT NULL
    );`,
  grants: [
    'SELECT, INSERT, UPDATE (seq, hash) ON chains',
    'SELECT, INSERT, UPDATE (salt, content) ON records',
    'SELECT, INSERT, UPDATE (jws) ON heads',
    'SELECT, INSERT, UPDATE (withdrawn), DELETE ON decisions',
    ...['decision_policies', 'releases', 'objects', 'decision_objects'].map(
      (table) => `SELECT, INSERT, DELETE ON ${table}`,
    ),
    'SELECT, INSERT, UPDATE (marked_at_ms) ON pruning',
  ],
};
