import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { DIGEST_ALGORITHM, EVENT_TYPE, type MeasuredEvent } from '../../../src/boot/format/measured-event.js';
import { parseFirmwareEventLog } from '../../../src/boot/format/tcg-event-log.js';
import { PCR_LAYOUT } from '../../../src/boot/register-layout.js';
import { replay } from '../../../src/boot/replay.js';
import { hex } from '../../../src/core/bytes.js';
import type { EventLogClaims } from '../../../src/core/claims.js';
import type { Decision } from '../../../src/core/decision.js';
import { judge, verifiersOf } from '../../judge.js';
import { littleEndian, patchBytes } from '../../lab/byte-patch.js';
import { measureInto } from '../../lab/event-log-builder.js';
import { createAzureAkPki, createTrustedLaunchMachine } from '../../lab/index.js';
import { haveVectors, readVector, type Vector, vectors } from '../../vectors.js';

/** Policies that list what real machines booted, on the boots of these machines and on others that differ in one event. */

const AT = new Date('2026-06-01T12:00:00Z');
const NONCE = Buffer.alloc(32, 7);
const PKI = createAzureAkPki({ at: AT });
const machine = await createTrustedLaunchMachine({ pki: PKI });
const verifiers = verifiersOf(undefined, {
  akRoots: { azure: PKI.pins, configured: new Set(), paravisorsSince: null },
});
const LOGS = haveVectors
  ? vectors('tpm-eventlog').filter(({ expect: { facts } }) => facts.log.algs.includes('sha256'))
  : [];
const logOf = ({ files }: Vector) => readVector(files.find((name) => name.includes('evlog')) ?? '');
const eventsOf = (log: Uint8Array) => parseFirmwareEventLog(log, 2 ** 20).events;
const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest();

function policyWith(members: object): string {
  const base = { apiVersion: 'veritee/v1', id: 'boot', version: 1, accepts: ['tpm'], minimums: 'any' };
  return JSON.stringify({ ...base, routes: { hardware: 'off' }, freshness: 'required', ...members });
}

/** The decision about a machine whose PCRs are the replay of the log. */
function decide(log: Uint8Array, members: object = {}): Promise<Decision> {
  measureInto(machine.vtpm, []);
  for (const [index, value] of replay(eventsOf(log), 'sha256', PCR_LAYOUT).values) {
    machine.vtpm.setPcr('sha256', index, value);
  }
  const evidence = machine.evidence({ nonce: NONCE, eventLog: [log] });
  return judge(evidence, { nonce: NONCE }, { verifiers, at: AT, policies: [policyWith(members)] });
}

const PINNED = ['applications', 'commandLines', 'files', 'db', 'dbx'] as const;
type Pinned = (typeof PINNED)[number];

async function claimsOf(log: Uint8Array): Promise<EventLogClaims> {
  const { claims } = await decide(log);
  if (claims.tpm?.eventLog === undefined) throw new Error('the log has no claims');
  return claims.tpm.eventLog;
}

/** Reference values that list all that is known of a boot. */
function pinning(claims: EventLogClaims): object {
  const known = PINNED.flatMap((name) => {
    const value = claims[name];
    const list = value === null || typeof value !== 'string' ? (value ?? []) : [value];
    return list.length === 0 ? [] : [[name, list]];
  });
  return { referenceValues: [{ tpm: { boot: Object.fromEntries(known) } }] };
}

function digestIn({ digests }: MeasuredEvent): Uint8Array {
  const found = digests.find(({ algorithm }) => algorithm === DIGEST_ALGORITHM.sha256);
  if (found === undefined) throw new Error('no digest');
  return found.value;
}

/** The measured bytes of the data, and their start: a part of it, or more NULs than the log has; null if they differ. */
function measuredIn({ data }: MeasuredEvent, digest: Uint8Array) {
  for (let start = 0; start < Math.min(data.byteLength, 64); start++) {
    for (const surplus of [2, 1, 0, -1, -2, -3]) {
      const length = data.byteLength - start - surplus;
      const measured = new Uint8Array(Math.max(length, 0));
      measured.set(data.subarray(start, start + length));
      if (length > 2 && sha256(measured).equals(digest)) return { start, measured };
    }
  }
  return null;
}

/** The log of a boot in which something else was measured; its data is changed with it where that was measured. */
function changed(log: Uint8Array, event: MeasuredEvent): { readonly log: Uint8Array; readonly digest: string } {
  const digest = digestIn(event);
  const at = (bytes: Uint8Array) => bytes.byteOffset - log.byteOffset;
  const found = measuredIn(event, digest);
  const other = found?.measured ?? Buffer.from('something else');
  // The last small letter: of a text in whatever encoding, or a byte of the contents of a variable.
  const letter = Math.max(
    0,
    other.findLastIndex((byte) => byte >= 0x61 && byte <= 0x7a),
  );
  other[letter] = other[letter] === 0x61 ? 0x62 : 0x61;
  const data =
    found === null
      ? []
      : [{ offset: at(event.data) + found.start + letter, bytes: other.subarray(letter, letter + 1) }];
  return { log: patchBytes(log, [...data, { offset: at(digest), bytes: sha256(other) }]), digest: hex(sha256(other)) };
}

