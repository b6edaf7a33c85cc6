import type { ClockDoubt, CredentialClock } from '../core/clock-doubt.js';
import type { Clock, Log } from '../core/ports.js';
import type { LivenessUseCase, ReadinessCheck } from './health.js';

/** How far wall time may differ from monotonic time. More is a jump. */
const JUMP_MS = 60_000;

/** How long both have to run together after a forward jump before the new time holds. */
const TOGETHER_MS = 60_000;

/** How long the clock may stay behind the highest time seen before only a restart is left. */
const BEHIND_MS = 600_000;

/** How often the clock is looked at while nobody asks: a jump counts from when it is seen. */
const LOOK_MS = 1_000;

/** A clock that says whether it can be relied on. */
export interface WatchedClock extends Clock {
  /** Null: it can. */
  doubt(): ClockDoubt | null;
}

/** A jump that has not ended yet. */
interface Jump {
  /** How far wall time was from where it should have been when the jump was seen. */
  readonly seconds: number;
  /** Whether wall time was ever ahead since it began. */
  ahead: boolean;
  /** Monotonic time since when wall time has been no later than the highest that held; null where it is later. */
  behindSince: number | null;
}

/** Both clocks at one moment, in milliseconds. */
interface Look {
  readonly wall: number;
  readonly monotonic: number;
}

/**
 * Watches wall time against monotonic time: everything that is judged rests on the clock, and a host can steer it.
 *
 * After a forward jump the new time holds once both have run together for a minute: a machine that was paused, or got
 * its time late, recovers by itself. After a backward jump the time holds again once it passes the highest that held:
 * what has ended does not come back. What was seen in between does not count, so a clock that leaps a year ahead and is
 * put right is not waited for.
 *
 * Not seen: a clock that is wrong from the start, and steps of up to a minute.
 */
export class ClockWatch implements WatchedClock, CredentialClock {
  readonly #clock: Clock;
  readonly #log: Log;
  /** Wall time less monotonic time, of the time that holds. */
  #offset: number;
  /** The highest wall time that held. */
  #highest: number;
  /** The offset since the last jump, and the monotonic time of that. */
  #together: { readonly offset: number; readonly since: number };
  #jump: Jump | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
    const { wall, monotonic } = this.#read();
    this.#offset = wall - monotonic;
    this.#highest = wall;
    this.#together = { offset: this.#offset, since: monotonic };
  }

  /** Looks at the clock every second from now on. Does not keep the process alive. */
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
      const left = TOGETHER_MS - (look.monotonic - this.#together.since);
      return {
        detail: 'the clock of the service jumped: nothing is judged until it has run evenly for a minute',
        retryAfterSeconds: Math.ceil(left / 1000),
      };
    }
    return {
      detail: 'the clock of the service was set back: nothing is judged until it passes the latest time seen',
      retryAfterSeconds: Math.min(Math.ceil((this.#highest - look.wall) / 1000) + 1, TOGETHER_MS / 1000),
    };
  }

  /** For readiness: while the clock cannot be relied on, nothing is judged. */
  get check(): ReadinessCheck {
    return async () => {
      this.#look();
      if (this.#jump === null) return null;
      return { code: 'clock', reason: `the clock has jumped by ${this.#jump.seconds} seconds` };
    };
  }

  /** Liveness: a clock that stays behind for ten minutes is no passing disturbance, and a new process starts from it. */
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
    if (Math.abs(offset - this.#together.offset) > JUMP_MS) this.#together = { offset, since: look.monotonic };
    if (this.#jump === null) {
      if (this.#isJump(look)) this.#begin(look);
      else this.#keep(look);
    }
    if (this.#jump !== null) this.#follow(this.#jump, look);
    return look;
  }

  /** Also where a small step forward has not been adopted yet: a step back is then larger than the offset shows. */
  #isJump({ wall, monotonic }: Look): boolean {
    return Math.abs(wall - monotonic - this.#offset) > JUMP_MS || wall < this.#highest - JUMP_MS;
  }

  /**
   * Small steps forward (a machine that is moved, a clock that is slewed) do not add up to a jump. Small steps back do:
   * else a host could stop the clock by many of them.
   */
  #keep({ wall, monotonic }: Look): void {
    this.#highest = Math.max(this.#highest, wall);
    if (monotonic - this.#together.since < TOGETHER_MS) return;
    this.#together = { offset: wall - monotonic, since: monotonic };
    this.#offset = Math.max(this.#offset, this.#together.offset);
  }

  #begin({ wall, monotonic }: Look): void {
    const seconds = Math.round((wall - monotonic - this.#offset) / 1000);
    this.#jump = { seconds, ahead: false, behindSince: null };
    this.#log.warn({ jumpSeconds: seconds }, 'the clock jumped: nothing is judged until it can be relied on again');
  }

  #follow(jump: Jump, { wall, monotonic }: Look): void {
    if (wall - monotonic - this.#offset > JUMP_MS) jump.ahead = true;
    jump.behindSince = wall > this.#highest ? null : (jump.behindSince ?? monotonic);
    const together = monotonic - this.#together.since >= TOGETHER_MS;
    if (jump.behindSince !== null || (jump.ahead && !together)) return;
    this.#offset = wall - monotonic;
    this.#highest = wall;
    this.#together = { offset: this.#offset, since: monotonic };
    this.#jump = null;
    this.#log.warn({ jumpSeconds: jump.seconds }, 'the clock is stable again: verification resumes');
  }

  #read(): Look {
    return { wall: this.#clock.now().getTime(), monotonic: this.#clock.monotonicMs() };
  }
}
