import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { SnpProduct } from '../../../../src/core/claims.js';
import { AmdKds } from '../../../../src/endorsements/amd/amd-kds.js';
import type { BoundedAnswer } from '../../../../src/outside/bounded-agent.js';
import type { Fetch, FetchRequest } from '../../../../src/outside/bounded-fetch.js';
import { FetchError } from '../../../../src/outside/fetch-error.js';
import { DEFAULT_RESILIENCE, ResilientFetch } from '../../../../src/outside/resilient-fetch.js';
import { AMD_ROOT_PINS } from '../../../../src/tee/snp/amd/roots.js';
import { ManualClock } from '../manual-clock.js';

const ORIGIN = 'https://kds.example';
const CHIP = Uint8Array.from({ length: 64 }, (_, index) => index);
const CHIP_HEX = Buffer.from(CHIP).toString('hex');
const TURIN_CHIP = Uint8Array.from({ length: 8 }, (_, index) => 0xa0 + index);
const TCB = { bootloader: 4, tee: 0, snp: 24, microcode: 219 };
const TURIN_TCB = { fmc: 1, bootloader: 2, tee: 3, snp: 4, microcode: 71 };
const MINUTE_MS = 60_000;

class FakeFetch implements Fetch {
  readonly asked: FetchRequest[] = [];
  answer: (request: FetchRequest) => Promise<Uint8Array> = async () => Uint8Array.of(1);

  async get(request: FetchRequest): Promise<BoundedAnswer> {
    this.asked.push(request);
    return { status: 200, headers: {}, body: await this.answer(request) };
  }

  async close(): Promise<void> {}
}

function setUp(fairMs?: number) {
  const fetch = new FakeFetch();
  const clock = new ManualClock(new Date('2026-03-01T00:00:00Z'));
  const kds = new AmdKds({
    origin: ORIGIN,
    pins: AMD_ROOT_PINS,
    chips: fetch,
    lines: fetch,
    clock,
    ...(fairMs === undefined ? {} : { fairMs }),
  });
  const call = (remember = true) => ({
    signal: new AbortController().signal,
    remember,
    take: (bytes: Uint8Array) => bytes,
  });
  const vcek = (remember = true) => kds.vcek('Milan', CHIP, TCB, call(remember));
  const paths = () => fetch.asked.map(({ path }) => path);
  return { fetch, clock, kds, call, vcek, paths };
}

