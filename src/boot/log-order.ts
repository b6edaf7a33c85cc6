import { isZero } from '../formats/byte-reader.js';
import type { CheckedEvent } from './checked-event.js';
import { EVENT_TYPE, type MeasuredEvent } from './format/measured-event.js';
import type { OrderWeight, RegisterLayout } from './register-layout.js';
import { startupLocalities } from './replay.js';
import { isSeparatorOf, lateVariable } from './secure-boot.js';

/** A finding about the order of a log. It does not depend on the replay. */
export interface OrderFinding {
  readonly weight: OrderWeight;
  readonly offset: number | null;
  /** Null if it concerns no register. */
  readonly index: number | null;
  /** One sentence as message. */
  readonly detail: string;
}

const SEPARATOR_LENGTH = 4;

type Fault = Omit<OrderFinding, 'weight'>;

/**
 * Lists findings about the order of a log. Faults are an EV_NO_ACTION event with a digest, an unknown or repeated
 * startup locality, and variables of Secure Boot after the separator. A separator must have zeros (or FF, for an error of the
 * firmware). The layout decides how a second separator counts.
 */
export function orderFindings(
  log: readonly MeasuredEvent[],
  judged: ReadonlyMap<number, readonly CheckedEvent[]>,
  layout: RegisterLayout,
): readonly OrderFinding[] {
  const faults: readonly Fault[] = [
    ...noActionFaults(log),
    ...localityFaults(log),
    ...log
      .filter((event) => isOddSeparator(event, layout))
      .map((event) => ({
        offset: event.offset,
        index: event.index,
        detail: `the event at offset ${event.offset} does not have the form of a separator`,
      })),
    ...lateVariables(judged, layout),
  ];
  return [...faults.map((fault) => ({ weight: 'fault' as const, ...fault })), ...secondSeparators(judged, layout)];
}

/** An event that measures nothing must have no digest. */
function noActionFaults(log: readonly MeasuredEvent[]): readonly Fault[] {
  return log
    .filter(({ type, digests }) => type === EVENT_TYPE.noAction && !digests.every(({ value }) => isZero(value)))
    .map(({ offset }) => ({
      offset,
      index: null,
      detail: `the event at offset ${offset} extends nothing and has a digest`,
    }));
}

function localityFaults(log: readonly MeasuredEvent[]): readonly Fault[] {
  const localities = startupLocalities(log);
  if (localities.length > 1) return [{ offset: null, index: 0, detail: 'the log names two startup localities' }];
  return localities.includes(null) ? [{ offset: null, index: 0, detail: 'the startup locality is not 0, 3 or 4' }] : [];
}

/**
 * Compares the type: an event that only looks like a separator extends the register all the same. Windows has others in PCR 12 to 14,
 * which are RTMR 2 of a TD.
 */
function isOddSeparator({ index, type, data }: MeasuredEvent, { ofFirmware }: RegisterLayout): boolean {
  if (type !== EVENT_TYPE.separator || !ofFirmware.has(index)) return false;
  return (
    data.byteLength !== SEPARATOR_LENGTH || !data.every((byte) => byte === data[0] && (byte === 0 || byte === 0xff))
  );
}

function secondSeparators(
  judged: ReadonlyMap<number, readonly CheckedEvent[]>,
  layout: RegisterLayout,
): readonly OrderFinding[] {
  const { secondSeparator, name } = layout;
  return [...secondSeparator].flatMap(([index, weight]) => {
    const [, second] = (judged.get(index) ?? []).filter((event) => isSeparatorOf(event, index, layout));
    if (second === undefined) return [];
    const { offset } = second.event;
    return [
      {
        weight,
        offset,
        index,
        detail: `the event at offset ${offset} is a second separator in ${name(index)}`,
      },
    ];
  });
}

function lateVariables(
  judged: ReadonlyMap<number, readonly CheckedEvent[]>,
  { secureBoot, name }: RegisterLayout,
): readonly Fault[] {
  const offset = lateVariable(judged.get(secureBoot) ?? []);
  if (offset === null) return [];
  const detail = `the variable at offset ${offset} follows the separator in ${name(secureBoot)}`;
  return [{ offset, index: secureBoot, detail }];
}
