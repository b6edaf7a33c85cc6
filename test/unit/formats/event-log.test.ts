import { describe, expect, it } from 'vitest';
import { parseEventLog } from '../../../src/formats/event-log.js';
import { formatErrorOf } from '../../format-error-of.js';
import {
  buildCelJson,
  buildCelTlv,
  buildEventLog,
  buildSha1EventLog,
  grubBoot,
  systemdPhases,
} from '../../lab/event-log-builder.js';

const BOOT = grubBoot();
const PHASES = systemdPhases('enter-initrd', 'leave-initrd');

describe('an event log of any format', () => {
  it.each([
    ['crypto-agile', buildEventLog(BOOT), BOOT.length],
    ['sha1-only', buildSha1EventLog(BOOT), BOOT.length],
    ['cel-tlv', buildCelTlv(PHASES), 2],
    ['cel-json', buildCelJson(PHASES, 'array'), 2],
    ['cel-json', buildCelJson(PHASES, 'sequence'), 2],
    ['cel-json', buildCelJson(PHASES, 'lines'), 2],
  ] as const)('is read as %s', (format, bytes, count) => {
    const log = parseEventLog(bytes, 2 ** 20);
    expect(log.format).toBe(format);
    expect(log.events).toHaveLength(count);
  });

  it('TPM-14 is refused where it is none, or longer than the limit', () => {
    expect(formatErrorOf(() => parseEventLog(new Uint8Array(40).fill(7), 2 ** 20)).code).toBe('eventlog_limit');
    for (const bytes of [buildEventLog(BOOT), buildSha1EventLog(BOOT), buildCelTlv(PHASES), buildCelJson(PHASES)]) {
      expect(formatErrorOf(() => parseEventLog(bytes, 100)).code).toBe('eventlog_limit');
    }
  });
});
