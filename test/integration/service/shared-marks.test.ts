import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RunningService } from '../../../src/app/service.js';
import { crlFileName } from '../../../src/endorsements/amd/bundle-files.js';
import { createIntelPki, createTdxGuest, TdxPlatform } from '../../lab/index.js';
import { LabPcs } from '../../lab/pcs.js';
import { TlsAuthority } from '../../lab/tls-authority.js';
import { PATIENT } from '../stores/postgres-challenges.js';
import { isWithoutPostgres } from '../stores/postgres-server.js';
import { base64Url, LabService, lenientPolicy, NONCE, PKI, post, verdictOf } from './lab-service.js';
import { PostgresReplicas } from './postgres-replicas.js';

const OFF = { kds: 'off' };
const [ALLOW, ROLLBACK] = [['allow'], ['indeterminate', 'crl_rollback']];
const COLLATERAL_ROLLBACK = ['indeterminate', 'collateral_rollback'];
const crlOf = (number: number) => PKI.issueCrl({ product: 'Milan', number });
const [OLD, MIDDLE, BETWEEN, NEW] = [crlOf(5), crlOf(7), crlOf(8), crlOf(9)];
const IMPORTED = 'crl-shared-milan-vcek';
const HOUR_MS = 3_600_000;
const INTEL = createIntelPki();

let replicas: PostgresReplicas;
let pcs: LabPcs;
let other: LabPcs;

const path = (...names: readonly string[]) => join(replicas.lab.root, ...names);

/** A replica with a folder of its own for CRLs beside that of its data. What is asked must not wait for a log that is gone too. */
const replica = (name: string, amd: object = {}, { origin } = pcs) =>
  replicas.start(
    { decisions: { log: 'off' }, amd: { chains: path(name, 'amd'), ...amd }, intel: { pcs: origin } },
    { intelRootPins: INTEL.pins },
    name,
  );

/** The answer to evidence that brings all but a CRL. */
const verdict = async (service: RunningService) =>
  verdictOf(await replicas.lab.verify(service, { endorsements: { crls: [] }, members: { policy: 'plain' } }));
const serve = (crl: Uint8Array) => replicas.lab.kds.serveCrl('Milan', 'vcek', crl);
const fetchedFrom = ({ origin }: { readonly origin: string }, name = IMPORTED) => `${name}@${new URL(origin).host}`;
const kept = (name: string) => replicas.logs.sql(`SELECT number FROM rollback_marks WHERE name = '${name}'`);

const platform = new TdxPlatform({ pki: INTEL });
const tdx = JSON.stringify({
  evidence: createTdxGuest({ platform }).wireEvidence({ nonce: NONCE }),
  nonce: base64Url(NONCE),
  policy: 'tdx',
});
const judged = async ({ url }: RunningService) => verdictOf(await post(url, '/verify', tdx));
/** Serves collateral with a CRL that was issued so long ago. All of them have one number, as Intel's. */
function serveCollateral(hoursAgo: number, by = pcs): void {
  const thisUpdate = new Date(Date.now() - hoursAgo * HOUR_MS);
  by.serve(platform, { pckCrl: { number: 1, overrides: { thisUpdate } } });
}

/** Puts a CRL into the operator's folder of a replica, in the place of one before. @param file by default, its name says its series */
async function put(name: string, crl: Uint8Array, file = crlFileName('Milan', 'vcek', crl)): Promise<void> {
  await rm(path(name, 'amd'), { recursive: true, force: true });
  await mkdir(path(name, 'amd'), { recursive: true });
  await writeFile(path(name, 'amd', 'chain.pem'), PKI.chainPem('Milan'));
  await writeFile(path(name, 'amd', file), crl);
}

