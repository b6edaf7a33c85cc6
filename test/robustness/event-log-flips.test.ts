import { describe, expect, it } from 'vitest';
import { parseFirmwareEventLog } from '../../src/boot/format/tcg-event-log.js';
import { PCR_LAYOUT } from '../../src/boot/register-layout.js';
import { initialValue, replay } from '../../src/boot/replay.js';
import { hex } from '../../src/core/bytes.js';
import type { EventLogClaims } from '../../src/core/claims.js';
import { FormatError } from '../../src/core/errors.js';
import { checksAt } from '../../src/tee/catalogue.js';
import { type EventLogVerdict, verifyEventLog } from '../../src/tee/shared/event-log/event-log.js';
import { flipBit } from '../lab/byte-patch.js';
import { haveVectors, readVector } from '../vectors.js';

const FILE = 'tpm-eventlog/evlog-sp800155.bin';
const LIMIT = 2 ** 20;
/** All bits take minutes. Both meet each position in a byte. With the variable each byte is met. */
const STRIDE = process.env['VERITEE_EVERY_BIT'] === '1' ? 5 : 37;

function quotedValues(bytes: Uint8Array): ReadonlyMap<number, string> {
  const { events } = parseFirmwareEventLog(bytes, LIMIT);
  const { values } = replay(events, 'sha256', PCR_LAYOUT);
  return new Map(
    PCR_LAYOUT.indices.map((index) => [index, hex(values.get(index) ?? initialValue(index, 32, PCR_LAYOUT))]),
  );
}

/** Null where the log is refused. */
function judge(bytes: Uint8Array, values: ReadonlyMap<number, string>): EventLogVerdict | null {
  try {
    const logs = [parseFirmwareEventLog(bytes, LIMIT)];
    return verifyEventLog(checksAt('/evidence/eventLog'), logs, { layout: PCR_LAYOUT, bank: 'sha256', values });
  } catch (error) {
    if (error instanceof FormatError) return null;
    throw error;
  }
}

const LISTS = ['applications', 'commandLines', 'files'] as const;
const VALUES = ['secureBoot', 'pk', 'kek', 'db', 'dbx', 'mokList'] as const;

/** Claims that are another value, or that lack an entry. What the log no longer shows is null; more entries do no harm. */
function wrong(found: EventLogClaims, genuine: EventLogClaims): readonly string[] {
  const lacking = LISTS.filter((list) => {
    const entries = found[list];
    return entries !== null && genuine[list]?.some((entry) => !entries.includes(entry));
  });
  const others = VALUES.filter((value) => found[value] !== null && found[value] !== genuine[value]);
  return [...lacking, ...others];
}

describe.skipIf(!haveVectors)('a real event log with any bit flipped, beside the PCRs of the genuine one', () => {
  it('TPM-11 TPM-13 is refused, or hides nothing and claims nothing else', { timeout: 600_000 }, () => {
    const bytes = readVector(FILE);
    const values = quotedValues(bytes);
    const genuine = judge(bytes, values)?.claims ?? null;
    if (genuine === null) throw new Error('the log does not hold');
    expect([...LISTS, ...VALUES].filter((claim) => genuine[claim] === null)).toEqual([]);
    const others: string[] = [];
    for (let bit = 0; bit < bytes.byteLength * 8; bit += STRIDE) {
      const claims = judge(flipBit(bytes, bit >> 3, bit & 7), values)?.claims ?? null;
      const claimed = claims === null ? [] : wrong(claims, genuine);
      if (claimed.length > 0) others.push(`${bit}: ${claimed}`);
    }
    expect(others).toEqual([]);
  });
});
