import { access } from 'node:fs/promises';
import { type Configuration, namedEndorsementFolders } from '../../config/configuration.js';
import { configurationWarnings } from '../../config/configuration-warnings.js';
import type { Environment } from '../../config/environment.js';
import { folderProblem, isSystemError } from '../../core/file-problem.js';
import { type PlacedProblem, placedText } from '../../core/places.js';
import type { Log } from '../../core/ports.js';
import { BUILT_IN_POLICIES } from '../../policy/document/built-in-policies.js';
import type { Policy } from '../../policy/document/policy-document.js';
import { type LintedProblem, lintPolicy } from '../../policy/lint/lint.js';
import { lintFacts } from '../commands/policy-sources.js';
import { namedTenant, type TenantPolicy } from '../reload/tenant-policies.js';
import { readableSecrets, secretFilesOf } from '../secret-files.js';
import { checkEgressPassword } from './readable-files.js';

interface Warning {
  readonly fields: object;
  readonly message: string;
}

export function logWarnings(warnings: readonly Warning[], log: Log): void {
  for (const { fields, message } of warnings) log.warn(fields, message);
}

/** A warning about a place in the configuration. */
export function placedWarning(problem: PlacedProblem): Warning {
  return { fields: {}, message: placedText(problem) };
}

/**
 * Lists settings that are allowed but unusual, files with secrets that others can read, and an unreadable proxy
 * password. Each connection through the proxy needs the password, but the start does not.
 */
export async function settingWarnings(
  configuration: Configuration,
  environment: Environment = process.env,
): Promise<readonly Warning[]> {
  const open = await readableSecrets(secretFilesOf(configuration));
  const password = await checkEgressPassword(configuration);
  return [
    ...[...configurationWarnings(configuration, environment), ...open].map(placedWarning),
    ...password.map(({ code, pointer, message }) => ({ fields: { pointer, code }, message })),
  ];
}

/** Lists configured folders that are missing. The service starts without them, but most often a name is misspelt. */
export async function missingFolders(configuration: Configuration) {
  const looks = [...namedEndorsementFolders(configuration)].map(async ([key, folder]) => {
    try {
      await access(folder);
      return [];
    } catch (error) {
      const isThere = !(isSystemError(error) && error.code === 'ENOENT');
      const message = `configured folder ${isThere ? 'cannot be reached' : 'does not exist'}, continuing without it`;
      return [{ fields: { key, folder, why: folderProblem(error) }, message }];
    }
  });
  return (await Promise.all(looks)).flat();
}

/** Lists policy members that restrict less than they seem to, and rules `akv` that Key Vault may evaluate otherwise. */
export function policyWarnings(policies: readonly TenantPolicy[], configuration: Configuration): readonly Warning[] {
  const facts = lintFacts(configuration);
  // The operator does not write built-in policies.
  const own = policies.filter(({ policy }) => !BUILT_IN_POLICIES.includes(policy));
  return own.flatMap(({ tenant, policy: { id, text } }) =>
    lintPolicy(text, { ...facts, releasePolicyId: id })
      .filter((problem) => isWarning(problem, configuration, tenant, id))
      .map(({ code, pointer, message }) => {
        return { fields: { ...namedTenant(tenant), policy: id, pointer, code }, message };
      }),
  );
}

/** Whether a start and a check warn of a problem. Missing pins are reported with the key that needs them. */
export function isWarning({ code }: LintedProblem, { keys }: Configuration, tenant: string, policy: string): boolean {
  if (code === 'release_unpinned') return false;
  if (code !== 'release_firmware_only') return true;
  return Object.values(keys).some((key) => key.tenant === tenant && key.policy === policy && !key.anyMachine);
}

/**
 * Lists gates that no request can pass, gates that do not require a challenge, and gates that require one although
 * their policy does not.
 *
 * @param policies those of files; built-in ones may be absent
 * @param tenant limits the warnings to gates of this tenant; if omitted, all gates are checked
 */
export function gateWarnings(
  { gates }: Configuration,
  policies: readonly TenantPolicy[],
  tenant?: string,
): readonly PlacedProblem[] {
  return Object.entries(gates).flatMap(([name, gate]) => {
    if (tenant !== undefined && gate.tenant !== tenant) return [];
    const own = policies.find(({ tenant, policy: { id } }) => tenant === gate.tenant && id === gate.policy);
    const policy = own?.policy ?? BUILT_IN_POLICIES.find(({ id }) => id === gate.policy);
    return gateRemarks(gate, policy).map(([member, what]) => ({ path: ['gates', name, member], what }));
  });
}

/** Warnings about a gate, each with the affected member. */
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

/** The warning if the service accepts anyone; null if callers are configured, or only this machine can connect. */
export function openAccessWarning({ callers, listen }: Configuration): PlacedProblem | null {
  if (Object.keys(callers).length > 0 || !listen.insecure) return null;
  const what = 'no callers are configured, and listen.insecure is set: anyone who can connect may verify';
  return { path: ['listen', 'insecure'], what };
}
