/** `PRAGMA application_id` of files of this service: "vrte". */
export const APPLICATION_ID = 0x76727465;

/**
 * The steps that migrate a store from each version to the next; the version is `PRAGMA user_version`. A line is never changed: the
 * service must open files of every released version.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  INSERT INTO meta VALUES ('commits', 0);

  CREATE TABLE records (
    chain TEXT NOT NULL, seq INTEGER NOT NULL, previous TEXT NOT NULL, content_sha256 TEXT NOT NULL, hash TEXT NOT NULL,
    salt BLOB, content TEXT,
    PRIMARY KEY (chain, seq)
  ) STRICT;
  CREATE TABLE heads (
    chain TEXT NOT NULL, seq INTEGER NOT NULL, jws TEXT NOT NULL,
    PRIMARY KEY (chain, seq)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE decisions (
    decision_id TEXT PRIMARY KEY, chain TEXT NOT NULL, seq INTEGER NOT NULL, tenant TEXT NOT NULL, outcome TEXT NOT NULL,
    policies TEXT NOT NULL, summary TEXT NOT NULL, withdrawn INTEGER NOT NULL DEFAULT 0
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX decisions_by_outcome ON decisions (tenant, outcome, decision_id);
  CREATE INDEX decisions_by_record ON decisions (chain, seq);
  CREATE TABLE decision_policies (
    tenant TEXT NOT NULL, policy TEXT NOT NULL, outcome TEXT NOT NULL, decision_id TEXT NOT NULL,
    PRIMARY KEY (tenant, policy, outcome, decision_id)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE releases (
    decision_id TEXT NOT NULL, chain TEXT NOT NULL, seq INTEGER NOT NULL, kind TEXT NOT NULL,
    PRIMARY KEY (decision_id, chain, seq)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX releases_by_record ON releases (chain, seq);

  CREATE TABLE objects (sha256 TEXT PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
  CREATE TABLE decision_objects (
    decision_id TEXT NOT NULL, sha256 TEXT NOT NULL,
    PRIMARY KEY (decision_id, sha256)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX decision_objects_by_object ON decision_objects (sha256);

  CREATE TABLE challenges (
    id TEXT PRIMARY KEY, epoch INTEGER NOT NULL, tenant TEXT NOT NULL, audience TEXT, policy TEXT, evidence_type TEXT,
    expires_at INTEGER NOT NULL, used INTEGER NOT NULL DEFAULT 0, issued_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX challenges_by_expiry ON challenges (expires_at);

  CREATE TABLE used_proofs (proof TEXT PRIMARY KEY, kept_until INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX used_proofs_by_end ON used_proofs (kept_until);
  `,
];
