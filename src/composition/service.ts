import { randomBytes } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { requireAvailable } from '../config/availability.js';
import type { Configuration } from '../config/configuration.js';
import { challengeKeyPath, isPolicyDirectoryRequired } from '../config/directories.js';
import { jwkThumbprint } from '../crypto/jwk-thumbprint.js';
import { Outages } from '../endorsements/outages.js';
import { ApiKeyCallers, type CallerDirectory, LocalCaller } from '../http/callers.js';
import type { HttpDependencies } from '../http/dependencies.js';
import { Metrics } from '../http/metrics.js';
import { type RunningServer, startServer } from '../http/server.js';
import type { EndorsementSource } from '../model/endorsement.js';
import type { Clock, Log } from '../model/ports.js';
import type { EvidenceVerifier } from '../model/verification.js';
import { BUILT_IN_POLICIES } from '../policy/built-in-policies.js';
import { type Policy, parsePolicy } from '../policy/policy-document.js';
import { ChallengeCodec } from '../service/challenge-codec.js';
import { ClockWatch } from '../service/clock-watch.js';
import { IssueChallenge } from '../service/issue-challenge.js';
import { NonceRecogniser } from '../service/nonce-recogniser.js';
import type { InspectEvidenceUseCase } from '../service/use-cases.js';
import { VerifyEvidence } from '../service/verify-evidence.js';
import { readOrCreateChallengeKey } from '../stores/challenge-key.js';
import { MemoryChallengeStore } from '../stores/memory-challenge-store.js';
import { PolicyDirectory } from '../stores/policy-directory.js';
import { createAttestationRoutes, openAttestationServices } from './attestation-routes.js';
import { ReloadedRoots } from './configured-roots.js';
import { createAppContainer, type Override, useIntelRootPins, useRootPins } from './container.js';
import { Endings } from './endings.js';
import { type EndorsementWorld, openEndorsements } from './endorsements.js';
import { warnOfConfiguration, warnOfPolicies } from './load-warnings.js';
import { type OpenParts, openAllOrNone } from './open-parts.js';
import { SYSTEM_CLOCK } from './system.js';
import { readTlsMaterial } from './tls-material.js';
import { TOKENS } from './tokens.js';

/** What a service takes from the world, beside its configuration. */
export interface World extends Partial<Pick<EndorsementWorld, 'amdRootPins' | 'intelRootPins' | 'connect'>> {
  readonly log: Log;
  readonly clock?: Clock;
  /** Changes registrations of the container, for tests. */
  readonly override?: Override;
}

/** A service that answers. */
export interface RunningService {
  readonly url: string;
  /** Reads policies, endorsement directories and files of keys and roots again. */
  reload(): Promise<void>;
  /** Drains and ends everything. */
  close(): Promise<void>;
}

/**
 * Puts the service together and opens its port.
 * Where that fails, nothing of it stays open.
 * @throws {ConfigurationError} where a file that the configuration names is wrong, or this version does not do what it asks for
 */
export async function startService(configuration: Configuration, world: World): Promise<RunningService> {
  requireAvailable(configuration);
  return openAllOrNone(world.log, (opened) => openService(configuration, world, opened));
}

