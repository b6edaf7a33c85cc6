import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { DEFAULT_AMD_TUNING } from '../../../src/endorsements/amd/amd-parts.js';
import { DEFAULT_INTEL_TUNING } from '../../../src/endorsements/intel/open-intel-endorsements.js';
import { DEFAULT_TOKEN_KEYS_PAUSES } from '../../../src/endorsements/token-keys/open-token-keys.js';
import { DEFAULT_RESILIENCE } from '../../../src/outside/resilient-fetch.js';

const NUMBERS = new Map([
  ['a', 1],
  ['an', 1],
  ['two', 2],
  ['five', 5],
  ['ten', 10],
  ['thirty', 30],
  ['half a', 0.5],
]);
const UNITS = new Map([
  ['second', 1_000],
  ['minute', 60_000],
  ['hour', 3_600_000],
  ['day', 86_400_000],
]);

/** Milliseconds of `two seconds`, `an hour` or `60 seconds`; of `day`, one. */
function msOf(words: string): number {
  const [, number = 'a', unit = ''] = /^(?:(.+) )?([a-z]+?)s?$/.exec(words) ?? [];
  return (NUMBERS.get(number) ?? Number(number)) * (UNITS.get(unit) ?? Number.NaN);
}

/** Text of a document, in one line. */
const textOf = (name: string) =>
  readFileSync(new URL(`../../../docs/${name}`, import.meta.url), 'utf8').replaceAll(/\s+/g, ' ');

const AMD = DEFAULT_AMD_TUNING;
const INTEL = DEFAULT_INTEL_TUNING;
const KEYS = DEFAULT_TOKEN_KEYS_PAUSES;

it.each<readonly [string, number, RegExp]>([
  ['AMD folderPollMs', AMD.folderPollMs, /The directory is looked at every (.+?) and at a reload/],
  ['AMD crlRefreshPauseMs', AMD.crlRefreshPauseMs, /from half of its life on once (.+?), also without requests/],
  ['AMD crlAskTimeoutMs', AMD.crlAskTimeoutMs, /a request waits at most (.+?) for KDS, and for a minute after/],
  ['openMs', DEFAULT_RESILIENCE.openMs, /After five failures in a row nothing is asked for (.+?);/],
  ['fairMs', DEFAULT_RESILIENCE.fairMs, /ended with its request after less than (.+?) counts neither way/],
  ['Intel folderPollMs', INTEL.folderPollMs, /recognised by content, looked at every (.+?) and at a reload/],
  ['Intel refreshMs', INTEL.pauses.refreshMs, /is renewed in the background every (.+?) \(18 to 24 hours, at random\)/],
  ['Intel retryMs', INTEL.pauses.retryMs, /after a failure it is tried again (.+?) later/],
  ['Intel askMs', INTEL.pauses.askMs, /for the same platform, at most (.+?) for each configured service/],
  ['Intel cooldownMs', INTEL.pauses.cooldownMs, /for each configured service, and none for (.+?) after a failure;/],
])('docs/endorsements.md says what %s is: %i', (_name, ms, sentence) => {
  expect(msOf(sentence.exec(textOf('endorsements.md'))?.[1] ?? 'not said')).toBe(ms);
});

it.each<readonly [string, number, RegExp]>([
  ['refreshMs', KEYS.refreshMs, /fetched again before use once it is (.+?) old/],
  ['waitMs', KEYS.waitMs, /A request waits for that fetch for at most (.+?);/],
  ['staleMs', KEYS.staleMs, /for the keys that it has and for up to (.+?) \(`jwks_stale` after that\)/],
  ['cooldownMs', KEYS.cooldownMs, /Fetches, also those for an unknown key, begin (.+?) apart at least/],
])('docs/azure-attestation.md says what %s of key sets is: %i', (_name, ms, sentence) => {
  expect(msOf(sentence.exec(textOf('azure-attestation.md'))?.[1] ?? 'not said')).toBe(ms);
});

it('docs/endorsements.md says how many VCEKs are kept, and after how many failures nothing is asked for', () => {
  const text = textOf('endorsements.md');
  expect(/at most ([\d ]+) VCEKs\./.exec(text)?.[1]?.replace(' ', '')).toBe(String(AMD.cachedFiles));
  const failures = /After (\w+) failures in a row/.exec(text)?.[1] ?? '';
  expect(NUMBERS.get(failures)).toBe(DEFAULT_RESILIENCE.failuresToOpen);
});

it('an attempt to ask Intel ends just before the wait for it does, so that a service that hangs is seen as that', () => {
  const earlierMs = INTEL.pauses.askMs - INTEL.attemptTimeoutMs;
  expect(earlierMs).toBeGreaterThan(0);
  expect(earlierMs).toBeLessThanOrEqual(200);
});
