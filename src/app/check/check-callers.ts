import type { Configuration } from '../../config/configuration.js';
import { configurationProblem } from '../../config/configuration-problem.js';
import { meantHint } from '../../core/names-in-messages.js';
import type { KeyPath, PlacedProblem } from '../../core/places.js';
import type { Clock } from '../../core/ports.js';
import { ClockWatch } from '../../judge/clock-watch.js';
import { openCallers } from '../open-callers.js';
import type { CheckedPolicies } from './check-policies.js';
import { ProblemLog } from './problem-log.js';
import type { Problems } from './problems.js';

/** Checks the files that callers name. Nothing is fetched. */
export async function checkCallers(configuration: Configuration, clock: Clock, found: Problems): Promise<void> {
  const log = new ProblemLog((_severity, { file }, message) =>
    configurationProblem('config_setting', { path: ['callers'], what: `${file}: ${message}` }),
  );
  const opened = await found.of('config_file', () =>
    openCallers(configuration, { clock: new ClockWatch(clock, log), log }),
  );
  found.add(log.problems);
  await opened?.keyring.close();
}

/** Returns a warning for each policy of a caller that does not exist: most often its id is misspelt. */
export function unknownPolicies({ callers }: Configuration, { ids }: CheckedPolicies): readonly PlacedProblem[] {
  return Object.entries(callers).flatMap(([name, { policies, tenant }]) =>
    (policies ?? []).flatMap((id, index) => {
      const path: KeyPath = ['callers', name, 'policies', index];
      const known = ids.get(tenant) ?? null;
      if (known === null || known.has(id)) return [];
      return [{ path, what: `there is no policy ${id}${meantHint(id, known)}` }];
    }),
  );
}
