import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createAzureAkPki, createTrustedLaunchMachine } from '../../lab/index.js';
import { freePort, isWithoutValkey, Valkey } from '../stores/valkey.js';
import { CommandLine } from './command-line.js';
import { runInProcess } from './command-line-in-process.js';

const NONCE = Buffer.alloc(32, 0x2a);
const COUNTS_KEY = '{veritee}:resets:counts:default';
const CANNOT_BE_USED = 'memory of vTPM resets cannot be used';

const pki = createAzureAkPki();
let cli: CommandLine;
let valkey: Valkey;
let machine: Awaited<ReturnType<typeof createTrustedLaunchMachine>>;

interface Run {
  /** Left out, a folder that no other run has. */
  readonly data?: string;
  readonly store?: string;
  readonly policy?: 'tracking' | 'open';
  readonly key?: string;
  readonly options?: readonly string[];
}

let folders = 0;

/** `veritee verify` of a quote with this count, with a configuration whose replicas share a store. */
async function run(resetCount: number, asked: Run = {}) {
  const { data = `data-${folders++}`, store = valkey.url, policy = 'tracking', key = 'challenges.key' } = asked;
  const evidence = machine.wireEvidence({ nonce: NONCE, quote: { resetCount } });
  const body = await cli.write('body.json', JSON.stringify({ evidence, nonce: NONCE.toString('base64url') }));
  const configuration = {
    decisions: { store: `${data}/veritee.db` },
    challenges: { store, key },
    receipts: { key: 'receipts.pem' },
    tpm: { roots: ['root.pem'] },
  };
  const config = await cli.write('veritee.yaml', JSON.stringify(configuration));
  const args = ['verify', body, '--config', config, '--policy', `${policy}.json`, '--json', ...(asked.options ?? [])];
  const { exitCode, stdout, stderr } = await runInProcess(cli, args);
  return { verdict: [exitCode, ...JSON.parse(stdout).reasons], stderr };
}

const verdict = async (...given: Parameters<typeof run>) => (await run(...given)).verdict;

describe.skipIf(isWithoutValkey('veritee verify beside replicas that share reset counts'))(
  'veritee verify beside replicas that share reset counts',
  () => {
    beforeAll(async () => {
      cli = await CommandLine.create();
      valkey = await Valkey.start();
      await cli.write('root.pem', pki.authority('root').pem);
      await writeFile(cli.path('challenges.key'), randomBytes(32));
      for (const id of ['tracking', 'open']) {
        const require = id === 'tracking' ? { tpm: { trackResets: true } } : {};
        const members = { accepts: ['tpm'], minimums: 'any', routes: { hardware: 'off' }, require };
        await cli.write(`${id}.json`, JSON.stringify({ apiVersion: 'veritee/v1', id, version: 1, ...members }));
      }
    });

    beforeEach(async () => {
      await valkey.command('flushall');
      machine = await createTrustedLaunchMachine({ pki });
    });

    afterAll(async () => {
      await cli.close();
      await valkey.close();
    });

    it('TPM-10 denies a vTPM that goes back, whoever has seen it before', async () => {
      expect(await verdict(9)).toEqual([0]);
      expect(await verdict(5)).toEqual([2, 'tpm_reset']);
      expect(await verdict(9)).toEqual([0]);
    });

    it('TPM-10 cannot tell where the store is out of reach, and says why once', async () => {
      const store = `redis://127.0.0.1:${await freePort()}`;
      const { verdict: undecided, stderr } = await run(9, { store });
      expect(undecided).toEqual([3, 'tpm_reset']);
      expect(stderr.split(CANNOT_BE_USED)).toHaveLength(2);
      expect(stderr).toContain('ECONNREFUSED');
    });

    it('TPM-10 cannot tell without the challenge key of the replicas, and does not make one', async () => {
      const { verdict: undecided, stderr } = await run(9, { key: 'missing.key' });
      expect(undecided).toEqual([3, 'tpm_reset']);
      expect(stderr).toContain('missing.key: there is no such file');
      expect(await verdict(9, { key: 'missing.key' })).toEqual([3, 'tpm_reset']);
    });

    it('needs no store for what is of the past, or not tracked', async () => {
      const store = `redis://127.0.0.1:${await freePort()}`;
      const at = new Date(Date.now() - 60_000).toISOString();
      for (const asked of [{ policy: 'open' }, { options: ['--at', at] }] as const) {
        const { verdict: allowed, stderr } = await run(9, { store, ...asked });
        expect(allowed).toEqual([0]);
        expect(stderr).not.toContain(CANNOT_BE_USED);
      }
      expect(await valkey.command('exists', COUNTS_KEY)).toBe(0);
    });
  },
);
