import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadConfiguration } from '../../../src/config/load-configuration.js';
import { ConfigurationError } from '../../../src/model/errors.js';
import { type OwnPart, Primary } from '../../../src/workers/primary.js';
import type { UsedProof } from '../../../src/workers/protocol.js';
import { RecordingLog } from '../endorsements/recording-log.js';
import { type Behaviour, LabWorker, ownPart, READY, TestFiles } from './lab-workers.js';

const CONFIGURATION = loadConfiguration({ text: '{}', environment: {} });
const read = async () => CONFIGURATION;

let log: RecordingLog;
let files: TestFiles;
/** The workers that were forked, in that order. */
let forked: LabWorker[];
let behaviour: Map<number, Behaviour>;
let lost: number[];
let used: UsedProof[];
let now: number;
/** How often a worker asked whether connections were handed over. */
let turns: number;
/** Whether each reload was put in force. */
let reloads: boolean[];
/** What the process of the primary takes over. */
let own: OwnPart;
let primary: Primary | null;

beforeEach(() => {
  [log, files, forked, behaviour] = [new RecordingLog(), new TestFiles(), [], new Map()];
  [lost, used, reloads, now, turns, primary, own] = [[], [], [], 0, 0, null, ownPart(CONFIGURATION)];
});

afterEach(async () => {
  vi.useRealTimers();
  await primary?.close();
});

async function start(workers = 2): Promise<Primary> {
  primary = await Primary.start(
    {
      configuration: CONFIGURATION,
      port: 8080,
      workers,
      fork: (worker) => {
        forked.push(new LabWorker(() => behaviour.get(worker) ?? {}));
        return forked.at(-1) as LabWorker;
      },
      log,
      monotonicMs: () => now,
      shared: {
        metrics: async () => 'figures of all',
        proof: async (proof) => void used.push(proof),
        handedOver: async () => {
          turns += 1;
        },
        endorsement: async ({ sha256 }) => ({ kind: 'crl', sha256, value: Uint8Array.of(1) }),
      },
      challengeKey: new Uint8Array(32).fill(7),
      heldTime: () => ({ expected: now, highest: now }),
      ephemeralKey: 'the key of the service',
      files,
      own: async () => own,
      onLost: (worker) => void lost.push(worker),
      onReloaded: (isTaken) => void reloads.push(isTaken),
    },
    'callers',
  );
  return primary;
}

const inForce = (part: string) => forked.map((worker) => worker.inForce.get(part));
/** As many listen, of so many that were forked until then. */
const isListening = (count: number, ofForked: number) =>
  expect.poll(() => [primary?.workers.length, forked.length]).toEqual([count, ofForked]);

/** Lets everything happen that waits for nothing but turns of the event loop, and then so much time pass. */
async function pass(milliseconds: number): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
  await vi.advanceTimersByTimeAsync(milliseconds);
}