const failWith = (status: number, retryAfterMs?: number) => async () => {
  throw new FetchError('status', `status ${status}`, {
    status,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
};

describe('AmdKds: paths', () => {
  it('asks for a VCEK by chip and levels, in decimal with two digits', async () => {
    const { vcek, paths, fetch } = setUp();
    await vcek();
    expect(paths()).toEqual([`/vcek/v1/Milan/${CHIP_HEX}?blSPL=04&teeSPL=00&snpSPL=24&ucodeSPL=219`]);
    expect(fetch.asked[0]?.origin).toBe(ORIGIN);
  });

  it('asks for a Turin VCEK by 8 bytes of chip id and with FMC', async () => {
    const { kds, call, paths } = setUp();
    await kds.vcek('Turin', TURIN_CHIP, TURIN_TCB, call());
    const query = 'fmcSPL=01&blSPL=02&teeSPL=03&snpSPL=04&ucodeSPL=71';
    expect(paths()).toEqual([`/vcek/v1/Turin/a0a1a2a3a4a5a6a7?${query}`]);
  });

  it.each(['vcek', 'vlek'] as const)('asks for chain and list of the %s line', async (signingKey) => {
    const { kds, call, paths } = setUp();
    await kds.chain('Genoa', signingKey, call());
    await kds.crl('Genoa', signingKey, call());
    expect(paths()).toEqual([`/${signingKey}/v1/Genoa/cert_chain`, `/${signingKey}/v1/Genoa/crl`]);
  });

  it('bounds what it reads by what is asked for', async () => {
    const { kds, call, vcek, fetch } = setUp();
    await vcek();
    await kds.chain('Milan', 'vcek', call());
    await kds.crl('Milan', 'vcek', call());
    expect(fetch.asked.map(({ maximumBytes }) => maximumBytes)).toEqual([16_384, 65_536, 1_048_576]);
  });
});

describe('AmdKds: single flight', () => {
  it('makes one fetch of 100 calls for one key, and gives all of them the answer', async () => {
    const { vcek, fetch } = setUp();
    const answers = await Promise.all(Array.from({ length: 100 }, () => vcek()));
    expect(answers).toHaveLength(100);
    expect(fetch.asked).toHaveLength(1);
  });

  it('verifies and caches an answer once for all callers, and for each request about the past', async () => {
    const { kds, call, fetch } = setUp();
    const taken: boolean[] = [];
    const crl = (remember: boolean) => {
      const take = () => taken.push(remember);
      return kds.crl('Milan', 'vcek', { ...call(remember), take });
    };
    expect(await Promise.all([true, true, false, false].map(crl))).toHaveLength(4);
    expect(taken.toSorted()).toEqual([false, false, true]);
    expect(fetch.asked).toHaveLength(1);
  });

  it('lets every caller of a failed fetch know', async () => {
    const { vcek, fetch } = setUp();
    fetch.answer = failWith(500);
    const outcomes = await Promise.allSettled(Array.from({ length: 100 }, () => vcek()));
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
    expect(fetch.asked).toHaveLength(1);
  });
});

describe('AmdKds: not found', () => {
  it('remembers a 404 for ten minutes and then asks again', async () => {
    const { vcek, fetch, clock } = setUp();
    fetch.answer = failWith(404);
    await expect(vcek()).rejects.toMatchObject({ status: 404 });
    fetch.answer = async () => Uint8Array.of(7);
    clock.advance(10 * MINUTE_MS - 1);
    await expect(vcek()).rejects.toMatchObject({ status: 404, notFound: true });
    expect(fetch.asked).toHaveLength(1);
    clock.advance(1);
    expect(await vcek()).toEqual(Uint8Array.of(7));
  });

  it('remembers it for that chip and TCB only', async () => {
    const { vcek, kds, call, fetch } = setUp();
    fetch.answer = failWith(404);
    await expect(vcek()).rejects.toMatchObject({ status: 404 });
    fetch.answer = async () => Uint8Array.of(7);
    expect(await kds.vcek('Milan', CHIP, { ...TCB, microcode: 218 }, call())).toEqual(Uint8Array.of(7));
  });

  it('remembers nothing for a historical request, and heeds what is remembered', async () => {
    const { vcek, fetch } = setUp();
    fetch.answer = failWith(404);
    await expect(vcek(false)).rejects.toMatchObject({ status: 404 });
    await expect(vcek()).rejects.toMatchObject({ status: 404 });
    expect(fetch.asked).toHaveLength(2);
    await expect(vcek(false)).rejects.toMatchObject({ status: 404 });
    expect(fetch.asked).toHaveLength(2);
  });

  it('does not take other failures for a 404', async () => {
    const { vcek, fetch } = setUp();
    fetch.answer = failWith(403);
    await expect(vcek()).rejects.toMatchObject({ status: 403 });
    await expect(vcek()).rejects.toMatchObject({ status: 403 });
    expect(fetch.asked).toHaveLength(2);
  });
});

describe('AmdKds: throttling', () => {
  it('asks for no VCEK while Retry-After lasts', async () => {
    const { vcek, fetch, clock } = setUp();
    fetch.answer = failWith(429, 30_000);
    await expect(vcek()).rejects.toMatchObject({ status: 429 });
    fetch.answer = async () => Uint8Array.of(7);
    clock.advance(29_999);
    await expect(vcek()).rejects.toMatchObject({ fault: 'waiting', retryAfterMs: 1 });
    expect(fetch.asked).toHaveLength(1);
    clock.advance(1);
    expect(await vcek()).toEqual(Uint8Array.of(7));
  });

  it('waits ten seconds after a 429 that names no time', async () => {
    const { vcek, fetch, clock } = setUp();
    fetch.answer = failWith(429);
    await expect(vcek()).rejects.toMatchObject({ status: 429 });
    clock.advance(9_999);
    await expect(vcek()).rejects.toMatchObject({ fault: 'waiting' });
    clock.advance(1);
    await expect(vcek()).rejects.toMatchObject({ status: 429 });
  });

  it('is not switched off for longer than an hour by one answer', async () => {
    const { vcek, fetch, clock } = setUp();
    fetch.answer = failWith(503, 1_000 * 60 * MINUTE_MS);
    await expect(vcek()).rejects.toMatchObject({ status: 503 });
    clock.advance(60 * MINUTE_MS);
    await expect(vcek()).rejects.toMatchObject({ status: 503 });
  });

  it('goes on asking for chains and lists when VCEKs are throttled', async () => {
    const { vcek, kds, call, fetch } = setUp();
    fetch.answer = failWith(429);
    await expect(vcek()).rejects.toMatchObject({ status: 429 });
    fetch.answer = async () => Uint8Array.of(7);
    expect(await kds.crl('Milan', 'vcek', call())).toEqual(Uint8Array.of(7));
  });

  it('sends none of those that wait once it wants to be left alone', async () => {
    const { kds, call, fetch } = setUp();
    const answers: (() => void)[] = [];
    fetch.answer = async () => {
      await new Promise<void>((resolve) => answers.push(resolve));
      return failWith(429)();
    };
    const chips = Array.from({ length: 30 }, (_, mark) => CHIP.map((byte) => byte ^ mark));
    const outcomes = chips.map((chip) =>
      kds.vcek('Milan', chip, TCB, call()).catch((error: FetchError) => error.fault),
    );
    const sent = fetch.asked.length;
    expect(sent).toBeLessThan(chips.length);
    for (const answer of answers) answer();
    expect((await Promise.all(outcomes)).filter((fault) => fault === 'waiting')).toHaveLength(chips.length - sent);
    expect(fetch.asked).toHaveLength(sent);
  });

  it('keeps room for chains and lists however many VCEKs are wanted', async () => {
    const { kds, call, fetch } = setUp();
    fetch.answer = ({ path, signal }) =>
      path.endsWith('/crl')
        ? Promise.resolve(Uint8Array.of(7))
        : new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('over'))));
    const wanted = Array.from({ length: 100 }, (_, mark) => {
      return { chip: CHIP.map((byte) => byte ^ mark), over: new AbortController() };
    });
    const outcomes = wanted.map(({ chip, over: { signal } }) =>
      kds.vcek('Milan', chip, TCB, { ...call(), signal }).catch((error: FetchError) => error.fault),
    );
    expect(await kds.crl('Milan', 'vcek', call())).toEqual(Uint8Array.of(7));
    expect(fetch.asked.length - 1).toBeLessThanOrEqual(DEFAULT_RESILIENCE.concurrent / 2);
    for (const { over } of wanted) over.abort();
    expect(new Set(await Promise.all(outcomes))).toEqual(new Set(['aborted', 'busy']));
  });

  it('lets no caller wait behind the chips of another one', async () => {
    const { kds, call, fetch } = setUp();
    fetch.answer = () => new Promise(() => {});
    const chipOf = (mark: number) => CHIP.map((byte) => byte ^ mark);
    const want = (principal: string, mark: number) =>
      void kds.vcek('Milan', chipOf(mark), TCB, { ...call(), principal }).catch(() => {});
    for (let mark = 0; mark < 30; mark += 1) want('many', mark);
    const sent = fetch.asked.length;
    want('few', 100);
    expect(fetch.asked).toHaveLength(sent + 1);
    expect(fetch.asked.at(-1)?.path).toContain(Buffer.from(chipOf(100)).toString('hex'));
  });

  it('lets nobody wait in the line of another one for a chip that both want', async () => {
    const { kds, call, fetch } = setUp();
    fetch.answer = () => new Promise(() => {});
    const chipOf = (mark: number) => CHIP.map((byte) => byte ^ mark);
    const want = (principal: string, mark: number) =>
      void kds.vcek('Milan', chipOf(mark), TCB, { ...call(), principal }).catch(() => {});
    for (let mark = 0; mark < 30; mark += 1) want('many', mark);
    want('few', 29);
    expect(fetch.asked.at(-1)?.path).toContain(Buffer.from(chipOf(29)).toString('hex'));
  });

  it('goes on after a failure that asks for no rest', async () => {
    const { vcek, fetch } = setUp();
    fetch.answer = failWith(503);
    await expect(vcek()).rejects.toMatchObject({ status: 503 });
    fetch.answer = async () => Uint8Array.of(7);
    expect(await vcek()).toEqual(Uint8Array.of(7));
  });
});

