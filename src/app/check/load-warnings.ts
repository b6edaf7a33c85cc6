import { access } from 'node:fs/promises';
import { type Configuration, namedEndorsementFolders } from '../../config/configuration.js';
import { configurationWarnings } from '../../config/configuration-warnings.js';
import type { Environment } from '../../config/environment.js';
import { folderProblem, isSystemError } from '../../core/file-problem.js';
import { type PlacedProblem, placedText } from '../../core/places.js';
import type { Log } from '../../core/ports.js';
import { BUILT_IN_POLICIES } from '../../policy/document/built-in-policies.js';
import type { Policy } from '../../policy/document/policy-document.js';
import { releaseRules } from '../../policy/lint/lint.js';
import { lintEventLogs } from '../../policy/lint/lint-event-logs.js';
import { lintLauncherWords } from '../../policy/lint/lint-launcher-words.js';
import { lintRules } from '../../policy/lint/lint-rules.js';
import { lintIssuers } from '../../policy/lint-issuers.js';
import { lintLauncherPins } from '../../policy/lint-launcher-pins.js';
import { lintFirmwarePins, lintHostData } from '../../policy/lint-release.js';
import { lintFacts, mustPin } from '../commands/policy-sources.js';
import { namedTenant, type TenantPolicy } from '../reload/tenant-policies.js';
import { readableSecrets, secretFilesOf } from '../secret-files.js';
import { checkEgressPassword } from './check-files.js';

/**
 * Warns of settings that are allowed and deserve a second look, of files with secrets that others may read, and of a password of
 * the proxy that cannot be read: each connection needs it, and the start needs none.
 */
export async function warnOfConfiguration(
  configuration: Configuration,
  log: Log,
  environment: Environment = process.env,
): Promise<void> {
  const open = await readableSecrets(secretFilesOf(configuration));
  for (const warning of [...configurationWarnings(configuration, environment), ...open]) {
    log.warn({}, placedText(warning));
  }
  for (const { code, pointer, message } of await checkEgressPassword(configuration))
    log.warn({ pointer, code }, message);
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
export function warnOfPolicies(policies: readonly TenantPolicy[], configuration: Configuration, log: Log): void {
  const facts = lintFacts(configuration);
  for (const { tenant, policy } of policies) {
    const remarks = [
      ...lintEventLogs(policy),
      ...lintRules(policy),
      ...lintLauncherWords(policy),
      // Of a policy that is built in, the operator writes nothing.
      ...(BUILT_IN_POLICIES.includes(policy) ? [] : lintIssuers(policy, facts.manyIssuers)),
      ...lintLauncherPins(policy),
      ...lintHostData(policy),
      ...(mustPin(configuration, tenant, policy.id) ? lintFirmwarePins(policy, facts) : []),
      ...releaseRules(policy, facts),
    ];
    for (const { code, pointer, message } of remarks) {
      log.warn({ ...namedTenant(tenant), policy: policy.id, pointer, code }, message);
    }
  }
}

/** Warns of gates that nobody can pass, or that old evidence can pass. */
export function warnOfGates(policies: readonly TenantPolicy[], configuration: Configuration, log: Log): void {
  for (const warning of gateWarnings(configuration, policies)) log.warn({}, placedText(warning));
}

/**
 * Lists gates that nobody can pass, gates that do not require a challenge, and gates that require one where their policy does not.
 *
 * @param policies those of files; built-in ones may be absent
 */
export function gateWarnings({ gates }: Configuration, policies: readonly TenantPolicy[]): readonly PlacedProblem[] {
  return Object.entries(gates).flatMap(([name, gate]) => {
    const own = policies.find(({ tenant, policy: { id } }) => tenant === gate.tenant && id === gate.policy);
    const policy = own?.policy ?? BUILT_IN_POLICIES.find(({ id }) => id === gate.policy);
    return gateRemarks(gate, policy).map(([member, what]) => ({ path: ['gates', name, member], what }));
  });
}

/** Warnings about a gate, each with the member that it is about. */
function gateRemarks(
  { url, ownNonces, policy: id }: Configuration['gates'][string],
  policy: Policy | undefined,
): readonly (readonly [member: string, what: string])[] {
  const closed = `is missing: the policy ${id} has binding: required, and a proof of the key cannot name a gate without a url, so the gate refuses every request`;
  const old = 'the gate accepts a receipt whose nonce the caller chose, so recorded evidence of any age opens it';
  const narrower = `the policy ${id} has nonce: any, and this gate refuses a receipt whose nonce the caller chose: set nonce: challenge in the policy`;
  return [
    ...(url === null && policy?.binding === 'required' ? [['url', closed] as const] : []),
    ...(ownNonces ? [['ownNonces', old] as const] : []),
    ...(!ownNonces && policy?.nonce === 'any' ? [['policy', narrower] as const] : []),
  ];
}

/** The warning if anybody is served; null if callers are distinguished, or only this machine is served. */
export function openAccessWarning({ callers, listen }: Configuration): PlacedProblem | null {
  if (Object.keys(callers).length > 0 || !listen.insecure) return null;
  const what = 'no callers are configured, and listen.insecure is set: anyone who can connect may verify';
  return { path: ['listen', 'insecure'], what };
}
