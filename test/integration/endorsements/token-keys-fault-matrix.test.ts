import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CheckId } from '../../../src/core/codes.js';
import type { OpenTokenKeys } from '../../../src/endorsements/token-keys/open-token-keys.js';
import { maaKeyPlace } from '../../../src/endorsements/token-keys/token-issuer.js';
import type { LabFault } from '../../lab/lab-fault.js';
import type { LabConnection } from '../../lab/lab-server.js';
import { base64Of, certificateOf, jwkOf, keySetOf, TOKEN_KEYS } from '../../unit/token-jwk.js';
import { COOLDOWN_MS, DAY_MS, KeySetLab, NOW, PATIENT, REFRESH_MS } from './key-set-lab.js';

/** One cell: what goes wrong, and what is said where nothing is held. */
interface Cell {
  readonly name: string;
  readonly break: () => Promise<void> | void;
  readonly code: CheckId;
  /** The answer comes only when the time of the request is over. */
  readonly hangs?: boolean;
  readonly retryAfterSeconds?: number;
}

let lab: KeySetLab;

beforeEach(async () => {
  lab = await KeySetLab.start();
});

afterEach(async () => {
  await lab.close();
});

const fault = (kind: LabFault) => () => lab.server.fail(/./, kind);
const connection = (state: LabConnection) => () => lab.server.connect(state);

const CELLS: readonly Cell[] = [
  {
    name: 'DNS failure',
    break: () => {
      lab.resolves = false;
      return lab.server.connect('up');
    },
    code: 'jwks_unavailable',
  },
  { name: 'connection refused', break: connection('refused'), code: 'jwks_unavailable' },
  { name: 'connect timeout', break: connection('half_open'), code: 'jwks_unavailable', hangs: true },
  { name: 'TLS failure', break: connection('tls'), code: 'jwks_unavailable' },
  { name: 'half-open', break: fault('half_open'), code: 'jwks_unavailable', hangs: true },
  { name: '1 byte/s drip', break: fault('drip'), code: 'jwks_unavailable', hangs: true },
  {
    name: '429 with Retry-After',
    break: fault({ status: 429, retryAfter: '90' }),
    code: 'jwks_unavailable',
    retryAfterSeconds: 90,
  },
  { name: '429 without Retry-After', break: fault({ status: 429 }), code: 'jwks_unavailable' },
  { name: '500', break: fault({ status: 500 }), code: 'jwks_unavailable' },
  { name: '503', break: fault({ status: 503 }), code: 'jwks_unavailable' },
  {
    name: '503 with Retry-After',
    break: fault({ status: 503, retryAfter: '45' }),
    code: 'jwks_unavailable',
    retryAfterSeconds: 45,
  },
  { name: '404', break: fault({ status: 404 }), code: 'jwks_unavailable' },
  { name: 'wrong content type', break: fault('content_type'), code: 'jwks_invalid' },
  { name: 'garbage', break: fault('garbage'), code: 'jwks_invalid' },
  { name: 'oversize', break: fault('oversize'), code: 'jwks_invalid' },
  { name: 'redirect', break: fault('redirect'), code: 'jwks_unavailable' },
];

/** A source whose attempts last longer than a test, but where they hang: a fetch goes on when its caller has left. */
function open({ hangs = false }: Partial<Cell> = {}): OpenTokenKeys {
  return lab.open({ keys: maaKeyPlace(lab.issuer) }, { pauses: { attemptTimeoutMs: hangs ? 1_000 : 60_000 } });
}

/** Finds within a time that is short where the cell hangs: the signal ends it, not a timeout of the source. */
async function findWhileBroken(opened: OpenTokenKeys, kid: string, cell: Cell) {
  const deadline = new AbortController();
  const finding = lab.find(opened, kid, { signal: deadline.signal });
  if (cell.hangs === true) setTimeout(() => deadline.abort(), 150);
  return finding;
}

/** Ends the fault, lets the pause after it pass, and waits for a set that is fetched anew. */
async function expectRecovery(opened: OpenTokenKeys, cell: Cell, ...kids: readonly [string, ...string[]]) {
  await lab.server.heal();
  lab.resolves = true;
  lab.clock.advance((cell.retryAfterSeconds ?? 0) * 1_000);
  const find = () => {
    lab.clock.advance(COOLDOWN_MS);
    return lab.told(opened, kids.at(-1) ?? '');
  };
  await expect.poll(find, PATIENT).toEqual(['network', ...kids]);
}

function problemOf({ code, retryAfterSeconds }: Cell) {
  return { code, retryable: true, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) };
}

describe('fault matrix: token keys, nothing held', () => {
  it.each(CELLS)('$name: $code, and recovery without restart', async (cell) => {
    const opened = open(cell);
    await cell.break();
    const found = await findWhileBroken(opened, 'a', cell);
    expect(found).toMatchObject(problemOf(cell));
    expect('retryAfterSeconds' in found).toBe(cell.retryAfterSeconds !== undefined);
    await expectRecovery(opened, cell, 'a');
  });
});

describe('fault matrix: token keys, a set held', () => {
  it.each(CELLS)('$name: known keys are served, unknown ones are $code', async (cell) => {
    const opened = open(cell);
    await lab.find(opened, 'a');
    lab.publish('a', 'b');
    await cell.break();
    lab.clock.advance(REFRESH_MS);
    expect(await findWhileBroken(opened, 'b', cell)).toMatchObject(problemOf(cell));
    expect(await lab.told(opened, 'a')).toEqual(['cache', 'a']);
    await expectRecovery(opened, cell, 'a', 'b');
  });

  it.each(CELLS)('$name: jwks_stale after a day', async (cell) => {
    const opened = open(cell);
    await lab.find(opened, 'a');
    await cell.break();
    lab.clock.advance(DAY_MS);
    expect(await findWhileBroken(opened, 'a', cell)).toMatchObject({ ...problemOf(cell), code: 'jwks_stale' });
    await expectRecovery(opened, cell, 'a');
  });
});

describe('fault matrix: token keys, answers of another time', () => {
  it('stale: an older set than the last is in force, its lost keys are unknown, and the next fetch finds them', async () => {
    lab.publish('a', 'b');
    const opened = open();
    await lab.find(opened, 'b');
    lab.publish('a');
    lab.clock.advance(REFRESH_MS);
    await lab.find(opened, 'b');
    await expect.poll(() => lab.told(opened, 'b'), PATIENT).toEqual(['cache', 'a']);
    lab.publish('a', 'b');
    lab.clock.advance(COOLDOWN_MS);
    expect(await lab.told(opened, 'b')).toEqual(['network', 'a', 'b']);
  });

  it('future-dated: a certificate that is not valid yet is handed on as it is, for the verifier to judge', async () => {
    const notBefore = new Date(NOW.getTime() + DAY_MS);
    const certificate = certificateOf(TOKEN_KEYS.a, { notBefore, notAfter: new Date(NOW.getTime() + 9 * DAY_MS) });
    lab.server.serve('/certs', keySetOf(jwkOf(TOKEN_KEYS.a, 'a', { x5c: [base64Of(certificate)] })));
    const found = await lab.find(open(), 'a');
    const [key] = 'code' in found ? [] : (found.value.keys.get('a') ?? []);
    expect(key?.certificates.map((der) => Buffer.from(der))).toEqual([Buffer.from(certificate)]);
  });
});
