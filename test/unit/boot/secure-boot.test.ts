import { describe, expect, it } from 'vitest';
import { checkedEvents } from '../../../src/boot/checked-event.js';
import { PCR_LAYOUT, RTMR_LAYOUT } from '../../../src/boot/register-layout.js';
import { secureBootOf, unverifiedEvent } from '../../../src/boot/secure-boot.js';
import { hex } from '../../../src/core/bytes.js';
import { sha256 } from '../../../src/crypto/digest.js';
import { joinBytes } from '../../lab/byte-patch.js';
import type { CcelEvent } from '../../lab/ccel-builder.js';
import {
  asCcelEvents,
  type FirmwareOptions,
  firmwareEvents,
  LOG_EVENT,
  type LogEvent,
  secureBootVariable,
  separatorEvent,
} from '../../lab/event-log-builder.js';
import { change, judged, readCcel, text, variableName } from './fixture.js';

const ON = firmwareEvents();
const OFF = firmwareEvents({ secureBoot: false });
const named = (name: string) => (event: LogEvent) => event.pcr === 7 && variableName(event) === name;
const isSeparator = (event: LogEvent) => event.pcr === 7 && event.type === LOG_EVENT.separator;
const isAuthority = ({ type }: LogEvent) => type === LOG_EVENT.variableAuthority;
const verdictOf = (events: readonly LogEvent[]) => secureBootOf(judged(events).get(7) ?? [], PCR_LAYOUT);
const withContents = (options: FirmwareOptions) => firmwareEvents({ secureBoot: true, ...options });
const action = (data: string): LogEvent => ({ pcr: 7, type: LOG_EVENT.action, data: text(data) });
const preceding = (event: LogEvent) => (found: LogEvent) => [event, found];

function expectUnknown(events: readonly LogEvent[], why: string): void {
  expect(verdictOf(events)).toMatchObject({ state: null, unknown: why });
}

/** A variable of shim. The whole is what newer versions hash; older ones log one byte more. */
function mokSbState(value: number, guid = '50ab5d6046e00043abb63dd810dd8b23'): LogEvent {
  const data = Uint8Array.from(secureBootVariable('MokSBState', Uint8Array.of(value)));
  data.set(Buffer.from(guid, 'hex'));
  return { pcr: 7, type: LOG_EVENT.variableAuthority, data };
}

const UNCHECKED = 'SecureBoot is on, and shim does not check what it starts (MokSBState)';

