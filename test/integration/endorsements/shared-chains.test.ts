import { describe, expect, it } from 'vitest';
import { AmdSnpReportVerifier } from '../../../src/verifiers/snp/snp-report-verifier.js';
import { SnpVerifier } from '../../../src/verifiers/snp/snp-verifier.js';
import { createSnpGuest, type LabAuthority, type SnpGuest } from '../../lab/index.js';
import { failed, idsWith } from '../../unit/verifiers/fixture.js';
import { isWithoutValkey } from '../stores/valkey.js';
import { DAY_MS, NOW, type Opened, PINS, pki } from './amd-lab.js';
import { sharedLab } from './shared-lab.js';

const MINUTE_MS = 60_000;
const REISSUED = pki.reissuedIntermediate('Milan', 'vcek');
const guestUnder = (issuer: LabAuthority): SnpGuest => createSnpGuest({ pki, signingKey: 'vcek', vcek: { issuer } });
const [OLD, NEW] = [guestUnder(pki.intermediate('Milan', 'vcek')), guestUnder(REISSUED)];
/** Under a key that is not AMD's. */
const MADE_UP = guestUnder({
  ...pki.intermediate('Milan', 'vcek'),
  key: pki.reissuedIntermediate('Genoa', 'vcek').key,
});

describe.skipIf(isWithoutValkey('chains that replicas share'))(
  'an ASK issued again, where replicas share chains',
  () => {
    const verifier = new SnpVerifier(new AmdSnpReportVerifier({ refuseProducts: new Set(), pins: PINS }), new Map());
    const shared = sharedLab();

    /** Codes of what failed and of what was out of reach, and how often KDS was asked for a chain. */
    async function judged(opened: Opened, guest: SnpGuest) {
      const before = shared.lab.kds.count(/cert_chain/);
      const evidence = guest.evidence({
        endorsements: { vek: { der: guest.platform.vek.der }, chain: null, crls: [] },
      });
      const context = { at: NOW, historical: false, signal: new AbortController().signal };
      const endorsements = await opened.source.fetch(verifier.open(evidence).needs, context);
      const found = await verifier.open(evidence).verify({ at: NOW, endorsements, binding: null });
      return [[...failed(found), ...idsWith(found, 'unavailable')], shared.lab.kds.count(/cert_chain/) - before];
    }

    /** Two replicas with the old chain, which one of them has fetched, before AMD serves the new one. */
    async function holding() {
      const both = [await shared.replica('one'), await shared.replica('other')] as const;
      expect(await judged(both[0], OLD)).toEqual([[], 1]);
      expect(await judged(both[1], OLD)).toEqual([[], 0]);
      shared.lab.kds.serveChain('Milan', 'vcek', REISSUED.pem + pki.ark('Milan').pem);
      return both;
    }

    it('SNP-29 AMD is asked at once, although a replica has fetched one that does not fit minutes ago', async () => {
      const [one] = await holding();
      shared.lab.clock.advance(9 * MINUTE_MS);
      expect(await judged(one, NEW)).toEqual([[], 1]);
      expect(await judged(one, OLD)).toEqual([[], 0]);
    });

    it('SNP-29 a chain of another replica that fits counts, however long ago it was fetched', async () => {
      const [one, other] = await holding();
      await judged(one, NEW);
      shared.lab.clock.advance(20 * DAY_MS);
      await shared.lab.kds.connect('refused');
      expect(await judged(other, NEW)).toEqual([[], 0]);
      expect(await judged(other, OLD)).toEqual([[], 0]);
    });

    it('SNP-29 a made-up VEK has AMD asked once in ten minutes, and what it has is kept for the others', async () => {
      const [one, other] = await holding();
      expect(await judged(one, MADE_UP)).toEqual([['cert_signature'], 1]);
      expect(await judged(one, MADE_UP)).toEqual([['cert_signature'], 0]);
      await shared.lab.kds.connect('refused');
      expect(await judged(other, NEW)).toEqual([[], 0]);
    });

    it('SNP-29 a chain of another replica that does not fit takes no place of one that is held', async () => {
      const [one, other] = await holding();
      await judged(one, NEW);
      await shared.lab.kds.connect('refused');
      expect(await judged(other, MADE_UP)).toEqual([['cert_signature'], 0]);
      expect(await shared.lab.cached('other')).toContain('chain-milan-vcek.pem');
      expect(await shared.lab.cached('other')).not.toContain('chain-milan-vcek-before.pem');
    });
  },
);
