import type { Configuration } from '../../config/configuration.js';
import type { Clock } from '../../core/ports.js';
import { openTokenKeys } from '../../endorsements/token-keys/open-token-keys.js';
import { readConfiguredRoots } from '../reload/configured-roots.js';
import { tokenIssuers } from '../token-issuers.js';
import { ProblemLog, unlogged } from './problem-log.js';
import type { Problems } from './problems.js';

/** Checks the files of roots and key sets. The check fetches no key set from a URL. */
export async function checkTokenKeys(configuration: Configuration, clock: Clock, found: Problems): Promise<void> {
  await found.of('config_file', () => readConfiguredRoots(configuration));
  await found.of('config_file', async () => {
    const keys = openTokenKeys({ issuers: tokenIssuers(configuration), clock, log: new ProblemLog(unlogged) });
    await keys.ready.finally(() => keys.close());
  });
}
