import { describe, expect, it } from 'vitest';
import type { Sourced, TokenKey, Unavailable } from '../../../../src/core/endorsement.js';
import { FormatError } from '../../../../src/core/errors.js';
import type { DownloadedKeys } from '../../../../src/endorsements/token-keys/key-set-download.js';
import { KeySetMemory } from '../../../../src/endorsements/token-keys/key-set-memory.js';
import { FetchError } from '../../../../src/outside/fetch-error.js';
import { ManualClock } from '../manual-clock.js';
import { RecordingLog } from '../recording-log.js';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const PAUSES = { refreshMs: 10 * MINUTE_MS, waitMs: 20, cooldownMs: 30_000, staleMs: DAY_MS };
const NOW = new Date('2026-03-01T00:00:00Z');

const keyOf = (kid: string): TokenKey => ({
  kid,
  alg: null,
  key: { n: Uint8Array.of(1), e: Uint8Array.of(3) },
  spki: Uint8Array.of(1),
  certificates: [],
});

const setOf = (kids: readonly string[], complete = true): DownloadedKeys => ({
  keys: new Map(kids.map((kid) => [kid, [keyOf(kid)]])),
  crls: new Map(),
  complete,
  keySet: new Uint8Array(),
});

type Download = (before: DownloadedKeys | null, signal: AbortSignal) => Promise<DownloadedKeys>;

const fails =
  (error: Error): Download =>
  async () => {
    throw error;
  };
const status = (code: number, retryAfterMs?: number) =>
  fails(
    new FetchError('status', `status ${code}`, {
      status: code,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    }),
  );
const DOWN = fails(new FetchError('network', 'no connection'));
const INVALID = fails(new FormatError('schema', 'not a key set'));
const serves =
  (...kids: readonly string[]): Download =>
  async () =>
    setOf(kids);

/** A download that ends when told. */
function pending() {
  let settle: (set: DownloadedKeys) => void = () => {};
  const seen: AbortSignal[] = [];
  const download: Download = (_before, signal) =>
    new Promise((resolve, reject) => {
      seen.push(signal);
      settle = resolve;
      signal.addEventListener('abort', () => reject(new FetchError('aborted', 'stopped')));
    });
  return { download, seen, settle: (...kids: readonly string[]) => settle(setOf(kids)) };
}

function setUp(first: Download = serves('a'), onFetched?: (keys: DownloadedKeys, fetchedOn: Date) => void) {
  const clock = new ManualClock(NOW);
  const log = new RecordingLog();
  const closing = new AbortController();
  const state = { downloads: 0, download: first };
  const memory = new KeySetMemory({
    issuer: 'https://issuer.example',
    download: (before, signal) => {
      state.downloads += 1;
      return state.download(before, signal);
    },
    pauses: PAUSES,
    clock,
    log,
    closing: closing.signal,
    ...(onFetched === undefined ? {} : { onFetched }),
  });
  const find = (kid: string, signal = new AbortController().signal) =>
    memory.find(kid, { at: NOW, historical: false, signal });
  return { memory, clock, log, closing, state, find };
}

/** Kids of the set with its origin, or the problem. */
function told(found: Sourced<DownloadedKeys> | Unavailable) {
  return 'code' in found ? found : [found.origin, ...found.value.keys.keys()];
}

/** Lets what goes on in the background come to its end. */
const background = () => new Promise((resolve) => setImmediate(resolve));

