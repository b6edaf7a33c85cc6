import { access } from 'node:fs/promises';
import { type Configuration, namedEndorsementFolders } from '../config/configuration.js';
import { configurationWarnings } from '../config/consistency.js';
import { folderProblem, isSystemError } from '../model/file-problem.js';
import type { LintProblem } from '../model/lint-problem.js';
import { type PlacedProblem, placedText } from '../model/places.js';
import type { Log } from '../model/ports.js';
import type { KnownAuthorities } from '../policy/akv/lint-authority.js';
import { lintPolicy } from '../policy/lint.js';
import { lintEventLogs } from '../policy/lint-event-logs.js';
import { lintRules } from '../policy/lint-rules.js';
import type { Policy } from '../policy/policy-document.js';
import { knownAuthorities } from './token-issuers.js';

/** Warns of settings that are allowed and deserve a second look. */
export function warnOfConfiguration(configuration: Configuration, log: Log): void {
  for (const warning of configurationWarnings(configuration)) log.warn({}, placedText(warning));
}

/** The service starts without a folder that is missing: of one that somebody named, that is more often a name misspelt. */
export async function warnOfMissingFolders(configuration: Configuration, log: Log): Promise<void> {
  for (const [key, folder] of namedEndorsementFolders(configuration)) {
    await access(folder).catch((error: unknown) => {
      const isThere = !(isSystemError(error) && error.code === 'ENOENT');
      const what = isThere ? 'cannot be reached' : 'does not exist';
      log.warn({ key, folder, why: folderProblem(error) }, `configured folder ${what}, continuing without it`);
    });
  }
}

/** Warns of policy members that say less than they seem to, and of what Key Vault may judge otherwise in rules `akv`. */
export function warnOfPolicies(policies: readonly Policy[], configuration: Configuration, log: Log): void {
  const isKnown = knownAuthorities(configuration);
  for (const policy of policies) {
    const remarks = [...lintEventLogs(policy), ...lintRules(policy), ...releasePolicyProblems(policy, isKnown)];
    for (const { code, pointer, message } of remarks) log.warn({ policy: policy.id, pointer, code }, message);
  }
}

/** As lint finds them, at their places in the text. The other findings of lint are for those who write policies. */
function releasePolicyProblems({ id, text, rules }: Policy, isKnown: KnownAuthorities): readonly LintProblem[] {
  if (!rules.some(({ language }) => language === 'akv')) return [];
  // What ends on a date is told elsewhere, so that no date is needed.
  const options = { releasePolicyId: id, knownAuthorities: isKnown, at: new Date(0) };
  return lintPolicy(text, options).filter(({ code }) => code.startsWith('akv_'));
}

/** What an operator has to know where anybody is served; null where callers are told apart, or only this machine is served. */
export function openAccessWarning({ callers, listen }: Configuration): PlacedProblem | null {
  if (Object.keys(callers).length > 0 || !listen.insecure) return null;
  const what = 'no callers are configured, and listen.insecure is set: anyone who can connect may verify';
  return { path: ['listen', 'insecure'], what };
}