/** @param opened takes everything that has to be closed, as it is opened */
async function openService(configuration: Configuration, world: World, opened: OpenParts): Promise<RunningService> {
  const clock = world.clock ?? SYSTEM_CLOCK;
  const clockWatch = opened.add(new ClockWatch(clock, world.log));
  const metrics = opened.add(new Metrics());
  const policies: PolicyDirectory<Policy> = opened.add(
    await openPolicies(configuration, world.log, {
      reloaded: () => {
        endings.warnOfWaivers();
        warnOfPolicies(policies.snapshot().list(), world.log);
      },
      failed: () => metrics.policyReloadFailed(),
    }),
  );
  const endings = new Endings({
    callers: () => configuration.callers,
    policies: () => policies.snapshot().list(),
    clock,
    log: world.log,
  });
  endings.warnOfApiKeys();
  endings.warnOfWaivers();
  metrics.watchEndings(() => endings.figures);
  warnOfConfiguration(configuration, world.log);
  warnOfPolicies(policies.snapshot().list(), world.log);
  const key = await readOrCreateChallengeKey(challengeKeyPath(configuration));
  const store = openChallengeStore(clock, world.log, opened);
  const outages = new Outages(clock, world.log);
  metrics.watchOrigins(() => outages.states);
  const outside = { ...world, clock, observer: outages };
  const endorsements = opened.add(openEndorsements(configuration, outside));
  await endorsements.ready;
  const services = opened.add(openAttestationServices(configuration, outside));
  const roots = await ReloadedRoots.open(configuration, world.log);
  const container = createAppContainer(
    configuration,
    (app) => {
      app.register(TOKENS.endorsementSource, { useValue: endorsements.source });
      if (world.amdRootPins !== undefined) useRootPins(app, configuration, world.amdRootPins);
      if (world.intelRootPins !== undefined) useIntelRootPins(app, world.intelRootPins);
      world.override?.(app);
    },
    roots,
  );
  const source = container.resolve<EndorsementSource>(TOKENS.endorsementSource);
  const codec = new ChallengeCodec(key, randomBytes);
  const dependencies: HttpDependencies = {
    verifyEvidence: new VerifyEvidence(
      {
        verifiers: container.resolve<ReadonlyMap<string, EvidenceVerifier>>(TOKENS.evidenceVerifiers),
        endorsements: source,
        attestationRoutes: createAttestationRoutes(container, services.services, source),
        keyThumbprint: jwkThumbprint,
        policies: () => policies.snapshot(),
        nonces: new NonceRecogniser(codec, store, world.log),
        clock: clockWatch,
        log: world.log,
        newId,
      },
      verifyOptions(configuration, true),
    ),
    issueChallenge: new IssueChallenge(
      codec,
      store,
      { has: (id) => policies.snapshot().has(id), keys: () => policies.snapshot().keys() },
      clockWatch,
      configuration.challenges.lifetimeSeconds,
    ),
    inspectEvidence: container.resolve<InspectEvidenceUseCase>(TOKENS.inspectEvidence),
    liveness: clockWatch.liveness,
    readiness: clockWatch,
    callers: callersOf(configuration, clock),
    metrics,
    clock,
    log: world.log,
    settings: {
      bodyBytes: configuration.limits.bodyBytes,
      eventLogBytes: configuration.limits.eventLogBytes,
      deadlineSeconds: configuration.deadlineSeconds,
      trustedProxies: configuration.listen.trustedProxies,
      tls: await readTlsMaterial(configuration.listen.tls),
    },
  };
  policies.watch();
  clockWatch.watch();
  const server: RunningServer = opened.add(await startServer(dependencies, configuration.listen));
  return {
    url: server.url,
    reload: async () => {
      await Promise.all([policies.reload(), endorsements.reload(), roots.reload()]);
      endings.warnOfApiKeys();
    },
    close: () => opened.close(),
  };
}

/** Challenges live as long as the process: what that means for those who hold one, the log says at both ends. */
function openChallengeStore(clock: Clock, log: Log, opened: OpenParts): MemoryChallengeStore {
  const store = new MemoryChallengeStore(clock);
  log.info({ store: 'memory' }, 'challenges are kept in memory: those issued before this start are unknown');
  opened.add({
    close: async () => {
      const { outstanding } = store;
      if (outstanding > 0) log.warn({ outstanding }, 'challenges in memory are lost with this process');
      await store.close();
    },
  });
  return store;
}

/** A UUID version 7 of this instant. */
export function newId(at: Date): string {
  return uuidv7({ msecs: at.getTime() });
}

/** How requests are judged; only the service itself uses challenges up. */
export function verifyOptions(configuration: Configuration, consumesChallenges: boolean) {
  return {
    defaultPolicy: configuration.policies.default,
    historical: configuration.historical,
    deadlineMs: configuration.deadlineSeconds * 1000,
    lifetimeMs: configuration.receipts.lifetimeSeconds * 1000,
    consumesChallenges,
  };
}

/** @throws {ConfigurationError} where a policy does not load */
export function openPolicies(
  configuration: Configuration,
  log: Log,
  on: { readonly reloaded?: () => void; readonly failed?: () => void } = {},
): Promise<PolicyDirectory<Policy>> {
  return PolicyDirectory.open<Policy>({
    directory: configuration.policies.directory,
    required: isPolicyDirectoryRequired(configuration),
    builtIns: BUILT_IN_POLICIES,
    parse: (text, name) => parsePolicy(text, { format: name.endsWith('.json') ? 'json' : 'yaml' }),
    defaultId: configuration.policies.default,
    onReloaded: (count) => {
      log.info({ policies: count }, 'policies reloaded');
      on.reloaded?.();
    },
    onReloadFailed: (problems) => {
      on.failed?.();
      log.error({ problems }, 'policies not reloaded: the previous ones stay in force');
    },
  });
}

function callersOf({ callers, historical, listen }: Configuration, clock: Clock): CallerDirectory {
  const entries = Object.entries(callers);
  if (entries.length === 0) return new LocalCaller({ historical, insecure: listen.insecure });
  const withKeys = entries.flatMap(([name, { apiKeySha256, expires, audience, ...caller }]) =>
    apiKeySha256 === null
      ? []
      : [{ ...caller, name, apiKeySha256, expires: expires === null ? null : new Date(expires), audiences: audience }],
  );
  return new ApiKeyCallers(withKeys, clock);
}
