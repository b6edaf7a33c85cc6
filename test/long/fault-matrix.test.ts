import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { isWithoutPostgres } from '../integration/stores/postgres-server.js';
import { KdsCertificates, KdsCrl } from './dependencies/amd.js';
import { CallerKeys } from './dependencies/callers.js';
import { CollateralSource } from './dependencies/intel.js';
import { EntraTokens, VaultOfKeys } from './dependencies/key-vault.js';
import { NonceStore } from './dependencies/nonce-store.js';
import { ItaKeys, MaaKeys } from './dependencies/token-issuers.js';
import type { Asked, Dependency, Holding } from './dependency.js';
import { type Fault, WORDS } from './expected-outcomes.js';
import { DEADLINE_SECONDS, GRACE_MS } from './matrix-settings.js';
import { type ExpectedRow, expectedRows, NO_CELL, SeenOutcomes } from './outcome-table.js';
import { progress, report } from './scale.js';
import { Timing } from './timing.js';

/** Every dependency, every fault, whatever is held: what the service answers, when, and that it recovers by itself. */

const DEPENDENCIES: readonly (readonly [name: string, create: () => Promise<Dependency>, isLeftOut?: boolean])[] = [
  ['AMD KDS certificates', KdsCertificates.create],
  ['AMD CRL', KdsCrl.create],
  ['Intel PCS', CollateralSource.pcs],
  ['Azure THIM', CollateralSource.thim],
  ['Azure Attestation keys', MaaKeys.create],
  ['Trust Authority keys', ItaKeys.create],
  ['Entra, keys of callers', CallerKeys.create],
  ['Entra, token for a vault', EntraTokens.create],
  ['Key Vault, a key', VaultOfKeys.create],
  ['Nonce store', NonceStore.create, isWithoutPostgres('the fault matrix of the nonce store')],
];

/** A breaker lets a request try after 30 seconds. */
const [RECOVERY_MS, RETRY_MS] = [90_000, 1_000];
/** An answer for which this process was later than that shows nothing but that, and is asked for again so many times. */
const [LATE_MS, LATE_TIMES] = [250, 8];
/** Requests to a dependency from before the fault have their answer by then. */
const SETTLE_MS = 3_500;

const DEADLINE_MS = DEADLINE_SECONDS * 1000;

const ROWS: ReadonlyMap<string, ExpectedRow> = new Map(expectedRows().map((row) => [row.label, row]));
const seen = new SeenOutcomes();
const timing = new Timing();
let latest: { readonly ms: number; readonly cell: string } = { ms: 0, cell: '' };
let recoveries = 0;

afterAll(() => {
  timing.close();
  report(`Fault matrix, with a deadline of ${DEADLINE_SECONDS} s`, [
    ...seen.lines,
    '',
    `latest answer: ${Math.round(latest.ms)} ms of the service's own time (${latest.cell})`,
    `recoveries without a restart: ${recoveries}`,
  ]);
});

function expectedOf({ label }: Holding, fault: Fault): string {
  return ROWS.get(label)?.words.get(fault) ?? NO_CELL;
}

/** Once more where load was shed: such a request was not looked at, and many services run in this process. */
async function askAdmitted(dependency: Dependency): Promise<Asked> {
  for (;;) {
    const asked = await dependency.ask(timing);
    if (asked.outcome !== '503 overloaded') return asked;
    await sleep(RETRY_MS);
  }
}

/** Fails, asks, mends, and waits until there is an allow again. */
async function runCell(dependency: Dependency, holding: Holding, fault: Fault): Promise<void> {
  await dependency.fail(fault, holding.ageMs);
  dependency.advance(holding.ageMs);
  const cell = `${holding.label}, ${fault}`;
  const expected = WORDS.get(expectedOf(holding, fault));
  const { outcome, ms, lateMs } = await askUntilShown(dependency, holding, expected);
  seen.set(holding.label, fault, outcome);
  const own = ms - lateMs;
  if (own > latest.ms) latest = { ms: own, cell };
  const health = await dependency.health();
  await dependency.mend();
  expect(`${cell}: ${outcome}`).toBe(`${cell}: ${expected}`);
  expect([cell, ...health]).toEqual([cell, 200, dependency.isReadyMeanwhile ? 200 : 503]);
  expect(own, cell).toBeLessThanOrEqual(DEADLINE_MS + GRACE_MS);
  await recover(dependency, cell);
}

async function askUntilShown(dependency: Dependency, { label }: Holding, expected: string | undefined): Promise<Asked> {
  const mayAllow = [...(ROWS.get(label)?.words.values() ?? [])].includes('allow');
  for (let times = 1; ; times++) {
    const asked = await askAdmitted(dependency);
    const isRight = asked.outcome === expected && asked.ms - asked.lateMs <= DEADLINE_MS + GRACE_MS;
    if (isRight || asked.lateMs < LATE_MS || times === LATE_TIMES) return asked;
    // An allow where the row has none is wrong however late it is.
    if (asked.outcome === 'allow' && !mayAllow) return asked;
  }
}

async function recover(dependency: Dependency, cell: string): Promise<void> {
  const until = performance.now() + RECOVERY_MS;
  for (;;) {
    dependency.advance(dependency.restMs);
    const { outcome } = await askAdmitted(dependency);
    if (outcome === 'allow') break;
    if (performance.now() > until) throw new Error(`${cell}: no recovery, but ${outcome}`);
    await sleep(RETRY_MS);
  }
  recoveries += 1;
  await sleep(SETTLE_MS);
}

/** One service for all that a fault can meet, which is never started again. */
async function runFault(dependency: Dependency, fault: Fault): Promise<void> {
  const holdings = dependency.holdings.filter((holding) => expectedOf(holding, fault) !== NO_CELL);
  if (holdings.length === 0) return;
  await dependency.start();
  try {
    for (const holding of holdings) await runCell(dependency, holding, fault);
  } finally {
    await dependency.mend();
    await dependency.stop();
  }
}

describe('the table that is expected', () => {
  it('has a row for all that is held of each dependency, and no other', async () => {
    const created = await Promise.all(DEPENDENCIES.filter(([, , out]) => out !== true).map(([, create]) => create()));
    const labels = created.flatMap(({ holdings }) => holdings.map(({ label }) => label));
    await Promise.all(created.map((dependency) => dependency.close()));
    const leftOut = DEPENDENCIES.flatMap(([name, , out]) => (out === true ? [name] : []));
    const rows = [...ROWS.keys()].filter((label) => !leftOut.some((name) => label.startsWith(name)));
    expect(rows.filter((label) => !labels.includes(label))).toEqual([]);
    expect(labels.filter((label) => !ROWS.has(label))).toEqual([]);
  });
});

describe.concurrent('fault matrix', () => {
  for (const [name, create, isLeftOut = false] of DEPENDENCIES) {
    it.skipIf(isLeftOut)(
      `${name}: every cell is as the table says, in time, and passes by without a restart`,
      async () => {
        const dependency = await create();
        const problems: string[] = [];
        const [first] = ROWS.values();
        for (const fault of first?.words.keys() ?? []) {
          await runFault(dependency, fault).catch((error: unknown) => problems.push(String(error)));
        }
        await dependency.close();
        progress(`${name}: ${problems.length === 0 ? 'every cell is right' : problems.join('\n')}`);
        expect(problems).toEqual([]);
      },
    );
  }
});
