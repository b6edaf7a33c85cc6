import type { Command } from 'commander';
import { addGroup, CONFIG, type Handlers } from './command-group.js';

const MIGRATE_HELP = `
stores.url names the owner of the database here, and --service the role that the service logs in as, which must exist. Run it
before the first start, and before a new version of veritee is started. The service of the version before may be running. The
exit code is 0 if the tables are those of this version, 1 usage, 3 if they could not be changed.`;

export interface MigrateStoresOptions {
  readonly service: string;
  readonly config?: string;
}

/** The actions of the commands about stores. Each returns the exit code. */
export interface StoresActions {
  migrateStores(options: MigrateStoresOptions): Promise<number>;
}

/** Adds `veritee stores`. */
export function addStoresCommands(program: Command, run: Handlers<StoresActions>): void {
  addGroup(program, 'stores', 'make and change the tables of a database')
    .command('migrate')
    .description('bring the tables in PostgreSQL to this version')
    .requiredOption('--service <role>', 'the role that the service logs in as')
    .option(...CONFIG)
    .addHelpText('after', MIGRATE_HELP)
    .action(run('migrateStores'));
}
