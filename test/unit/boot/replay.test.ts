import { describe, expect, it } from 'vitest';
import { parseFirmwareEventLog } from '../../../src/boot/format/tcg-event-log.js';
import { PCR_LAYOUT } from '../../../src/boot/register-layout.js';
import { replay } from '../../../src/boot/replay.js';
import { hex } from '../../../src/core/bytes.js';
import {
  buildEventLog,
  buildSha1EventLog,
  grubBoot,
  type LogEvent,
  localityEvent,
  replayEvents,
  ukiBoot,
  windowsBoot,
} from '../../lab/event-log-builder.js';
import { BANKS, readLog } from './fixture.js';

const EVENT: LogEvent = { pcr: 4, type: 6, data: Uint8Array.of(1) };
const hexOf = (values: ReadonlyMap<number, Uint8Array>) =>
  Object.fromEntries([...values].map(([pcr, value]) => [pcr, hex(value)]));
const replayed = (events: readonly LogEvent[], bank: (typeof BANKS)[number] = 'sha256') => {
  const { values, fault } = replay(readLog(events).events, bank, PCR_LAYOUT);
  expect(fault).toBeNull();
  return hexOf(values);
};

describe('a replay', () => {
  it.each(BANKS)('TPM-15 comes to the PCRs of the TPM in %s', (bank) => {
    for (const events of [grubBoot(), ukiBoot(), windowsBoot()]) {
      expect(replayed(events, bank)).toEqual(hexOf(replayEvents(events, bank)));
    }
  });

  it.each([0, 3, 4])('TPM-12 starts PCR 0 at locality %i in every bank', (locality) => {
    const events = grubBoot({ locality });
    for (const bank of BANKS) expect(replayed(events, bank)).toEqual(hexOf(replayEvents(events, bank)));
    expect(replayed([localityEvent(locality)])).toEqual({ 0: `${'00'.repeat(31)}0${locality}` });
    expect(replayed(events)[0] === replayed(grubBoot())[0]).toBe(locality === 0);
  });

  it.each([1, 2, 5, 255])('TPM-12 starts PCR 0 at zero where the locality is %i', (locality) => {
    expect(replayed([localityEvent(locality)])).toEqual({});
  });

  it.each<[string, LogEvent]>([
    ['of another PCR', { ...localityEvent(3), pcr: 1 }],
    ['of another type', { ...localityEvent(3), type: 6, pcr: 1 }],
    ['of as many other bytes', { ...localityEvent(3), data: new Uint8Array(17).fill(3) }],
    ['of a byte more', { ...localityEvent(3), data: Uint8Array.of(...localityEvent(3).data, 3) }],
    ['of a byte less', { ...localityEvent(3), data: localityEvent(3).data.subarray(0, 16) }],
  ])('TPM-12 names no locality by an event %s', (_name, event) => {
    expect(replayed([event])[0]).toBeUndefined();
  });

  it('TPM-12 names no locality by an event that extends PCR 0', () => {
    const measured = { ...localityEvent(3), type: 6 };
    expect(replayed([measured])).toEqual(hexOf(replayEvents([measured], 'sha256')));
  });

  it('starts PCR 17 to 22 with all bits set', () => {
    for (let pcr = 0; pcr < 24; pcr++) {
      const events = [{ ...EVENT, pcr }];
      expect(replayed(events)).toEqual(hexOf(replayEvents(events, 'sha256')));
    }
  });

  it.each([24, 2 ** 32 - 1])('stops at an event that extends PCR %i', (pcr) => {
    const log = readLog([EVENT, { ...EVENT, pcr }, EVENT]);
    const { values, fault } = replay(log.events, 'sha256', PCR_LAYOUT);
    expect(fault).toMatchObject({ event: log.events[1], detail: expect.stringContaining(`index ${pcr}`) });
    expect(hexOf(values)).toEqual(hexOf(replayEvents([EVENT], 'sha256')));
  });

  it('stops at an event without a digest of the bank', () => {
    const sha384 = parseFirmwareEventLog(buildEventLog([EVENT], { banks: ['sha1', 'sha384'] }), 1000);
    const sha1 = parseFirmwareEventLog(buildSha1EventLog([EVENT]), 1000);
    for (const { events } of [sha384, sha1]) {
      expect(replay(events, 'sha256', PCR_LAYOUT).fault?.detail).toMatch(
        /^the event at offset \d+ has no sha256 digest$/,
      );
      expect(replay(events, 'sha1', PCR_LAYOUT).fault).toBeNull();
    }
  });

  it('goes from one log on with the next', () => {
    const events = [...readLog([EVENT]).events, ...readLog([EVENT]).events];
    expect(hexOf(replay(events, 'sha256', PCR_LAYOUT).values)).toEqual(replayed([EVENT, EVENT]));
  });
});