describe('Workers of a service', () => {
  it('are given one configuration, one key and one set of ticket keys', async () => {
    await start(3);
    const keys = forked.map(({ started }) => started);
    expect(keys.map((each) => each?.worker)).toEqual([1, 2, 3]);
    expect(new Set(keys.map((each) => each?.ephemeralKey))).toEqual(new Set(['the key of the service']));
    expect(keys.map((each) => each?.port)).toEqual([8080, 8080, 8080]);
    expect(keys.map((each) => each?.challengeKey)).toEqual(Array(3).fill(new Uint8Array(32).fill(7)));
    expect(keys.map((each) => each?.isAgain)).toEqual([false, false, false]);
    expect(keys[0]?.ticketKeys.byteLength).toBe(48);
    expect(keys[1]?.ticketKeys).toEqual(keys[0]?.ticketKeys);
    expect(keys[2]?.configuration).toEqual(CONFIGURATION);
  });

  it('do not start where one does not, and none is left', async () => {
    behaviour.set(2, { start: async () => Promise.reject(new ConfigurationError(['roots: there is no such file'])) });
    await expect(start(2)).rejects.toThrow(ConfigurationError);
    expect(forked.map(({ isGone }) => isGone)).toEqual([true, true]);
  });

  it('ask their parent for what it does for all', async () => {
    await start(1);
    const proof = { gate: 'web', jkt: 'key', jti: 'one' };
    expect(await forked[0]?.shared?.calls.metrics()).toBe('figures of all');
    await forked[0]?.shared?.calls.proof(proof);
    expect(used).toEqual([proof]);
    await forked[0]?.shared?.calls.handedOver();
    expect(turns).toBe(1);
    const found = await forked[0]?.shared?.calls.endorsement({ tenant: 'default', sha256: 'ab' });
    expect(found).toEqual({ kind: 'crl', sha256: 'ab', value: Uint8Array.of(1) });
  });

  it('say what they have of an endorsement', async () => {
    const held = { kind: 'crl', sha256: 'ab', value: Uint8Array.of(1) } as const;
    behaviour.set(1, { endorsement: (tenant, sha256) => (tenant === 'red' && sha256 === 'ab' ? held : null) });
    const { workers } = await start(1);
    expect(await workers[0]?.endorsement({ tenant: 'red', sha256: 'ab' })).toEqual(held);
    expect(await workers[0]?.endorsement({ tenant: 'blue', sha256: 'ab' })).toBeNull();
  });

  it('do one after the other what one alone may do, also where one ends meanwhile', async () => {
    await start(2);
    const done: number[] = [];
    const first = forked[0]?.shared?.exclusive('mark', () => new Promise(() => {}));
    const second = forked[1]?.shared?.exclusive('mark', async () => void done.push(2));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(done).toEqual([]);
    forked[0]?.die();
    await second;
    expect(done).toEqual([2]);
    void first;
  });
});

describe('A reload of several workers', () => {
  it('changes all of them over to what was read once', async () => {
    await start(2);
    files.content = 'new';
    const readings = vi.spyOn(files, 'read');
    await primary?.reload(read);
    expect([inForce('policies'), inForce('callers')]).toEqual([
      ['new', 'new'],
      ['new', 'new'],
    ]);
    expect(readings).toHaveBeenCalledTimes(2);
  });

  it('keeps a part everywhere that one of them cannot use, and takes the others', async () => {
    await start(2);
    behaviour.set(2, { unfit: ['policies'] });
    files.content = 'new';
    await primary?.reload(read);
    expect([inForce('policies'), inForce('callers')]).toEqual([
      ['old', 'old'],
      ['new', 'new'],
    ]);
  });

  it('keeps who may call where the configuration cannot be read', async () => {
    await start(2);
    files.content = 'new';
    await primary?.reload(async () => Promise.reject(new ConfigurationError(['callers: is no object'])));
    expect([inForce('policies'), inForce('callers')]).toEqual([
      ['new', 'new'],
      ['old', 'old'],
    ]);
  });

  it('changes nothing where one of them cannot tell what it read', async () => {
    await start(2);
    behaviour.set(2, { prepare: async () => Promise.reject(new Error('out of memory')) });
    files.content = 'new';
    await primary?.reload(read);
    expect(inForce('policies')).toEqual(['old', 'old']);
    expect(log.of(/^reload failed$/)).toHaveLength(1);
    expect(forked[0]?.discarded).toBe(1);
    behaviour.delete(2);
    await primary?.reload(read);
    expect(inForce('policies')).toEqual(['new', 'new']);
    expect(reloads).toEqual([false, true]);
  });

  it('does not wait for a worker that ends meanwhile, which gets what the others have', async () => {
    await start(2);
    behaviour.set(2, { prepare: async () => forked[1]?.die() });
    files.content = 'new';
    await primary?.reload(read);
    behaviour.delete(2);
    await isListening(2, 3);
    expect([forked[0]?.inForce.get('policies'), forked[2]?.inForce.get('policies')]).toEqual(['new', 'new']);
  });

  it('does not put in force what a worker has read too late, by a later reload', async () => {
    await start(2);
    let release = () => {};
    const late = new Promise<void>((resolve) => {
      release = resolve;
    });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    behaviour.set(1, { prepare: () => late });
    files.content = 'new';
    const failing = primary?.reload(read);
    await pass(30_000);
    await failing;
    expect(log.of(/^reload failed$/)).toHaveLength(1);
    vi.useRealTimers();
    behaviour.set(1, {});
    behaviour.set(2, { prepare: async () => release() });
    files.content = 'newer';
    await primary?.reload(read);
    expect(inForce('policies')).toEqual(['newer', 'newer']);
    expect(forked[0]?.discarded).toBe(1);
  });

  it('changes nothing where the process of the primary cannot change over', async () => {
    own = { ...ownPart(CONFIGURATION), commit: async () => Promise.reject(new Error('the listener does not take it')) };
    await start(2);
    const before = forked[0]?.shared?.ticketKeys();
    files.content = 'new';
    await primary?.reload(read);
    expect([inForce('policies'), reloads]).toEqual([['old', 'old'], [false]]);
    forked[0]?.die();
    await isListening(2, 3);
    expect([forked[2]?.inForce.get('policies'), forked[2]?.started?.ticketKeys]).toEqual(['old', before]);
  });

  it('ends a worker that does not change over, and the one in its place has', async () => {
    await start(2);
    behaviour.set(2, { notCommitted: ['policies'] });
    files.content = 'new';
    await primary?.reload(read);
    behaviour.delete(2);
    await isListening(2, 3);
    expect(log.of(/has not changed over/)).toMatchObject([{ worker: 2 }]);
    expect(forked[2]?.inForce.get('policies')).toBe('new');
  });

  it('changes the keys of TLS tickets with who may connect, for all alike', async () => {
    await start(2);
    const before = forked[0]?.shared?.ticketKeys();
    behaviour.set(1, { unfit: ['callers'] });
    await primary?.reload(read);
    expect(forked[0]?.shared?.ticketKeys()).toEqual(before);
    behaviour.delete(1);
    await primary?.reload(read);
    const [one, other] = forked.map(({ shared }) => shared?.ticketKeys());
    expect(one).not.toEqual(before);
    expect(other).toEqual(one);
    // A session that was resumed in between would outlive who may connect.
    expect(forked.map(({ keysAtCommit }) => keysAtCommit)).toEqual([one, one]);
  });

  it('ends a worker that has not changed over in five seconds', async () => {
    await start(2);
    behaviour.set(2, {
      prepare: async () => {
        const [, worker] = forked;
        // Its answer leaves before.
        setImmediate(() => worker && Object.assign(worker, { isDeaf: true }));
      },
    });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const reloading = primary?.reload(read);
    await pass(4_999);
    expect(log.of(/has not changed over/)).toEqual([]);
    await pass(1);
    await reloading;
    expect(log.of(/has not changed over/)).toMatchObject([{ worker: 2 }]);
    expect(forked[1]?.isGone).toBe(true);
  });
});

