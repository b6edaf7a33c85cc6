import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { EventLogClaims } from '../../../src/core/claims.js';
import type { JsonObject } from '../../../src/core/json.js';
import type { AbsentClaim, EventLogGaps } from '../../../src/core/verification.js';
import {
  APPLICATION,
  appraised,
  appraisedTd,
  azClaims,
  COMMAND_LINE,
  eventLogClaims,
  FILE,
  failed,
  hclClaims,
  only,
  tdxClaims,
  tpmClaims,
  VARIABLE,
} from './fixture.js';

const OTHER = '99'.repeat(32);
const REQUIRED: JsonObject = { secureBoot: 'required' };

/** Evidence with a log that shows this. */
function logged(
  overrides: Partial<EventLogClaims>,
  gaps: Partial<EventLogGaps> = {},
  configured: boolean | null = true,
) {
  const hcl = hclClaims({ vmConfiguration: configured === null ? {} : { secureBoot: configured } });
  return {
    claims: azClaims({ hcl, tpm: tpmClaims({ eventLog: eventLogClaims(overrides) }) }),
    eventLogGaps: { unexplained: [], absent: {}, loadOptions: [], ...gaps },
  };
}

const gap = (check: AbsentClaim['check']): AbsentClaim => ({ check, detail: 'why' });

describe('Secure Boot with an event log', () => {
  it('TPM-18 is decided by the log, which the check names', () => {
    const check = only(appraised(REQUIRED, logged({}, {}, null)), 'secure_boot');
    expect(check).toMatchObject({
      result: 'pass',
      about: '/evidence/eventLog',
      detail: 'Secure Boot is on, by the event log',
    });
    const without = only(appraised(REQUIRED), 'secure_boot');
    expect(without).toMatchObject({
      result: 'pass',
      about: '/evidence/hclReport',
      detail: 'Secure Boot is on, by the runtime claims',
    });
  });

  it('TPM-18 denies where the log says that it is off', () => {
    const appraisal = appraised(REQUIRED, logged({ secureBoot: false }, {}, null));
    expect(failed(appraisal)).toEqual(['secure_boot']);
    expect(only(appraisal, 'secure_boot')).toMatchObject({
      actual: false,
      detail: 'Secure Boot is off, by the event log',
    });
  });

  it.each([
    [true, false],
    [false, true],
  ])('TPM-18 denies under every policy where the log says %s and the runtime claims %s', (log, configured) => {
    for (const members of [{}, REQUIRED]) {
      const appraisal = appraised(members, logged({ secureBoot: log }, {}, configured));
      expect(failed(appraisal)).toEqual(['secure_boot']);
      expect(only(appraisal, 'secure_boot')).toMatchObject({
        expected: { 'hcl.vmConfiguration.secureBoot': configured },
        actual: { 'tpm.eventLog.secureBoot': log },
      });
      expect(appraisal.outcome).toBe('deny');
    }
  });

  it('TPM-16 is unknown where the log does not show it, whatever the runtime claims say', () => {
    const absent = { secureBoot: { check: 'secure_boot_unknown', detail: 'SecureBoot is empty' } } as const;
    const appraisal = appraised(REQUIRED, logged({ secureBoot: null }, { absent }));
    expect(failed(appraisal)).toEqual(['secure_boot_unknown']);
    expect(only(appraisal, 'secure_boot_unknown').detail).toBe(
      'the event log does not say whether Secure Boot is on: SecureBoot is empty',
    );
  });

  it.each(['tpm_pcr_not_quoted', 'eventlog_replay'] as const)(
    'TPM-04 is left to the runtime claims where PCR 7 is not covered: %s',
    (check) => {
      const given = logged({ secureBoot: null }, { absent: { secureBoot: gap(check) } });
      expect(appraised(REQUIRED, given).outcome).toBe('allow');
      const unsaid = appraised(REQUIRED, logged({ secureBoot: null }, { absent: { secureBoot: gap(check) } }, null));
      expect(failed(unsaid)).toEqual(['secure_boot_unknown']);
      expect(only(unsaid, 'secure_boot_unknown').detail).toBe(
        `the event log does not say whether Secure Boot is on: ${gap(check).detail}`,
      );
    },
  );

  it('TPM-18 denies where it contradicts runtime claims of which the key alone is vouched for', () => {
    const { vmConfiguration: _, ...hcl } = hclClaims({ paravisor: { known: true, by: 'akCertificate' } });
    const claims = azClaims({ hcl, tpm: tpmClaims({ eventLog: eventLogClaims() }) });
    const given = (secureBoot: boolean) => ({ claims, withheldConfiguration: { secureBoot } });
    expect(appraised(REQUIRED, given(true)).outcome).toBe('allow');
    expect(failed(appraised(REQUIRED, given(false)))).toEqual(['secure_boot']);
    expect(failed(appraised({}, given(false)))).toEqual(['secure_boot']);
  });

  it('is decided by the CCEL of a bare TD', () => {
    const given = (secureBoot: boolean) => ({
      type: 'tdx' as const,
      claims: { tdx: tdxClaims({ eventLog: eventLogClaims({ secureBoot }) }) },
    });
    expect(only(appraisedTd(REQUIRED, given(true)), 'secure_boot')).toMatchObject({
      result: 'pass',
      about: '/evidence/ccel',
    });
    expect(failed(appraisedTd(REQUIRED, given(false)))).toEqual(['secure_boot']);
  });
});

