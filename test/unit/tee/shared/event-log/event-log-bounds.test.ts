import { afterEach, describe, expect, it, vi } from 'vitest';
import { MAXIMUM_EVENTS } from '../../../../../src/boot/format/measured-event.js';
import { ByteReader } from '../../../../../src/formats/byte-reader.js';
import { TdxVerifier } from '../../../../../src/tee/tdx/tdx-verifier.js';
import { createVirtualMachine, TdxGuest } from '../../../../lab/index.js';
import { buildTpmLog, type LogEvent } from '../../../inspect/tpm-log.js';
import { azureTdxVerifier, TDX_VM } from '../../azure/tdx-fixture.js';
import { azureVerifier, PKI } from '../../fixture.js';
import { newVerifier, PLATFORM } from '../../tdx/fixture.js';
import { MACHINE, tpmOnlyVerifier } from '../../tpm/tpm-fixture.js';

/** How much of an event log is read before it is refused, for each type of evidence that has one. */

const LIMIT = 2 ** 20;
const EVENT: LogEvent = { index: 4, type: 4, data: Uint8Array.of(0) };
const LOG = buildTpmLog([EVENT], ['sha1']);
const HEADER_LENGTH = buildTpmLog([], ['sha1']).byteLength;
const ONE = LOG.subarray(HEADER_LENGTH);

const VM = await createVirtualMachine({ pki: PKI });
const GUEST = new TdxGuest({ platform: PLATFORM, ccel: [] });
const TDX = new TdxVerifier(newVerifier(), new Set(), LIMIT);

/** The verifiers that open evidence with a log, before any endorsement is requested. */
const TYPES: readonly (readonly [string, (log: Uint8Array) => unknown])[] = [
  ['az-snp-vtpm', (log) => azureVerifier().open(VM.evidence({ eventLog: [log] }))],
  ['az-tdx-vtpm', (log) => azureTdxVerifier().open(TDX_VM.evidence({ eventLog: [log] }))],
  ['tpm', (log) => tpmOnlyVerifier().open(MACHINE.evidence({ eventLog: [log] }))],
  ['tdx', (ccel) => TDX.open(GUEST.evidence({ ccel }))],
];

const WIDTHS = { u8: 1, u16be: 2, u16le: 2, u32be: 4, u32le: 4, u64be: 8, u64le: 8 } as const;

/** Bytes of structures that are read until it ends, and what it ends with. */
function bytesRead(act: () => unknown): { readonly read: number; readonly error: unknown } {
  const integers = Object.entries(WIDTHS).map(
    ([name, width]) => [vi.spyOn(ByteReader.prototype, name as keyof typeof WIDTHS), width] as const,
  );
  const ranges = vi.spyOn(ByteReader.prototype, 'bytes');
  let error: unknown = null;
  try {
    act();
  } catch (thrown) {
    error = thrown;
  }
  const ofIntegers = integers.reduce((sum, [spy, width]) => sum + width * spy.mock.calls.length, 0);
  const read = ranges.mock.calls.reduce((sum, [length]) => sum + length, ofIntegers);
  vi.restoreAllMocks();
  return { read, error };
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe.each(TYPES)('TPM-14 bounds of the event log of a request: %s', (_type, open) => {
  const small = bytesRead(() => open(LOG));

  it('reads a log that it takes', () => {
    expect(small.error).toBeNull();
    expect(bytesRead(() => open(Uint8Array.of(...LOG, ...ONE))).read).toBe(small.read + ONE.byteLength);
  });

  it.each([LIMIT + 1, 64 * LIMIT])('reads nothing of one of %i bytes', (length) => {
    const log = new Uint8Array(length);
    log.set(LOG);
    const { read, error } = bytesRead(() => open(log));
    expect(error).toMatchObject({ code: 'eventlog_limit' });
    expect(read).toBeLessThanOrEqual(small.read - LOG.byteLength);
  });

  it('reads no more than 2048 of the events of a log as long as it may be', () => {
    const log = new Uint8Array(LIMIT);
    log.set(LOG);
    for (let at = HEADER_LENGTH; at + ONE.byteLength <= LIMIT; at += ONE.byteLength) log.set(ONE, at);
    const { read, error } = bytesRead(() => open(log));
    expect(error).toMatchObject({ code: 'eventlog_limit' });
    expect(read).toBeLessThanOrEqual(small.read + MAXIMUM_EVENTS * ONE.byteLength);
  });

  it('reads no event whose size is 2^32-1', () => {
    const log = Uint8Array.from(LOG);
    log.fill(0xff, LOG.byteLength - 5, LOG.byteLength - 1);
    const { read, error } = bytesRead(() => open(log));
    expect(error).toMatchObject({ code: 'eventlog_limit' });
    expect(read).toBeLessThanOrEqual(small.read);
  });
});
