import { type BootClaims, bootClaims, type RegisterCover } from '../../../src/boot/boot-claims.js';
import { type CheckedEvent, checkedEvents } from '../../../src/boot/checked-event.js';
import type { EventBank, EventLog, MeasuredEvent } from '../../../src/boot/format/measured-event.js';
import { parseFirmwareEventLog } from '../../../src/boot/format/tcg-event-log.js';
import { PCR_LAYOUT, RTMR_LAYOUT } from '../../../src/boot/register-layout.js';
import { buildCcel, type CcelEvent } from '../../lab/ccel-builder.js';
import { buildEventLog, type LogEvent } from '../../lab/event-log-builder.js';

/** Logs of the lab, read and judged as a verifier does it. */

export const BANKS = ['sha1', 'sha256', 'sha384', 'sha512'] as const;

export function readLog(events: readonly LogEvent[]): EventLog {
  return parseFirmwareEventLog(buildEventLog(events, { banks: BANKS }), 2 ** 20);
}

export function judged(
  events: readonly LogEvent[],
  bank: EventBank = 'sha256',
): ReadonlyMap<number, readonly CheckedEvent[]> {
  return checkedEvents(readLog(events).events, bank);
}

const COVERED: RegisterCover = () => null;

/** Claims of a log whose registers all replay. */
export function claimsOf(events: readonly LogEvent[], cover: RegisterCover = COVERED): BootClaims {
  return bootClaims(judged(events), PCR_LAYOUT, cover);
}

export function readCcel(events: readonly CcelEvent[]): readonly MeasuredEvent[] {
  return parseFirmwareEventLog(buildCcel(events), 2 ** 20).events;
}

export function claimsOfCcel(events: readonly CcelEvent[], cover: RegisterCover = COVERED): BootClaims {
  return bootClaims(checkedEvents(readCcel(events), 'sha384'), RTMR_LAYOUT, cover);
}

/** A copy of events in which those that are chosen are other ones. */
export function change<T>(events: readonly T[], isChosen: (event: T) => boolean, into: (event: T) => T | readonly T[]) {
  const count = events.filter(isChosen).length;
  if (count === 0) throw new Error('no event is chosen');
  return events.flatMap((event) => (isChosen(event) ? into(event) : event));
}

/** The name of the variable that an event has; empty where it has none. */
export function variableName({ data }: Pick<LogEvent, 'data'>): string {
  const length = data[16] ?? 0;
  return data.byteLength < 32 + 2 * length ? '' : Buffer.from(data.subarray(32, 32 + 2 * length)).toString('utf16le');
}

export const text = (value: string) => Uint8Array.from(Buffer.from(value, 'latin1'));
