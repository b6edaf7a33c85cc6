import { PCR_LAYOUT } from '../boot/register-layout.js';
import { nullIfMalformed } from '../core/errors.js';
import type { StructureKind } from '../core/evidence.js';
import type { JsonObject, JsonValue } from '../core/json.js';
import { type BootSource, bootOfRaw, compareBoots } from '../inspect/compare-evidence.js';
import type { StructureDescription } from '../inspect/field-description.js';
import { IN_FILE } from '../inspect/raw-structures.js';
import { type FoundBytes, isBootLog, isJudged, LOG_BYTES, speaksOfMachine } from './structures.js';

/** A field of two structures of the same name; undefined if one lacks it. */
export interface FieldPair {
  readonly name: string;
  readonly one: JsonValue | undefined;
  readonly other: JsonValue | undefined;
  readonly differs: boolean;
}

export interface StructurePair {
  readonly name: string;
  readonly fields: readonly FieldPair[];
}

export interface Comparison {
  /** Names of the facts that both have; empty if there are none. */
  readonly compared: readonly string[];
  /** Differences between the two boots, as sentences. */
  readonly differences: readonly string[];
  /** Notes about the comparison; the reason if nothing could be compared. */
  readonly notes: readonly string[];
  readonly structures: readonly StructurePair[];
}

/** Compares two pieces of evidence like `veritee inspect --compare`, with their fields side by side. Verifies nothing. */
export function compareFound(one: readonly FoundBytes[], other: readonly FoundBytes[]): Comparison {
  const [before, after] = [one.filter(countsForBoot), other.filter(countsForBoot)];
  return { ...inWords(bootOfBytes(before), bootOfBytes(after)), structures: sideBySide(before, after) };
}

/** Whether the bytes belong to the boot. Members of arbitrary content may contain reports, quotes and logs of any machine. */
function countsForBoot(each: FoundBytes): boolean {
  if (each.kind === 'event-log') return isBootLog(each) || each.pointer === SECOND_LOG;
  return !speaksOfMachine(each) || isJudged(each);
}

const SECOND_LOG = '/evidence/eventLog/1';

function inWords(one: BootSource, other: BootSource): Omit<Comparison, 'structures'> {
  try {
    const { compared, differences, notes } = compareBoots(one, other);
    return {
      compared: (compared as readonly JsonValue[]).map(String),
      differences: (differences as readonly JsonObject[]).map(({ detail }) => String(detail)),
      notes: (notes as readonly JsonValue[]).map(String),
    };
  } catch (error) {
    return { compared: [], differences: [], notes: [error instanceof Error ? error.message : String(error)] };
  }
}

/** The facts about a boot in one piece of evidence. An unreadable log has none. */
function bootOfBytes(found: readonly FoundBytes[]): BootSource {
  const [ofLogs, ofQuotes] = (['event-log', 'td-quote'] as const).map((kind) => readAs(kind, found));
  return {
    logs: (ofLogs ?? []).flatMap(({ logs }) => logs),
    layout: (ofLogs?.[0] ?? ofQuotes?.[0])?.layout ?? PCR_LAYOUT,
    structures: structuresOf(found),
  };
}

function readAs(wanted: StructureKind, found: readonly FoundBytes[]): readonly BootSource[] {
  return found
    .filter(({ kind }) => kind === wanted)
    .flatMap(({ bytes }) => nullIfMalformed(() => bootOfRaw(bytes, wanted, IN_FILE, LOG_BYTES)) ?? []);
}

/** Structures that both have, by name; several of one name in their order. Events are only compared as facts. */
function sideBySide(one: readonly FoundBytes[], other: readonly FoundBytes[]): readonly StructurePair[] {
  const rest = [...structuresOf(other)];
  return structuresOf(one)
    .filter(({ name }) => !name.startsWith('event log'))
    .flatMap((structure) => {
      const at = rest.findIndex(({ name }) => name === structure.name);
      const [twin] = at < 0 ? [] : rest.splice(at, 1);
      return twin === undefined ? [] : [{ name: structure.name, fields: pairs(structure, twin) }];
    });
}

function pairs(one: StructureDescription, other: StructureDescription): readonly FieldPair[] {
  const [ofOne, ofOther] = [one, other].map(({ fields }) => new Map(fields.map(({ name, value }) => [name, value])));
  return [...new Set([...(ofOne?.keys() ?? []), ...(ofOther?.keys() ?? [])])].map((name) => {
    const values = { one: ofOne?.get(name), other: ofOther?.get(name) };
    return { name, ...values, differs: JSON.stringify(values.one) !== JSON.stringify(values.other) };
  });
}

const structuresOf = (found: readonly FoundBytes[]) => found.flatMap(({ structures }) => structures);