describe('A worker that ends by itself', () => {
  it('is started again with what is in force, and not with what the disk holds by then', async () => {
    await start(2);
    files.content = 'new';
    await primary?.reload(read);
    files.content = 'newer';
    now = 5;
    forked[0]?.die('SIGSEGV');
    await isListening(2, 3);
    expect(forked[2]?.inForce.get('policies')).toBe('new');
    expect(log.of(/ended by itself/)).toEqual([{ worker: 1, how: 'SIGSEGV' }]);
    expect(lost).toEqual([1]);
    expect(forked[2]?.started?.isAgain).toBe(true);
    expect([forked[1], forked[2]].map((worker) => worker?.started?.heldTime.expected)).toEqual([0, 5]);
  });

  it('is started again with the configuration that is in force, and not with that of the start', async () => {
    let inForceNow = CONFIGURATION;
    const next = loadConfiguration({ text: JSON.stringify({ log: { level: 'warn' } }), environment: {} });
    own = {
      ...ownPart(CONFIGURATION),
      get configuration() {
        return inForceNow;
      },
      commit: async () => {
        inForceNow = next;
      },
    };
    await start(2);
    await primary?.reload(async () => next);
    forked[0]?.die();
    await isListening(2, 3);
    expect(forked[2]?.started?.configuration).toEqual(next);
  });

  it('is given up where it does not listen in a minute, and started once more', async () => {
    await start(2);
    behaviour.set(1, { start: () => new Promise(() => {}) });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    forked[0]?.die();
    await pass(59_999);
    expect(log.of(/could not be started again/)).toEqual([]);
    behaviour.delete(1);
    await pass(1);
    expect(log.of(/could not be started again/)).toMatchObject([{ worker: 1 }]);
    expect(forked[2]?.isGone).toBe(true);
    await pass(1_000);
    vi.useRealTimers();
    await isListening(2, 4);
  });

  it('has those that listen answer meanwhile', async () => {
    await start(2);
    behaviour.set(1, { start: () => new Promise(() => {}) });
    forked[0]?.die();
    await expect.poll(() => primary?.workers.map(({ number }) => number)).toEqual([2]);
    expect(primary?.workers.map(({ health }) => health.readiness)).toEqual([READY]);
  });

  it('ends the service the fifth time in a minute', async () => {
    await start(1);
    let givenUp = false;
    void primary?.givenUp.then(() => {
      givenUp = true;
    });
    for (let crash = 1; crash <= 4; crash++) {
      forked.at(-1)?.die();
      await isListening(1, crash + 1);
    }
    expect(givenUp).toBe(false);
    now = 59_999;
    forked.at(-1)?.die();
    await primary?.givenUp;
    expect(log.of(/too often/)).toEqual([{ crashes: 5, seconds: 60 }]);
  });

  it('twin: goes on where they are further apart', async () => {
    await start(1);
    for (let crash = 1; crash <= 4; crash++) {
      forked.at(-1)?.die();
      await isListening(1, crash + 1);
    }
    now = 60_000;
    forked.at(-1)?.die();
    await isListening(1, 6);
    expect(log.of(/too often/)).toEqual([]);
  });

  it('is tried again where it does not start, seldom in the end, and as long as others answer it ends nothing', async () => {
    await start(2);
    behaviour.set(1, { start: async () => Promise.reject(new Error('no memory')) });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    let givenUp = false;
    void primary?.givenUp.then(() => {
      givenUp = true;
    });
    forked[0]?.die();
    for (const pause of [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]) await pass(pause);
    expect(log.of(/could not be started again/)).toHaveLength(7);
    expect(givenUp).toBe(false);
    behaviour.delete(1);
    await pass(30_000);
    vi.useRealTimers();
    await expect.poll(() => primary?.workers.length).toBe(2);
  });

  it('ends the service where nobody answers and it does not start five times', async () => {
    await start(1);
    behaviour.set(1, { start: async () => Promise.reject(new Error('no memory')) });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    forked[0]?.die();
    for (const pause of [1_000, 2_000, 4_000, 8_000]) await pass(pause);
    await primary?.givenUp;
    expect(log.of(/could not be started again/)).toHaveLength(4);
  });

  it('is ended where it gives no sign of life for fifteen seconds', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    await start(1);
    // Its heartbeats are timers of this process too, and arrive with a later turn of the event loop.
    vi.advanceTimersByTime(15_000);
    expect(log.of(/no sign of life/)).toEqual([]);
    vi.advanceTimersByTime(1_000);
    expect(log.of(/no sign of life/)).toEqual([{ worker: 1 }]);
    vi.useRealTimers();
    await isListening(1, 2);
  });
});