describe('KeySetMemory: a set that is held', () => {
  it('is fetched once, and then used from memory', async () => {
    const { find, state } = setUp();
    expect(told(await find('a'))).toEqual(['network', 'a']);
    expect(told(await find('a'))).toEqual(['cache', 'a']);
    expect(state.downloads).toBe(1);
  });

  it('TOK-24 is fetched again before it is used at ten minutes, and not before', async () => {
    const { find, state, clock } = setUp();
    await find('a');
    state.download = serves('a', 'b');
    clock.advance(10 * MINUTE_MS - 1);
    expect(told(await find('a'))).toEqual(['cache', 'a']);
    expect(state.downloads).toBe(1);
    clock.advance(1);
    expect(told(await find('a'))).toEqual(['network', 'a', 'b']);
    expect(told(await find('a'))).toEqual(['cache', 'a', 'b']);
    expect(state.downloads).toBe(2);
  });

  it('says when it was fetched once it is due and cannot be renewed, and no more once it is', async () => {
    const { find, state, clock } = setUp();
    const since = async () => {
      const found = await find('a');
      return 'code' in found ? found : found.unrenewedSince;
    };
    expect(await since()).toBeUndefined();
    state.download = DOWN;
    clock.advance(10 * MINUTE_MS - 1);
    expect(await since()).toBeUndefined();
    clock.advance(20 * 60 * MINUTE_MS);
    expect([await since(), await since()]).toEqual([NOW, NOW]);
    state.download = serves('a');
    clock.advance(MINUTE_MS);
    expect([await since(), await since()]).toEqual([undefined, undefined]);
  });

  it('says when it was fetched where the issuer does not answer in time', async () => {
    const { find, state, clock } = setUp();
    await find('a');
    state.download = pending().download;
    clock.advance(10 * MINUTE_MS);
    expect(await find('a')).toMatchObject({ origin: 'cache', fetchedAt: NOW, unrenewedSince: NOW });
  });

  it('does not say so before it is due, although a fetch for another key failed', async () => {
    const { find, state, clock } = setUp();
    await find('a');
    state.download = DOWN;
    clock.advance(PAUSES.cooldownMs);
    expect(await find('b')).toMatchObject({ code: 'jwks_unavailable' });
    expect(await find('a')).not.toHaveProperty('unrenewedSince');
  });

  it('does not say so where it is due and nobody has tried to renew it', async () => {
    const { find, memory, clock } = setUp();
    await find('a');
    clock.advance(10 * MINUTE_MS);
    expect(memory.known('a')).not.toBeNull();
    expect(memory.known('a')).not.toHaveProperty('unrenewedSince');
  });

  it('TOK-24 does not serve a key that was withdrawn while nobody asked for 23 hours', async () => {
    const { find, state, clock } = setUp(serves('old'));
    await find('old');
    state.download = serves('new');
    clock.advance(23 * 60 * MINUTE_MS);
    expect(told(await find('old'))).toEqual(['network', 'new']);
  });

  it('TOK-24 makes all who ask at once wait for one fetch', async () => {
    const { download, settle } = pending();
    const { find, state, clock } = setUp(serves('old'));
    await find('old');
    state.download = download;
    clock.advance(23 * 60 * MINUTE_MS);
    const calls = [find('old'), find('old'), find('new')];
    settle('new');
    expect((await Promise.all(calls)).map(told)).toEqual(Array(3).fill(['network', 'new']));
    expect(state.downloads).toBe(2);
  });

  it('TOK-24 is used as it is where the fetch fails, and in the cooldown without another', async () => {
    const { find, state, clock } = setUp();
    await find('a');
    state.download = DOWN;
    clock.advance(23 * 60 * MINUTE_MS);
    expect(told(await find('a'))).toEqual(['cache', 'a']);
    clock.advance(29_999);
    expect(told(await find('a'))).toEqual(['cache', 'a']);
    expect(state.downloads).toBe(2);
    clock.advance(1);
    state.download = serves('b');
    expect(told(await find('a'))).toEqual(['network', 'b']);
  });

  it('TOK-24 is used as it is where the fetch hangs, which is waited for no longer than a while in all', async () => {
    const { download, settle } = pending();
    const { find, state, clock } = setUp();
    await find('a');
    state.download = download;
    clock.advance(10 * MINUTE_MS);
    expect(told(await find('a'))).toEqual(['cache', 'a']);
    clock.advance(PAUSES.waitMs);
    expect(told(await find('a'))).toEqual(['cache', 'a']);
    settle('b');
    await background();
    expect(told(await find('a'))).toEqual(['cache', 'b']);
    expect(state.downloads).toBe(2);
  });

  it('TOK-24 waits no longer than the request lasts', async () => {
    const { download } = pending();
    const { find, state, clock } = setUp();
    await find('a');
    state.download = download;
    clock.advance(10 * MINUTE_MS);
    expect(told(await find('a', AbortSignal.abort()))).toEqual(['cache', 'a']);
  });

  it('TOK-24 serves only the keys that it has while the issuer is down', async () => {
    const { find, state, clock } = setUp();
    await find('a');
    state.download = DOWN;
    clock.advance(10 * MINUTE_MS);
    expect(told(await find('b'))).toMatchObject({ code: 'jwks_unavailable' });
    expect(told(await find('a'))).toEqual(['cache', 'a']);
  });

  it('is fetched again soon where a CRL was missing', async () => {
    const { find, state, clock } = setUp(async () => setOf(['a'], false));
    await find('a');
    clock.advance(29_999);
    await find('a');
    expect(state.downloads).toBe(1);
    clock.advance(1);
    await find('a');
    expect(state.downloads).toBe(2);
  });

  it('is given to the next download, for what it still needs of it', async () => {
    const { find, state, clock } = setUp();
    await find('a');
    clock.advance(10 * MINUTE_MS);
    let before: DownloadedKeys | null = null;
    state.download = async (held) => {
      before = held;
      return setOf(['a']);
    };
    await find('a');
    await background();
    expect(before).toMatchObject({ keys: new Map([['a', [keyOf('a')]]]) });
  });

  it('serves the keys that it has for a day while the issuer is down, and asks once a cooldown', async () => {
    const { find, state, clock } = setUp();
    await find('a');
    state.download = DOWN;
    clock.advance(10 * MINUTE_MS);
    for (let second = 0; second < 300; second += 1) {
      expect(told(await find('a'))).toEqual(['cache', 'a']);
      await background();
      clock.advance(1_000);
    }
    expect(state.downloads).toBe(1 + 10);
    clock.advance(DAY_MS - 15 * MINUTE_MS - 1);
    expect(told(await find('a'))).toEqual(['cache', 'a']);
  });

  it('is jwks_stale after a day, until the issuer is back', async () => {
    const { find, state, clock } = setUp();
    await find('a');
    state.download = DOWN;
    clock.advance(DAY_MS);
    const stale = { code: 'jwks_stale', retryable: true };
    expect(told(await find('a'))).toMatchObject(stale);
    expect(told(await find('b'))).toMatchObject(stale);
    state.download = serves('a');
    expect(told(await find('a'))).toMatchObject(stale);
    clock.advance(30_000);
    expect(told(await find('a'))).toEqual(['network', 'a']);
  });

  it('is jwks_stale too where what the issuer publishes after a day is invalid', async () => {
    const { find, state, clock } = setUp();
    await find('a');
    state.download = INVALID;
    clock.advance(DAY_MS);
    expect(told(await find('a'))).toMatchObject({ code: 'jwks_stale', detail: expect.stringMatching(/not a key set/) });
  });

  it('TOK-12 stays where the new one is invalid, and the log says so', async () => {
    const { find, state, clock, log } = setUp();
    await find('a');
    state.download = INVALID;
    clock.advance(10 * MINUTE_MS);
    await find('a');
    await background();
    expect(told(await find('a'))).toEqual(['cache', 'a']);
    expect(log.of(/not fetched/)).toMatchObject([{ code: 'jwks_invalid', held: true }]);
  });

  it('is a warning once for each problem until a set comes, however often it is asked for', async () => {
    const { find, state, clock, log } = setUp();
    await find('a');
    const levels = () => log.entries.filter(({ message }) => /not fetched/.test(message)).map(({ level }) => level);
    const attempt = async (download: typeof state.download) => {
      state.download = download;
      clock.advance(10 * MINUTE_MS);
      await find('a');
      await background();
    };
    for (let turn = 0; turn < 3; turn++) await attempt(INVALID);
    expect(levels()).toEqual(['warn', 'debug', 'debug']);
    await attempt(serves('a'));
    await attempt(INVALID);
    expect(levels()).toEqual(['warn', 'debug', 'debug', 'warn']);
  });

  it('says in the log what is no fault of network or content, and stays', async () => {
    const { find, state, clock, log } = setUp();
    await find('a');
    state.download = fails(new TypeError('a mistake'));
    clock.advance(10 * MINUTE_MS);
    await find('a');
    await background();
    expect(log.entries.filter(({ level }) => level === 'error')).toHaveLength(1);
    expect(told(await find('a'))).toEqual(['cache', 'a']);
  });
});

