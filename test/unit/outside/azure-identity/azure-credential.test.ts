import { describe, expect, it } from 'vitest';
import { type AccessToken, AzureCredential } from '../../../../src/outside/azure-identity/azure-credential.js';
import { FetchError } from '../../../../src/outside/fetch-error.js';
import { DEFAULT_BREAKER } from '../../../../src/outside/origin-breaker.js';
import { EndpointHealth } from '../../../../src/outside/throttling.js';
import { ManualClock } from '../../endorsements/manual-clock.js';
import { RecordingLog } from '../../endorsements/recording-log.js';

const HOUR_MS = 3_600_000;
const never = new AbortController().signal;

/** An issuer of tokens `token-1`, `token-2` … of an hour, which answers when it is let. */
class Issuer {
  readonly clock = new ManualClock(new Date('2026-03-01T12:00:00Z'));
  readonly log = new RecordingLog();
  readonly credential: AzureCredential;
  asked = 0;
  closed = 0;
  error: FetchError | null = null;
  /** Whether it gives the token that it gave before. */
  repeats = false;
  #hold: Promise<void> | null = null;
  #last: AccessToken | null = null;

  constructor() {
    const { clock, log } = this;
    const health = new EndpointHealth(clock, DEFAULT_BREAKER);
    const source = { name: 'issuer', obtain: () => this.#obtain(), close: () => this.#close() };
    this.credential = new AzureCredential({ source, health, clock, log });
  }

  token(signal = never): Promise<string> {
    return this.credential.token(signal);
  }

  /** Holds answers back. @returns what lets them go */
  hold(): () => void {
    let letGo = () => {};
    this.#hold = new Promise((resolve) => {
      letGo = resolve;
    });
    return () => letGo();
  }

  async #close(): Promise<void> {
    this.closed += 1;
  }

  async #obtain(): Promise<AccessToken> {
    this.asked += 1;
    const number = this.asked;
    await this.#hold;
    if (this.error !== null) throw this.error;
    const fresh = { token: `token-${number}`, expiresAtMs: this.clock.now().getTime() + HOUR_MS };
    this.#last = this.repeats && this.#last !== null ? this.#last : fresh;
    return this.#last;
  }
}

const UNAVAILABLE = new FetchError('status', 'answered with status 503', { status: 503 });
const settled = () => new Promise(setImmediate);

describe('AzureCredential: a token', () => {
  it('is obtained once for all who wait, and held', async () => {
    const issuer = new Issuer();
    expect(await Promise.all([issuer.token(), issuer.token()])).toEqual(['token-1', 'token-1']);
    issuer.clock.advance(HOUR_MS / 2 - 1);
    expect(await issuer.token()).toBe('token-1');
    expect(issuer.asked).toBe(1);
  });

  it('is renewed from half of its life on, and nobody waits for that', async () => {
    const issuer = new Issuer();
    await issuer.token();
    const letGo = issuer.hold();
    issuer.clock.advance(HOUR_MS / 2);
    expect([await issuer.token(), await issuer.token()]).toEqual(['token-1', 'token-1']);
    expect(issuer.asked).toBe(2);
    letGo();
    await settled();
    expect(await issuer.token()).toBe('token-2');
  });

  it('is used until its end while there is no other, less the time that it takes to arrive', async () => {
    const issuer = new Issuer();
    await issuer.token();
    issuer.error = UNAVAILABLE;
    issuer.clock.advance(HOUR_MS - 30_001);
    expect(await issuer.token()).toBe('token-1');
    await settled();
    issuer.clock.advance(1);
    await expect(issuer.token()).rejects.toBe(UNAVAILABLE);
    issuer.error = null;
    expect(await issuer.token()).toMatch(/^token-/);
  });

  it('that the issuer gives again is asked for again at half of what is left', async () => {
    const issuer = new Issuer();
    issuer.repeats = true;
    await issuer.token();
    issuer.clock.advance(HOUR_MS / 2);
    await issuer.token();
    await settled();
    issuer.clock.advance(HOUR_MS / 4 - 1);
    await issuer.token();
    expect(issuer.asked).toBe(2);
    issuer.clock.advance(1);
    await issuer.token();
    expect(issuer.asked).toBe(3);
  });

  it('is waited for no longer than the request, and obtained all the same', async () => {
    const issuer = new Issuer();
    const letGo = issuer.hold();
    const deadline = new AbortController();
    const outcome = issuer.token(deadline.signal);
    deadline.abort();
    await expect(outcome).rejects.toMatchObject({ fault: 'aborted' });
    letGo();
    await settled();
    expect(await issuer.token()).toBe('token-1');
    expect(issuer.asked).toBe(1);
  });

  it('is not asked for while the issuer wants a pause, and the log is not filled with that', async () => {
    const issuer = new Issuer();
    issuer.error = new FetchError('status', 'answered with status 429', { status: 429, retryAfterMs: 20_000 });
    await expect(issuer.token()).rejects.toMatchObject({ fault: 'status' });
    await expect(issuer.token()).rejects.toMatchObject({ fault: 'waiting', retryAfterMs: 20_000 });
    expect(issuer.asked).toBe(1);
    expect(issuer.log.entries).toHaveLength(1);
  });
});

describe('AzureCredential: a token in the place of one that was refused', () => {
  it('is a new one', async () => {
    const issuer = new Issuer();
    expect(await issuer.credential.instead(await issuer.token(), never)).toBe('token-2');
    expect(await issuer.token()).toBe('token-2');
  });

  it('is the one that somebody else got meanwhile', async () => {
    const issuer = new Issuer();
    const refused = await issuer.token();
    const both = [issuer.credential.instead(refused, never), issuer.credential.instead(refused, never)];
    expect(await Promise.all(both)).toEqual(['token-2', 'token-2']);
    expect(await issuer.credential.instead(refused, never)).toBe('token-2');
    expect(issuer.asked).toBe(2);
  });

  it('is asked for at most once in ten seconds, however many are refused', async () => {
    const issuer = new Issuer();
    const second = await issuer.credential.instead(await issuer.token(), never);
    for (let call = 0; call < 100; call += 1) {
      expect(await issuer.credential.instead(second ?? '', never)).toBeNull();
    }
    expect(issuer.asked).toBe(2);
    issuer.clock.advance(10_000);
    expect(await issuer.credential.instead(second ?? '', never)).toBe('token-3');
  });

  it('is not there while the issuer is out of reach', async () => {
    const issuer = new Issuer();
    const refused = await issuer.token();
    issuer.error = UNAVAILABLE;
    expect(await issuer.credential.instead(refused, never)).toBeNull();
  });
});

it('AzureCredential closes its source', async () => {
  const issuer = new Issuer();
  await issuer.credential.close();
  expect(issuer.closed).toBe(1);
});