describe('A stop of several workers', () => {
  it('drains each of them, and starts none again', async () => {
    await start(2);
    await primary?.close();
    expect(forked.map(({ isStopped }) => isStopped)).toEqual([true, true]);
    expect([forked.length, primary?.isStopping]).toEqual([2, true]);
    expect(lost).toEqual([]);
  });

  it('ends one at once that does not listen yet, and one that begins to meanwhile', async () => {
    await start(2);
    let release = () => {};
    const starting = new Promise<void>((resolve) => {
      release = resolve;
    });
    behaviour.set(1, { start: () => starting });
    forked[0]?.die();
    await expect.poll(() => forked[2]?.started?.worker).toBe(1);
    await primary?.close();
    release();
    expect([forked[1]?.isStopped, forked[2]?.isStopped, forked[2]?.isGone]).toEqual([true, false, true]);
  });

  it('ends one that has not drained in 25 seconds', async () => {
    await start(1);
    behaviour.set(1, { close: () => new Promise(() => {}) });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const closing = primary?.close();
    await pass(24_999);
    expect(forked[0]?.isGone).toBe(false);
    await pass(1);
    await closing;
    expect(forked[0]?.isGone).toBe(true);
  });

  it('takes no reload any more', async () => {
    await start(1);
    await primary?.close();
    const reading = vi.fn(read);
    await primary?.reload(reading);
    expect(reading).not.toHaveBeenCalled();
  });
});
