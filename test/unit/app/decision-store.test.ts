import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openStores } from '../../../src/app/decision-store.js';
import { openDecisionLog } from '../../../src/app/open-decision-log.js';
import { OpenParts } from '../../../src/app/open-parts.js';
import { NO_CONFIGURED_ROOTS } from '../../../src/app/reload/configured-roots.js';
import { loadConfiguration } from '../../../src/config/load-configuration.js';
import { ConfigurationError } from '../../../src/core/errors.js';
import { SqliteChallengeStore } from '../../../src/stores/sqlite/sqlite-challenge-store.js';
import { localStores } from '../log/local-store.js';
import { judged, KeptLog, makePruningDue, SetClock, signerOf } from '../log/recorded.js';

let folder: string;
let opened: OpenParts;
let log: KeptLog;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'veritee-composition-'));
  opened = new OpenParts();
  log = new KeptLog();
});

afterEach(async () => {
  await opened.close();
  rmSync(folder, { recursive: true, force: true });
});

const clock = new SetClock();
const load = (keys: object) => loadConfiguration({ text: JSON.stringify(keys), environment: {} });
const open = (keys: object) => openStores(load(keys), { clock, log, key: new Uint8Array(32), database: null }, opened);

describe('the stores of a service', () => {
  it('are one file for decisions and challenges', async () => {
    const stores = await open({ stores: { url: `sqlite:${join(folder, 'veritee.db')}` } });
    expect(stores.decisions).not.toBeNull();
    expect(stores.challenges).toBeInstanceOf(SqliteChallengeStore);
  });

  it('are the file for challenges alone, where decisions are not stored', async () => {
    const stores = await open({ stores: { url: `sqlite:${join(folder, 'veritee.db')}` }, decisions: { log: 'off' } });
    expect(stores.decisions).toBeNull();
    expect(stores.challenges).toBeInstanceOf(SqliteChallengeStore);
    expect(log.messages('warn')).toEqual(['decisions are not stored: decisions.log is off']);
  });

  it('STO-05 that cannot be opened keep the service from starting, with their place', async () => {
    const failing = open({ stores: { url: 'sqlite:/dev/null/veritee.db' } });
    await expect(failing).rejects.toThrow(ConfigurationError);
    await expect(failing).rejects.toThrow(/^stores\.url: /);
  });
});

describe('the decision log of a service', () => {
  const openStore = localStores();
  const world = () => ({
    clock,
    isClockInDoubt: () => false,
    log,
    version: '0.1.0',
    signer: signerOf(),
    policies: [],
    roots: NO_CONFIGURED_ROOTS,
    onDropped: () => {},
  });

  it('drops what is older than decisions are kept', async () => {
    const store = openStore();
    const decisionLog = await openDecisionLog(store, load({ decisions: { retentionDays: 2 } }), world(), opened);
    const [old, kept] = [
      judged({ decidedAt: new Date('2026-01-13T11:59:59Z') }),
      judged({ decidedAt: new Date('2026-01-13T12:00:01Z') }),
    ];
    await decisionLog.record(old);
    await decisionLog.record(kept);
    await makePruningDue(store);
    decisionLog.watch();
    await vi.waitFor(async () => expect(await store.find(old.decision.decisionId)).toBeNull());
    expect(await store.find(kept.decision.decisionId)).not.toBeNull();
  });

  it('writes its copy to standard output where that is configured', async () => {
    const written = vi.spyOn(process.stdout, 'write').mockImplementation((...args: readonly unknown[]) => {
      const done = args.at(-1);
      if (typeof done === 'function') done();
      return true;
    });
    try {
      await openDecisionLog(openStore(), load({ decisions: { copy: 'stdout' } }), world(), opened);
      await opened.close();
      const lines = written.mock.calls.map(([line]) => JSON.parse(String(line)));
      expect(lines).toMatchObject([{ seq: 0 }, { seq: 1 }]);
    } finally {
      written.mockRestore();
    }
  });

  it('STO-05 whose store does not take the first record keeps the service from starting', async () => {
    const store = openStore();
    store.fails = 'before';
    await expect(openDecisionLog(store, load({}), world(), opened)).rejects.toThrow('stores.url: the disk is full');
  });
});