/** The event that a claim lists first. */
function listed(log: Uint8Array, claims: EventLogClaims, name: 'applications' | 'files'): MeasuredEvent | undefined {
  return eventsOf(log).find((event) => claims[name]?.[0] === hex(digestIn(event)));
}

/** The check names what was listed, and what is there now. */
function expectNamed({ checks }: Decision, name: Pinned, claims: EventLogClaims, value: unknown): void {
  const found = checks.find(({ detail }) => detail.startsWith(`tpm.eventLog.${name} `));
  expect(found).toMatchObject({ id: 'tpm_pcr', result: 'fail', actual: value });
  expect([found?.expected].flat()).toEqual([claims[name]].flat());
}

describe.skipIf(!haveVectors)('a policy that lists what a real machine booted', () => {
  it.each(LOGS)('allows the boot of $id', async (entry) => {
    const log = logOf(entry);
    const claims = await claimsOf(log);
    const { decision, reasons } = await decide(log, pinning(claims));
    expect([decision, reasons]).toEqual(['allow', []]);
  });

  it.each(LOGS)('TPM-17 allows where a PCR of $id moved that it does not list', async (entry) => {
    const log = logOf(entry);
    const claims = await claimsOf(log);
    const types: readonly (number | null)[] = [
      EVENT_TYPE.variableBoot,
      EVENT_TYPE.platformFirmwareBlob,
      EVENT_TYPE.handoffTables,
    ];
    const event = eventsOf(log).find(({ index, type }) => index < 2 && types.includes(type));
    if (event === undefined) return expect(entry.id).toBe('evlog-sb-cert');
    const moved = changed(log, event);
    const { decision, claims: after } = await decide(moved.log, pinning(claims));
    expect(decision).toBe('allow');
    expect(after.tpm?.pcrs['sha256']?.[event.index]).not.toBe(
      (await decide(log)).claims.tpm?.pcrs['sha256']?.[event.index],
    );
  });

  it.each(LOGS)('TPM-17 denies another application of $id, whatever type the log gives it', async (entry) => {
    const log = logOf(entry);
    const claims = await claimsOf(log);
    const event = listed(log, claims, 'applications');
    if (event === undefined) throw new Error('no application');
    const other = changed(log, event);
    const retyped = [EVENT_TYPE.efiAction, EVENT_TYPE.ipl, EVENT_TYPE.variableDriverConfig].map((type) =>
      patchBytes(other.log, [{ offset: event.offset + 4, bytes: littleEndian(type, 4) }]),
    );
    for (const forged of [other.log, ...retyped]) {
      const found = await decide(forged, pinning(claims));
      expect(found.reasons).toEqual(['tpm_pcr']);
      expectNamed(found, 'applications', claims, expect.arrayContaining([other.digest]));
    }
  });

  it.each(LOGS)('TPM-17 denies another file of $id', async (entry) => {
    const log = logOf(entry);
    const claims = await claimsOf(log);
    const event = listed(log, claims, 'files');
    if (event === undefined) return expect(claims.files ?? []).toEqual([]);
    const other = changed(log, event);
    const found = await decide(other.log, pinning(claims));
    expect(found.reasons).toEqual(['tpm_pcr']);
    expectNamed(found, 'files', claims, expect.arrayContaining([other.digest]));
  });

  it.each(LOGS)('TPM-17 denies another command line of $id', async (entry) => {
    const log = logOf(entry);
    const claims = await claimsOf(log);
    const [line] = claims.commandLines ?? [];
    if (line === undefined) return expect(claims.commandLines ?? []).toEqual([]);
    const forms = [Buffer.from(line), Buffer.from(line, 'utf16le')];
    const event = eventsOf(log).find(
      ({ index, data }) => (index === 8 || index === 12) && forms.some((form) => Buffer.from(data).includes(form)),
    );
    if (event === undefined) throw new Error('no command line');
    const found = await decide(changed(log, event).log, pinning(claims));
    expect(found.reasons).toEqual(['tpm_pcr']);
    expectNamed(found, 'commandLines', claims, expect.arrayContaining([expect.not.stringContaining(line)]));
  });

  it.each(LOGS)('TPM-17 denies another dbx of $id', async (entry) => {
    const log = logOf(entry);
    const claims = await claimsOf(log);
    const name = Buffer.from('dbx', 'utf16le');
    const event = eventsOf(log).find(
      ({ index, type, data }) =>
        index === 7 && type === EVENT_TYPE.variableDriverConfig && Buffer.from(data).includes(name),
    );
    if (event === undefined) throw new Error('no dbx');
    const found = await decide(changed(log, event).log, pinning(claims));
    expect(found.reasons).toEqual(['tpm_pcr']);
    expectNamed(found, 'dbx', claims, expect.stringMatching(/^[0-9a-f]{64}$/));
  });
});
