import { describe, expect, it } from 'vitest';
import { UnfitError } from '../../../../src/core/errors.js';
import { RedisResetMemory } from '../../../../src/stores/redis/redis-reset-store.js';
import { RedisReplyError } from '../../../../src/stores/redis/redis-session.js';
import { ResetSeal } from '../../../../src/stores/redis/reset-seal.js';
import { RecordingLog } from '../../endorsements/recording-log.js';

const AK = 'A'.repeat(43);
const TENANT = 'payments';
const seal = new ResetSeal(new Uint8Array(32));
const counts = (resetCount: number, restartCount = 0) => ({ resetCount, restartCount });
const entry = (resetCount: number) => seal.seal({ tenant: TENANT, akThumbprint: AK }, counts(resetCount));

interface Sent {
  readonly script: string;
  readonly keys: readonly string[];
  readonly args: readonly unknown[];
}

/** A memory whose server gives these answers, one after the other, and throws those that are errors. */
function answering(...answers: readonly unknown[]) {
  const left = [...answers];
  const sent: Sent[] = [];
  const renewed: string[] = [];
  const log = new RecordingLog();
  const connection = {
    run: async ({ name: script }: { readonly name: string }, keys: readonly string[], args: readonly unknown[]) => {
      sent.push({ script, keys, args });
      const answer = left.shift();
      if (answer instanceof Error) throw answer;
      return answer;
    },
    renew: (reason: Error) => void renewed.push(reason.message),
  };
  const memory = new RedisResetMemory({ connection, seal, tenant: TENANT, log, capacity: 500 });
  return { memory, sent, renewed, log };
}

const COUNTS_KEY = '{veritee}:resets:counts:payments';
const RISEN_KEY = '{veritee}:resets:risen:payments';

describe('the highest counts in a store', () => {
  it('TPM-10 are those that a replica has sealed, of one tenant and vTPM', async () => {
    const { memory, sent } = answering(['kept', entry(9)]);
    expect(await memory.highest(AK)).toEqual(counts(9));
    expect(sent).toEqual([{ script: 'highest', keys: [COUNTS_KEY], args: [AK] }]);
  });

  it('TPM-10 are none where nothing is kept', async () => {
    expect(await answering(['none']).memory.highest(AK)).toBeNull();
  });

  it.each([
    ['is not two counts', 'nine'],
    ['was not sealed by a replica', `9 0 ${'A'.repeat(43)}`],
    ['is of another vTPM', seal.seal({ tenant: TENANT, akThumbprint: 'B'.repeat(43) }, counts(9))],
    ['is empty', ''],
    ['is missing', null],
  ])('TPM-10 are damaged where the entry %s, which the log says once, and once when it is over', async (_, kept) => {
    const { memory, log } = answering(['kept', kept], ['kept', kept], ['kept', entry(9)]);
    for (let time = 0; time < 2; time++) await expect(memory.highest(AK)).rejects.toThrow(UnfitError);
    const told = {
      store: 'redis',
      tenant: TENANT,
      akThumbprint: AK,
      why: 'not two counts that a replica with this challenge key has sealed',
    };
    expect(log.of(/cannot be used: policies that track resets do not allow/)).toEqual([told]);
    expect(await memory.highest(AK)).toEqual(counts(9));
    expect(log.of(/can be used again/)).toHaveLength(1);
  });

  it.each([
    ['another word', ['hello'], 'the store answers with hello'],
    ['no list', 'kept', 'the store answers with something else than a script does'],
    ['numbers', [1], 'the store answers with something else than a script does'],
    ['nothing', [], 'the store answers with something else than a script does'],
    ['an error', new RedisReplyError('NOPERM no permission'), 'NOPERM no permission'],
  ])('TPM-10 are out of reach where the server answers with %s', async (_, answer, message) => {
    const failing = answering(answer).memory.highest(AK);
    await expect(failing).rejects.toThrow(message);
    await expect(failing).rejects.not.toThrow(UnfitError);
  });

  it('TPM-10 are out of reach at a server that became a replica, and another one is looked for', async () => {
    const { memory, renewed } = answering(['replica']);
    await expect(memory.highest(AK)).rejects.toThrow('the server is a replica now');
    expect(renewed).toEqual(['the server is a replica now']);
  });
});

describe('counts that a store is given', () => {
  it('TPM-10 are sealed, and kept where lower ones were', async () => {
    const { memory, sent, log } = answering(['kept', entry(7)], ['raised', '0']);
    expect(await memory.advance(AK, counts(9, 0))).toEqual(counts(9));
    expect(sent[1]).toEqual({ script: 'raise', keys: [COUNTS_KEY, RISEN_KEY], args: [AK, entry(9), 9, 0, 500, 5] });
    expect(log.entries).toEqual([]);
  });

  it.each([9, 10])('TPM-10 change nothing where 9 is given and %i is kept', async (kept) => {
    const { memory, sent } = answering(['kept', entry(kept)]);
    expect(await memory.advance(AK, counts(9))).toEqual(counts(kept));
    expect(sent.map(({ script }) => script)).toEqual(['highest']);
  });

  it('TPM-10 come after higher ones that another replica noted meanwhile', async () => {
    const { memory } = answering(['kept', entry(7)], ['kept', entry(12)]);
    expect(await memory.advance(AK, counts(9))).toEqual(counts(12));
  });

  it('TPM-10 do not take the place of a damaged entry', async () => {
    const { memory, sent } = answering(['kept', 'nine']);
    await expect(memory.advance(AK, counts(9))).rejects.toThrow(UnfitError);
    expect(sent.map(({ script }) => script)).toEqual(['highest']);
  });

  it('TPM-10 are not kept where the entry was damaged meanwhile', async () => {
    const { memory } = answering(['none'], ['kept', `12 0 ${'A'.repeat(43)}`]);
    await expect(memory.advance(AK, counts(9))).rejects.toThrow(UnfitError);
  });

  it.each([
    ['another word', ['hello'], 'the store answers with hello'],
    ['an error', new RedisReplyError('OOM command not allowed'), 'OOM command not allowed'],
    ['that it is a replica', ['replica'], 'the server is a replica now'],
  ])('TPM-10 are not kept where the server answers with %s', async (_, answer, message) => {
    await expect(answering(['none'], answer).memory.advance(AK, counts(9))).rejects.toThrow(message);
  });

  it('TPM-10 are in the log where the oldest were forgotten for them', async () => {
    const { memory, log } = answering(['none'], ['raised', '6']);
    await memory.advance(AK, counts(9));
    expect(log.of(/is full, so the oldest counts were forgotten/)).toEqual([
      { store: 'redis', tenant: TENANT, forgotten: 6 },
    ]);
  });
});