describe('the verdict on Secure Boot', () => {
  it('TPM-16 is unknown where shim starts what is not signed', () => {
    const { data, ...rest } = mokSbState(1);
    expectUnknown([...ON, { ...rest, data }], UNCHECKED);
    expectUnknown([...ON, { ...rest, data: joinBytes(data, Uint8Array.of(0)), measured: data }], UNCHECKED);
    expectUnknown([...ON, { ...rest, type: LOG_EVENT.ipl, data: text('else'), measured: data }], UNCHECKED);
    const longer = secureBootVariable('MokSBState', Uint8Array.of(1, 0));
    longer.set(data.subarray(0, 16));
    expectUnknown([...ON, { ...rest, data: longer }], UNCHECKED);
    expect(verdictOf([...OFF, mokSbState(1)])).toMatchObject({ state: false, unknown: null });
    expect(verdictOf([...ON, mokSbState(0)]).state).toBe(true);
    expect(verdictOf([...ON, mokSbState(1, '00'.repeat(16))]).state).toBe(true);
  });

  it('is on or off, by its variable', () => {
    expect(verdictOf(ON)).toMatchObject({ state: true, unknown: null });
    expect(verdictOf(OFF)).toMatchObject({ state: false, unknown: null });
  });

  it('has the SHA-256 of the contents of each variable', () => {
    const contents = (name: string) => hex(sha256(text(`contents of ${name}`)));
    const { variables } = verdictOf(ON);
    expect(variables).toEqual({ pk: contents('PK'), kek: contents('KEK'), db: contents('db'), dbx: contents('dbx') });
  });

  it.each([
    ['is empty', new Uint8Array(), 'SecureBoot is empty'],
    ['has two bytes', Uint8Array.of(1, 0), 'SecureBoot is 0x0100'],
    ['is 2', Uint8Array.of(2), 'SecureBoot is 0x02'],
    ['is 255', Uint8Array.of(255), 'SecureBoot is 0xff'],
    ['has nine bytes, of which eight are shown', new Uint8Array(9).fill(1), 'SecureBoot is 0x0101010101010101'],
  ])('TPM-16 is unknown where the variable %s', (_name, secureBootContents, why) => {
    expectUnknown(withContents({ secureBootContents }), why);
  });

  it('TPM-16 is unknown where the variable is there twice, or not at all', () => {
    expectUnknown(
      change(ON, named('SecureBoot'), (event) => [event, event]),
      'SecureBoot was measured 2 times',
    );
    expectUnknown(
      change(ON, named('SecureBoot'), () => []),
      'SecureBoot was measured 0 times',
    );
  });

  it('TPM-16 is unknown where the variable is there under another GUID', () => {
    const foreign = change(ON, named('SecureBoot'), (event) => ({
      ...event,
      data: Uint8Array.from(event.data, (byte, index) => (index === 0 ? byte ^ 1 : byte)),
    }));
    expectUnknown(foreign, 'SecureBoot was measured 0 times');
  });

  it.each(['PK', 'KEK', 'db', 'dbx'])('TPM-16 is unknown where %s is there twice, or not at all', (name) => {
    const member = name.toLowerCase() as 'pk';
    for (const into of [(event: LogEvent) => [event, event], () => []]) {
      for (const boot of [ON, OFF]) {
        const changed = change(boot, (event) => named(name)(event) && !isAuthority(event), into);
        expectUnknown(changed, `not measured exactly once: ${name}`);
        expect(verdictOf(changed).variables[member]).toBeNull();
      }
    }
  });

  it.each(['db', 'dbx', 'PK', 'KEK'])('TPM-16 does not take %s under another GUID', (name) => {
    const other = { guid: Buffer.alloc(16, 7) };
    const changed = change(
      ON,
      (event) => named(name)(event) && !isAuthority(event),
      (event) => ({ ...event, data: joinBytes(other.guid, event.data.subarray(16)) }),
    );
    expectUnknown(changed, `not measured exactly once: ${name}`);
  });

  it('TPM-12 is unknown without separator', () => {
    const none = change(ON, isSeparator, () => []);
    expectUnknown(none, 'no separator ends what the firmware measured');
    expect(verdictOf(none).variables).toEqual({ pk: null, kek: null, db: null, dbx: null });
    const [first] = none.filter(named('PK'));
    expect(verdictOf([first as LogEvent]).variables.pk).toBeNull();
  });

  it('TPM-12 is unknown where the separator tells of an error', () => {
    const error = change(ON, isSeparator, () => separatorEvent(7, new Uint8Array(4).fill(0xff)));
    expectUnknown(error, 'the firmware measured an error as separator');
  });

  it('TPM-11 finds the separator whatever type it is given', () => {
    const retyped = change(ON, isSeparator, (event) => ({ ...event, type: LOG_EVENT.variableDriverConfig }));
    expect(verdictOf(retyped)).toEqual(verdictOf(ON));
  });

  it('is unknown where an authority stands before the separator', () => {
    const authority = {
      ...action(''),
      type: LOG_EVENT.variableAuthority,
      data: secureBootVariable('vendor_db', text('k')),
    };
    expectUnknown(change(ON, isSeparator, preceding(authority)), 'an authority stands before the separator');
  });

  it('is unknown where the authority before the separator is given another type: it is a second db', () => {
    const retyped = { ...action(''), type: LOG_EVENT.variableDriverConfig, data: secureBootVariable('db', text('k')) };
    expectUnknown(change(ON, isSeparator, preceding(retyped)), 'not measured exactly once: db');
  });

  it('is unknown where it is on and no authority follows', () => {
    const why = 'SecureBoot is on, and no authority was measured for what was started';
    expectUnknown(
      change(ON, isAuthority, () => []),
      why,
    );
    const ofAnotherForm = change(ON, isAuthority, (event) => ({ ...event, data: text('a key') }));
    expectUnknown(ofAnotherForm, why);
    const ofAnotherKind = change(ON, isAuthority, () => ({
      ...action(''),
      type: LOG_EVENT.variableDriverConfig,
      data: secureBootVariable('DeployedMode', Uint8Array.of(1)),
    }));
    expectUnknown(ofAnotherKind, why);
  });

  it.each([
    ['UEFI Debug Mode', LOG_EVENT.action],
    ['UEFI Debug Mode\0', LOG_EVENT.action],
    ['UEFI Debug Mode', LOG_EVENT.variableDriverConfig],
  ])('is unknown where a debugger was on: %j, type %i', (name, type) => {
    const debug = { ...action(name), type };
    for (const events of [change(ON, isSeparator, preceding(debug)), [...ON, debug]]) {
      expectUnknown(events, 'a debugger was on');
    }
    expect(verdictOf([...ON, action('DMA Protection Disabled')]).state).toBe(true);
  });

  it('TPM-11 takes nothing from variables whose data is not what was measured', () => {
    for (const name of ['SecureBoot', 'PK', 'KEK', 'db', 'dbx']) {
      const altered = change(
        ON,
        (event) => named(name)(event) && !isAuthority(event),
        (event) => ({ ...event, data: secureBootVariable(name, Uint8Array.of(0)), measured: event.data }),
      );
      expect(verdictOf(altered).state).toBeNull();
    }
  });

  it('TPM-12 takes nothing from variables after the separator', () => {
    const moved = change(ON, named('SecureBoot'), () => []);
    const late = {
      ...action(''),
      type: LOG_EVENT.variableDriverConfig,
      data: secureBootVariable('SecureBoot', Uint8Array.of(1)),
    };
    expectUnknown([...moved, late], 'SecureBoot was measured 0 times');
  });

  it('takes variables that shim hashes without the last byte that it logs', () => {
    const longer = change(ON, isAuthority, (event) => ({
      ...event,
      data: joinBytes(event.data, Uint8Array.of(9)),
      measured: event.data,
    }));
    expect(verdictOf(longer).state).toBe(true);
    expect(unverifiedEvent(judged(longer).get(7) ?? [], PCR_LAYOUT)).toBeNull();
    const two = change(ON, isAuthority, (event) => ({
      ...event,
      data: joinBytes(event.data, Uint8Array.of(9, 9)),
      measured: event.data,
    }));
    expect(unverifiedEvent(judged(two).get(7) ?? [], PCR_LAYOUT)).not.toBeNull();
  });
});

