import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import engine from 'libsql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DecidedRequest } from '../../../src/core/decision-log.js';
import type { DecisionLog } from '../../../src/log/decision-log.js';
import { requireConforming } from '../../contract/conforms.js';
import { openLocalStore } from '../../unit/log/local-store.js';
import { judged, openLog } from '../../unit/log/recorded.js';
import { attemptOf, release, releasing, resultOf } from '../../unit/log/released.js';
import { runInProcess } from '../cli/command-line-in-process.js';
import { call, LabService } from './lab-service.js';

let lab: LabService;

beforeAll(async () => {
  lab = await LabService.create();
});

afterAll(() => lab.close());

const storeOf = (data: string) => join(lab.root, data, 'veritee.db');

/** The records of a service that was killed then. */
async function recorded(data: string, write: (log: DecisionLog) => Promise<DecidedRequest>): Promise<string> {
  await mkdir(join(lab.root, data), { recursive: true });
  const store = openLocalStore(storeOf(data));
  const { log } = await openLog(store);
  const { decision } = await write(log);
  store.file.close();
  return decision.decisionId;
}

const show = (data: string, id: string, onTerminal = false) =>
  runInProcess({ folder: lab.root }, ['decisions', 'show', id], {
    onTerminal,
    environment: { VERITEE__STORES__URL: `sqlite:${storeOf(data)}`, NO_COLOR: '1' },
  });

/** The same over HTTP and on the command line. */
async function shown(data: string, id: string) {
  const service = await lab.start({ historical: true }, {}, data);
  const answer = await call(service.url, `/decisions/${id}`, {});
  await service.close();
  requireConforming('GET', `/decisions/${id}`, answer);
  const { exitCode, stdout } = await show(data, id);
  expect([exitCode, JSON.parse(stdout)]).toEqual([0, answer.body]);
  return answer.body.release;
}

const keyLine = (table: string) => table.split('\n').find((line) => line.startsWith('key '));

const TIME = '2026-01-15T12:00:00.000Z';
const ASKED = { keyId: 'db-key', dryRun: false };
const NOT_ENDED = { endedAt: null, keyVersion: null, code: null };

describe('what became of a key', () => {
  it('is null where the request asked for none', async () => {
    const id = await recorded('none', async (log) => {
      const decided = judged();
      await log.record(decided);
      return decided;
    });
    expect(await shown('none', id)).toBeNull();
    expect(keyLine((await show('none', id, true)).stdout)).toBeUndefined();
  });

  it('REL-05 an attempt without a result is unknown once the store was opened again, and a new one is made anew', async () => {
    const id = await recorded('unknown', async (log) => {
      const decided = releasing();
      await log.record(decided);
      await log.releaseAttempt(attemptOf(decided));
      return decided;
    });
    expect(await shown('unknown', id)).toEqual({ ...ASKED, state: 'unknown', attemptedAt: TIME, ...NOT_ENDED });
    expect(keyLine((await show('unknown', id, true)).stdout)).toBe(
      `key       db-key UNKNOWN: take it for released, asked for at ${TIME}`,
    );
    const again = await recorded('unknown', (log) => release(log));
    expect(await shown('unknown', again)).toMatchObject({ state: 'released' });
    expect(await shown('unknown', id)).toMatchObject({ state: 'unknown' });
    const verified = await runInProcess({ folder: lab.root }, ['decisions', 'verify'], {
      environment: { VERITEE__STORES__URL: `sqlite:${storeOf('unknown')}` },
    });
    expect([verified.exitCode, JSON.parse(verified.stdout).problems]).toEqual([0, []]);
  });

  it('is what was recorded of it', async () => {
    const id = await recorded('released', (log) => release(log));
    expect(await shown('released', id)).toEqual({
      ...ASKED,
      state: 'released',
      attemptedAt: TIME,
      endedAt: TIME,
      keyVersion: '78deebed173b48e48f55abf87ed4cf71',
      code: null,
    });
    expect(keyLine((await show('released', id, true)).stdout)).toBe(
      `key       db-key released, asked for at ${TIME}, ended at ${TIME}, version 78deebed173b48e48f55abf87ed4cf71`,
    );
  });

  it('is refused where the vault refuses', async () => {
    const id = await recorded('refused', async (log) => {
      const decided = releasing();
      await log.record(decided);
      await log.releaseAttempt(attemptOf(decided));
      const nothing = { keyVersion: null, valueSha256: null, code: 'release_refused' };
      await log.releaseResult(resultOf(decided, { outcome: 'refused', ...nothing }));
      return decided;
    });
    expect(await shown('refused', id)).toMatchObject({ state: 'refused', keyVersion: null, code: 'release_refused' });
    expect(keyLine((await show('refused', id, true)).stdout)).toBe(
      `key       db-key refused (release_refused), asked for at ${TIME}, ended at ${TIME}`,
    );
  });

  it('is not attempted in a dry run', async () => {
    const id = await recorded('dry', async (log) => {
      const decided = releasing({}, { dryRun: true });
      await log.record(decided);
      return decided;
    });
    const expected = { keyId: 'db-key', dryRun: true, state: 'not_attempted', attemptedAt: null, ...NOT_ENDED };
    expect(await shown('dry', id)).toEqual(expected);
    expect(keyLine((await show('dry', id, true)).stdout)).toBe('key       db-key not asked for, dry run');
  });

  it('AUD-01 is not shown where somebody changed its result', async () => {
    const id = await recorded('changed', (log) => release(log));
    const file = new engine(storeOf('changed'));
    file.exec("UPDATE records SET content = replace(content, 'released', 'refused') WHERE seq = 3");
    file.close();
    const service = await lab.start({ historical: true }, {}, 'changed');
    const answer = await call(service.url, `/decisions/${id}`, {});
    await service.close();
    expect([answer.status, answer.body.code]).toEqual([500, 'internal_error']);
    const { exitCode, stdout, stderr } = await show('changed', id);
    expect([exitCode, stdout]).toEqual([3, '']);
    expect(stderr).toContain('what is stored of its release is not what was recorded: the store was changed');
  });
});
