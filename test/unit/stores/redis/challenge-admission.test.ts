import { describe, expect, it } from 'vitest';
import { UnfitError } from '../../../../src/core/errors.js';
import { ChallengeAdmission, FINGERPRINT_KEY } from '../../../../src/stores/redis/challenge-admission.js';
import { RedisReplyError } from '../../../../src/stores/redis/redis-session.js';
import { RecordingLog } from '../../endorsements/recording-log.js';

const KEY = Uint8Array.from({ length: 32 }, (_, index) => index);

/** A server that gives this answer to everything, throws it where it is an error, and keeps what it was sent. */
function answering(answer: unknown) {
  const sent: (string | number)[][] = [];
  const call = async (command: string, ...args: readonly (string | number)[]) => {
    sent.push([command, ...args]);
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return { call, sent };
}

const admission = (log = new RecordingLog(), key = KEY) => new ChallengeAdmission(key, log);

describe('a server', () => {
  it('STO-02 is told the fingerprint of the key, and not the key', async () => {
    const server = answering(['admitted', 'r1', 'h1']);
    const admitting = admission();
    await admitting.admit(server);
    const [[command, , ...args] = []] = server.sent;
    expect([command, ...args]).toEqual(['eval', 1, FINGERPRINT_KEY, admitting.fingerprint]);
    expect(admitting.fingerprint).toMatch(/^[0-9a-f]{32}$/);
    expect(JSON.stringify(server.sent)).not.toContain(Buffer.from(KEY).toString('hex'));
  });

  it('STO-02 is told another fingerprint for a key that differs in one bit', () => {
    const other = Uint8Array.from(KEY, (byte, index) => (index === 31 ? byte ^ 1 : byte));
    expect(admission(undefined, other).fingerprint).not.toBe(admission().fingerprint);
    expect(admission(undefined, Uint8Array.from(KEY)).fingerprint).toBe(admission().fingerprint);
  });

  it.each([
    ['has challenges of another key', ['foreign'], 'another challenge key'],
    ['does not say who it is', ['nameless'], 'does not tell run_id and master_replid'],
  ])('that %s is refused for good', async (_, answer, message) => {
    const refused = admission().admit(answering(answer));
    await expect(refused).rejects.toThrow(UnfitError);
    await expect(refused).rejects.toThrow(message);
  });

  it.each([
    ['is a replica', ['replica'], 'is a replica'],
    ['says something else', ['hello'], 'the store answers with hello'],
    ['says nothing', [], 'the store answers with something else than a script does'],
    ['answers with a text', 'admitted', 'the store answers with something else than a script does'],
    ['answers with a number in the list', ['admitted', 1], 'the store answers with something else than a script does'],
  ])('that %s is not used, and may be asked again', async (_, answer, message) => {
    const refused = admission().admit(answering(answer));
    await expect(refused).rejects.not.toThrow(UnfitError);
    await expect(refused).rejects.toThrow(message);
  });

  it.each([
    [
      'does not know EVAL',
      "ERR unknown command 'EVAL'",
      'does not let veritee run scripts (EVAL): ERR unknown command',
    ],
    [
      'does not let its user run EVAL',
      "NOPERM User a has no permissions to run the 'eval' command",
      'scripts (EVAL): NOPERM',
    ],
    [
      'does not let scripts ask INFO',
      'ERR This Redis command is not allowed from script script: c0ffee, on @user_script:2.',
      'as Redis Enterprise, Redis Cloud and Azure Managed Redis do not let it ask INFO: ERR This',
    ],
    [
      'does not let scripts ask INFO, in older words',
      'ERR Error running script (call to f_c0ffee): @user_script:2: This Redis command is not allowed from scripts',
      'run within scripts',
    ],
    [
      'does not let scripts of its user ask INFO',
      "ERR The user executing the script can't run this command or subcommand script: c0ffee",
      'run within scripts',
    ],
    [
      'does not let scripts of its user ask INFO, in the words of Valkey 8',
      "ERR ACL failure in script: User a has no permissions to run the 'info' command",
      'run within scripts',
    ],
  ])('that %s is refused for good', async (_, answer, message) => {
    const refused = admission().admit(answering(new RedisReplyError(answer)));
    await expect(refused).rejects.toThrow(UnfitError);
    await expect(refused).rejects.toThrow(message);
  });

  it.each([
    'LOADING the dataset',
    'BUSY a script runs',
    'MASTERDOWN no link',
    'TRYAGAIN later',
    'CLUSTERDOWN no slots',
    'READONLY a replica',
    'MOVED 1769 127.0.0.1:1',
    'ERR Error running script (call to f_c0ffee): @user_script:7: -READONLY a replica',
  ])('that answers %s is not used, and may be asked again', async (answer) => {
    const refused = admission().admit(answering(new RedisReplyError(answer)));
    await expect(refused).rejects.not.toThrow(UnfitError);
    await expect(refused).rejects.toThrow(answer);
  });

  it('STO-01 that is another one than before, or was started again, is told to the log', async () => {
    const log = new RecordingLog();
    const admitting = admission(log);
    for (const identity of [
      ['r1', 'h1'],
      ['r1', 'h1'],
      ['r2', 'h1'],
      ['r2', 'h2'],
      ['r2', 'h2'],
    ]) {
      await admitting.admit(answering(['admitted', ...identity]));
    }
    const message = 'the challenge store was restarted, or is another server now: challenges of before are void';
    expect(log.entries).toEqual([
      { level: 'warn', message, fields: {} },
      { level: 'warn', message, fields: {} },
    ]);
  });
});
