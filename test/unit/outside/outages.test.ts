import { describe, expect, it } from 'vitest';
import { FormatError, UnfitError } from '../../../src/core/errors.js';
import { FetchError } from '../../../src/outside/fetch-error.js';
import { Outages, observed } from '../../../src/outside/outages.js';
import { ManualClock } from '../endorsements/manual-clock.js';
import { RecordingLog } from '../endorsements/recording-log.js';

const KDS = 'https://kds.example:8443';

function opened() {
  const clock = new ManualClock(new Date('2026-06-01T12:00:00Z'));
  const log = new RecordingLog();
  return { clock, log, outages: new Outages(clock, log) };
}

describe('an attempt that is observed', () => {
  const throwing = (error: Error) => async () => {
    throw error;
  };

  async function after(attempt: () => Promise<string>, check?: (answer: string) => unknown) {
    const { log, outages } = opened();
    const outcome = await observed(outages, attempt, { origin: KDS, ...(check && { check }) }).catch(
      (error: Error) => error.message,
    );
    return { outcome, log, outages, state: outages.states[0]?.isReachable };
  }

  it.each([400, 404, 422])('says nothing of a %i that callers can bring about', async (status) => {
    const { outages } = opened();
    const refused = throwing(new FetchError('status', 'x', { status }));
    const notFound = () => observed(outages, refused, { origin: KDS, mayBeRefused: true });
    outages.register(KDS);
    await expect(notFound()).rejects.toThrow('x');
    expect(outages.states).toMatchObject([{ isReachable: true, failures: 0 }]);
    outages.failed(KDS, new FetchError('timeout', 'no answer in time'));
    await expect(notFound()).rejects.toThrow('x');
    expect(outages.states).toMatchObject([{ isReachable: false, failures: 1 }]);
  });

  it.each([
    ['that does not parse', new FormatError('schema', 'not a key set'), 'not a key set'],
    ['that is unfit', new UnfitError('no certificate'), 'no certificate'],
    [
      'that refuses this service',
      new FetchError('status', 'answered with status 401', { status: 401 }),
      'answered with status 401',
    ],
  ])('fails with an answer %s, which is given out all the same', async (_what, error, cause) => {
    const check = () => {
      throw error;
    };
    const { outcome, state, log } = await after(async () => 'answer', check);
    expect([outcome, state]).toEqual(['answer', false]);
    expect(log.of(/^origin does not answer$/)).toMatchObject([{ host: 'kds.example:8443', cause }]);
  });

  it('is told of to nobody where the check itself breaks', async () => {
    const { outages } = opened();
    const check = () => {
      throw new TypeError('a bug');
    };
    await expect(observed(outages, async () => 'answer', { origin: KDS, check })).rejects.toThrow(TypeError);
    expect(outages.states).toEqual([]);
  });

  it('ends an outage with an answer that is of use', async () => {
    const { outages } = opened();
    outages.failed(KDS, new FetchError('timeout', 'no answer in time'));
    expect(await observed(outages, async () => 'answer', { origin: KDS, check: () => {} })).toBe('answer');
    expect(outages.states).toMatchObject([{ isReachable: true, failures: 1 }]);
  });
});

