import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { EntrySubject } from '../../../src/endorsements/replicas/sealed-entries.js';
import type { TdxCollateral } from '../../../src/model/evidence.js';
import { collateralMembers, encodeCollateralFile } from '../../../src/vendors/intel/collateral-file.js';
import { TdxPlatform } from '../../lab/tdx-platform.js';
import { SharingReplicas } from '../stores/shared-endorsements.js';
import { isWithoutValkey, Valkey } from '../stores/valkey.js';
import { AmdLab, find, requestFor, summary } from './amd-lab.js';
import { asFile, collateral, DAY_MS, fmspc, IntelLab, pki } from './intel-lab.js';

/** Which entries of the store count: those that are in it for a replica, as one with the key has sealed them. */

const replicas = new SharingReplicas();
let valkey: Valkey;

describe.skipIf(isWithoutValkey('entries that replicas share'))('entries that replicas share', () => {
  beforeAll(async () => {
    valkey = await Valkey.start();
  });

  beforeEach(() => valkey.command('flushall'));

  afterEach(() => replicas.close());

  afterAll(() => valkey.close());

  describe('of AMD', () => {
    let lab: AmdLab;

    beforeEach(async () => {
      lab = await AmdLab.start();
    });

    afterEach(() => lab.close());

    it('do not count for a request about the past, but for a VCEK', async () => {
      const replica = async (name: string) =>
        lab.open({
          shared: await replicas.fetches(valkey.port, { clock: lab.clock }),
          cacheFolder: lab.path(name),
        });
      await find(await replica('one'));
      const asked = [/SPL/, /cert_chain/, /crl/].map((path) => lab.kds.count(path));
      const past = await find(await replica('other'), requestFor(), { historical: true });
      expect(summary(past)).toEqual({ vek: 'cache', chain: 'network', crl: 'network' });
      // How often a chain is asked for depends on whether its two users ask at the same moment.
      const more = [/SPL/, /cert_chain/, /crl/].map((path, at) => lab.kds.count(path) > Number(asked[at]));
      expect(more).toEqual([false, true, true]);
    });
  });

  describe('of Intel', () => {
    let intel: IntelLab;

    beforeEach(async () => {
      intel = await IntelLab.start();
    });

    afterEach(() => intel.close());

    async function replica(name: string) {
      const shared = await replicas.fetches(valkey.port, { clock: intel.clock });
      return intel.open({ shared, cacheFolder: intel.path(name) });
    }

    const tcbAsked = () => intel.pcs.count(/\/tcb\?/);

    /** Puts collateral into the store as that of the lab's platform. */
    async function insert(what: TdxCollateral, fetchedAt = intel.clock.now()): Promise<void> {
      const subject: EntrySubject = {
        kind: 'tdx-collateral',
        origin: intel.pcs.origin,
        key: `pcs ${fmspc}-platform`,
      };
      const bytes = Buffer.from(JSON.stringify(collateralMembers(what)));
      await replicas.insert(valkey.port, subject, { bytes, fetchedAt });
    }

    it('twin: count where they are of the platform and new', async () => {
      const served = collateral({ evaluationNumber: 20 });
      await insert(served);
      const found = await intel.find(await replica('one'));
      expect(asFile(found)).toMatchObject({ origin: 'cache', value: encodeCollateralFile(served) });
      expect(tcbAsked()).toBe(0);
    });

    it('do not count where they are of another platform', async () => {
      const other = new TdxPlatform({ pki, fmspc: '10806f050000' });
      await insert(other.collateral({ at: intel.clock.now() }));
      const served = intel.serve();
      const found = await intel.find(await replica('one'));
      expect(asFile(found)).toMatchObject({ origin: 'network', value: encodeCollateralFile(served) });
      expect(tcbAsked()).toBe(1);
    });

    it('TDX-10 do not count below the own floor of a replica, however new their fetch is', async () => {
      intel.serve({ evaluationNumber: 20 });
      const one = await replica('one');
      expect(await intel.told(one)).toBe('network 20');
      intel.clock.advance(DAY_MS);
      await insert(collateral({ at: intel.clock.now(), evaluationNumber: 19 }));
      const served = intel.serve({ evaluationNumber: 21 });
      await one.refreshDue();
      expect(tcbAsked()).toBe(2);
      expect(asFile(await intel.find(one))).toMatchObject({ value: encodeCollateralFile(served) });
    });

    it('do not count where they were fetched before the others are due', async () => {
      await insert(collateral({ evaluationNumber: 20 }), new Date(intel.clock.now().getTime() - 0.8 * DAY_MS));
      intel.serve({ evaluationNumber: 21 });
      expect(await intel.told(await replica('one'))).toBe('network 21');
    });

    it('do not count for a request about the past', async () => {
      await insert(collateral({ evaluationNumber: 20 }));
      intel.serve({ evaluationNumber: 21 });
      expect(await intel.told(await replica('one'), { historical: true })).toBe('network 21');
    });
  });
});
