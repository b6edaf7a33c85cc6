import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningService } from '../../../src/app/service.js';
import { LabService, lenientPolicy } from './lab-service.js';

const FOREIGN_DIGEST = new Uint8Array(48).fill(0xb2);

let lab: LabService;
let service: RunningService;

interface AnsweredCheck {
  readonly id: string;
  readonly policy: string | null;
  readonly waived: boolean;
  readonly remedy: string | null;
}

beforeAll(async () => {
  lab = await LabService.create();
  const waiver = { reason: 'known', approver: 'someone', expires: '2999-01-01' };
  const waiving = { waivers: [{ check: 'snp_product_advisory', ...waiver }] };
  await lab.writePolicy(lenientPolicy('waiving', waiving));
  await lab.writePolicy(lenientPolicy('plain'));
  service = await lab.start({ historical: true });
});

afterAll(() => lab.close());

describe('an answer', () => {
  it('says the instant judged: its own, or the one that the request names', async () => {
    const { body: now } = await lab.verify(service);
    expect([now.decision, now.at, now.historical]).toEqual(['allow', now.decidedAt, false]);
    const at = new Date(Date.parse(now.decidedAt) - 60_000).toISOString();
    const { body: then } = await lab.verify(service, { members: { at } });
    expect([then.at, then.historical]).toEqual([at, true]);
    expect(then.decidedAt > at).toBe(true);
  });

  it('says waived on the line of the policy whose waiver it is, and on no other', async () => {
    const { body } = await lab.verify(service, { members: { policy: ['plain', 'waiving'] } });
    const lines = body.checks.filter(({ id }: AnsweredCheck) => id === 'snp_product_advisory');
    expect(lines.map(({ policy, waived }: AnsweredCheck) => [policy, waived])).toEqual([
      [null, false],
      ['waiving', true],
    ]);
    const others = body.checks.filter(({ id, waived }: AnsweredCheck) => waived && id !== 'snp_product_advisory');
    expect([body.decision, others]).toEqual(['allow', []]);
  });

  it('HCL-15 names the digest, the GUEST_SVN and the setting of a paravisor that is not known', async () => {
    const fields = { idKeyDigest: FOREIGN_DIGEST, guestSvn: 0x1000b };
    const { body } = await lab.verify(service, { report: { fields } });
    const found = body.checks.find(({ id }: AnsweredCheck) => id === 'hcl_paravisor');
    expect([body.decision, found.result]).toEqual(['deny', 'fail']);
    expect(found.remedy).toBe(
      `The operator should add the ID_KEY_DIGEST ${'b2'.repeat(48)} with minGuestSvn 11 (GUEST_SVN is 65547) to azure.paravisors.idKeyDigests if this is a paravisor that Microsoft signed, or the caller should send a token of an Azure Attestation instance for which maa.issuers lists policyHash.`,
    );
  });
});
