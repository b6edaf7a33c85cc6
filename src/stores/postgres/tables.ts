/** Some tables, and the privileges of the service role. The service may never delete a record, nor alter a table. */
interface Tables {
  /** Statements, separated by semicolons. Names without a schema are in the schema of the service. */
  readonly create: string;
  /** Privileges and object of a GRANT statement, such as `SELECT, INSERT ON records`. */
  readonly grants: readonly string[];
}

/**
 * Tables of the decision log. Hashed text is stored as bytes, so that no encoding of the database changes it. The service
 * may drop salt and content of a record, but no record.
 */
const LOG_TABLES: Tables = {
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

/**
 * `born` is the transaction that wrote the row. In a restored dump it differs from the transaction of the row: a restore
 * brings back challenges that were used meanwhile.
 */
const CHALLENGE_TABLES: Tables = {
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

const RESET_TABLES: Tables = {
  create: `
    CREATE TABLE reset_counts (
      tenant text COLLATE "C" NOT NULL,
      ak_thumbprint text COLLATE "C" NOT NULL,
      reset_count bigint NOT NULL,
      restart_count bigint NOT NULL,
      risen_at timestamptz NOT NULL,
      PRIMARY KEY (tenant, ak_thumbprint)
    );
    CREATE INDEX reset_counts_by_rise ON reset_counts (tenant, risen_at);`,
  grants: ['SELECT, INSERT, UPDATE, DELETE ON reset_counts'],
};

const PROOF_TABLES: Tables = {
  create: `
    CREATE TABLE used_proofs (
      proof text COLLATE "C" PRIMARY KEY,
      kept_until timestamptz NOT NULL
    );
    CREATE INDEX used_proofs_by_end ON used_proofs (kept_until);`,
  grants: ['SELECT, INSERT, UPDATE, DELETE ON used_proofs'],
};

/** CRL numbers have up to 20 octets. A time is ISO 8601 in UTC with milliseconds, and empty if the mark has no time. */
const MARK_TABLES: Tables = {
  create: `
    CREATE TABLE rollback_marks (
      name text COLLATE "C" PRIMARY KEY,
      number numeric NOT NULL,
      this_update text COLLATE "C" NOT NULL
    );`,
  grants: ['SELECT, INSERT, UPDATE ON rollback_marks'],
};

/** All tables of the schema. */
export const TABLES: readonly Tables[] = [LOG_TABLES, CHALLENGE_TABLES, RESET_TABLES, PROOF_TABLES, MARK_TABLES];