describe.skipIf(isWithoutPostgres('replicas of the service that share rollback marks'))(
  'replicas that share rollback marks',
  () => {
    beforeAll(async () => {
      const tls = new TlsAuthority();
      replicas = await PostgresReplicas.create(await LabService.create(tls));
      [pcs, other] = [await LabPcs.start({ tls }), await LabPcs.start({ tls })];
      await replicas.lab.writePolicy(lenientPolicy('plain'));
      await replicas.lab.writePolicy(lenientPolicy('tdx', { accepts: ['tdx'], freshness: 'required' }));
    });

    beforeEach(() => serve(NEW));

    afterEach(async () => {
      await replicas.reset();
      await Promise.all([pcs.heal(), replicas.lab.kds.heal()]);
    });

    afterAll(async () => {
      await replicas.close();
      await Promise.all([pcs.close(), other.close()]);
    });

    it('CRT-09 rely on no CRL of KDS that is older than one that another relied on', async () => {
      const [one, two] = [await replica('kds-1'), await replica('kds-2')];
      expect(await verdict(one)).toEqual(ALLOW);
      serve(MIDDLE);
      expect(await verdict(two)).toEqual(ROLLBACK);
      serve(NEW);
      expect(await verdict(two)).toEqual(ALLOW);
    });

    it('CRT-09 rely on none in the folder of a replica that lost its marks, whether its name says its series or not', async () => {
      await put('lost', NEW);
      expect(await verdict(await replica('lost', OFF))).toEqual(ALLOW);
      await replicas.stop();
      await rm(path('lost', 'data'), { recursive: true });
      await put('lost', MIDDLE);
      const again = await replica('lost', OFF);
      expect(await verdict(again)).toEqual(ROLLBACK);
      await put('lost', MIDDLE, 'any.crl');
      await again.reload();
      expect(await verdict(again)).toEqual(ROLLBACK);
      await put('lost', NEW);
      await again.reload();
      expect(await verdict(again)).toEqual(ALLOW);
    });

    it('CRT-09 look again when a folder has something else, so that a CRL between both marks does not count', async () => {
      for (const file of [undefined, 'any.crl']) {
        await put('between', OLD, file);
        const one = await replica('between', OFF);
        expect(await verdict(one)).toEqual(ALLOW);
        await put(`newer-${file}`, NEW);
        expect(await verdict(await replica(`newer-${file}`, OFF))).toEqual(ALLOW);
        await put('between', MIDDLE, file);
        await one.reload();
        expect(await verdict(one)).toEqual(ROLLBACK);
        await replicas.reset();
        await rm(path('between', 'data'), { recursive: true });
      }
    });

    it('CRT-09 give their marks back to a database of before, which lowers none', async () => {
      const [one, name] = [await replica('back-1'), fetchedFrom(replicas.lab.kds)];
      await replicas.server.stop();
      const putBack = await replicas.server.copyOfFiles();
      await replicas.server.run();
      await vi.waitFor(async () => {
        expect(await verdict(one)).toEqual(ALLOW);
        expect(await kept(name)).toBe('9');
      }, PATIENT);
      await replicas.server.stop('immediate');
      await putBack();
      await replicas.server.run();
      expect(await kept(name)).toBe('');
      serve(MIDDLE);
      // It has what it needs, and fetches nothing.
      await vi.waitFor(async () => {
        expect(await verdict(one)).toEqual(ALLOW);
        expect(await kept(name)).toBe('9');
      }, PATIENT);
      expect(await verdict(await replica('back-2'))).toEqual(ROLLBACK);
    });

    it('CRT-09 go by the marks of each while the database is gone, which the log says, and by all of them afterwards', async () => {
      await put('gone-1', NEW);
      await put('gone-2', OLD);
      const [one, two] = [await replica('gone-1', OFF), await replica('gone-2', OFF)];
      expect(await verdict(two)).toEqual(ALLOW);
      expect(await verdict(one)).toEqual(ALLOW);
      await replicas.server.stop('immediate');
      const before = replicas.lab.output.length;
      const said = () => replicas.lab.output.slice(before);
      await put('gone-2', MIDDLE);
      await two.reload();
      for (const service of [one, two, one, two]) expect(await verdict(service)).toEqual(ALLOW);
      await put('gone-2', OLD);
      await two.reload();
      expect(await verdict(two)).toEqual(ROLLBACK);
      await put('gone-2', MIDDLE);
      await two.reload();
      expect(said()).toMatch(
        /"why":"[^"]+","msg":"rollback marks of other replicas cannot be used: those of this one count"/,
      );
      await replicas.server.run();
      await vi.waitFor(async () => {
        expect(await verdict(two)).toEqual(ALLOW);
        expect(said()).toContain('rollback marks of other replicas can be used again');
      }, PATIENT);
      expect(await kept(IMPORTED)).toBe('9');
      // What it took meanwhile stays in use, and nothing else that is older.
      await put('gone-2', BETWEEN);
      await two.reload();
      expect(await verdict(two)).toEqual(ROLLBACK);
    });

    it('CRT-09 refuse nothing that a replica holds: it stays in use after a restart while KDS does not answer', async () => {
      serve(MIDDLE);
      expect(await verdict(await replica('held'))).toEqual(ALLOW);
      serve(NEW);
      expect(await verdict(await replica('ahead'))).toEqual(ALLOW);
      await replicas.stop();
      replicas.lab.kds.fail(/crl/, { status: 503 });
      expect(await verdict(await replica('held'))).toEqual(ALLOW);
    });

    it('CRT-09 take a mark that no replica could have raised for one that nothing reaches', async () => {
      const name = fetchedFrom(replicas.lab.kds);
      await replicas.logs.sql(`INSERT INTO rollback_marks VALUES ('${name}', 'NaN', '')`);
      expect(await verdict(await replica('damaged'))).toEqual(ROLLBACK);
      expect(replicas.lab.output).toContain(`"file":"${name} in the database"`);
    });

    it('TDX-10 rely on no collateral that is older than what another relied on', async () => {
      pcs.serve(platform, { evaluationNumber: 20 });
      expect(await judged(await replica('tdx-1'))).toEqual(ALLOW);
      pcs.serve(platform, { evaluationNumber: 19 });
      expect(await judged(await replica('tdx-2'))).toEqual(COLLATERAL_ROLLBACK);
      pcs.serve(platform, { evaluationNumber: 20 });
      expect(await judged(await replica('tdx-3'))).toEqual(ALLOW);
    });

    it('TDX-10 leave the collateral of a replica in use while Intel does not answer, whatever is restarted', async () => {
      serveCollateral(3);
      const one = await replica('outage-1');
      expect(await judged(one)).toEqual(ALLOW);
      serveCollateral(1);
      expect(await judged(await replica('outage-2'))).toEqual(ALLOW);
      pcs.fail(/./, { status: 503 });
      const before = replicas.lab.output.length;
      await replicas.server.restart('immediate');
      const verdicts: unknown[] = [];
      // It asks the database again, finds the newer mark, and tries to renew what it holds.
      await vi.waitFor(async () => {
        verdicts.push(await judged(one));
        expect(replicas.lab.output.slice(before)).toContain('TDX collateral not renewed');
      }, PATIENT);
      expect(verdicts).toEqual(verdicts.map(() => ALLOW));
      await one.close();
      expect(await judged(await replica('outage-1'))).toEqual(ALLOW);
    });

    it('TDX-10 make a replica renew what it holds, and refuse the same where it holds nothing', async () => {
      serveCollateral(3);
      const one = await replica('late-1');
      expect(await judged(one)).toEqual(ALLOW);
      await one.close();
      serveCollateral(1);
      expect(await judged(await replica('late-2'))).toEqual(ALLOW);
      serveCollateral(3);
      const before = pcs.count(/tcb/);
      const again = await replica('late-1');
      expect(await judged(again)).toEqual(ALLOW);
      await vi.waitFor(() => expect(pcs.count(/tcb/)).toBe(before + 1), PATIENT);
      expect([await judged(again), await judged(again)]).toEqual([ALLOW, ALLOW]);
      expect(pcs.count(/tcb/)).toBe(before + 1);
      expect(await judged(await replica('late-3'))).toEqual(COLLATERAL_ROLLBACK);
    });

    it('TDX-10 refuse what is fetched where a mark is damaged, and nothing that a replica holds', async () => {
      serveCollateral(3);
      const one = await replica('spoilt-1');
      expect(await judged(one)).toEqual(ALLOW);
      await one.close();
      const name = fetchedFrom(pcs, 'crl-shared-pcs-platform');
      await replicas.logs.sql(`UPDATE rollback_marks SET number = 'NaN' WHERE name = '${name}'`);
      expect(await judged(await replica('spoilt-1'))).toEqual(ALLOW);
      expect(await judged(await replica('spoilt-2'))).toEqual(COLLATERAL_ROLLBACK);
      expect(replicas.lab.output).toContain(`"file":"${name} in the database"`);
    });

    it('TDX-10 are those of one source: sites with a PCCS each do not refuse the collateral of the other', async () => {
      serveCollateral(9);
      serveCollateral(3, other);
      const one = await replica('site-1');
      expect(await judged(one)).toEqual(ALLOW);
      expect(await judged(await replica('site-2', {}, other))).toEqual(ALLOW);
      expect(await judged(await replica('site-3'))).toEqual(ALLOW);
      await one.close();
      expect(await judged(await replica('site-1'))).toEqual(ALLOW);
      serveCollateral(11);
      expect(await judged(await replica('site-4'))).toEqual(COLLATERAL_ROLLBACK);
    });
  },
);
