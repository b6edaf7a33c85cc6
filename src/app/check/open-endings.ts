import type { Clock, Log } from '../../core/ports.js';
import type { FetchedMaterial } from '../../endorsements/files/open-source.js';
import type { FetchedFigures, Metrics } from '../../telemetry/metrics.js';
import type { OpenEndorsements } from '../endorsements.js';
import type { OpenRules } from '../open-rules.js';
import type { ReloadedReceiptKeys } from '../reload/receipt-keys.js';
import { Endings } from './endings.js';

export interface EndingsOptions extends OpenRules {
  readonly endorsements: OpenEndorsements;
  readonly receiptKeys: ReloadedReceiptKeys;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Watches everything that expires on a date. */
export function openEndings(options: EndingsOptions): Endings {
  const { policies, access, onReloaded, endorsements, receiptKeys, clock, log, metrics } = options;
  const endings = new Endings({
    callers: () => access.configuration.callers,
    tls: () => access.tls,
    managementTls: () => access.managementTls,
    policies: () => policies.list(),
    akIssuers: endorsements.certificates,
    endorsements: endorsements.endings,
    receiptKeys: () => receiptKeys.endings,
    clock,
    log,
  });
  endings.warn();
  metrics.watchEndings(() => endings.figures);
  onReloaded.push((tenant) => endings.warnOfWaivers(tenant));
  metrics.watchFetched(async () => fetchedFigures(await endorsements.fetched(), clock.now()));
  return endings;
}

/** The age of fetched endorsements at a time, and the time until they expire. */
function fetchedFigures(fetched: readonly FetchedMaterial[], at: Date): readonly FetchedFigures[] {
  const seconds = (milliseconds: number) => Math.round(milliseconds / 1000);
  return fetched.map(({ kind, source, fetchedAt, expires }) => ({
    kind,
    source,
    ageSeconds: seconds(at.getTime() - fetchedAt.getTime()),
    expirySeconds: seconds(expires.getTime() - at.getTime()),
  }));
}
