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
const [OLD, MIDDLE, NEW] = [5, 7, 9].map((number) => PKI.issueCrl({ product: 'Milan', number })) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
];
const MARK = 'crl-highest-milan-vcek';
const INTEL = createIntelPki();

let replicas: PostgresReplicas;
let pcs: LabPcs;

const path = (...names: readonly string[]) => join(replicas.lab.root, ...names);

/** A replica with a folder of its own for CRLs beside that of its data. What is asked must not wait for a log that is gone too. */
const replica = (name: string, amd: object = {}) =>
  replicas.start(
    { decisions: { log: 'off' }, amd: { chains: path(name, 'amd'), ...amd }, intel: { pcs: pcs.origin } },
    { intelRootPins: INTEL.pins },
    name,
  );

/** The answer to evidence that brings all but a CRL. */
const verdict = async (service: RunningService) =>
  verdictOf(await replicas.lab.verify(service, { endorsements: { crls: [] }, members: { policy: 'plain' } }));
const serve = (crl: Uint8Array) => replicas.lab.kds.serveCrl('Milan', 'vcek', crl);
const kept = () => replicas.logs.sql(`SELECT number FROM rollback_marks WHERE name = '${MARK}'`);

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
      pcs = await LabPcs.start({ tls });
      await replicas.lab.writePolicy(lenientPolicy('plain'));
      await replicas.lab.writePolicy(lenientPolicy('tdx', { accepts: ['tdx'], freshness: 'required' }));
    });

    beforeEach(() => serve(NEW));

    afterEach(() => replicas.reset());

    afterAll(async () => {
      await replicas.close();
      await pcs.close();
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
      expect(await verdict(await replica('lost'))).toEqual(ALLOW);
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
        expect(await verdict(await replica(`newer-${file}`))).toEqual(ALLOW);
        await put('between', MIDDLE, file);
        await one.reload();
        expect(await verdict(one)).toEqual(ROLLBACK);
        await replicas.reset();
        await rm(path('between', 'data'), { recursive: true });
      }
    });

    it('CRT-09 give their marks back to a database of before, which lowers none', async () => {
      const one = await replica('back-1');
      await replicas.server.stop();
      const putBack = await replicas.server.copyOfFiles();
      await replicas.server.run();
      await vi.waitFor(async () => {
        expect(await verdict(one)).toEqual(ALLOW);
        expect(await kept()).toBe('9');
      }, PATIENT);
      await replicas.server.stop('immediate');
      await putBack();
      await replicas.server.run();
      expect(await kept()).toBe('');
      serve(MIDDLE);
      // It has what it needs, and fetches nothing.
      await vi.waitFor(async () => {
        expect(await verdict(one)).toEqual(ALLOW);
        expect(await kept()).toBe('9');
      }, PATIENT);
      expect(await verdict(await replica('back-2'))).toEqual(ROLLBACK);
    });

    it('CRT-09 go by the marks of each while the database is gone, which the log says, and by all of them afterwards', async () => {
      await put('gone-2', OLD);
      const [one, two] = [await replica('gone-1'), await replica('gone-2', OFF)];
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
      expect(said()).toContain('rollback marks of other replicas cannot be used: those of this one count');
      await replicas.server.run();
      await vi.waitFor(async () => expect(await verdict(two)).toEqual(ROLLBACK), PATIENT);
      expect(said()).toContain('rollback marks of other replicas can be used again');
      expect(await kept()).toBe('9');
    });

    it('CRT-09 take a mark that no replica could have raised for one that nothing reaches', async () => {
      await replicas.logs.sql(`INSERT INTO rollback_marks VALUES ('${MARK}', 'NaN', '')`);
      expect(await verdict(await replica('damaged'))).toEqual(ROLLBACK);
      expect(replicas.lab.output).toContain(`"file":"${MARK} in the database"`);
    });

    it('TDX-10 rely on no collateral that is older than what another relied on', async () => {
      const platform = new TdxPlatform({ pki: INTEL });
      const evidence = createTdxGuest({ platform }).wireEvidence({ nonce: NONCE });
      const body = JSON.stringify({ evidence, nonce: base64Url(NONCE), policy: 'tdx' });
      const judged = async ({ url }: RunningService) => verdictOf(await post(url, '/verify', body));
      pcs.serve(platform, { evaluationNumber: 20 });
      expect(await judged(await replica('tdx-1'))).toEqual(ALLOW);
      pcs.serve(platform, { evaluationNumber: 19 });
      expect(await judged(await replica('tdx-2'))).toEqual(['indeterminate', 'collateral_rollback']);
      pcs.serve(platform, { evaluationNumber: 20 });
      expect(await judged(await replica('tdx-3'))).toEqual(ALLOW);
    });
  },
);