describe('PCRs that the log has no event for', () => {
  it('TPM-15 denies under every policy', () => {
    const appraisal = appraised({}, logged({}, { unexplained: [5, 17] }));
    expect(failed(appraisal)).toEqual(['eventlog_replay']);
    expect(only(appraisal, 'eventlog_replay')).toMatchObject({
      about: '/evidence/eventLog',
      actual: [5, 17],
      detail: 'the log has no event for what extended PCRs 5, 17',
    });
  });

  it('TPM-15 twin: lets those be that the policy names, and no others', () => {
    const excused = (runtimePcrs: readonly number[]) => ({ require: { tpm: { runtimePcrs } } });
    const given = logged({}, { unexplained: [5, 17] });
    expect(failed(appraised(excused([5]), given))).toEqual(['eventlog_replay']);
    const appraisal = appraised(excused([5, 17]), given);
    expect(appraisal.outcome).toBe('allow');
    expect(only(appraisal, 'eventlog_replay')).toMatchObject({
      result: 'pass',
      detail: 'the log has no event for PCRs 5, 17, which runtimePcrs lists',
    });
  });

  it('has nothing to say where there is no log, or it covers all', () => {
    expect(appraised({}).own.some(({ id }) => id === 'eventlog_replay')).toBe(false);
    expect(appraised({}, logged({})).own.some(({ id }) => id === 'eventlog_replay')).toBe(false);
  });
});

const BOOT = {
  applications: [APPLICATION],
  commandLines: [COMMAND_LINE],
  files: [FILE],
  db: [VARIABLE],
  dbx: [VARIABLE],
};

const pinning = (boot: JsonObject = BOOT): JsonObject => ({ referenceValues: [{ tpm: { boot } }] });

