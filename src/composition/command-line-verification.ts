import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type Configuration, challengeKeyPath, resetMemoryDirectory } from '../config/configuration.js';
import type { Log } from '../model/ports.js';
import type { Policy } from '../policy/policy-document.js';
import { ChallengeCodec } from '../service/challenges.js';
import { NonceRecogniser } from '../service/nonces.js';
import { ResetTracking } from '../service/reset-tracking.js';
import type { PolicyView, VerifyEvidence } from '../service/verify-evidence.js';
import { FileResetMemory } from '../stores/file-reset-memory.js';
import { MemoryChallengeStore } from '../stores/memory-challenge-store.js';
import { openAttestationServices } from './attestation-services.js';
import { readConfiguredRoots } from './configured-roots.js';
import { createAppContainer, createVerifyEvidence, verifyOptions } from './container.js';
import { openEndorsements } from './endorsements.js';
import type { AgainParts } from './judge-again.js';
import { warnOfPolicies } from './load-warnings.js';
import { namedPolicy } from './named-policy.js';
import { type OpenParts, openAllOrNone } from './open-parts.js';
import { openPolicies } from './service.js';
import { SYSTEM_CLOCK } from './system.js';

/** Judging without a server. */
export interface CommandLineVerification {
  readonly verifyEvidence: Pick<VerifyEvidence, 'execute' | 'tryPolicy'>;
  /** What `--policy` came to; null where it was not given. */
  readonly policies: readonly string[] | null;
  /** What it is judged by. */
  readonly current: AgainParts['current'];
  /** The same judging under these policies, whatever the configuration has. */
  under(policies: readonly Policy[]): Pick<VerifyEvidence, 'execute'>;
  close(): Promise<void>;
}

/** Where a policy may have been named: null where none was. */
type NamedVerification<P = Policy | null> = CommandLineVerification & { readonly policy: P };

/**
 * The same code as the service's, with five differences. A past time is always allowed (by `--at`, never by the
 * body), since whoever runs the command owns the machine. Challenges are never used up. The clock is not watched, and
 * endorsements are not renewed in the background, since the process ends with the command. For the same reason nothing is
 * judged by Intel's early collateral. Caches, rollback marks and reset counts are those of a service with the same data
 * directory. If a part cannot be opened, those opened before are closed.
 *
 * @param policy id of a policy, or a policy file; null for what the body says
 * @param option that named it
 * @throws {ConfigurationError} where a policy does not load, or a file that the configuration names is wrong
 */
export function commandLineVerification(
  configuration: Configuration,
  policy: string,
  log: Log,
  option?: string,
): Promise<NamedVerification<Policy>>;
export function commandLineVerification(
  configuration: Configuration,
  policy: string | null,
  log: Log,
): Promise<NamedVerification>;
export function commandLineVerification(
  configuration: Configuration,
  policy: string | null,
  log: Log,
  option = '--policy',
): Promise<NamedVerification> {
  const named = policy === null ? null : { policy, option };
  return openAllOrNone(log, (opened) => openVerification(configuration, named, log, opened));
}

/** @param opened takes everything that has to be closed, as it is opened */
async function openVerification(
  configuration: Configuration,
  named: { readonly policy: string; readonly option: string } | null,
  log: Log,
  opened: OpenParts,
): Promise<NamedVerification> {
  const directory = opened.add(await openPolicies(configuration, log));
  const policy = named === null ? null : await namedPolicy(named.option, named.policy, directory.snapshot());
  // Of those in the directory it is said where they are read.
  if (policy !== null && directory.snapshot().get(policy.id) !== policy) warnOfPolicies([policy], configuration, log);
  const store = opened.add(new MemoryChallengeStore(SYSTEM_CLOCK));
  const resetMemory = opened.add(new FileResetMemory({ folder: resetMemoryDirectory(configuration), log }));
  const world = { clock: SYSTEM_CLOCK, log, inBackground: false };
  const endorsements = opened.add(openEndorsements(configuration, world));
  await endorsements.ready;
  const services = opened.add(openAttestationServices(configuration, { clock: SYSTEM_CLOCK, log }));
  const roots = await readConfiguredRoots(configuration);
  const container = createAppContainer(configuration, undefined, roots);
  const view: PolicyView = {
    get: (id) => (policy?.id === id ? policy : directory.snapshot().get(id)),
    keys: () => directory.snapshot().keys(),
  };
  const parts = {
    endorsements: endorsements.source,
    services: services.services,
    nonces: new NonceRecogniser(await challengeCodec(configuration), store, log),
    resets: new ResetTracking(resetMemory, log),
    // It is fetched in the background, and the process ends with the command.
    early: null,
    // The process ends with the command: there is nothing to compare the clock with.
    clock: { ...SYSTEM_CLOCK, doubt: () => null },
    log,
  };
  const options = { ...verifyOptions(configuration, false), historical: true };
  const judging = (policies: PolicyView) =>
    createVerifyEvidence(container, { ...parts, policies: () => policies }, options);
  return {
    verifyEvidence: judging(view),
    policies: policy === null ? null : [policy.id],
    policy,
    current: { ...parts, policies: () => view, roots },
    under: (policies) => judging(new Map(policies.map((each) => [each.id, each]))),
    close: () => opened.close(),
  };
}

/** A challenge is recognised where the service's key is available; without it, every nonce is the caller's own. */
async function challengeCodec(configuration: Configuration): Promise<ChallengeCodec> {
  const key = await readFile(challengeKeyPath(configuration)).catch(() => randomBytes(32));
  return new ChallengeCodec(key, randomBytes);
}
