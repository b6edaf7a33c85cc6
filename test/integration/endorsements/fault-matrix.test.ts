import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CheckId } from '../../../src/core/codes.js';
import type { SnpEndorsementSet, Unavailable } from '../../../src/core/endorsement.js';
import type { AmdTuning } from '../../../src/endorsements/amd/amd-parts.js';
import type { KdsConnection, KdsFault } from '../../lab/kds.js';
import { labLookup } from '../lab-lookup.js';
import {
  AmdLab,
  CHIP,
  DAY_MS,
  find,
  issueCrl,
  NOW,
  type Opened,
  PATIENT,
  pki,
  requestFor,
  summary,
  TCB,
  VCEK,
} from './amd-lab.js';

/** One cell: what goes wrong, and what a source says of it that has nothing of its own. */
interface Cell {
  readonly name: string;
  readonly break: () => Promise<void> | void;
  /** Makes good again what `break` did, where healing the emulator does not. */
  readonly mend?: () => void;
  readonly retryable: boolean;
  /** Where it is not that of the dependency. */
  readonly code?: CheckId;
  /** The answer comes only when the time of the request is over. */
  readonly hangs?: boolean;
  /** KDS is left alone for a while, until the clock has gone on by this. */
  readonly restMs?: number;
}

let lab: AmdLab;
/** Whether names resolve. */
let resolves = true;

beforeEach(async () => {
  resolves = true;
  lab = await AmdLab.start();
});

afterEach(async () => {
  await lab.close();
});

/** A resolver of the lab: nothing asks a real one. */
const lookup = labLookup(() => resolves);

const open = (tuning: Partial<AmdTuning> = {}): Opened =>
  lab.open({ connect: { ca: lab.kds.authorityPem, lookup } }, tuning);

/** Cells that are the same for every path of KDS. */
function cellsOf(path: RegExp): readonly Cell[] {
  const fault = (kind: KdsFault) => () => lab.kds.fail(path, kind);
  const connection = (state: KdsConnection) => () => lab.kds.connect(state);
  return [
    {
      name: 'DNS failure',
      break: () => {
        resolves = false;
      },
      mend: () => {
        resolves = true;
      },
      retryable: true,
    },
    { name: 'connection refused', break: connection('refused'), retryable: true },
    { name: 'connect timeout', break: connection('half_open'), retryable: true, hangs: true },
    { name: 'TLS failure', break: connection('tls'), retryable: true },
    { name: 'half-open', break: fault('half_open'), retryable: true, hangs: true },
    { name: '1 byte/s drip', break: fault('drip'), retryable: true, hangs: true },
    { name: '429 with Retry-After', break: fault({ status: 429, retryAfter: '30' }), retryable: true, restMs: 30_000 },
    { name: '429 without Retry-After', break: fault({ status: 429 }), retryable: true, restMs: 10_000 },
    { name: '500', break: fault({ status: 500 }), retryable: true },
    { name: '503', break: fault({ status: 503 }), retryable: true },
    { name: '404', break: fault({ status: 404 }), retryable: false, restMs: 600_000 },
    { name: 'wrong content type', break: fault('content_type'), retryable: true },
    { name: 'garbage', break: fault('garbage'), retryable: true },
    { name: 'oversize', break: fault('oversize'), retryable: true },
    { name: 'redirect', break: fault('redirect'), retryable: true },
  ];
}

/** Finds within a time that is short where the cell hangs: the signal ends it, not a timeout of the source. */
async function findWhileBroken(opened: Opened, cell: Cell): Promise<SnpEndorsementSet> {
  const deadline = new AbortController();
  const finding = find(opened, requestFor(), { at: lab.clock.now(), signal: deadline.signal });
  if (cell.hangs === true) setTimeout(() => deadline.abort(), 150);
  return finding;
}

/** Runs a cell on a source with nothing, then shows that the same source recovers. */
async function runCell(cell: Cell, problemOf: (set: SnpEndorsementSet) => Unavailable | null, code: CheckId) {
  // A refresh of CRLs that hangs goes on after the request, and recovery waits for its end.
  const opened = open(cell.hangs === true ? { crlRefreshTimeoutMs: 2_000 } : {});
  await opened.ready;
  await cell.break();
  expect(problemOf(await findWhileBroken(opened, cell))).toMatchObject({
    code: cell.code ?? code,
    retryable: cell.retryable,
  });
  await lab.kds.heal();
  cell.mend?.();
  lab.clock.advance(cell.restMs ?? 0);
  const complete = {
    vek: expect.stringMatching(ORIGIN),
    chain: expect.stringMatching(ORIGIN),
    crl: expect.stringMatching(ORIGIN),
  };
  await expect
    .poll(async () => summary(await find(opened, requestFor(), { at: lab.clock.now() })), PATIENT)
    .toEqual(complete);
}

