import { describe, expect, it } from 'vitest';
import type { ListedParavisor } from '../../../src/tee/azure/known-paravisors.js';
import { judge, verifiersOf } from '../../judge.js';
import { azSnpEvidenceOf, nonceOf, realChains } from '../../real-evidence.js';
import { haveVectors, vector, vectors } from '../../vectors.js';

/** Lists are offline here: whose paravisor it is does not depend on them. */
const POLICY = `{ apiVersion: veritee/v1, id: offline, version: 1, accepts: [az-snp-vtpm],
  minimums: { snp: { Milan: { snp: 24, microcode: 219 } } }, revocation: best-effort }`;

const MILAN = '942fd93ebde6ea7a96efadeafc60f1c6b3d10e703b1dafd7555b92f7f3d32d0e006767648cba5b102af3d65756af4177';
const current = haveVectors ? vectors('az-snp-vtpm').filter(({ expect: { verdict } }) => verdict === 'verifies') : [];

function judgeVector(id: string, idKeyDigests: readonly ListedParavisor[] = []) {
  const entry = vector(id);
  return judge(
    azSnpEvidenceOf(entry),
    { nonce: nonceOf(entry) },
    {
      verifiers: verifiersOf(undefined, { idKeyDigests }),
      endorsements: realChains('vcek'),
      at: new Date(entry.verifyAt ?? ''),
      policies: [POLICY],
    },
  );
}

describe.skipIf(!haveVectors)('paravisors of real Azure VMs on SEV-SNP', () => {
  it.each(current)('HCL-16 twin: that of $id is known, at or above the built-in floor', async ({ id }) => {
    const { decision, reasons, claims } = await judgeVector(id);
    expect([decision, reasons]).toEqual(['allow', []]);
    expect(claims.hcl?.paravisor).toEqual({ known: true, by: 'idKeyDigest' });
  });

  it.each(current)('HCL-16 that of $id is denied below a floor that the operator sets', async ({ id }) => {
    const guestSvn: number = vector(id).expect.facts.snp.guestSvn;
    const { reasons, checks } = await judgeVector(id, [{ digest: MILAN, minGuestSvn: guestSvn + 1 }]);
    expect(reasons).toEqual(['hcl_paravisor']);
    expect(checks.find((check) => check.id === 'hcl_paravisor')).toMatchObject({
      expected: { setting: 'azure.paravisors.idKeyDigests', minGuestSvn: guestSvn + 1 },
      actual: { idKeyDigest: MILAN, guestSvn },
    });
    const at = await judgeVector(id, [{ digest: MILAN, minGuestSvn: guestSvn }]);
    expect(at.decision).toBe('allow');
  });
});
