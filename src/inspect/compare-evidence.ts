import { parseCanonicalEventLog } from '../boot/format/canonical-event-log.js';
import { parseEventLog } from '../boot/format/event-log.js';
import { parseFirmwareEventLog, parseTcgEventLog } from '../boot/format/tcg-event-log.js';
import { PCR_LAYOUT, type RegisterLayout, RTMR_LAYOUT } from '../boot/register-layout.js';
import { FormatError, within } from '../core/errors.js';
import type { EventLogInput, Inspected, StructureKind } from '../core/evidence.js';
import type { JsonObject } from '../core/json.js';
import { type BootLogs, commonBank, compareBootLogs, type Difference, type LogComparison } from './compare-boots.js';
import { comparableStructures, compareStructures } from './compare-structures.js';
import { describeEvidence } from './describe-evidence.js';
import type { StructureDescription } from './field-description.js';
import { layoutOf } from './log-reading.js';
import { describeRaw, inMember, kindOfStructure, type RawPlace, STRUCTURE_VALUE } from './raw-structures.js';

/** The facts about a boot in one file. */
export interface BootSource {
  readonly logs: BootLogs;
  readonly layout: RegisterLayout;
  readonly structures: readonly StructureDescription[];
}

/**
 * The facts about a boot in evidence, in an event log or in another single structure.
 * @throws {FormatError} if it is malformed; for a single structure also as `kindOfStructure`
 */
export function bootOfEvidence(evidence: Inspected, eventLogBytes: number): BootSource {
  if (evidence.type === 'event-log') return within('/log', () => bootOfLog(evidence.log, eventLogBytes));
  if (evidence.type === 'bytes') {
    const kind = kindOfStructure(evidence);
    return within(STRUCTURE_VALUE, () => bootOfRaw(evidence.value, kind, inMember(STRUCTURE_VALUE), eventLogBytes));
  }
  const structures = describeEvidence(evidence, eventLogBytes);
  if ('ccel' in evidence) {
    const logs = evidence.ccel === null ? [] : [parseTcgEventLog(evidence.ccel, eventLogBytes)];
    return { logs, layout: RTMR_LAYOUT, structures };
  }
  const logs = 'eventLog' in evidence && evidence.eventLog !== null ? vtpmLogs(evidence.eventLog, eventLogBytes) : [];
  return { logs, layout: PCR_LAYOUT, structures };
}

/**
 * The facts about a boot in a single structure.
 * @throws {FormatError} if it is malformed
 */
export function bootOfRaw(bytes: Uint8Array, kind: StructureKind, place: RawPlace, eventLogBytes: number): BootSource {
  return kind === 'event-log' ? bootOfLog(bytes, eventLogBytes) : bootOfStructures(describeRaw(bytes, kind, place));
}

/** @throws {FormatError} `eventlog_format`, `eventlog_limit` */
function bootOfLog(bytes: Uint8Array, eventLogBytes: number): BootSource {
  const log = parseEventLog(bytes, eventLogBytes);
  return { logs: [log], layout: layoutOf(log), structures: [] };
}

/** A TD quote has the registers of a TD. */
function bootOfStructures(structures: readonly StructureDescription[]): BootSource {
  const isOfTd = structures.some(({ name }) => name === 'TD quote');
  return { logs: [], layout: isOfTd ? RTMR_LAYOUT : PCR_LAYOUT, structures };
}

function vtpmLogs([firmware, canonical]: EventLogInput, eventLogBytes: number): BootLogs {
  const first = parseFirmwareEventLog(firmware, eventLogBytes);
  return canonical === undefined ? [first] : [first, parseCanonicalEventLog(canonical, eventLogBytes)];
}

/**
 * Compares two boots: named differences, and registers that changed. Verifies nothing.
 * @throws {FormatError} `type_mismatch` if they have nothing in common
 */
export function compareBoots(before: BootSource, after: BootSource): JsonObject {
  const [old, young] = [namesIn(before), namesIn(after)];
  const compared = old.filter((name) => young.includes(name));
  if (compared.length === 0) {
    throw new FormatError(
      'type_mismatch',
      'the two have nothing in common that is compared: event logs, quotes, reports, claims of tokens',
    );
  }
  const logs = compared.includes(EVENT_LOG) ? compareLogs(before, after) : null;
  const names = compared.filter((name) => name !== EVENT_LOG);
  const quoted = compareStructures(names, before.structures, after.structures, before.layout);
  const { differences, moved, notes } = logs ?? NO_LOGS;
  const unexplained = logs === null ? quoted : quoted.map((difference) => withReason(difference, differences));
  const movedPcrs = new Set([...moved, ...quoted.flatMap(({ pcr }) => pcr ?? [])]);
  return {
    compared,
    differences: [...differences, ...unexplained].map((difference) => ({ ...difference })),
    movedPcrs: [...movedPcrs].toSorted((a, b) => a - b),
    registers: before.layout === RTMR_LAYOUT ? 'rtmr' : 'pcr',
    notes: [...notes, ...onlyNote('before', without(old, young)), ...onlyNote('after', without(young, old))],
  };
}

const EVENT_LOG = 'event log';

/** The comparable facts of one side, by name. */
function namesIn({ logs, structures }: BootSource): readonly string[] {
  return [...(logs.length > 0 ? [EVENT_LOG] : []), ...comparableStructures(structures)];
}

function without(names: readonly string[], others: readonly string[]): readonly string[] {
  return names.filter((name) => !others.includes(name));
}

function onlyNote(which: string, names: readonly string[]): readonly string[] {
  return names.length === 0 ? [] : [`not compared, because only ${which} has it: ${names.join(', ')}`];
}

const NO_LOGS: LogComparison = { differences: [], moved: [], notes: [] };

function compareLogs(before: BootSource, after: BootSource): LogComparison {
  if (before.layout !== after.layout) {
    throw new FormatError('type_mismatch', 'one event log is of a TPM, and the other of a TD');
  }
  const bank = commonBank([...before.logs, ...after.logs]);
  if (bank === null) throw new FormatError('type_mismatch', 'the event logs have no kind of digest in common');
  return compareBootLogs(before.logs, after.logs, bank, before.layout);
}

/** The log lacks registers that software extends later. */
function withReason(quoted: Difference, explained: readonly Difference[]): Difference {
  if (quoted.pcr === undefined || explained.some(({ pcr }) => pcr === quoted.pcr)) return quoted;
  return { ...quoted, detail: `${quoted.detail}, and the event logs do not say why` };
}
