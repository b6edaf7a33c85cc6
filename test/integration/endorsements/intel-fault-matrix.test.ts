import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CheckId } from '../../../src/core/codes.js';
import type { LabFault } from '../../lab/lab-fault.js';
import type { LabConnection } from '../../lab/lab-server.js';
import { DAY_MS, day, HOUR_MS, IntelLab, type OpenedIntel, PATIENT, PAUSES } from './intel-lab.js';

/** One cell: what goes wrong, and what is said where nothing is held. */
interface Cell {
  readonly name: string;
  readonly break: () => Promise<void> | void;
  /** Makes good again what `break` did, where healing the emulator does not. */
  readonly mend?: () => void;
  readonly retryable?: boolean;
  /** Where it is another than collateral_unavailable. */
  readonly code?: CheckId;
  /** The answer comes only when the time of the request is over. */
  readonly hangs?: boolean;
  readonly retryAfterSeconds?: number;
  /** The service is left alone for a while, until the clock has gone on by this. */
  readonly restMs?: number;
}

let lab: IntelLab;

beforeEach(async () => {
  lab = await IntelLab.start();
});

afterEach(async () => {
  await lab.close();
});

/** Cells that are the same for every path. */
function cellsOf(path: RegExp): readonly Cell[] {
  const fault = (kind: LabFault) => () => lab.pcs.fail(path, kind);
  const connection = (state: LabConnection) => () => lab.pcs.connect(state);
  return [
    {
      name: 'DNS failure',
      break: async () => {
        lab.resolves = false;
        // a connection that is there needs no name
        await lab.pcs.connect('refused');
        await lab.pcs.connect('up');
      },
      mend: () => {
        lab.resolves = true;
      },
    },
    { name: 'connection refused', break: connection('refused') },
    { name: 'connect timeout', break: connection('half_open'), hangs: true },
    { name: 'TLS failure', break: connection('tls') },
    { name: 'half-open', break: fault('half_open'), hangs: true },
    { name: '1 byte/s drip', break: fault('drip'), hangs: true },
    {
      name: '429 with Retry-After',
      break: fault({ status: 429, retryAfter: '30' }),
      retryAfterSeconds: 30,
      restMs: 30_000,
    },
    { name: '429 without Retry-After', break: fault({ status: 429 }), restMs: 10_000 },
    { name: '500', break: fault({ status: 500 }) },
    { name: '503', break: fault({ status: 503 }) },
    { name: '404', break: fault({ status: 404 }), retryable: false, restMs: 600_000 },
    { name: 'garbage', break: fault('garbage') },
    { name: 'oversize', break: fault('oversize') },
    { name: 'redirect', break: fault('redirect') },
  ];
}

const contentType = (path: RegExp): Cell => ({
  name: 'wrong content type',
  break: () => lab.pcs.fail(path, 'content_type'),
});

/** Serves other collateral, and good one again afterwards. */
const served = (name: string, options: Parameters<IntelLab['serve']>[0], cell: Partial<Cell> = {}): Cell => ({
  name,
  break: () => void lab.serve(options),
  mend: () => void lab.serve(),
  ...cell,
});

/** Finds within a time that is short where the cell hangs: the signal ends it, not a timeout of the source. */
async function findWhileBroken(opened: OpenedIntel, cell: Cell) {
  const deadline = new AbortController();
  const finding = lab.find(opened, { signal: deadline.signal });
  if (cell.hangs === true) setTimeout(() => deadline.abort(), 150);
  return finding;
}

async function mend(cell: Cell) {
  await lab.pcs.heal();
  cell.mend?.();
  lab.clock.advance(cell.restMs ?? 0);
}

