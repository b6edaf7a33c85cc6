import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { BatchLimit } from '../../../src/http/load-limits.js';

const overloaded = expect.objectContaining({ code: 'overloaded' });

/** A limit, and what enters it: an answer and its connection. */
function limited() {
  const limit = new BatchLimit();
  return (principal: string) => {
    const ends = { answer: new EventEmitter(), connection: new EventEmitter() };
    limit.enter(principal, [ends.answer, ends.connection]);
    return ends;
  };
}

describe('BatchLimit', () => {
  it('holds two batches of one principal, and no third', () => {
    const enter = limited();
    enter('a');
    enter('a');
    expect(() => enter('a')).toThrow(overloaded);
    expect(() => enter('b')).not.toThrow();
  });

  it('holds eight batches of all principals, and no ninth', () => {
    const enter = limited();
    for (const principal of ['a', 'b', 'c', 'd']) {
      enter(principal);
      enter(principal);
    }
    expect(() => enter('e')).toThrow(overloaded);
  });

  it.each(['answer', 'connection'] as const)('gives one place back when the %s closes, once for both', (first) => {
    const enter = limited();
    const [gone] = [enter('a'), enter('a')];
    gone[first].emit('close');
    gone.answer.emit('close');
    gone.connection.emit('close');
    enter('a');
    expect(() => enter('a')).toThrow(overloaded);
  });

  it('leaves no listener on a connection that lives on', () => {
    const { answer, connection } = limited()('a');
    answer.emit('close');
    expect(connection.listenerCount('close')).toBe(0);
  });
});
