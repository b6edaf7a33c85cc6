import { DIGEST_ALGORITHM, type EventBank, type EventLog } from '../boot/format/measured-event.js';
import { PCR_LAYOUT, type RegisterLayout, RTMR_LAYOUT } from '../boot/register-layout.js';

const BANKS = Object.keys(DIGEST_ALGORITHM) as readonly EventBank[];
/** The preferred banks of a log, the first that it has: TPM quotes of cloud VMs select the SHA-256 bank. */
const BY_PREFERENCE: readonly EventBank[] = ['sha256', 'sha384', 'sha512', 'sha1'];

/** The banks whose digests a log has. */
export function banksOf({ algorithms }: EventLog): readonly EventBank[] {
  return BANKS.filter((bank) => algorithms.has(DIGEST_ALGORITHM[bank]));
}

/** The bank for the events; null if there is none. */
export function preferred(banks: readonly EventBank[]): EventBank | null {
  return BY_PREFERENCE.find((bank) => banks.includes(bank)) ?? null;
}

/** The kind of registers that a log extends, by its content. */
export function layoutOf(log: EventLog): RegisterLayout {
  return isOfTd(log) ? RTMR_LAYOUT : PCR_LAYOUT;
}

/** Whether a log is a CCEL: firmware numbers its header by the first register of a TD, or has only SHA-384 digests for four registers. */
function isOfTd({ header, algorithms, events }: EventLog): boolean {
  if (header === null) return false;
  if (header.index === 1) return true;
  const alone = algorithms.size === 1 && algorithms.has(DIGEST_ALGORITHM.sha384);
  return alone && events.length > 0 && events.every(({ index }) => RTMR_LAYOUT.indices.includes(index));
}
