import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keptInputs } from '../../unit/log/kept-evidence.js';
import { judged, openLog, policy, SIGNER } from '../../unit/log/recorded.js';
import { DURABLE, LogReplicas } from '../stores/shared-decisions.js';
import { isWithoutValkey, Valkey } from '../stores/valkey.js';
import { CommandLine } from './command-line.js';
import { runInProcess } from './command-line-in-process.js';

const DECISIONS = 3;

const replicas = new LogReplicas();
let valkey: Valkey;
let cli: CommandLine;
let ids: readonly string[];

const run = (args: readonly string[], store = valkey.url) =>
  runInProcess(cli, args, {
    environment: {
      VERITEE__DECISIONS__STORE: store,
      VERITEE__DECISIONS__RETENTION_DAYS: '30',
      // Where the store is shared, neither key may be one replica's own.
      VERITEE__CHALLENGES__KEY: 'challenges.key',
      VERITEE__RECEIPTS__KEY: 'receipts.pem',
    },
  });

const linesOf = (text: string) => text.trimEnd().split('\n');

describe.skipIf(isWithoutValkey('commands on a log that replicas share'))(
  'commands on a log that replicas share',
  () => {
    beforeAll(async () => {
      valkey = await Valkey.start(...DURABLE);
      cli = await CommandLine.create();
      await cli.write('receipts.pem', JSON.stringify(SIGNER.jwk));
      const { log } = await openLog(await replicas.start(valkey.port));
      const decided = Array.from({ length: DECISIONS }, () => judged({ policies: [policy('payments')] }));
      for (const each of decided) await log.record({ ...each, inputs: keptInputs(each.decision.decisionId) });
      await log.close();
      // Decisions of one millisecond have no order of their own.
      ids = decided.map(({ decision }) => decision.decisionId).toSorted();
    });

    afterAll(async () => {
      await replicas.close();
      await cli.close();
      await valkey.close();
    });

    it('list, show and verify it', async () => {
      const listed = await run(['decisions', 'list', '--policy', 'payments']);
      expect(linesOf(listed.stdout).map((line) => JSON.parse(line).decisionId)).toEqual(ids.toReversed());
      expect(JSON.parse((await run(['decisions', 'show', ids[0] ?? ''])).stdout)).toMatchObject({ decisionId: ids[0] });
      const { exitCode, stdout } = await run(['decisions', 'verify']);
      expect([exitCode, JSON.parse(stdout)]).toMatchObject([0, { problems: [], decisions: DECISIONS }]);
    });

    it('AUD-04 carry it into a file, whole', async () => {
      expect(await run(['decisions', 'export', '--out', 'log.jsonl'])).toMatchObject({ exitCode: 0 });
      expect(await run(['decisions', 'import', 'log.jsonl'], 'restored.db')).toMatchObject({ exitCode: 0 });
      const { exitCode, stdout } = await run(['decisions', 'verify'], 'restored.db');
      expect([exitCode, JSON.parse(stdout)]).toMatchObject([0, { problems: [], decisions: DECISIONS }]);
    });

    it('do not import into it', async () => {
      await run(['decisions', 'export', '--out', 'log.jsonl']);
      const { exitCode, stderr } = await run(['decisions', 'import', 'log.jsonl']);
      expect([exitCode, linesOf(stderr)[0]]).toEqual([
        1,
        'decisions.store: is no file, and this command changes a file',
      ]);
    });

    it('end with 3 where the server must not be used, and name neither user nor password', async () => {
      const other = await Valkey.start();
      const { exitCode, stderr } = await run(['decisions', 'list'], other.url.replace('redis://', 'redis://:secret@'));
      await other.close();
      expect(exitCode).toBe(3);
      expect(stderr).toMatch(/^decisions\.store: cannot be used: /);
      expect(stderr).not.toContain('secret');
    });
  },
);