/** Runs a cell on a source with nothing, then shows that the same source recovers. */
async function runCell(cell: Cell) {
  const opened = lab.open();
  await opened.ready;
  await cell.break();
  const { code = 'collateral_unavailable', retryable = true, retryAfterSeconds } = cell;
  expect(await findWhileBroken(opened, cell)).toEqual({
    code,
    retryable,
    detail: expect.any(String),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
  expect(await lab.cached('tdx-collateral')).toEqual([]);
  await mend(cell);
  await expect.poll(() => lab.told(opened), PATIENT).toMatch(/^(?:network|cache) 19$/);
}

const outcome = ({ code = 'collateral_unavailable' }: Cell) => `${code}, and recovery without restart`;

describe('fault matrix: TCB info', () => {
  const path = /tcb/;
  const material = [
    served('stale', { tcbInfo: { issueDate: day(-31), nextUpdate: day(-1) } }, { code: 'collateral_stale' }),
    served('future-dated', { tcbInfo: { issueDate: day(1), nextUpdate: day(31) } }),
  ];
  for (const cell of [...cellsOf(path), contentType(path), ...material]) {
    it(`${cell.name}: ${outcome(cell)}`, () => runCell(cell));
  }
});

describe('fault matrix: QE identity', () => {
  const path = /identity/;
  const material = [
    served('stale', { qeIdentity: { issueDate: day(-31), nextUpdate: day(-1) } }, { code: 'collateral_stale' }),
    served('future-dated', { qeIdentity: { issueDate: day(1), nextUpdate: day(31) } }),
  ];
  for (const cell of [...cellsOf(path), contentType(path), ...material]) {
    it(`${cell.name}: ${outcome(cell)}`, () => runCell(cell));
  }
});

describe.each([
  ['PCK', /pckcrl/, 'pckCrl'],
  ['root', /IntelSGXRootCA/, 'rootCrl'],
] as const)('fault matrix: %s CRL', (_what, path, member) => {
  const dated = (from: number, to: number) => ({
    [member]: { overrides: { thisUpdate: day(from), nextUpdate: day(to) } },
  });
  // A page is not refused before it is read: a PCCS calls its lists that. It is refused for what it is not.
  const page: Cell = {
    name: 'a page',
    break: () => lab.pcs.alter(path, (genuine) => ({ ...genuine, contentType: 'text/html', body: '<html></html>' })),
  };
  const material = [
    page,
    served('stale', dated(-31, -1), { code: 'collateral_stale' }),
    served('future-dated', dated(1, 31)),
  ];
  for (const cell of [...cellsOf(path), ...material]) {
    it(`${cell.name}: ${outcome(cell)}`, () => runCell(cell));
  }
});

describe('fault matrix: what is held goes on being used', () => {
  for (const cell of [...cellsOf(/./), contentType(/./)]) {
    it(`${cell.name}: collateral comes from the cache, also when it is due, and is renewed afterwards`, async () => {
      const opened = lab.open({}, cell.hangs === true ? { pauses: QUICK } : {});
      await lab.find(opened);
      await cell.break();
      lab.clock.advance(DAY_MS);
      expect(await lab.told(opened)).toBe('cache 19');
      await expect.poll(() => opened.log.of(/not renewed/), PATIENT).not.toEqual([]);
      expect(await lab.told(opened)).toBe('cache 19');
      await mend(cell);
      lab.serve({ evaluationNumber: 20 });
      const find = () => {
        lab.clock.advance(HOUR_MS);
        return lab.told(opened);
      };
      await expect.poll(find, PATIENT).toBe('cache 20');
    });
  }
});

/** Attempts in the background that end soon, where nothing but their own time ends them. */
const QUICK = { ...PAUSES, timeoutMs: 100 };

describe('fault matrix: after the held collateral has ended', () => {
  const dates = { issueDate: day(41), nextUpdate: day(71) };
  const futureDated = served('future-dated', { at: day(41), tcbInfo: dates, qeIdentity: dates });
  for (const cell of [...cellsOf(/tcb/), contentType(/tcb/), futureDated]) {
    it(`${cell.name}: collateral_stale`, async () => {
      const opened = lab.open();
      await lab.find(opened);
      await cell.break();
      lab.clock.advance(40 * DAY_MS);
      expect(await findWhileBroken(opened, cell)).toMatchObject({ code: 'collateral_stale', retryable: true });
    });
  }
});
