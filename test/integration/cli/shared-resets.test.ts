import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createAzureAkPki, createTrustedLaunchMachine } from '../../lab/index.js';
import { freePort } from '../free-port.js';
import { PostgresLogs, SERVICE } from '../stores/postgres-logs.js';
import { isWithoutPostgres, PostgresServer } from '../stores/postgres-server.js';
import { CommandLine } from './command-line.js';
import { runInProcess } from './command-line-in-process.js';

const NONCE = Buffer.alloc(32, 0x2a);
const CANNOT_BE_USED = 'memory of vTPM resets cannot be used';

const pki = createAzureAkPki();
let cli: CommandLine;
let logs: PostgresLogs;
let machine: Awaited<ReturnType<typeof createTrustedLaunchMachine>>;

interface Run {
  readonly url?: string;
  readonly policy?: 'tracking' | 'open';
  readonly options?: readonly string[];
}

/** `veritee verify` of a quote with this count, with a configuration whose replicas share a store. */
async function run(resetCount: number, asked: Run = {}) {
  const { url = addressAt(logs.server.port), policy = 'tracking' } = asked;
  const evidence = machine.wireEvidence({ nonce: NONCE, quote: { resetCount } });
  const body = await cli.write('body.json', JSON.stringify({ evidence, nonce: NONCE.toString('base64url') }));
  const configuration = {
    stores: { url },
    challenges: { key: 'challenges.key' },
    receipts: { key: 'receipts.pem' },
    tpm: { roots: ['root.pem'] },
  };
  const config = await cli.write('veritee.yaml', JSON.stringify(configuration));
  // What this machine itself remembers is in the working folder.
  await rm(cli.path('data'), { recursive: true, force: true });
  const args = ['verify', body, '--config', config, '--policy', `${policy}.json`, '--json', ...(asked.options ?? [])];
  const { exitCode, stdout, stderr } = await runInProcess(cli, args);
  return { verdict: [exitCode, ...JSON.parse(stdout).reasons], stderr };
}

const addressAt = (port: number) => `postgres://${SERVICE}@127.0.0.1:${port}/${logs.server.database}`;

const verdict = async (...given: Parameters<typeof run>) => (await run(...given)).verdict;

describe.skipIf(isWithoutPostgres('veritee verify beside replicas that share reset counts'))(
  'veritee verify beside replicas that share reset counts',
  () => {
    beforeAll(async () => {
      cli = await CommandLine.create();
      logs = new PostgresLogs(await PostgresServer.start());
      await logs.migrate();
      await cli.write('root.pem', pki.authority('root').pem);
      await writeFile(cli.path('challenges.key'), randomBytes(32));
      for (const id of ['tracking', 'open']) {
        const require = id === 'tracking' ? { tpm: { trackResets: true } } : {};
        const members = { accepts: ['tpm'], minimums: 'any', routes: { hardware: 'off' }, require };
        await cli.write(`${id}.json`, JSON.stringify({ apiVersion: 'veritee/v1', id, version: 1, ...members }));
      }
    });

    beforeEach(async () => {
      await logs.sql('TRUNCATE reset_counts');
      machine = await createTrustedLaunchMachine({ pki });
    });

    afterAll(async () => {
      await cli.close();
      await logs.close();
      await logs.server.close();
    });

    it('TPM-10 denies a vTPM that goes back, whoever has seen it before', async () => {
      expect(await verdict(9)).toEqual([0]);
      expect(await verdict(5)).toEqual([2, 'tpm_reset']);
      expect(await verdict(9)).toEqual([0]);
    });

    it('TPM-10 cannot tell where the store is out of reach, and says why once', async () => {
      const url = addressAt(await freePort());
      const { verdict: undecided, stderr } = await run(9, { url });
      expect(undecided).toEqual([3, 'tpm_reset']);
      expect(stderr.split(CANNOT_BE_USED)).toHaveLength(2);
      expect(stderr).toContain('ECONNREFUSED');
    });

    it('needs no store for what is of the past, or not tracked', async () => {
      const url = addressAt(await freePort());
      const at = new Date(Date.now() - 60_000).toISOString();
      for (const asked of [{ policy: 'open' }, { options: ['--at', at] }] as const) {
        const { verdict: allowed, stderr } = await run(9, { url, ...asked });
        expect(allowed).toEqual([0]);
        expect(stderr).not.toContain(CANNOT_BE_USED);
      }
      expect(await logs.sql('SELECT count(*) FROM reset_counts')).toBe('0');
    });
  },
);
