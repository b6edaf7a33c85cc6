import { UsageError } from '../../cli/input.js';
import { EXIT_CODE } from '../../cli/output.js';
import type { StoresActions } from '../../cli/stores-commands.js';
import { postgresAddressOf } from '../../config/stores.js';
import { StoreUnavailableError } from '../../core/decision-log.js';
import { messageOf } from '../../core/errors.js';
import { migrate } from '../../stores/postgres/migrate.js';
import { connectOptions } from '../egress.js';
import { openAllOrNone } from '../open-parts.js';
import { openPostgres } from '../postgres-server.js';
import { SYSTEM_CLOCK } from '../system.js';
import { commandLineLog, configurationOf, write } from './command-line-io.js';

/** How long a migration waits for tables that a running service uses all the time. */
const LIMIT_MS = 60_000;

/** Actions of `veritee stores`. They connect as the owner of the database. */
export const storesCommands: StoresActions = {
  migrateStores: async ({ service, ...options }) => {
    const configuration = await configurationOf(options);
    const address = postgresAddressOf(configuration);
    if (address === null)
      throw new UsageError([
        'stores.url: names a file of SQLite, which needs no migrate: the service updates its tables when it opens the file',
      ]);
    const log = commandLineLog();
    const opening = { clock: SYSTEM_CLOCK, log, connect: connectOptions(configuration) };
    // The tables may not exist yet.
    const tuning = { admit: async () => {} };
    await openAllOrNone(log, async (opened) => {
      const server = await openPostgres(configuration, address, opening, opened, tuning);
      const { from, to } = await migrate(server.writer, { serviceRole: service, limitMs: LIMIT_MS });
      write(`${JSON.stringify({ from, to })}\n`);
      await opened.close();
    }).catch((cause: unknown) => {
      throw new StoreUnavailableError(messageOf(cause), { cause });
    });
    return EXIT_CODE.allow;
  },
};