describe('reference values of a boot', () => {
  it('allow the boot that they list', () => {
    expect(appraised(pinning(), logged({})).outcome).toBe('allow');
    expect(only(appraised(pinning({ files: [FILE] }), logged({})), 'tpm_pcr').detail).toBe(
      'tpm.eventLog.files is among the reference values',
    );
  });

  it.each<[string, Partial<EventLogClaims>]>([
    ['another application', { applications: [OTHER] }],
    ['one more application', { applications: [APPLICATION, OTHER] }],
    ['no application', { applications: [] }],
    ['another command line', { commandLines: [`${COMMAND_LINE} init=/bin/sh`] }],
    ['one more command line', { commandLines: [COMMAND_LINE, '/vmlinuz single'] }],
    ['no command line', { commandLines: [] }],
    ['another file', { files: [OTHER] }],
    ['one more file', { files: [FILE, OTHER] }],
    ['no file', { files: [] }],
    ['another db', { db: OTHER }],
    ['another dbx', { dbx: OTHER }],
  ])('TPM-17 deny %s', (_what, claims) => {
    const appraisal = appraised(pinning(), logged(claims));
    expect(failed(appraisal)).toEqual(['tpm_pcr']);
    expect(appraisal.own.find(({ result }) => result === 'fail')).toMatchObject({
      about: '/evidence/eventLog',
      actual: Object.values(claims)[0],
    });
  });

  it('TPM-17 name what is not listed, three at most', () => {
    const many = ['1', '2', '3', '4', '5'].map((digit) => digit.repeat(64));
    const appraisal = appraised(pinning({ files: [FILE] }), logged({ files: [FILE, ...many] }));
    expect(only(appraisal, 'tpm_pcr').detail).toContain(`${many.slice(0, 3).join(', ')} and 2 more`);
  });

  it.each<[string, JsonObject, Partial<EventLogClaims>, string]>([
    ['variable', { db: [VARIABLE] }, { db: OTHER }, 'tpm.eventLog.db is not among the reference values'],
    ['list that is empty', { files: [FILE] }, { files: [] }, 'tpm.eventLog.files is empty'],
    [
      'list with more',
      { applications: [APPLICATION] },
      { applications: [APPLICATION, OTHER] },
      `tpm.eventLog.applications has what is not among the reference values: ${OTHER}`,
    ],
    [
      'list with three more',
      { files: [FILE] },
      { files: ['1', '2', '3'].map((digit) => digit.repeat(64)) },
      `tpm.eventLog.files has what is not among the reference values: ${'1'.repeat(64)}, ${'2'.repeat(64)}, ${'3'.repeat(64)}`,
    ],
  ])('TPM-17 say what is wrong with a %s', (_what, boot, claims, detail) => {
    const appraisal = appraised(pinning(boot), logged(claims));
    expect(only(appraisal, 'tpm_pcr').detail).toBe(`${detail}`);
  });

  it('TPM-17 compare a digest that the log calls load options with the files too', () => {
    const evil = logged({ commandLines: [COMMAND_LINE, OTHER] }, { loadOptions: [OTHER] });
    expect(failed(appraised(pinning({ files: [FILE] }), evil))).toEqual(['tpm_pcr']);
    expect(failed(appraised(pinning({ files: [FILE], applications: [APPLICATION] }), evil))).toEqual(['tpm_pcr']);
    expect(appraised(pinning({ files: [FILE, OTHER] }), evil).outcome).toBe('allow');
    const options = createHash('sha256').update(Buffer.from(COMMAND_LINE, 'utf16le')).digest('hex');
    const genuine = logged({ commandLines: [COMMAND_LINE, options] }, { loadOptions: [options] });
    expect(appraised(pinning(), genuine).outcome).toBe('allow');
  });

  it('TPM-17 never take a digest that is listed for the text of a command line', () => {
    const asText = createHash('sha256').update(OTHER).digest('hex');
    const policy = pinning({ commandLines: [OTHER], files: [FILE] });
    expect(failed(appraised(policy, logged({ commandLines: [asText] })))).toEqual(['tpm_pcr']);
    const upper = pinning({ commandLines: ['AB'.repeat(32)], files: [FILE] });
    expect(appraised(upper, logged({ commandLines: ['ab'.repeat(32)] })).outcome).toBe('allow');
  });

  it('TPM-17 say that command lines alone leave something open', () => {
    const detailOf = (boot: JsonObject) => only(appraised(pinning(boot), logged({})), 'tpm_pcr').detail;
    expect(detailOf({ commandLines: [COMMAND_LINE] })).toBe(
      'tpm.eventLog.commandLines is among the reference values; files are not compared, and a log can call load options a file',
    );
    expect(detailOf({ db: [VARIABLE] })).toBe('tpm.eventLog.db is among the reference values');
    const both = appraised(pinning({ commandLines: [COMMAND_LINE], files: [FILE] }), logged({}));
    expect(both.own.filter(({ id }) => id === 'tpm_pcr').map(({ detail }) => detail)).toEqual([
      'tpm.eventLog.commandLines is among the reference values',
      'tpm.eventLog.files is among the reference values',
    ]);
  });

  it('order and repetition say nothing, and less than is listed is right', () => {
    const wide = pinning({ applications: [OTHER, APPLICATION], files: [FILE] });
    expect(appraised(wide, logged({ applications: [APPLICATION] })).outcome).toBe('allow');
    expect(appraised(wide, logged({ applications: [APPLICATION, OTHER] })).outcome).toBe('allow');
  });

  it.each(['tpm_pcr_not_quoted', 'eventlog_replay', 'eventlog_unverified'] as const)(
    'TPM-11, TPM-15 deny a claim that the log does not show, by why: %s',
    (check) => {
      const given = logged({ commandLines: null }, { absent: { commandLines: gap(check) } });
      const appraisal = appraised(pinning(), given);
      expect(failed(appraisal)).toEqual([check]);
      expect(only(appraisal, check)).toMatchObject({
        actual: null,
        detail: 'tpm.eventLog.commandLines is not shown by the event log: why',
      });
      expect(appraised({}, given).outcome).toBe('allow');
    },
  );

  it('TPM-15 deny evidence without a log', () => {
    expect(failed(appraised(pinning({ files: [FILE] })))).toEqual(['eventlog_missing']);
  });

  it.each([
    ['ASCII', Buffer.from(COMMAND_LINE)],
    ['ASCII and NUL', Buffer.from(`${COMMAND_LINE}\0`)],
    ['UTF-16', Buffer.from(COMMAND_LINE, 'utf16le')],
    ['UTF-16 and NUL', Buffer.from(`${COMMAND_LINE}\0`, 'utf16le')],
  ])('match a command line of which the log has the digest alone: %s', (_form, bytes) => {
    const digestOf = (data: Buffer, hash = 'sha256') => createHash(hash).update(data).digest('hex');
    const given = logged({ commandLines: [digestOf(bytes)] });
    expect(appraised(pinning(), given).outcome).toBe('allow');
    expect(appraised(pinning({ ...BOOT, commandLines: [digestOf(bytes)] }), given).outcome).toBe('allow');
    const other = logged({ commandLines: [digestOf(Buffer.concat([bytes, Buffer.from('x')]))] });
    expect(failed(appraised(pinning(), other))).toEqual(['tpm_pcr']);
    // the bank of a TD
    const ofTd = (hash: string) => ({
      type: 'tdx' as const,
      claims: { tdx: tdxClaims({ eventLog: eventLogClaims({ commandLines: [digestOf(bytes, hash)] }) }) },
    });
    const policy = { referenceValues: [{ tdx: { boot: { commandLines: [COMMAND_LINE] } } }] };
    expect(appraisedTd(policy, ofTd('sha384')).outcome).toBe('allow');
    expect(failed(appraisedTd(policy, ofTd('sha256')))).toEqual(['tdx_measurement']);
  });

  it('TPM-17 a digest stands for no application that is written as its text', () => {
    const text = createHash('sha256').update(APPLICATION).digest('hex');
    expect(failed(appraised(pinning({ applications: [APPLICATION] }), logged({ applications: [text] })))).toEqual([
      'tpm_pcr',
    ]);
  });

  it('TPM-15 deny a TD without a log, and one with another boot', () => {
    const policy = { referenceValues: [{ tdx: { boot: { db: [VARIABLE] } } }] };
    expect(failed(appraisedTd(policy, { type: 'tdx' }))).toEqual(['eventlog_missing']);
    const other = { tdx: tdxClaims({ eventLog: eventLogClaims({ db: OTHER }) }) };
    expect(failed(appraisedTd(policy, { type: 'tdx', claims: other }))).toEqual(['tdx_measurement']);
  });
});
