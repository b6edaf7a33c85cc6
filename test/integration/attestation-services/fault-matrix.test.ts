import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BearerTokens } from '../../lab/bearer-tokens.js';
import type { LabServer } from '../../lab/lab-server.js';
import { AzureLab, attest, type Opened, PATIENT } from './azure-lab.js';
import { type Cell, cellsOf } from './fault-cells.js';

let lab: AzureLab;

beforeEach(async () => {
  lab = await AzureLab.start(new BearerTokens());
});

afterEach(async () => {
  await lab.close();
});

const DNS_FAILURE: Cell = {
  name: 'DNS failure',
  break: () => {
    lab.resolves = false;
  },
  retryable: true,
};

/** Asks within a time that is short where the cell hangs: the signal ends it, not a timeout of the client. */
function attestWhileBroken(opened: Opened, cell: Cell) {
  const deadline = new AbortController();
  const outcome = attest(opened, deadline.signal);
  if (cell.hangs === true) setTimeout(() => deadline.abort(), 150);
  return outcome;
}

/** Runs a cell, then shows that the same client recovers. */
async function runCell(cell: Cell, server: LabServer): Promise<void> {
  const opened = await lab.open({ identity: await lab.secretIdentity() });
  await cell.break(server);
  const { retryable, retryAfterSeconds } = cell;
  const expected = { code: 'route_unavailable', detail: expect.any(String), retryable };
  expect(await attestWhileBroken(opened, cell)).toEqual(
    retryAfterSeconds === undefined ? expected : { ...expected, retryAfterSeconds },
  );
  await server.heal();
  lab.resolves = true;
  lab.clock.advance(cell.restMs ?? 0);
  await expect.poll(() => attest(opened), PATIENT).toHaveProperty('token');
}

describe('fault matrix: Azure Attestation', () => {
  for (const cell of [DNS_FAILURE, ...cellsOf(/attest/)]) {
    it(`${cell.name}: route_unavailable, and recovery without restart`, async () => {
      await runCell(cell, lab.maa);
    });
  }
});

describe('fault matrix: Entra, its token endpoint', () => {
  const stale: Cell = {
    name: 'stale (a token that has ended)',
    break: (server) =>
      server.fail(/token/, { status: 200, body: { access_token: 'x', token_type: 'Bearer', expires_in: -5 } }),
    retryable: true,
  };

  for (const cell of [DNS_FAILURE, ...cellsOf(/oauth2/), stale]) {
    it(`${cell.name}: route_unavailable, no evidence sent, and recovery without restart`, async () => {
      await runCell(cell, lab.entra);
    });
  }
});

describe('fault matrix: Entra, its discovery', () => {
  for (const cell of cellsOf(/openid-configuration/)) {
    it(`${cell.name}: route_unavailable, and recovery without restart`, async () => {
      await runCell(cell, lab.entra);
    });
  }
});

describe('fault matrix: a token that is held', () => {
  for (const cell of cellsOf(/./)) {
    it(`${cell.name} at Entra changes nothing before it ends`, async () => {
      const opened = await lab.open({ identity: await lab.secretIdentity() });
      await attest(opened);
      await cell.break(lab.entra);
      lab.clock.advance(1_850_000);
      expect(await attest(opened)).toHaveProperty('token');
      await lab.entra.heal();
    });
  }
});
