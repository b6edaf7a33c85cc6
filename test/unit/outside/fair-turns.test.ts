import { describe, expect, it } from 'vitest';
import { Turns } from '../../../src/outside/fair-turns.js';
import { FetchError } from '../../../src/outside/fetch-error.js';

const forever = () => new AbortController().signal;

/** Attempts that end when they are told to, in the order in which they had their turns. */
class Attempts {
  readonly begun: string[] = [];
  readonly #ends = new Map<string, () => void>();
  readonly turns: Turns;

  constructor(concurrent: number, queued = 100) {
    this.turns = new Turns({ concurrent, queued });
  }

  /** @returns the fault where it has no turn, else its name */
  start(principal: string | null, name: string, signal: AbortSignal = forever()): Promise<string> {
    const attempt = () => {
      this.begun.push(name);
      return new Promise<string>((resolve) => this.#ends.set(name, () => resolve(name)));
    };
    const owner = principal === null ? undefined : { principal, key: name };
    return this.turns
      .take(signal, attempt, owner)
      .catch((error: unknown) => (error instanceof FetchError ? error.fault : String(error)));
  }

  async end(name: string): Promise<void> {
    this.#ends.get(name)?.();
    await new Promise(setImmediate);
  }

  /** Ends the attempts that are under way, one after the other, until none is left. */
  async endAll(): Promise<readonly string[]> {
    for (let index = 0; index < this.begun.length; index += 1) {
      await this.end(this.begun[index] ?? '');
    }
    return this.begun;
  }
}

describe('Turns', () => {
  it('lets in who comes at once where there is room', async () => {
    const attempts = new Attempts(2);
    void attempts.start(null, 'a');
    void attempts.start(null, 'b');
    void attempts.start(null, 'c');
    expect(attempts.begun).toEqual(['a', 'b']);
    expect(await attempts.endAll()).toEqual(['a', 'b', 'c']);
  });

  it('alternates between principals, however many attempts one of them has waiting', async () => {
    const attempts = new Attempts(1);
    for (let chip = 0; chip < 6; chip += 1) void attempts.start('many', `many ${chip}`);
    for (let chip = 0; chip < 2; chip += 1) void attempts.start('few', `few ${chip}`);
    expect(await attempts.endAll()).toEqual([
      'many 0',
      'few 0',
      'many 1',
      'few 1',
      'many 2',
      'many 3',
      'many 4',
      'many 5',
    ]);
  });

  it('leaves one place to others, so that nobody waits for the attempts of one principal', () => {
    const attempts = new Attempts(4);
    for (let chip = 0; chip < 6; chip += 1) void attempts.start('many', `many ${chip}`);
    expect(attempts.begun).toHaveLength(3);
    void attempts.start('few', 'few');
    expect(attempts.begun.at(-1)).toBe('few');
  });

  it('gives the next place to the principal with the fewest attempts under way', async () => {
    const attempts = new Attempts(3);
    void attempts.start('few', 'few 0');
    void attempts.start('many', 'many 0');
    void attempts.start('many', 'many 1');
    void attempts.start('many', 'many 2');
    void attempts.start('few', 'few 1');
    expect(attempts.begun).toEqual(['few 0', 'many 0', 'many 1']);
    expect((await attempts.endAll()).slice(3)).toEqual(['few 1', 'many 2']);
  });

  it('REL-08 gives it to the one with fewer under way, also where the turns of the other are longer ago', async () => {
    const attempts = new Attempts(4);
    for (const name of ['many 0', 'many 1']) void attempts.start('many', name);
    void attempts.start('few', 'few 0');
    void attempts.start('third', 'third');
    void attempts.start('many', 'many 2');
    void attempts.start('few', 'few 1');
    await attempts.end('third');
    expect(attempts.begun.slice(4)).toEqual(['few 1']);
  });

  it('turns away the newest of the longest line, and never somebody else for it', async () => {
    const attempts = new Attempts(1, 3);
    void attempts.start('many', 'under way');
    const many = [0, 1, 2].map((chip) => attempts.start('many', `many ${chip}`));
    const few = attempts.start('few', 'few');
    expect(await many[2]).toBe('busy');
    expect(await attempts.start('many', 'many 3')).toBe('busy');
    await attempts.endAll();
    expect(await Promise.all([...many.slice(0, 2), few])).toEqual(['many 0', 'many 1', 'few']);
  });

  it('turns away who comes last where another line is as long as its own becomes', async () => {
    const attempts = new Attempts(1, 3);
    void attempts.start('a', 'under way');
    const before = [attempts.start('a', 'a 1'), attempts.start('b', 'b 1'), attempts.start('b', 'b 2')];
    expect(await attempts.start('a', 'a 2')).toBe('busy');
    await attempts.endAll();
    expect((await Promise.all(before)).sort()).toEqual(['a 1', 'b 1', 'b 2']);
  });

  it('turns away who comes last where all lines are as long', async () => {
    const attempts = new Attempts(1, 2);
    void attempts.start('a', 'under way');
    const before = [attempts.start('a', 'a'), attempts.start('b', 'b')];
    expect(await attempts.start('c', 'c')).toBe('busy');
    await attempts.endAll();
    expect(await Promise.all(before)).toEqual(['a', 'b']);
  });

  it('has what somebody joins wait in that line too', async () => {
    const attempts = new Attempts(1);
    void attempts.start('many', 'under way');
    for (let chip = 0; chip < 4; chip += 1) void attempts.start('many', `many ${chip}`);
    attempts.turns.join({ principal: 'few', key: 'many 3' });
    expect(await attempts.endAll()).toEqual(['under way', 'many 3', 'many 0', 'many 1', 'many 2']);
  });

  it('lets who leaves go, and nothing of it stays', async () => {
    const attempts = new Attempts(1);
    const leaving = new AbortController();
    void attempts.start('a', 'under way');
    const left = attempts.start('a', 'left', leaving.signal);
    void attempts.start('a', 'stays');
    leaving.abort();
    expect(await left).toBe('no_time');
    expect(await attempts.endAll()).toEqual(['under way', 'stays']);
  });

  it('goes on after an attempt that fails', async () => {
    const turns = new Turns({ concurrent: 1, queued: 1 });
    const failing = turns.take(forever(), () => Promise.reject(new TypeError('mistake')));
    const next = turns.take(forever(), async () => 'next');
    await expect(failing).rejects.toThrow(TypeError);
    expect(await next).toBe('next');
  });
});
