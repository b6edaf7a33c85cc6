import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PATIENT } from './azure-lab.js';
import { type Cell, cellsOf } from './fault-cells.js';
import { attestTd, type OpenedTrustAuthority, TrustAuthorityLab } from './trust-authority-lab.js';

let lab: TrustAuthorityLab;

beforeAll(async () => {
  lab = await TrustAuthorityLab.start();
});

beforeEach(() => lab.heal());

afterAll(() => lab.close());

const DNS_FAILURE: Cell = {
  name: 'DNS failure',
  break: () => {
    lab.resolves = false;
  },
  retryable: true,
};

/** Asks within a time that is short where the cell hangs: the signal ends it, not a timeout of the client. */
function attestWhileBroken(opened: OpenedTrustAuthority, cell: Cell) {
  const deadline = new AbortController();
  const outcome = attestTd(opened, deadline.signal);
  if (cell.hangs === true) setTimeout(() => deadline.abort(), 150);
  return outcome;
}

describe('fault matrix: Trust Authority', () => {
  for (const cell of [DNS_FAILURE, ...cellsOf(/appraisal/)]) {
    it(`${cell.name}: route_unavailable, and recovery without restart`, async () => {
      const opened = lab.open();
      await cell.break(lab.ita);
      const { retryable, retryAfterSeconds } = cell;
      const expected = { code: 'route_unavailable', detail: expect.any(String), retryable };
      expect(await attestWhileBroken(opened, cell)).toEqual(
        retryAfterSeconds === undefined ? expected : { ...expected, retryAfterSeconds },
      );
      expect(lab.ita.count()).toBeLessThanOrEqual(1);
      await lab.heal();
      lab.clock.advance(cell.restMs ?? 0);
      await expect.poll(() => attestTd(opened), PATIENT).toHaveProperty('token');
    });
  }
});
