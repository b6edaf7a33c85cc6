import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { copyFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isLacking } from '../requirements.js';
import { Client } from './client.js';
import { Lab } from './lab.js';
import { Promised, problemsOf } from './promised.js';
import { ServiceProcess } from './service-process.js';

const MOUNTED = [
  'unshare',
  '--mount',
  '--propagation',
  'private',
  'sh',
  '-c',
  'mount -t tmpfs -o size=4m none "$0" && exec "$@"',
];

const IN_ITS_MOUNTS: string = 'nsenter';

const REQUIREMENTS = [
  { what: 'mount namespaces (unshare, nsenter, and root)', command: [...MOUNTED, '/mnt', 'true'] },
] as const;

/** A service whose data are on a small disk of its own. */
describe.skipIf(isLacking('a disk that is full', REQUIREMENTS))(
  'a disk that is full, then read-only, then well again',
  () => {
    let lab: Lab;
    let service: ServiceProcess;
    let client: Client;

    beforeAll(async () => {
      lab = await Lab.create();
      const key = join(lab.folder, 'receipts.pem');
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      writeFileSync(key, privateKey.export({ format: 'pem', type: 'pkcs8' }));
      const command = await lab.command({
        historical: true,
        stores: { url: `sqlite:${join(lab.workFolder, 'veritee.db')}` },
        receipts: { key },
      });
      service = await ServiceProcess.start([...MOUNTED, lab.workFolder, ...command], { cwd: lab.folder });
      client = new Client(service.url, 4);
    });

    afterAll(async () => {
      client.close();
      await service.close();
      await lab.close();
    });

    /** As the service sees it: nobody else sees its disk. */
    const seen = (name: string) => join(`/proc/${service.pid}/root${lab.workFolder}`, name);

    const remounted = (how: 'ro' | 'rw') =>
      spawnSync(IN_ITS_MOUNTS, [
        '--target',
        String(service.pid),
        '--mount',
        'mount',
        '-o',
        `remount,${how}`,
        lab.workFolder,
      ]).status === 0;

    const metric = async () => {
      const answer = await client.get('/metrics');
      return /^veritee_decision_store_available ([01])$/m.exec('body' in answer ? String(answer.body) : '')?.[1];
    };

    /** The result for genuine evidence, and for evidence that was tampered with. */
    async function verdicts() {
      const [genuine, tampered] = lab.questions;
      if (genuine === undefined || tampered === undefined) throw new Error('the lab has no questions');
      const [allowed, denied] = [await client.ask(genuine), await client.ask(tampered)].map(({ body }) => body);
      return [
        [allowed.decision, allowed.reasons],
        [denied.decision, denied.reasons],
      ];
    }

    function fill(): void {
      try {
        for (let part = 0; part < 64; part++) writeFileSync(seen(`filler-${part}`), Buffer.alloc(64 * 1024, 1));
      } catch (error) {
        expect(error).toMatchObject({ code: 'ENOSPC' });
        return;
      }
      throw new Error('the disk is not full');
    }

    const challenge = async () => {
      const answer = await client.post('/challenges', '{}');
      return 'status' in answer ? answer.status : answer.error;
    };

    it('STO-05, LOG-02 lets no allow leave meanwhile, says why of denials, and is used again without a restart', async () => {
      const [, tampered] = lab.questions;
      const well = [
        ['allow', []],
        ['deny', tampered?.reasons],
      ];
      const withheld = [
        ['indeterminate', ['audit_unavailable']],
        ['deny', [...(tampered?.reasons ?? []), 'audit_unavailable']],
      ];
      expect([await verdicts(), await metric(), await challenge()]).toEqual([well, '1', 200]);

      fill();
      await expect.poll(verdicts).toEqual(withheld);
      expect([await metric(), await challenge()]).toEqual(['0', 503]);
      // Earlier decisions can be looked up.
      const listed = await client.get('/decisions');
      expect('status' in listed ? listed.status : listed.error).toBe(200);

      // While the service has the file open, nobody can: it closes the file each time that it fails.
      await expect.poll(() => remounted('ro'), { timeout: 30_000, interval: 20 }).toBe(true);
      expect([await verdicts(), await metric()]).toEqual([withheld, '0']);

      await expect.poll(() => remounted('rw'), { timeout: 30_000 }).toBe(true);
      for (let part = 0; part < 64; part++) rmSync(seen(`filler-${part}`), { force: true });
      await expect.poll(verdicts, { timeout: 30_000 }).toEqual(well);
      expect([await metric(), await challenge()]).toEqual(['1', 200]);
    });

    it('AUD-01 leaves a log in which nothing is wrong, and that says how many decisions were not stored', async () => {
      for (const name of ['veritee.db', 'veritee.db-wal']) copyFileSync(seen(name), join(lab.folder, name));
      const promised = new Promised();
      for (const { head } of service.logged('decision log head')) promised.take(`head ${head}`);
      expect(promised.heads.length).toBeGreaterThan(0);
      expect(await problemsOf(join(lab.folder, 'veritee.db'), promised)).toEqual([]);
    });
  },
);
