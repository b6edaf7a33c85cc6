import { expect, it } from 'vitest';
import { firmwareEvents, LOG_EVENT, type LogEvent, separatorEvent } from '../../lab/event-log-builder.js';
import { change, claimsOf } from './fixture.js';

const ERROR = new Uint8Array(4).fill(0xff);
const EVENTS = firmwareEvents();

const separatorOf = (pcr: number) => (event: LogEvent) => event.pcr === pcr && event.type === LOG_EVENT.separator;

it.each([0, 1, 2, 3, 4, 5, 6, 7])('TPM-12 Secure Boot is unknown where firmware had an error: PCR %i', (pcr) => {
  const { claims, absent } = claimsOf(change(EVENTS, separatorOf(pcr), () => separatorEvent(pcr, ERROR)));
  expect(claims.secureBoot).toBeNull();
  expect(absent.secureBoot).toEqual({
    check: 'secure_boot_unknown',
    detail: `the firmware measured an error as separator of PCR ${pcr}`,
  });
});

it('TPM-12 counts an error in PCR 7 whatever its type is said to be, and a setting of FF in another PCR as a setting', () => {
  const asSetting = (pcr: number) =>
    change(EVENTS, separatorOf(pcr), (event) => [
      { ...separatorEvent(pcr, ERROR), type: LOG_EVENT.platformConfigFlags },
      event,
    ]);
  expect(claimsOf(asSetting(7)).claims.secureBoot).toBeNull();
  expect(claimsOf(asSetting(1)).claims.secureBoot).toBe(true);
});

it.each([0, 1, 2, 3, 4, 5, 6, 7])('TPM-12 counts an error of PCR %i whatever type the log gives it', (pcr) => {
  const retyped = { ...separatorEvent(pcr, ERROR), type: LOG_EVENT.action };
  expect(claimsOf(change(EVENTS, separatorOf(pcr), () => retyped)).claims.secureBoot).toBeNull();
});

it('TPM-12 twin: a PCR of the system may be extended by the same data', () => {
  const { claims } = claimsOf([...EVENTS, { pcr: 9, type: LOG_EVENT.ipl, data: ERROR }]);
  expect(claims.secureBoot).toBe(true);
});

it('TPM-12 twin: a PCR without a separator has no error', () => {
  for (const pcr of [0, 3, 6])
    expect(claimsOf(change(EVENTS, separatorOf(pcr), () => [])).claims.secureBoot).toBe(true);
});

it('TPM-16 Secure Boot is unknown by why the variables do not show it, where firmware had no error', () => {
  const { absent } = claimsOf(EVENTS.filter((event) => !separatorOf(7)(event)));
  expect(absent.secureBoot).toEqual({
    check: 'secure_boot_unknown',
    detail: 'no separator ends what the firmware measured',
  });
});
