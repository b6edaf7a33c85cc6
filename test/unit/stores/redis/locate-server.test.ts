import { describe, expect, it } from 'vitest';
import { type Asking, locateServer } from '../../../../src/stores/redis/locate-server.js';
import { RedisReplyError } from '../../../../src/stores/redis/redis-session.js';
import type { RedisSettings } from '../../../../src/stores/redis/redis-settings.js';

const NODE = { host: 'node.example', port: 7000 };
const APART = { tls: false, ca: null, user: null, password: null, passwordFile: null, database: 0 };

function settings(mode: RedisSettings['mode']): RedisSettings {
  return { mode, nodes: [NODE], master: mode === 'sentinel' ? 'main' : null, ...APART };
}

/** Asks a node that answers, one after the other, with these. What was done is kept. */
function asking(mode: RedisSettings['mode'], ...answers: readonly unknown[]) {
  const done: string[] = [];
  const left = [...answers];
  const session = {
    node: NODE,
    call: async (...words: readonly (string | number)[]) => {
      done.push(words.join(' '));
      const answer = left.shift();
      if (answer instanceof Error) throw answer;
      return answer;
    },
    end: () => void done.push('end'),
  };
  const how: Asking = {
    settings: settings(mode),
    open: async () => session,
    authenticate: async () => void done.push('auth'),
  };
  return { how, done };
}

describe('a server of its own', () => {
  it('is the node, which is not asked', async () => {
    const { how, done } = asking('single');
    expect(await locateServer(NODE, how)).toBe(NODE);
    expect(done).toEqual([]);
  });
});

describe('a server behind Sentinels', () => {
  const ASK = 'sentinel get-master-addr-by-name main';

  it('is the one that a Sentinel names, which is told no password', async () => {
    const { how, done } = asking('sentinel', ['10.0.0.1', '6379']);
    expect(await locateServer(NODE, how)).toEqual({ host: '10.0.0.1', port: 6379 });
    expect(done).toEqual([ASK, 'end']);
  });

  it('is asked for again with the password where a Sentinel demands one', async () => {
    const demanded = new RedisReplyError('NOAUTH Authentication required.');
    const { how, done } = asking('sentinel', demanded, ['10.0.0.1', '6379']);
    expect(await locateServer(NODE, how)).toEqual({ host: '10.0.0.1', port: 6379 });
    expect(done).toEqual([ASK, 'auth', ASK, 'end']);
  });

  it.each([
    ['another refusal', new RedisReplyError('NOPERM no'), 'NOPERM no'],
    ['no answer', new Error('no answer within 100 ms'), 'no answer'],
    ['nothing', null, 'node.example:7000 knows no server by the name main'],
    ['no port', ['10.0.0.1'], 'knows no server'],
    ['a text', '10.0.0.1', 'knows no server'],
    ['a number for a host', [1, '6379'], 'knows no server'],
  ])('is not known after %s, and the connection ends', async (_, answer, message) => {
    const { how, done } = asking('sentinel', answer);
    await expect(locateServer(NODE, how)).rejects.toThrow(message);
    expect(done).toEqual([ASK, 'end']);
  });
});

describe('a node of a Cluster', () => {
  const others = [5461, 16_383, ['10.0.0.3', 6379, 'id3']];
  const range = (host: unknown, port: unknown = 6379) => [0, 5460, [host, port, 'id1'], ['10.0.0.2', 6379, 'id2']];

  it('is the primary of the slot, by a node that was told the password first', async () => {
    const { how, done } = asking('cluster', [others, range('10.0.0.1')]);
    expect(await locateServer(NODE, how)).toEqual({ host: '10.0.0.1', port: 6379 });
    expect(done).toEqual(['auth', 'cluster slots', 'end']);
  });

  it.each([
    [1769, 1769],
    [0, 1769],
    [1769, 16_383],
  ])('has the slot where it has those from %s to %s', async (first, last) => {
    const { how } = asking('cluster', [[first, last, ['10.0.0.1', 6379]]]);
    expect(await locateServer(NODE, how)).toEqual({ host: '10.0.0.1', port: 6379 });
  });

  it.each([null, ''])('that gives %j for its address is at that of the node that was asked', async (host) => {
    const { how } = asking('cluster', [range(host, 7005)]);
    expect(await locateServer(NODE, how)).toEqual({ host: 'node.example', port: 7005 });
  });

  it.each([
    ['no range has it', [others]],
    [
      'the ranges end before it, or begin behind it',
      [
        [0, 1768, ['a', 1]],
        [1770, 16_383, ['b', 1]],
      ],
    ],
    ['there is no range', []],
    ['the answer is no list', 'OK'],
    ['a range is no list', ['x']],
    ['a range has no nodes', [[0, 16_383]]],
    ['a node has no port', [[0, 16_383, ['10.0.0.1']]]],
    ['a node has a number for a host', [[0, 16_383, [1, 6379]]]],
  ])('is not known where %s', async (_, answer) => {
    const { how, done } = asking('cluster', answer);
    await expect(locateServer(NODE, how)).rejects.toThrow('node.example:7000 knows no node that has the slot');
    expect(done.at(-1)).toBe('end');
  });
});