describe('outages', () => {
  it('are in the log with the cause of each address of a name', () => {
    const { outages, log } = opened();
    const refused = ['192.0.2.1', '2001:db8::1'].map((address) => new Error(`connect ECONNREFUSED ${address}`));
    outages.failed(KDS, new FetchError('network', 'no connection', { cause: new AggregateError(refused) }));
    const cause = 'connect ECONNREFUSED 192.0.2.1; connect ECONNREFUSED 2001:db8::1';
    expect(log.of(/^origin does not answer$/)).toMatchObject([{ cause }]);
  });

  it('are in the log once when they begin, with host and cause, and once when they end', () => {
    const { clock, log, outages } = opened();
    const cause = new Error('getaddrinfo ENOTFOUND kds.example');
    outages.failed(KDS, new FetchError('network', 'no connection', { cause }));
    for (let attempt = 0; attempt < 3; attempt += 1) {
      clock.advance(10_000);
      outages.failed(KDS, new FetchError('timeout', 'no answer in time'));
    }
    outages.answered(KDS);
    outages.answered(KDS);
    expect(log.entries).toEqual([
      {
        level: 'warn',
        message: 'origin does not answer',
        fields: {
          host: 'kds.example:8443',
          fault: 'network',
          status: null,
          cause: 'getaddrinfo ENOTFOUND kds.example',
        },
      },
      {
        level: 'info',
        message: 'origin answers again',
        fields: {
          host: 'kds.example:8443',
          seconds: 30,
          attempts: 4,
          cause: 'getaddrinfo ENOTFOUND kds.example',
        },
      },
    ]);
  });

  it('begin anew after they ended', () => {
    const { log, outages } = opened();
    for (let outage = 0; outage < 2; outage += 1) {
      outages.failed(KDS, new FetchError('status', 'answered with status 503', { status: 503 }));
      outages.answered(KDS);
    }
    expect(log.of(/does not answer/)).toHaveLength(2);
    expect(log.of(/answers again/)).toHaveLength(2);
  });

  it('of one origin say nothing about another', () => {
    const { outages } = opened();
    outages.register('https://other.example');
    outages.failed(KDS, new FetchError('timeout', 'no answer in time'));
    expect(outages.states).toEqual([
      { host: 'other.example', isReachable: true, failures: 0 },
      { host: 'kds.example:8443', isReachable: false, failures: 1 },
    ]);
  });

  it.each([
    ['a server error', new FetchError('status', 'x', { status: 500 })],
    ...[401, 403, 405, 407, 410, 429, 451, 503].map((status): [string, FetchError] => [
      `status ${status}`,
      new FetchError('status', 'x', { status }),
    ]),
    ['a redirect', new FetchError('redirect', 'x', { status: 302 })],
    ['another kind of content', new FetchError('content_type', 'x', { status: 200 })],
    ['an answer over its limit', new FetchError('too_large', 'x')],
    ['no connection', new FetchError('network', 'x')],
    ['no answer in time', new FetchError('timeout', 'x')],
    ['a no to what has to be there', new FetchError('status', 'x', { status: 404 })],
  ])('begin with %s', (_, error) => {
    const { outages } = opened();
    outages.failed(KDS, error);
    expect(outages.states).toMatchObject([{ isReachable: false, failures: 1 }]);
  });

  it.each([
    ['a caller who left', new FetchError('aborted', 'x')],
    ['an attempt that was not made', new FetchError('open', 'x')],
    ['a pause that the origin asked for', new FetchError('waiting', 'x')],
    ['an origin that is not configured', new FetchError('not_allowed', 'x')],
  ])('do not begin with %s', (_, error) => {
    const { log, outages } = opened();
    outages.register(KDS);
    outages.failed(KDS, error);
    expect(outages.states).toEqual([{ host: 'kds.example:8443', isReachable: true, failures: 0 }]);
    expect(log.entries).toEqual([]);
  });
});

describe('attempts', () => {
  it('are counted by origin and by how they ended', async () => {
    const { outages } = opened();
    outages.register('https://other.example');
    const attempt = (fault: FetchError) =>
      observed(
        outages,
        async () => {
          throw fault;
        },
        { origin: KDS, mayBeRefused: true },
      ).catch(() => undefined);
    await observed(outages, async () => 'answer', { origin: KDS });
    for (const status of [404, 404, 403, 429, 503, 500]) await attempt(new FetchError('status', 'x', { status }));
    await attempt(new FetchError('timeout', 'x'));
    await attempt(new FetchError('aborted', 'x'));
    expect(Object.fromEntries(outages.fetches.map(({ outcome, count }) => [outcome, count]))).toEqual({
      answered: 1,
      refused: 2,
      status_4xx: 1,
      status_429: 1,
      status_5xx: 2,
      timeout: 1,
      aborted: 1,
    });
    expect(new Set(outages.fetches.map(({ host }) => host))).toEqual(new Set(['kds.example:8443']));
  });
});