describe('KeySetMemory: a key that the set has not', () => {
  it('is looked for in a new set', async () => {
    const { find, state, clock } = setUp();
    await find('a');
    clock.advance(30_000);
    state.download = serves('a', 'b');
    expect(told(await find('b'))).toEqual(['network', 'a', 'b']);
  });

  it('is answered with the set that was fetched just before', async () => {
    const { find, state, clock } = setUp();
    await find('a');
    clock.advance(29_999);
    state.download = serves('a', 'b');
    expect(told(await find('b'))).toEqual(['cache', 'a']);
    expect(state.downloads).toBe(1);
    clock.advance(1);
    expect(told(await find('b'))).toEqual(['network', 'a', 'b']);
  });

  it('TOK-13 is answered with the set where it was removed, once that is in force', async () => {
    const { find, state, clock } = setUp(serves('old'));
    await find('old');
    state.download = serves('new');
    clock.advance(30_000);
    expect(told(await find('new'))).toEqual(['network', 'new']);
    expect(told(await find('old'))).toEqual(['cache', 'new']);
    clock.advance(30_000);
    expect(told(await find('old'))).toEqual(['network', 'new']);
  });

  it('TOK-13 is found again as soon as a later set has it', async () => {
    const { find, state, clock } = setUp();
    expect(told(await find('b'))).toEqual(['network', 'a']);
    state.download = serves('b');
    clock.advance(30_000);
    expect(told(await find('b'))).toEqual(['network', 'b']);
    expect(told(await find('b'))).toEqual(['cache', 'b']);
  });

  it('cannot be told while the issuer is down, although a set is held', async () => {
    const { find, state, clock } = setUp();
    await find('a');
    state.download = DOWN;
    clock.advance(30_000);
    expect(told(await find('b'))).toMatchObject({ code: 'jwks_unavailable', retryable: true });
    expect(told(await find('b'))).toMatchObject({ code: 'jwks_unavailable' });
    expect(state.downloads).toBe(2);
  });

  it.each([
    ['up', serves('a')],
    ['down', DOWN],
    ['invalid', INVALID],
  ])('TOK-11 makes one fetch a cooldown of 10 000 unknown kids while the issuer is %s', async (_what, download) => {
    const { find, state, clock } = setUp();
    await find('a');
    state.download = download;
    state.downloads = 0;
    for (let cooldown = 1; cooldown <= 3; cooldown += 1) {
      clock.advance(30_000);
      await Promise.all(Array.from({ length: 5_000 }, (_, index) => find(`together-${index}`)));
      for (let index = 0; index < 5_000; index += 1) await find(`after-${index}`);
      expect(state.downloads).toBe(cooldown);
    }
  });

  it('TOK-11 makes one fetch a cooldown where nothing is held', async () => {
    const { find, state, clock } = setUp(DOWN);
    for (let index = 0; index < 10_000; index += 1) {
      expect(await find(`kid-${index}`)).toMatchObject({ code: 'jwks_unavailable' });
    }
    expect(state.downloads).toBe(1);
    clock.advance(30_000);
    await find('a');
    expect(state.downloads).toBe(2);
  });

  it('TOK-10 is not found by names that every object has', async () => {
    const { memory, find } = setUp();
    await find('a');
    for (const kid of ['__proto__', 'constructor', 'toString']) expect(memory.known(kid)).toBeNull();
  });
});