describe('AmdKds: whose time is over', () => {
  const crl = (kds: AmdKds, product: SnpProduct, signal: AbortSignal) =>
    kds.crl(product, 'vcek', { signal, remember: true, take: (bytes) => bytes });

  /** Of a request whose time ends now, while KDS gives no answer. */
  async function leaving(kds: AmdKds, product: SnpProduct): Promise<string> {
    const over = new AbortController();
    const left = crl(kds, product, over.signal).catch(({ fault, message }: FetchError) => `${fault}: ${message}`);
    over.abort();
    return String(await left);
  }

  it('has learnt nothing of KDS where its turn never came', async () => {
    const { kds, fetch, call } = setUp(0);
    fetch.answer = () => new Promise(() => {});
    for (const product of ['Milan', 'Genoa'] as const) {
      for (const key of ['vcek', 'vlek'] as const) void kds.crl(product, key, call()).catch(() => {});
    }
    expect(fetch.asked).toHaveLength(4);
    expect(await leaving(kds, 'Turin')).toBe('no_time: not contacted: the time was over before its turn came');
    expect(fetch.asked).toHaveLength(4);
  });

  it('has learnt nothing of KDS where there was little time to answer', async () => {
    const { kds, fetch } = setUp();
    fetch.answer = () => new Promise(() => {});
    expect(await leaving(kds, 'Milan')).toBe('no_time: no answer in the little time that was left');
    expect(fetch.asked).toHaveLength(1);
  });

  it('has learnt nothing of KDS by what others waited, but where that is twice as long', async () => {
    const { kds, fetch, call } = setUp(1_000);
    fetch.answer = () => new Promise(() => {});
    void crl(kds, 'Milan', call().signal).catch(() => {});
    await sleep(1_100);
    expect(await leaving(kds, 'Milan')).toBe('no_time: no answer in the little time that was left');
    const known = 'aborted: no answer within the time of the request';
    await expect.poll(() => leaving(kds, 'Milan'), { timeout: 20_000 }).toBe(known);
    expect(fetch.asked).toHaveLength(1);
  });

  it('has what comes afterwards taken all the same', async () => {
    const { kds, fetch } = setUp();
    let answer = (_body: Uint8Array) => {};
    fetch.answer = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    const taken: Uint8Array[] = [];
    const over = new AbortController();
    const take = (bytes: Uint8Array) => taken.push(bytes);
    const left = kds.crl('Milan', 'vcek', { signal: over.signal, remember: true, take });
    over.abort();
    await expect(left).rejects.toMatchObject({ fault: 'no_time' });
    answer(Uint8Array.of(9));
    await expect.poll(() => taken).toEqual([Uint8Array.of(9)]);
  });

  it('has learnt nothing of KDS while the event loop was late', async () => {
    const { kds, fetch, call } = setUp(60);
    fetch.answer = () => new Promise(() => {});
    void crl(kds, 'Milan', call().signal).catch(() => {});
    const until = performance.now() + 200;
    while (performance.now() < until);
    expect(await leaving(kds, 'Milan')).toBe('no_time: no answer in the little time that was left');
  });

  it('does not end what is asked for: others get the answer of the one attempt', async () => {
    const { kds, fetch, call } = setUp();
    let answer = (_body: Uint8Array) => {};
    fetch.answer = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    await leaving(kds, 'Milan');
    expect(fetch.asked[0]?.signal.aborted).toBe(false);
    const next = crl(kds, 'Milan', call().signal);
    answer(Uint8Array.of(9));
    expect(await next).toEqual(Uint8Array.of(9));
    expect(fetch.asked).toHaveLength(1);
  });

  it('CRT-10 opens no breaker, however many leave before KDS has answered', async () => {
    const { fetch, clock, call } = setUp();
    const answers: (() => void)[] = [];
    fetch.answer = ({ signal }) =>
      new Promise((resolve, reject) => {
        answers.push(() => resolve(Uint8Array.of(9)));
        signal.addEventListener('abort', () => reject(new FetchError('aborted', 'left')));
      });
    const breaker = { ...DEFAULT_RESILIENCE, failuresToOpen: 1, openMs: 3_600_000, fairMs: 0 };
    const kds = new AmdKds({
      origin: ORIGIN,
      pins: AMD_ROOT_PINS,
      chips: fetch,
      lines: new ResilientFetch(fetch, breaker),
      clock,
    });
    for (const asked of [1, 2, 3]) {
      expect(await leaving(kds, 'Milan')).toMatch(/^no_time: /);
      answers.at(-1)?.();
      await new Promise(setImmediate);
      expect(fetch.asked).toHaveLength(asked);
    }
    const last = crl(kds, 'Milan', call().signal);
    answers.at(-1)?.();
    await new Promise(setImmediate);
    answers.at(-1)?.();
    expect(await last).toEqual(Uint8Array.of(9));
  });

  it('does end it where KDS gives no answer for long, or the service stops', async () => {
    const { fetch, clock, call } = setUp();
    fetch.answer = ({ signal }) =>
      new Promise((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(new FetchError('aborted', 'over'))),
      );
    const kds = new AmdKds({ origin: ORIGIN, pins: AMD_ROOT_PINS, chips: fetch, lines: fetch, clock, lineMs: 20 });
    await expect(crl(kds, 'Milan', call().signal)).rejects.toMatchObject({ fault: 'no_time' });
    const stopping = setUp();
    stopping.fetch.answer = fetch.answer;
    await leaving(stopping.kds, 'Milan');
    await stopping.kds.close();
    expect(stopping.fetch.asked[0]?.signal.aborted).toBe(true);
  });
});