const ORIGIN = /^(?:network|cache)$/;

describe('fault matrix: AMD KDS certificates, VCEK', () => {
  const vekProblem = ({ vek }: SnpEndorsementSet) => (vek !== null && 'code' in vek ? vek : null);

  for (const cell of cellsOf(/SPL/)) {
    it(`${cell.name}: vcek_unavailable, and recovery without restart`, async () => {
      await runCell(cell, vekProblem, 'vcek_unavailable');
    });
  }

  it('stale (a VCEK of another TCB): vcek_unavailable, and recovery without restart', async () => {
    const older = pki.issueVcek({ product: 'Milan', chipId: CHIP, tcb: { ...TCB, microcode: 115 } }).der;
    const cell: Cell = {
      name: 'stale',
      break: () => lab.kds.serveVcek('Milan', CHIP, TCB, older),
      mend: () => lab.kds.serveVcek('Milan', CHIP, TCB, VCEK),
      retryable: true,
    };
    await runCell(cell, vekProblem, 'vcek_unavailable');
  });

  it('future-dated (a VCEK of tomorrow): vcek_unavailable, and recovery without restart', async () => {
    const overrides = { notBefore: new Date(NOW.getTime() + DAY_MS) };
    const early = pki.issueVcek({ product: 'Milan', chipId: CHIP, tcb: TCB, overrides }).der;
    const cell: Cell = {
      name: 'future-dated',
      break: () => lab.kds.serveVcek('Milan', CHIP, TCB, early),
      mend: () => lab.kds.serveVcek('Milan', CHIP, TCB, VCEK),
      retryable: true,
    };
    await runCell(cell, vekProblem, 'vcek_unavailable');
  });
});

describe('fault matrix: AMD KDS certificates, chain', () => {
  for (const cell of cellsOf(/cert_chain/)) {
    it(`${cell.name}: vcek_unavailable, and recovery without restart`, async () => {
      await runCell(cell, ({ chainProblem }) => chainProblem, 'vcek_unavailable');
    });
  }
});

describe('fault matrix: AMD CRL', () => {
  const crlProblem = ({ crlProblems }: SnpEndorsementSet) => crlProblems.get('Milan') ?? null;
  const serve = (der: Uint8Array) => lab.kds.serveCrl('Milan', 'vcek', der);
  const material: readonly Cell[] = [
    {
      name: 'stale',
      break: () => serve(issueCrl(1, -60, -1)),
      mend: () => serve(issueCrl(2, -1, 60)),
      retryable: true,
      code: 'crl_stale',
    },
    {
      name: 'future-dated',
      break: () => serve(issueCrl(3, 1, 60)),
      mend: () => serve(issueCrl(2, -1, 60)),
      retryable: true,
    },
  ];

  for (const cell of [...cellsOf(/crl/), ...material]) {
    it(`${cell.name}: ${cell.code ?? 'crl_unavailable'}, and recovery without restart`, async () => {
      await runCell(cell, crlProblem, 'crl_unavailable');
    });
  }
});

describe('fault matrix: what is held goes on being used', () => {
  for (const cell of cellsOf(/./)) {
    it(`${cell.name}: VCEK, chain and list come from the cache`, async () => {
      const opened = open();
      await find(opened);
      await cell.break();
      const asked = lab.kds.count();
      expect(summary(await find(opened))).toEqual({ vek: 'cache', chain: 'cache', crl: 'cache' });
      expect(lab.kds.count()).toBe(asked);
    });
  }
});

describe('fault matrix: after the held list has ended', () => {
  const futureDated: Cell = {
    name: 'future-dated',
    break: () => lab.kds.serveCrl('Milan', 'vcek', issueCrl(2, 5, 60)),
    retryable: true,
  };
  for (const cell of [...cellsOf(/crl/), futureDated]) {
    it(`${cell.name}: crl_stale`, async () => {
      lab.kds.serveCrl('Milan', 'vcek', issueCrl(1, -1, 1));
      const opened = open();
      await find(opened);
      await cell.break();
      lab.clock.advance(2 * 24 * 60 * 60_000);
      const { crlProblems } = await findWhileBroken(opened, cell);
      expect(crlProblems.get('Milan')).toMatchObject({ code: 'crl_stale', retryable: true });
    });
  }
});