describe('KeySetMemory: nothing held', () => {
  it.each([
    ['no connection', DOWN, 'jwks_unavailable'],
    ['a timeout', fails(new FetchError('timeout', 'late')), 'jwks_unavailable'],
    ['a redirect', fails(new FetchError('redirect', 'elsewhere', { status: 302 })), 'jwks_unavailable'],
    ['404', status(404), 'jwks_unavailable'],
    ['429', status(429), 'jwks_unavailable'],
    ['503', status(503), 'jwks_unavailable'],
    ['another kind of content', fails(new FetchError('content_type', 'a page')), 'jwks_invalid'],
    ['too much', fails(new FetchError('too_large', 'too much')), 'jwks_invalid'],
    ['no key set', INVALID, 'jwks_invalid'],
  ])('%s: %s', async (_what, download, code) => {
    const { find, state, clock } = setUp(download);
    expect(await find('a')).toMatchObject({ code, retryable: true });
    expect(await find('a')).not.toHaveProperty('retryAfterSeconds');
    clock.advance(30_000);
    state.download = serves('a');
    expect(told(await find('a'))).toEqual(['network', 'a']);
  });

  it('lets through what is no fault of network or content', async () => {
    const { find } = setUp(fails(new TypeError('a mistake')));
    await expect(find('a')).rejects.toThrow('a mistake');
  });

  it.each([429, 503])('leaves an issuer alone for as long as its %i wants, and says for how long', async (code) => {
    const { find, state, clock } = setUp(status(code, 90_000));
    expect(await find('a')).toMatchObject({ code: 'jwks_unavailable', retryAfterSeconds: 90 });
    clock.advance(60_500);
    expect(await find('a')).toMatchObject({ retryAfterSeconds: 30 });
    expect(state.downloads).toBe(1);
    clock.advance(29_500);
    state.download = serves('a');
    expect(told(await find('a'))).toEqual(['network', 'a']);
  });

  it.each([
    ['a month', 30 * DAY_MS, 3_600],
    ['no time', 0, 30],
  ])('bounds a Retry-After of %s', async (_what, retryAfterMs, seconds) => {
    const { find, clock, state } = setUp(status(429, retryAfterMs));
    expect(await find('a')).toMatchObject({ retryAfterSeconds: seconds });
    clock.advance(seconds * 1_000 - 1);
    await find('a');
    expect(state.downloads).toBe(1);
    clock.advance(1);
    await find('a');
    expect(state.downloads).toBe(2);
  });
});

