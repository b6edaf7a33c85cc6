/**
 * Identity of the server. The start time changes with each start, including a restart after promotion. The identifier separates
 * servers that started in the same moment.
 */
const SERVER = `
  server AS MATERIALIZED (
    SELECT control.system_identifier, pg_postmaster_start_time() AS started,
      EXISTS (SELECT FROM challenge_key WHERE fingerprint = $1) AS same_key
    FROM pg_control_system() control
  )`;

/** Values: fingerprint, id, tenant, audience, policy, evidence type, issue time, lifetime in milliseconds. */
export const PUT = `
  WITH ${SERVER}, put AS (
    INSERT INTO challenges (id, tenant, audience, policy, evidence_type, issued_at, expires_at, system_identifier, server_started)
    SELECT $2, $3, $4, $5, $6, $7::timestamptz, clock_timestamp() + make_interval(secs => $8::double precision / 1000),
      system_identifier, started
    FROM server WHERE same_key
    RETURNING id
  )
  SELECT same_key, (extract(epoch FROM clock_timestamp()) * 1000)::double precision AS now_ms,
    (SELECT count(*) FROM put)::int AS changed
  FROM server`;

/**
 * Values: fingerprint, id, tenant, audience, type of evidence, policies.
 *
 * Locks the row first, so that the second of two concurrent calls sees the effect of the first. The challenge counts only on the
 * server that issued it, and in a row written by the transaction that it names. Any other row may predate a use.
 */
export const CONSUME = `
  WITH ${SERVER}, held AS MATERIALIZED (
    SELECT id, tenant, audience, policy, evidence_type, issued_at, expires_at, used, system_identifier, server_started,
      xmin = born::xid AS original
    FROM challenges WHERE id = $2 FOR UPDATE
  ), judged AS MATERIALIZED (
    SELECT held.id, held.audience, held.policy, held.evidence_type, held.issued_at, held.used, held.tenant = $3 AS own,
      (held.audience IS NULL OR held.audience IS NOT DISTINCT FROM $4)
        AND (held.evidence_type IS NULL OR held.evidence_type = $5)
        AND (held.policy IS NULL OR (cardinality($6::text[]) > 0 AND held.policy = ALL ($6::text[]))) AS fits,
      held.original AND held.system_identifier = server.system_identifier AND held.server_started = server.started AS same_server,
      held.expires_at <= clock_timestamp() AS expired
    FROM held CROSS JOIN server
  ), consumed AS (
    UPDATE challenges SET used = true FROM judged, server
    WHERE challenges.id = judged.id AND server.same_key AND judged.own AND judged.fits AND NOT judged.used
      AND judged.same_server AND NOT judged.expired
    RETURNING challenges.id
  )
  SELECT server.same_key, server.started, judged.*, (SELECT count(*) FROM consumed)::int AS changed
  FROM server LEFT JOIN judged ON true`;

/** Values: most rows. Drops late, so that a clock that is ahead drops no challenge that is still valid. */
export const DROP_EXPIRED = `
  DELETE FROM challenges WHERE id IN (
    SELECT id FROM challenges WHERE expires_at < clock_timestamp() - interval '1 minute'
    ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED
  )`;

/** Values: fingerprint. Does nothing if a key is admitted already. */
export const ADMIT_KEY = 'INSERT INTO challenge_key (fingerprint) VALUES ($1) ON CONFLICT DO NOTHING';
export const KEPT_KEY = 'SELECT fingerprint FROM challenge_key';
