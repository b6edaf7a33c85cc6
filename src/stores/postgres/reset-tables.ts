import type { Tables } from './tables.js';

export const RESET_TABLES: Tables = {
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