describe('KeySetMemory: waiting', () => {
  it('makes one fetch of callers at a time, for whatever key', async () => {
    const { download, settle } = pending();
    const { find, state } = setUp(download);
    const calls = ['a', 'b', 'a', 'c'].map((kid) => find(kid));
    settle('a', 'b');
    expect((await Promise.all(calls)).map(told)).toEqual(Array(4).fill(['network', 'a', 'b']));
    expect(state.downloads).toBe(1);
  });

  it('lets a caller leave at its own end while others wait on', async () => {
    const { download, settle, seen } = pending();
    const { find } = setUp(download);
    const deadline = new AbortController();
    const [leaves, stays] = [find('a', deadline.signal), find('a')];
    deadline.abort();
    expect(await leaves).toMatchObject({ code: 'jwks_unavailable', retryable: true });
    expect(seen[0]?.aborted).toBe(false);
    settle('a');
    expect(told(await stays)).toEqual(['network', 'a']);
  });

  it('goes on with a fetch whose callers have left, so that they cannot keep a new set away', async () => {
    const { download, settle, seen } = pending();
    const { find, state } = setUp(download);
    const deadline = new AbortController();
    const leaves = find('a', deadline.signal);
    deadline.abort();
    expect(await leaves).toMatchObject({ code: 'jwks_unavailable', retryable: true });
    expect(seen[0]?.aborted).toBe(false);
    settle('a');
    await background();
    expect(told(await find('a'))).toEqual(['cache', 'a']);
    expect(state.downloads).toBe(1);
  });

  it('does not wait for a fetch with a request whose time is over', async () => {
    const { find, state } = setUp();
    expect(await find('a', AbortSignal.abort())).toMatchObject({ code: 'jwks_unavailable' });
    await background();
    expect(told(await find('a'))).toEqual(['cache', 'a']);
    expect(state.downloads).toBe(1);
  });

  it('does not take an answer that has not come for one without the key', async () => {
    const { download } = pending();
    const { find, state, clock } = setUp();
    await find('a');
    clock.advance(30_000);
    state.download = download;
    expect(await find('b', AbortSignal.abort())).toMatchObject({ code: 'jwks_unavailable' });
    expect(await find('b', AbortSignal.abort())).toMatchObject({ code: 'jwks_unavailable' });
    expect(told(await find('a'))).toEqual(['cache', 'a']);
    expect(state.downloads).toBe(2);
  });

  it('reads the signal of a request only where it waits', async () => {
    const { find, memory } = setUp();
    await find('a');
    const context = {
      at: NOW,
      historical: false,
      get signal(): AbortSignal {
        throw new Error('read');
      },
    };
    expect(told(await memory.find('a', context))).toEqual(['cache', 'a']);
    expect(told(await memory.find('b', context))).toEqual(['cache', 'a']);
  });

  it('ends a fetch in the background when it is closed', async () => {
    const { download, seen } = pending();
    const { find, state, clock, closing } = setUp();
    await find('a');
    state.download = download;
    clock.advance(10 * MINUTE_MS);
    await find('a');
    expect(seen[0]?.aborted).toBe(false);
    closing.abort();
    await background();
    expect(seen[0]?.aborted).toBe(true);
  });
});

