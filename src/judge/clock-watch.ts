import type { ClockDoubt, CredentialClock } from '../core/clock-doubt.js';
import type { Clock, Log } from '../core/ports.js';
import type { LivenessUseCase, ReadinessCheck } from './health.js';

/** Largest difference between wall time and monotonic time. A larger one is a jump. */
const JUMP_MS = 60_000;

/** How long both clocks must agree after a forward jump before the new time is accepted. */
const STEADY_MS = 60_000;

/** How long the clock may stay behind the highest accepted time. After that, only a restart helps. */
const BEHIND_MS = 600_000;

/** Interval of clock checks without requests. A jump counts from its detection. */
const LOOK_MS = 1_000;

/** A clock that reports whether it is reliable. */
export interface WatchedClock extends Clock {
  /** The reason why the clock is unreliable; null if it is reliable. */
  doubt(): ClockDoubt | null;
}

/** A jump that has not ended yet. */
interface Jump {
  /** How far wall time was from its expected value when the jump was detected. */
  readonly seconds: number;
  /** Whether wall time was ever ahead since the jump began. */
  ahead: boolean;
  /** Monotonic time since which wall time has not exceeded the highest accepted time; null while it exceeds it. */
  behindSince: number | null;
}

/** Both clocks at one moment, in milliseconds. */
interface Look {
  readonly wall: number;
  readonly monotonic: number;
}

/**
 * Compares wall time with monotonic time. Every verification depends on the clock, and a host can change it.
 *
 * After a forward jump, the new time is accepted once both clocks have agreed for a minute. So a machine that was
 * paused, or got its time late, recovers by itself. After a backward jump, the time is accepted again once it passes
 * the highest accepted time, so expired items stay expired. Times seen during a jump are not accepted. So if a clock
 * leaps a year ahead and is then corrected, the service does not wait for that year to pass.
 *
 * Not detected: a clock that is wrong from the start, and steps of up to a minute.
 */
export class ClockWatch implements WatchedClock, CredentialClock {
  readonly #clock: Clock;
  readonly #log: Log;
  /** Wall time minus monotonic time, for the accepted time. */
  #offset: number;
  /** The highest accepted wall time. */
  #highest: number;
  /** The offset since the last jump, and the monotonic time at which it was measured. */
  #steady: { readonly offset: number; readonly since: number };
  #jump: Jump | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
    const { wall, monotonic } = this.#read();
    this.#offset = wall - monotonic;
    this.#highest = wall;
    this.#steady = { offset: this.#offset, since: monotonic };
  }

  /** Checks the clock every second from now on. Does not keep the process alive. */
  watch(): void {
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS).unref();
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  now(): Date {
    return this.#clock.now();
  }

  monotonicMs(): number {
    return this.#clock.monotonicMs();
  }

  highest(): Date {
    this.#look();
    return new Date(this.#highest);
  }

  doubt(): ClockDoubt | null {
    const look = this.#look();
    if (this.#jump === null) return null;
    if (this.#jump.behindSince === null) {
      const left = STEADY_MS - (look.monotonic - this.#steady.since);
      return {
        detail: 'the clock of the service jumped: verification resumes once it has been steady for a minute',
        retryAfterSeconds: Math.ceil(left / 1000),
      };
    }
    return {
      detail: 'the clock of the service was set back: nothing is judged until it passes the latest time seen',
      retryAfterSeconds: Math.min(Math.ceil((this.#highest - look.wall) / 1000) + 1, STEADY_MS / 1000),
    };
  }

  /** For readiness: while the clock is unreliable, the service verifies nothing. */
  get check(): ReadinessCheck {
    return async () => {
      this.#look();
      if (this.#jump === null) return null;
      return { code: 'clock', reason: `the clock has jumped by ${this.#jump.seconds} seconds` };
    };
  }

  /** For liveness: a clock that stays behind for ten minutes does not recover. A new process accepts its time. */
  get liveness(): LivenessUseCase {
    return {
      execute: async () => {
        const { monotonic } = this.#look();
        const since = this.#jump?.behindSince ?? null;
        if (since === null || monotonic - since < BEHIND_MS) return { live: true, problems: [] };
        const reason = 'the clock was set back, and has not caught up for ten minutes';
        return { live: false, problems: [{ code: 'clock', reason }] };
      },
    };
  }

  #look(): Look {
    const look = this.#read();
    const offset = look.wall - look.monotonic;
    if (Math.abs(offset - this.#steady.offset) > JUMP_MS) this.#steady = { offset, since: look.monotonic };
    if (this.#jump === null) {
      if (this.#isJump(look)) this.#begin(look);
      else this.#keep(look);
    }
    if (this.#jump !== null) this.#follow(this.#jump, look);
    return look;
  }

  /** The second condition detects a step back after a small step forward that is not yet in the offset. */
  #isJump({ wall, monotonic }: Look): boolean {
    return Math.abs(wall - monotonic - this.#offset) > JUMP_MS || wall < this.#highest - JUMP_MS;
  }

  /**
   * Small steps forward (a migrated machine, a slewed clock) do not add up to a jump. Small steps back do: otherwise a
   * host could stop the clock with many of them.
   */
  #keep({ wall, monotonic }: Look): void {
    this.#highest = Math.max(this.#highest, wall);
    if (monotonic - this.#steady.since < STEADY_MS) return;
    this.#steady = { offset: wall - monotonic, since: monotonic };
    this.#offset = Math.max(this.#offset, this.#steady.offset);
  }

  #begin({ wall, monotonic }: Look): void {
    const seconds = Math.round((wall - monotonic - this.#offset) / 1000);
    this.#jump = { seconds, ahead: false, behindSince: null };
    this.#log.warn({ jumpSeconds: seconds }, 'the clock jumped: nothing is judged until it can be relied on again');
  }

  #follow(jump: Jump, { wall, monotonic }: Look): void {
    if (wall - monotonic - this.#offset > JUMP_MS) jump.ahead = true;
    jump.behindSince = wall > this.#highest ? null : (jump.behindSince ?? monotonic);
    const isSteady = monotonic - this.#steady.since >= STEADY_MS;
    if (jump.behindSince !== null || (jump.ahead && !isSteady)) return;
    this.#offset = wall - monotonic;
    this.#highest = wall;
    this.#steady = { offset: this.#offset, since: monotonic };
    this.#jump = null;
    this.#log.warn({ jumpSeconds: jump.seconds }, 'the clock is stable again: verification resumes');
  }

  #read(): Look {
    return { wall: this.#clock.now().getTime(), monotonic: this.#clock.monotonicMs() };
  }
}