describe('events of PCR 7', () => {
  const offsetOf = (events: readonly LogEvent[]) => unverifiedEvent(judged(events).get(7) ?? [], PCR_LAYOUT);

  it('TPM-11 are all what was measured, whatever type they are given', () => {
    expect(offsetOf(ON)).toBeNull();
    const ofSeven = ON.filter(({ pcr }) => pcr === 7);
    for (const chosen of ofSeven) {
      for (const type of [chosen.type, LOG_EVENT.ipl, LOG_EVENT.platformConfigFlags, LOG_EVENT.application]) {
        const altered = change(
          ON,
          (event) => event === chosen,
          (event) => ({ ...event, type, data: text('something else'), measured: event.data }),
        );
        expect(offsetOf(altered)?.event.type).toBe(type);
      }
    }
  });
});

describe('Secure Boot of a TD, whose register has events with other data', () => {
  const CCEL = asCcelEvents(ON);
  const verdict = (events: readonly CcelEvent[]) =>
    secureBootOf(checkedEvents(readCcel(events), 'sha384').get(1) ?? [], RTMR_LAYOUT);
  const unverified = (events: readonly CcelEvent[]) =>
    unverifiedEvent(checkedEvents(readCcel(events), 'sha384').get(1) ?? [], RTMR_LAYOUT);
  const off = asCcelEvents(firmwareEvents({ secureBootContents: Uint8Array.of(0) }));
  const isSecureBoot = (event: CcelEvent) => variableName(event) === 'SecureBoot';
  const isBefore = (event: CcelEvent) => event.register === 1 && event.type === LOG_EVENT.separator;

  it('is on or off', () => {
    expect(verdict(CCEL)).toMatchObject({ state: true });
    expect(verdict(off)).toMatchObject({ state: false });
    expect(unverified(CCEL)).toBeNull();
  });

  it.each(['PK', 'KEK', 'db', 'dbx'])(
    'TPM-11 has %s only where it follows SecureBoot, not as a blob of the host',
    (name) => {
      const isNamedSo = (event: CcelEvent) =>
        variableName(event) === name && event.type === LOG_EVENT.variableDriverConfig;
      const hidden = change(CCEL, isNamedSo, (event) => ({
        ...event,
        type: LOG_EVENT.platformConfigFlags,
        data: text('x'),
      }));
      const [genuine] = CCEL.filter(isNamedSo);
      const forged = [genuine as CcelEvent, ...hidden];
      expect(verdict(forged)).toMatchObject({
        state: null,
        unknown: 'not measured exactly once: PK, KEK, db, dbx',
        variables: { pk: null, kek: null, db: null, dbx: null },
      });
    },
  );

  const NONE = { pk: null, kek: null, db: null, dbx: null };
  const notMeasured = { state: null, unknown: 'not measured exactly once: PK, KEK, db, dbx', variables: NONE };
  const isDatabase = (name: string) => (event: CcelEvent) =>
    variableName(event) === name && event.type === LOG_EVENT.variableDriverConfig;

  it('TPM-11 has the variables only in the order of the specification, with nothing between them', () => {
    const [kek] = CCEL.filter(isDatabase('KEK')) as readonly CcelEvent[];
    const without = CCEL.filter((event) => event !== kek);
    const first = change(without, isDatabase('PK'), (event) => [kek as CcelEvent, event]);
    expect(verdict(first)).toMatchObject(notMeasured);
    const [other] = asCcelEvents([
      { ...action(''), type: LOG_EVENT.variableDriverConfig, data: secureBootVariable('other', text('x')) },
    ]);
    for (const name of ['PK', 'KEK', 'db', 'dbx']) {
      const parted = change(CCEL, isDatabase(name), (event) => [other as CcelEvent, event]);
      expect(verdict(parted)).toMatchObject(notMeasured);
    }
  });

  it('TPM-11 twin: has the variables where other things follow dbx', () => {
    const [other] = asCcelEvents([
      { ...action(''), type: LOG_EVENT.variableDriverConfig, data: secureBootVariable('dbt', text('x')) },
    ]);
    const followed = change(CCEL, isDatabase('dbx'), (event) => [event, other as CcelEvent]);
    expect(verdict(followed)).toEqual(verdict(CCEL));
    expect(verdict(followed)).toMatchObject({ state: true, variables: { dbx: expect.any(String) } });
  });

  it('TPM-11 has no variables where SecureBoot is not there to follow', () => {
    const ofSecureBoot = CCEL.filter(({ register }) => register === 1);
    const none = ofSecureBoot.filter((event) => !isSecureBoot(event));
    expect(verdict(none)).toEqual({ state: null, unknown: 'SecureBoot was measured 0 times', variables: NONE });
  });

  it('TPM-11 fails where data of a type of Secure Boot is not what was measured', () => {
    for (const type of [
      LOG_EVENT.separator,
      LOG_EVENT.action,
      LOG_EVENT.variableDriverConfig,
      LOG_EVENT.variableAuthority,
    ]) {
      const altered = change(CCEL, isSecureBoot, (event) => ({ ...event, type, data: text('else') }));
      expect(unverified(altered)).not.toBeNull();
    }
  });

  it.each([
    ['off', Uint8Array.of(0)],
    ['empty', new Uint8Array()],
    ['on', Uint8Array.of(1)],
  ])('TPM-11 counts a variable that is %s and hidden under another type and data, by its digest', (_name, contents) => {
    const [genuine] = asCcelEvents(firmwareEvents({ secureBootContents: contents })).filter(isSecureBoot);
    const [forged] = CCEL.filter(isSecureBoot);
    const hidden = { ...genuine, type: LOG_EVENT.platformConfigFlags, data: text('ACPI DATA') } as CcelEvent;
    const alone = change(CCEL, isSecureBoot, () => hidden);
    expect(verdict(alone)).toMatchObject({ state: null, unknown: 'the log has other data for SecureBoot' });
    const besideIt = change(CCEL, isSecureBoot, () => [hidden, forged as CcelEvent]);
    expect(unverified(besideIt)).toBeNull();
    expect(verdict(besideIt)).toMatchObject({ state: null, unknown: 'SecureBoot was measured 2 times' });
  });

  it('a debugger is found under another type and other data', () => {
    const [debug] = asCcelEvents([action('UEFI Debug Mode')]);
    const hidden = { ...debug, type: LOG_EVENT.ipl, data: text('else') } as CcelEvent;
    expect(verdict(change(CCEL, isBefore, (event) => [hidden, event]))).toMatchObject({ unknown: 'a debugger was on' });
  });
});
