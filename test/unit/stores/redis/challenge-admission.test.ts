import { describe, expect, it } from 'vitest';
import { UnfitError } from '../../../../src/model/errors.js';
import { ChallengeAdmission, FINGERPRINT_KEY } from '../../../../src/stores/redis/challenge-admission.js';
import { RecordingLog } from '../../endorsements/recording-log.js';

const KEY = Uint8Array.from({ length: 32 }, (_, index) => index);

/** A server that gives this answer to everything, and keeps what it was sent. */
function answering(answer: unknown) {
  const sent: (string | number)[][] = [];
  const call = async (command: string, ...args: readonly (string | number)[]) => {
    sent.push([command, ...args]);
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
