import { expect, it } from 'vitest';
import { FetchError } from '../../../src/outgoing/fetch-error.js';
import { NotFoundMemory } from '../../../src/outgoing/not-found-memory.js';
import { ManualClock } from '../endorsements/manual-clock.js';

const TEN_MINUTES_MS = 10 * 60_000;
const notFound = () => Promise.reject(new FetchError('status', 'answered with status 404', { status: 404 }));
const found = () => Promise.resolve('found');

function remembering() {
  const clock = new ManualClock(new Date('2026-03-01T12:00:00Z'));
  return { clock, memory: new NotFoundMemory(clock) };
}

it('a key that was not found is asked for again after ten minutes, and not before', async () => {
  const { clock, memory } = remembering();
  await expect(memory.ask('a', true, notFound)).rejects.toThrow('answered with status 404');
  clock.advance(TEN_MINUTES_MS - 1);
  await expect(memory.ask('a', true, found)).rejects.toThrow('before');
  expect(await memory.ask('b', true, found)).toBe('found');
  clock.advance(1);
  expect(await memory.ask('a', true, found)).toBe('found');
});

it('a known key is not asked for, and stays known no longer for that', async () => {
  const { clock, memory } = remembering();
  await expect(memory.ask('a', true, notFound)).rejects.toThrow(FetchError);
  clock.advance(TEN_MINUTES_MS - 1);
  await expect(memory.ask('a', true, notFound)).rejects.toThrow('before');
  clock.advance(1);
  expect(await memory.ask('a', true, found)).toBe('found');
});

it.each([
  ['a 404 that is not to be kept', false, notFound],
  ['another status', true, () => Promise.reject(new FetchError('status', 'answered with status 500', { status: 500 }))],
  ['another error', true, () => Promise.reject(new TypeError('no number'))],
])('%s is not remembered', async (_what, remember, ask) => {
  const { memory } = remembering();
  await expect(memory.ask('a', remember, ask)).rejects.toThrow();
  expect(await memory.ask('a', true, found)).toBe('found');
});