describe('KeySetMemory: a set that an earlier process fetched', () => {
  const ago = (milliseconds: number) => new Date(NOW.getTime() - milliseconds);

  it('serves where fetching fails, and as long as it would have then', async () => {
    const { memory, find, clock } = setUp(DOWN);
    memory.restore(setOf(['a']), ago(23 * 60 * MINUTE_MS));
    expect(told(await find('a'))).toEqual(['cache', 'a']);
    clock.advance(60 * MINUTE_MS);
    expect(told(await find('a'))).toMatchObject({ code: 'jwks_stale' });
  });

  it('gives way to what is fetched', async () => {
    const { memory, find } = setUp(serves('b'));
    memory.restore(setOf(['a']), ago(MINUTE_MS));
    expect(told(await find('a'))).toEqual(['network', 'b']);
  });

  it('is not used where it is of the future, and takes the place of none', async () => {
    const { memory, find, state } = setUp(DOWN);
    memory.restore(setOf(['a']), ago(-1));
    expect(told(await find('a'))).toMatchObject({ code: 'jwks_unavailable' });
    const other = setUp(serves('b'));
    await other.find('b');
    other.memory.restore(setOf(['a']), ago(0));
    expect(told(await other.find('b'))).toEqual(['cache', 'b']);
    expect(state.downloads).toBe(1);
  });

  it('is told of each set that came', async () => {
    const heard: [string[], Date][] = [];
    const { find, clock } = setUp(serves('a'), (keys, fetchedOn) => heard.push([[...keys.keys.keys()], fetchedOn]));
    await find('a');
    clock.advance(10 * MINUTE_MS);
    await find('a');
    expect(heard).toEqual([
      [['a'], NOW],
      [['a'], new Date(NOW.getTime() + 10 * MINUTE_MS)],
    ]);
  });
});
