import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type BundleOptions,
  exportEndorsements,
  importEndorsements,
} from '../../../src/app/commands/endorsement-bundles.js';
import { loadConfiguration } from '../../../src/config/load-configuration.js';
import { createIntelPki, TdxPlatform } from '../../lab/index.js';
import { LabPcs } from '../../lab/pcs.js';
import { ManualClock } from '../../unit/endorsements/manual-clock.js';
import { RecordingLog } from '../../unit/endorsements/recording-log.js';
import { freePort } from '../free-port.js';
import { PostgresLogs, SERVICE } from '../stores/postgres-logs.js';
import { isWithoutPostgres, PostgresServer } from '../stores/postgres-server.js';

const NOW = new Date('2026-03-01T12:00:00Z');
const pki = createIntelPki({ at: NOW });
const platform = new TdxPlatform({ pki });

let root: string;
let logs: PostgresLogs;
let pcs: LabPcs;
let lines: string[] = [];

const addressAt = (port: number) => `postgres://${SERVICE}@127.0.0.1:${port}/${logs.server.database}`;

/** A replica with folders of its own. */
function replica(name: string, url = addressAt(logs.server.port), source = 'off') {
  const text = JSON.stringify({
    amd: { kds: 'off', chains: join(root, name, 'amd') },
    intel: { pcs: source, collateral: join(root, name, 'intel') },
    stores: { url },
    challenges: { key: 'challenges.key' },
    receipts: { key: 'receipts.pem' },
  });
  const log = new RecordingLog();
  const world: BundleOptions & { storeTimeoutMs: number } = {
    clock: new ManualClock(NOW),
    log,
    intelRootPins: pki.pins,
    connect: { ca: pcs.authorityPem },
    writeLine: (line) => lines.push(line),
    // A busy machine has much of it.
    storeTimeoutMs: 10_000,
  };
  return { configuration: loadConfiguration({ text, environment: {} }), world, log };
}

/** A bundle with collateral of this evaluation. */
async function bundle(evaluationNumber: number): Promise<string> {
  pcs.serve(platform, { evaluationNumber });
  const name = `evaluation-${evaluationNumber}`;
  const { configuration, world } = replica(name, `sqlite:${join(root, name, 'veritee.db')}`, pcs.origin);
  await exportEndorsements(join(root, name, 'bundle'), [{ name, bytes: platform.quote() }], configuration, world);
  return join(root, name, 'bundle');
}

async function take(folder: string, { configuration, world }: ReturnType<typeof replica>) {
  lines = [];
  // What a replica remembers by itself is in the working folder.
  const before = process.cwd();
  process.chdir(await mkdtemp(join(root, 'data-')));
  try {
    return [await importEndorsements(folder, configuration, world), ...lines.map((line) => line.split(':').at(-1))];
  } finally {
    process.chdir(before);
  }
}

describe.skipIf(isWithoutPostgres('veritee endorsements import beside replicas that share rollback marks'))(
  'veritee endorsements import beside replicas that share rollback marks',
  () => {
    beforeAll(async () => {
      root = await mkdtemp(join(tmpdir(), 'veritee-shared-marks-'));
      logs = new PostgresLogs(await PostgresServer.start());
      await logs.migrate();
      pcs = await LabPcs.start({ clock: () => NOW });
    });

    beforeEach(() => logs.sql('TRUNCATE rollback_marks'));

    afterAll(async () => {
      await pcs.close();
      await logs.close();
      await logs.server.close();
      await rm(root, { recursive: true });
    });

    it('TDX-10 takes no collateral that is older than what was imported at another', async () => {
      const [older, newer] = [await bundle(19), await bundle(20)];
      expect((await take(newer, replica('one')))[0]).toBe(0);
      expect(await take(older, replica('two'))).toEqual([2, ' it is older than what was imported before']);
      expect((await take(newer, replica('two')))[0]).toBe(0);
    });

    it('TDX-10 goes by its own marks where the database is out of reach, and says so', async () => {
      const { log, ...gone } = replica('gone', addressAt(await freePort()));
      expect((await take(await bundle(18), { log, ...gone }))[0]).toBe(0);
      expect(log.of(/those of this one count/)).toHaveLength(1);
    });
  },
);
