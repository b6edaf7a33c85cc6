import type { Configuration } from '../config/configuration.js';
import type { EndingFigures } from '../http/metrics.js';
import type { Clock, Log } from '../model/ports.js';
import type { Policy } from '../policy/policy-document.js';
import { endingWaivers } from '../policy/waiver-expiry.js';

const DAY_MS = 24 * 60 * 60 * 1000;

/** How long before its end an API key is in the log. */
const NOTICE_MS = 30 * DAY_MS;

export interface EndingSources {
  /** As they are in force now. */
  readonly callers: () => Configuration['callers'];
  readonly policies: () => readonly Policy[];
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Log;
}

/**
 * API keys and waivers, which end on a configured date: callers are then refused, or decisions change. Those that have
 * ended or end within 30 days are logged whenever they are read; metrics show when each of them ends.
 */
export class Endings {
  readonly #sources: EndingSources;

  constructor(sources: EndingSources) {
    this.#sources = sources;
  }

  warnOfApiKeys(): void {
    const { clock, log } = this.#sources;
    const now = clock.now().getTime();
    for (const { caller, expires } of this.#apiKeys()) {
      const left = Date.parse(expires) - now;
      if (left > NOTICE_MS) continue;
      const fields = { caller, expires, daysLeft: Math.max(0, Math.floor(left / DAY_MS)) };
      if (left <= 0) log.warn(fields, 'an API key has ended: its caller is refused');
      else log.warn(fields, 'an API key ends soon');
    }
  }

  warnOfWaivers(): void {
    const { policies, clock, log } = this.#sources;
    for (const { hasEnded, ...fields } of endingWaivers(policies(), clock.now())) {
      if (hasEnded) log.warn(fields, 'a waiver has ended: it covers nothing any more');
      else log.warn(fields, 'a waiver ends soon');
    }
  }

  /** Seconds until each ends, less than zero once it has. */
  get figures(): EndingFigures {
    const { policies, clock } = this.#sources;
    const now = clock.now().getTime();
    const secondsUntil = (end: string) => Math.round((Date.parse(end) - now) / 1000);
    return {
      apiKeys: this.#apiKeys().map(({ caller, expires }) => ({ caller, seconds: secondsUntil(expires) })),
      waivers: policies().flatMap(({ id, waivers }) =>
        waivers.map(({ check, expires }, index) => ({
          policy: id,
          waiver: index,
          check,
          seconds: secondsUntil(`${expires}T00:00:00Z`),
        })),
      ),
    };
  }

  #apiKeys(): readonly { readonly caller: string; readonly expires: string }[] {
    return Object.entries(this.#sources.callers()).flatMap(([caller, { apiKeySha256, expires }]) =>
      apiKeySha256 === null || expires === null ? [] : [{ caller, expires }],
    );
  }
}
