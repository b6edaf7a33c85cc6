import { generateKeyPairSync } from 'node:crypto';
import { chmod } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LocalSigningKey } from '../../../src/receipts/signing-key.js';
import { filledLogs } from '../../unit/cli/recorded-decisions.js';
import { keptInputs } from '../../unit/log/kept-evidence.js';
import { judged, openLog, policy, SIGNER, signerOf } from '../../unit/log/recorded.js';
import { PostgresLogs, SERVICE } from '../stores/postgres-logs.js';
import { isWithoutPostgres, PostgresServer } from '../stores/postgres-server.js';
import { CommandLine } from './command-line.js';
import { runInProcess } from './command-line-in-process.js';

const DECISIONS = 3;

const filledFile = filledLogs();

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const OWN = new LocalSigningKey(privateKey);

let logs: PostgresLogs;
let cli: CommandLine;
let ids: readonly string[];

const urlOf = (user: string) => `postgres://${user}@127.0.0.1:${logs.server.port}/${logs.server.database}`;

const run = (args: readonly string[], url = urlOf(SERVICE)) =>
  runInProcess(cli, ['decisions', ...args], {
    environment: {
      VERITEE__STORES__URL: url,
      // Where the store is shared, neither key may be one replica's own.
      VERITEE__CHALLENGES__KEY: 'challenges.key',
      VERITEE__RECEIPTS__KEY: 'receipts.pem',
    },
  });

const linesOf = (text: string) => text.trimEnd().split('\n');

describe.skipIf(isWithoutPostgres('commands on a log that replicas share'))(
  'commands on a log that replicas share',
  () => {
    beforeAll(async () => {
      logs = new PostgresLogs(await PostgresServer.start());
      await logs.migrate();
      cli = await CommandLine.create();
      await cli.write('receipts.pem', privateKey.export({ type: 'pkcs8', format: 'pem' }));
      await chmod(cli.path('receipts.pem'), 0o600);
      await cli.write('keys.json', JSON.stringify({ keys: [OWN.jwk, SIGNER.jwk] }));
    });

    beforeEach(async () => {
      await logs.empty();
      const { log } = await openLog(await logs.start(), { signer: signerOf(OWN) });
      const decided = Array.from({ length: DECISIONS }, () => judged({ policies: [policy('payments')] }));
      for (const each of decided) await log.record({ ...each, inputs: keptInputs(each.decision.decisionId) });
      await log.close();
      await logs.close();
      // Decisions of one millisecond have no order of their own.
      ids = decided.map(({ decision }) => decision.decisionId).toSorted();
    });

    afterAll(async () => {
      await cli.close();
      await logs.server.close();
    });

    it('list, show and verify it', async () => {
      const listed = await run(['list', '--policy', 'payments']);
      expect(linesOf(listed.stdout).map((line) => JSON.parse(line).decisionId)).toEqual(ids.toReversed());
      expect(JSON.parse((await run(['show', ids[0] ?? ''])).stdout)).toMatchObject({ decisionId: ids[0] });
      const { exitCode, stdout } = await run(['verify']);
      expect([exitCode, JSON.parse(stdout)]).toMatchObject([0, { problems: [], decisions: DECISIONS }]);
    });

    it('AUD-04 carry it into a file, whole', async () => {
      expect(await run(['export', '--out', 'log.jsonl'])).toMatchObject({ exitCode: 0 });
      expect(await run(['import', 'log.jsonl'], 'sqlite:restored.db')).toMatchObject({ exitCode: 0 });
      const { exitCode, stdout } = await run(['verify'], 'sqlite:restored.db');
      expect([exitCode, JSON.parse(stdout)]).toMatchObject([0, { problems: [], decisions: DECISIONS }]);
    });

    it('AUD-03 carry a file into it, once', async () => {
      await filledFile(cli.path('filled.db'));
      expect(await run(['export', '--out', 'filled.jsonl'], 'sqlite:filled.db')).toMatchObject({ exitCode: 0 });
      const imported = async () => JSON.parse((await run(['import', 'filled.jsonl'])).stdout);
      const first = await imported();
      expect(first).toMatchObject({ problems: [], known: 0 });
      expect(await imported()).toMatchObject({ problems: [], records: 0, known: first.records });
      const verified = await run(['verify', '--keys', 'keys.json']);
      const { decisions } = JSON.parse((await run(['verify', 'filled.jsonl'])).stdout);
      expect(JSON.parse(verified.stdout)).toMatchObject({ problems: [], decisions: decisions + DECISIONS });
    });

    it('AUD-01 take nothing into it where a chain goes on behind its end', async () => {
      await run(['export', '--out', 'log.jsonl']);
      await logs.sql('DELETE FROM records WHERE seq = 4; UPDATE chains SET seq = 3');
      const { exitCode, stdout } = await run(['import', 'log.jsonl']);
      expect([exitCode, JSON.parse(stdout).problems]).toMatchObject([2, [{ code: 'record_order', seq: 4 }]]);
    });

    it('AUD-03 drop content of old decisions', async () => {
      const pruned = await run(['prune', '--before', '2026-01-15T13:00:00Z']);
      expect(pruned).toEqual({ exitCode: 0, stdout: `{"pruned":${DECISIONS}}\n`, stderr: '' });
      const { exitCode, stdout } = await run(['verify']);
      expect([exitCode, JSON.parse(stdout)]).toMatchObject([0, { problems: [], objects: 0 }]);
    });

    it('end with 3 where the server must not be used', async () => {
      const { exitCode, stderr } = await run(['list'], urlOf('nobody'));
      expect(exitCode).toBe(3);
      expect(stderr).toMatch(/^stores\.url: cannot be used: /);
    });
  },
);
