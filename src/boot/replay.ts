import { fromLatin1, hex, isSameBytes } from '../core/bytes.js';
import { digest } from '../crypto/digest.js';
import { BANK_LENGTH, digestOfBank, EVENT_TYPE, type EventBank, type MeasuredEvent } from './format/measured-event.js';
import { OS_SEPARATOR } from './known-digests.js';
import type { RegisterLayout } from './register-layout.js';

/** The result of a replay in one bank. */
export interface Replay {
  /** By index: registers that the log extends, and PCR 0 if the log names its startup locality. */
  readonly values: ReadonlyMap<number, Uint8Array>;
  /** The first event that cannot be replayed; null if there is none. */
  readonly fault: ReplayFault | null;
}

export interface ReplayFault {
  readonly event: MeasuredEvent;
  /** One sentence as message. */
  readonly detail: string;
}

const LOCALITY_SIGNATURE = fromLatin1('StartupLocality\0');
/** 0 without a hardware root of trust, 3 with one, 4 with a dynamic one (TCG PC Client PFP, Startup Locality Event). */
const LOCALITIES: ReadonlySet<number> = new Set([0, 3, 4]);

/**
 * Extends registers by every event of a log, in its order: `register = H(register || digest)`. EV_NO_ACTION extends
 * nothing. PCR 0 starts at the locality that the log names. It uses only digests, so the result proves nothing about
 * types and data.
 */
export function replay(events: readonly MeasuredEvent[], bank: EventBank, layout: RegisterLayout): Replay {
  const length = BANK_LENGTH[bank];
  const values = startValues(events, length);
  // value and digest side by side: hashing one part takes half the time of hashing two, and a log has thousands
  const extended = new Uint8Array(2 * length);
  for (const event of events) {
    if (event.type === EVENT_TYPE.noAction) continue;
    const measured = digestOfBank(event, bank);
    if (!layout.indices.includes(event.index) || measured === null) {
      return { values, fault: { event, detail: whyNot(event, bank, layout) } };
    }
    extended.set(values.get(event.index) ?? initialValue(event.index, length, layout));
    extended.set(measured, length);
    values.set(event.index, digest(bank, [extended]));
  }
  return { values, fault: null };
}

/** The value of a register before the first measurement. */
export function initialValue(index: number, length: number, layout: RegisterLayout): Uint8Array {
  return new Uint8Array(length).fill(layout.initialByte(index));
}

/**
 * Whether a register has the replayed value, extended once by the separator of systemd. The separator is the same on every machine, and
 * is missing in the log of the firmware. So evidence with only that log is accepted too.
 */
export function isClosedBySystem(
  replayed: Uint8Array,
  held: string,
  { index, bank, layout }: { readonly index: number; readonly bank: EventBank; readonly layout: RegisterLayout },
): boolean {
  if (!layout.osSeparator.has(index)) return false;
  return hex(digest(bank, [replayed, digest(bank, [fromLatin1(OS_SEPARATOR)])])) === held;
}

/** Localities that a log names, in its order: there should be at most one valid locality. */
export function startupLocalities(events: readonly MeasuredEvent[]): readonly (number | null)[] {
  return events.filter(namesLocality).map(({ data }) => {
    const locality = data[LOCALITY_SIGNATURE.byteLength];
    return locality !== undefined && LOCALITIES.has(locality) ? locality : null;
  });
}

function namesLocality({ index, type, data }: MeasuredEvent): boolean {
  return (
    type === EVENT_TYPE.noAction &&
    index === 0 &&
    data.byteLength === LOCALITY_SIGNATURE.byteLength + 1 &&
    isSameBytes(LOCALITY_SIGNATURE, data.subarray(0, LOCALITY_SIGNATURE.byteLength))
  );
}

/** PCR 0 has the locality in its last byte, if the log names one. */
function startValues(events: readonly MeasuredEvent[], length: number): Map<number, Uint8Array> {
  const [locality] = startupLocalities(events);
  const values = new Map<number, Uint8Array>();
  if (locality === undefined || locality === null) return values;
  const value = new Uint8Array(length);
  value[length - 1] = locality;
  return values.set(0, value);
}

function whyNot({ offset, index }: MeasuredEvent, bank: EventBank, layout: RegisterLayout): string {
  const extendsNone = !layout.indices.includes(index);
  return extendsNone
    ? `the event at offset ${offset} extends no register: index ${index}`
    : `the event at offset ${offset} has no ${bank} digest`;
}
