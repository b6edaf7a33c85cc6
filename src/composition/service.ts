import { randomBytes } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { requireAvailable } from '../config/availability.js';
import type { Configuration } from '../config/configuration.js';
import { configurationDigest } from '../config/configuration-digest.js';
import { challengeKeyPath, isPolicyDirectoryRequired } from '../config/directories.js';
import { jwkThumbprint } from '../crypto/jwk-thumbprint.js';
import { Outages } from '../endorsements/outages.js';
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
import { ReloadedAccess } from './reloaded-access.js';
import { ServiceReload } from './service-reload.js';
import { SYSTEM_CLOCK } from './system.js';
import { TOKENS } from './tokens.js';
import { productVersion } from './version.js';

/** What a service takes from the world, beside its configuration. */
export interface World extends Partial<Pick<EndorsementWorld, 'amdRootPins' | 'intelRootPins' | 'connect'>> {
  readonly log: Log;
  readonly clock?: Clock;
  /** Reads the configuration again; left out, it stays as it is, and only the files that it names are read again. */
  readonly readConfiguration?: () => Promise<Configuration>;
  /** Changes registrations of the container, for tests. */
  readonly override?: Override;
}

/** A service that answers. */
export interface RunningService {
  readonly url: string;
  /** Reads policies, endorsement folders, files of keys and roots, callers and TLS material again. Never rejects. */
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
  await sayWhatStarts(configuration, policies, world.log);
  const access = await ReloadedAccess.open(configuration, clock);
  const endings = opened.add(
    new Endings({
      callers: () => access.configuration.callers,
      tls: () => access.tls,
      policies: () => policies.snapshot().list(),
      clock,
      log: world.log,
    }),
  );
  endings.warnOfAccess();
  endings.warnOfWaivers();
  metrics.watchEndings(() => endings.figures);
  metrics.watchPolicies(() => policies.isCurrent);
  warnOfConfiguration(configuration, world.log);
  warnOfPolicies(policies.snapshot().list(), world.log);
  const key = await readChallengeKey(configuration, world.log);
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
    callers: access.callers,
    metrics,
    clock,
    log: world.log,
    settings: {
      bodyBytes: configuration.limits.bodyBytes,
      eventLogBytes: configuration.limits.eventLogBytes,
      deadlineSeconds: configuration.deadlineSeconds,
      trustedProxies: configuration.listen.trustedProxies,
      tls: access.tls,
    },
  };
  policies.watch();
  clockWatch.watch();
  endings.watch();
  const server: RunningServer = opened.add(await startServer(dependencies, configuration.listen));
  const readConfiguration = world.readConfiguration ?? (async () => configuration);
  const reload = new ServiceReload({
    policies,
    roots,
    endorsements,
    access,
    server,
    readConfiguration,
    log: world.log,
    onKept: (part) => metrics.reloadFailed(part),
  });
  return {
    url: server.url,
    reload: async () => {
      await reload.run();
      endings.warnOfAccess();
    },
    close: () => opened.close(),
  };
}

/** Without the key of an earlier start its challenges are not recognised, and pass for nonces of the caller's own. */
function readChallengeKey(configuration: Configuration, log: Log): Promise<Uint8Array> {
  const file = challengeKeyPath(configuration);
  return readOrCreateChallengeKey(file, () =>
    log.warn({ file }, 'challenge key made anew: used challenges of earlier starts pass for nonces of the caller'),
  );
}

/** Challenges live as long as the process: what that means for those who hold one, the log says at both ends. */
function openChallengeStore(clock: Clock, log: Log, opened: OpenParts): MemoryChallengeStore {
  const store = new MemoryChallengeStore(clock);
  log.info({ store: 'memory' }, 'challenges are kept in memory: those issued before this start count as used');
  opened.add({
    close: async () => {
      const { outstanding } = store;
      if (outstanding > 0) log.warn({ outstanding }, 'challenges in memory are lost with this process');
      await store.close();
    },
  });
  return store;
}

/** The first line of the log: what decides from now on. */
async function sayWhatStarts(configuration: Configuration, policies: PolicyDirectory<Policy>, log: Log): Promise<void> {
  const inForce = policies.snapshot().list();
  const fields = {
    version: await productVersion(),
    configuration: configurationDigest(configuration),
    policies: inForce.map(nameOf),
  };
  log.info(fields, 'starting');
}

/** What tells one policy from every other, as decisions name it too. */
const nameOf = ({ id, version, sha256 }: Policy) => ({ id, version, sha256 });

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
    onReloaded: (inForce) => {
      log.info({ policies: inForce.map(nameOf) }, 'policies reloaded');
      on.reloaded?.();
    },
    onReloadFailed: (problems) => {
      on.failed?.();
      log.error({ problems }, 'policies not reloaded: the previous ones stay in force');
    },
  });
}
