import { describe, expect, it } from 'vitest';
import { AcceptedNonces } from '../../../src/relying-party/accepted-nonces.js';

describe('AcceptedNonces', () => {
  it('takes each nonce once', () => {
    const nonces = new AcceptedNonces();
    expect([nonces.accept('a', 10, 0), nonces.accept('b', 10, 0), nonces.accept('a', 20, 5)]).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('forgets a nonce when its receipt has ended, so that memory is bounded', () => {
    const nonces = new AcceptedNonces(2);
    expect([nonces.accept('a', 10, 0), nonces.accept('b', 20, 0), nonces.accept('c', 30, 9)]).toEqual([
      true,
      true,
      false,
    ]);
    expect([nonces.accept('c', 30, 10), nonces.accept('d', 30, 10)]).toEqual([true, false]);
  });

  it('finds what has ended behind what has not, where it is full', () => {
    const nonces = new AcceptedNonces(2);
    expect([nonces.accept('a', 20, 0), nonces.accept('b', 10, 0), nonces.accept('c', 30, 15)]).toEqual([
      true,
      true,
      true,
    ]);
  });

  it('takes nothing again where the clock goes back', () => {
    const nonces = new AcceptedNonces();
    expect([nonces.accept('a', 10, 0), nonces.accept('b', 30, 20)]).toEqual([true, true]);
    expect([nonces.accept('a', 10, 0), nonces.accept('c', 11, 0)]).toEqual([false, true]);
  });
});
