import { type Configuration, challengeKeyPath } from '../config/configuration.js';
import type { Log } from '../core/ports.js';
import type { ResetTracking } from '../judge/reset-tracking.js';
import type { DecisionLog } from '../log/decision-log.js';
import { readOrCreateChallengeKey } from '../stores/challenge-key.js';
import type { Metrics } from '../telemetry/metrics.js';
import type { OpenStores } from './decision-store.js';
import { type DecisionLogOptions, openDecisionLog } from './open-decision-log.js';
import type { OpenParts } from './open-parts.js';
import type { OpenRules } from './open-rules.js';
import { openResets, type ResetsOptions, trackingsOf } from './tenant-resets.js';

/** Creates a missing key. Challenges of an earlier key are not recognised, and count as the caller's own nonces. */
export function readChallengeKey(configuration: Configuration, log: Log): Promise<Uint8Array> {
  const file = challengeKeyPath(configuration);
  const message =
    "there was no challenge key, so one was created: a challenge issued with another key counts as the caller's own nonce";
  return readOrCreateChallengeKey(file, () => log.warn({ file }, message));
}

/** The memory of reset counts of each tenant, read from its files. */
export async function openTrackings(
  configuration: Configuration,
  { metrics, ...options }: ResetsOptions & { readonly metrics: Metrics },
  opened: OpenParts,
): Promise<ReadonlyMap<string, ResetTracking>> {
  const memories = openResets(configuration, options, opened);
  await Promise.all([...memories.values()].map(({ files }) => files.start()));
  const resets = trackingsOf(memories);
  metrics.watchResetMemory(() => [...resets.values()].reduce((sum, { failures }) => sum + failures, 0));
  return resets;
}

/** The decision log, which records reloads. Null: decisions are not stored. */
export async function openRecords(
  { decisions }: OpenStores,
  configuration: Configuration,
  { policies, onReloaded, onRefused }: OpenRules,
  { metrics, ...options }: Omit<DecisionLogOptions, 'policies' | 'onDropped'> & { readonly metrics: Metrics },
  opened: OpenParts,
): Promise<DecisionLog | null> {
  if (decisions === null) return null;
  const inForce = () => policies.names();
  const onDropped = () => metrics.recordDropped();
  const records = { ...options, policies: inForce(), onDropped };
  const decisionLog = await openDecisionLog(decisions, configuration, records, opened);
  metrics.watchState('decisionStore', () => decisionLog.isAvailable);
  onReloaded.push(() => void decisionLog.noteChange('policies', { policies: inForce() }));
  onRefused.push((problems) => void decisionLog.noteChange('policies_refused', { problems }));
  return decisionLog;
}
