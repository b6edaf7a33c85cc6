import type { Tables } from './tables.js';

/** CRL numbers have up to 20 octets. A time is ISO 8601 in UTC with milliseconds, and empty if the mark has no time. */
export const MARK_TABLES: Tables = {
  create: `
    CREATE TABLE rollback_marks (
      name text COLLATE "C" PRIMARY KEY,
      number numeric NOT NULL,
      this_update text COLLATE "C" NOT NULL
    );`,
  grants: ['SELECT, INSERT, UPDATE ON rollback_marks'],
};
