import { describe, expect, it } from 'vitest';
import { UnfitError } from '../../../../src/core/errors.js';
import { admitLog } from '../../../../src/stores/redis/log-admission.js';
import { RedisReplyError } from '../../../../src/stores/redis/redis-session.js';

const FIT = { redis_version: '7.2.4', aof_enabled: '1' };

/** A server that answers so to each command; an error is thrown. */
function answering(answers: Readonly<Record<string, unknown>>) {
  const sent: unknown[][] = [];
  const call = async (command: string, ...args: readonly unknown[]) => {
    sent.push([command, ...args]);
    const answer = { config: [], eval: ['admitted'], waitaof: [1, 1], ...answers }[command];
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return { call, sent };
}

const admit = (info: Readonly<Record<string, string>>, server = answering({})) =>
  admitLog(server, new Map(Object.entries(info)), { replicas: 1, withinMs: 30 });

describe('a server for decisions', () => {
  it.each(['7.2.0', '7.4.1', '8.0.0', '10.0.0'])(
    'is fit where it is of version %s and has an append-only file',
    async (version) => {
      const server = answering({});
      await admit({ ...FIT, redis_version: version }, server);
      expect(server.sent.filter(([command]) => command === 'waitaof')).toEqual(Array(2).fill(['waitaof', 1, 1, 20]));
    },
  );

  it.each([
    ['is too old', { ...FIT, redis_version: '7.0.15' }, 'is of version 7.0.15, and decisions need WAITAOF'],
    ['is much too old', { ...FIT, redis_version: '6.2.14' }, 'is of version 6.2.14'],
    ['does not tell its version', { aof_enabled: '1' }, 'does not tell its version, and decisions need WAITAOF'],
    ['has no append-only file', { ...FIT, aof_enabled: '0' }, 'appendonly has to be yes'],
    ['does not tell whether it has one', { redis_version: '8.0.0' }, 'appendonly has to be yes'],
  ])('STO-03 that %s is refused for good', async (_, info, why) => {
    const refused = admit(info);
    await expect(refused).rejects.toThrow(UnfitError);
    await expect(refused).rejects.toThrow(why);
  });

  it.each([
    ['syncs once a second', { config: ['appendfsync', 'everysec'] }, 'appendfsync is everysec'],
    [
      'has a log of another form',
      { eval: ['form', '9'] },
      'another version of veritee wrote (form 9, this one knows 1)',
    ],
  ])('STO-03 that %s is refused for good', async (_, answers, why) => {
    const refused = admit(FIT, answering(answers));
    await expect(refused).rejects.toThrow(UnfitError);
    await expect(refused).rejects.toThrow(why);
  });

  it.each([
    ['eval', "ERR unknown command 'EVAL'", 'does not let veritee run scripts (EVAL): ERR unknown command'],
    ['eval', 'ERR This Redis command is not allowed from script script: c0ffee', 'run within scripts'],
    ['waitaof', "ERR unknown command 'WAITAOF'", 'does not let veritee ask what is on the disk (WAITAOF): ERR unknown'],
    ['waitaof', "NOPERM User a has no permissions to run the 'waitaof' command", 'on the disk (WAITAOF): NOPERM'],
  ])('STO-03 that refuses %s is refused for good: %s', async (command, answer, why) => {
    const refused = admit(FIT, answering({ [command]: new RedisReplyError(answer) }));
    await expect(refused).rejects.toThrow(UnfitError);
    await expect(refused).rejects.toThrow(why);
  });

  it.each([
    ['eval', 'LOADING the dataset'],
    ['eval', 'READONLY a replica'],
    ['waitaof', 'ERR WAITAOF cannot be used with replica instances'],
    ['waitaof', 'MASTERDOWN no link'],
  ])('that answers %s with %s may be asked again', async (command, answer) => {
    const refused = admit(FIT, answering({ [command]: new RedisReplyError(answer) }));
    await expect(refused).rejects.not.toThrow(UnfitError);
    await expect(refused).rejects.toThrow(answer);
  });

  it('is taken where it does not tell how it syncs', async () => {
    await admit(FIT, answering({ config: new RedisReplyError('NOPERM no') }));
  });

  it.each([
    ['does not sync in time', { waitaof: [0, 1] }, 'is not synced within 30 ms: appendfsync has to be always'],
    ['lacks replicas', { waitaof: [1, 0] }, '0 of 1 replicas confirm within 30 ms'],
    ['answers with something else', { waitaof: 'OK' }, 'is not synced within 30 ms'],
    ['is of another kind', { eval: ['hello'] }, 'the store answers with hello'],
    ['is gone', { config: new Error('Connection is closed') }, 'Connection is closed'],
  ])('that %s is not used, and may be asked again', async (_, answers, why) => {
    const refused = admit(FIT, answering(answers));
    await expect(refused).rejects.not.toThrow(UnfitError);
    await expect(refused).rejects.toThrow(why);
  });

  it('is asked again where its replicas have not synced yet', async () => {
    const server = answering({});
    const behind = [
      [1, 0],
      [0, 0],
      [1, 1],
    ];
    const call = async (command: string, ...args: readonly unknown[]) => {
      const answer = await server.call(command, ...args);
      return command === 'waitaof' ? (behind.shift() ?? answer) : answer;
    };
    await admitLog({ call }, new Map(Object.entries(FIT)), { replicas: 1, withinMs: 60_000 });
    expect(server.sent.filter(([command]) => command === 'waitaof')).toHaveLength(4);
  });

  it('is taken without memory: what is there can be read, and room be made', async () => {
    await admit(FIT, answering({ eval: ['full'] }));
  });
});
