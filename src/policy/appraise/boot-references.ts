import { hex } from '../../core/bytes.js';
import type { BootClaim, EventLogClaims } from '../../core/claims.js';
import type { CheckId } from '../../core/codes.js';
import type { JsonValue } from '../../core/json.js';
import type { EventLogGaps } from '../../core/verification.js';
import { digest } from '../../crypto/digest.js';
import type { BootReferences } from '../document/reference-grammar.js';

/** One claim of an event log, compared with the values that a policy accepts. */
export interface BootComparison {
  readonly id: CheckId;
  readonly member: BootClaim;
  readonly accepted: readonly string[];
  readonly actual: JsonValue;
  readonly holds: boolean;
  /** The faults; empty if it matches. */
  readonly finding: string;
  /** The open questions if it matches; empty if there are none. */
  readonly remark: string;
  /** The values that are not among the references, or the register that was not quoted; as in a check. */
  readonly faults: readonly string[];
}

/** The log that the claims are of, and in which way it is bound to its quote. */
export interface ComparedLog {
  /** Undefined where none was sent, or it does not hold. */
  readonly claims: EventLogClaims | undefined;
  readonly gaps: EventLogGaps | undefined;
  readonly bank: 'sha256' | 'sha384';
  /** The check of a value that is not among the references. */
  readonly mismatch: 'tpm_pcr' | 'tdx_measurement';
}

/**
 * Compares the boot with what a policy knows of it. Of a list everything has to be among the references, and there has
 * to be something: order and repetition say nothing. A claim that the log does not show does not match.
 */
export function bootComparisons(references: BootReferences, log: ComparedLog): readonly BootComparison[] {
  return Object.entries(references).flatMap(([member, accepted]) =>
    accepted === null ? [] : [compareClaim(member as keyof BootReferences, accepted, references, log)],
  );
}

function compareClaim(
  member: keyof BootReferences,
  accepted: readonly string[],
  references: BootReferences,
  log: ComparedLog,
): BootComparison {
  const { claims, gaps, mismatch } = log;
  const compared = { member, accepted, holds: false, remark: '', faults: [] };
  if (claims === undefined) {
    const finding = 'cannot be compared: the evidence has no event log that holds';
    return { ...compared, id: 'eventlog_missing', actual: null, finding };
  }
  // Asserted claims need not have every member.
  const value: string | readonly string[] | null = claims[member] ?? null;
  if (value === null) {
    const gap = gaps?.absent[member];
    const finding = `is not shown by the event log: ${gap?.detail ?? 'it does not hold'}`;
    const faults = gap?.register === undefined ? [] : [gap.register];
    return { ...compared, id: gap?.check ?? 'eventlog_unverified', actual: null, finding, faults };
  }
  const entries = typeof value === 'string' ? [value] : value;
  const unlisted = unlistedOf(member, entries, references, log);
  return {
    ...compared,
    id: mismatch,
    actual: value,
    holds: entries.length > 0 && unlisted.length === 0,
    finding: typeof value === 'string' ? 'is not among the reference values' : findingOf(entries, unlisted),
    remark: remarkOn(member, references),
    faults: unlisted.map(namedInRemedy),
  };
}

/** A digest as it is. Other text was written by whoever made the log: it is quoted, and only where it is plain. */
function namedInRemedy(entry: string): string {
  if (DIGEST.test(entry)) return entry;
  return /^[\x20-\x7e]{1,128}$/.test(entry) ? JSON.stringify(entry) : 'a text that the claims show';
}

/**
 * The values that are not among the references. A digest that the log calls load options stands where files do, and is compared with
 * them too: else the sender of the log could take a file out of the comparison by its label.
 */
function unlistedOf(
  member: keyof BootReferences,
  entries: readonly string[],
  references: BootReferences,
  { gaps, bank }: ComparedLog,
): readonly string[] {
  const ofCommandLines = acceptedCommandLines(references.commandLines ?? NONE, bank);
  if (member === 'commandLines') return entries.filter((entry) => !ofCommandLines.has(entry));
  const accepted = new Set(references[member]);
  const loadOptions = member === 'files' ? (gaps?.loadOptions ?? []) : [];
  return [
    ...entries.filter((entry) => !accepted.has(entry)),
    ...loadOptions.filter((entry) => !accepted.has(entry) && !ofCommandLines.has(entry)),
  ];
}

/** Load options and files stand in one register by their digests, and only the log says which is which. */
function remarkOn(member: keyof BootReferences, { files }: BootReferences): string {
  return member === 'commandLines' && files === null
    ? '; files are not compared, and a log can call load options a file'
    : '';
}

function findingOf(entries: readonly string[], unlisted: readonly string[]): string {
  if (entries.length === 0) return 'is empty';
  return `has what is not among the reference values: ${shortened(unlisted)}`;
}

const SHOWN = 3;

function shortened(values: readonly string[]): string {
  const rest = values.length > SHOWN ? ` and ${values.length - SHOWN} more` : '';
  return `${values.slice(0, SHOWN).join(', ')}${rest}`;
}

const NONE: readonly string[] = [];

/** As digests are written. A reference in this form is never taken for the text of a command line. */
const DIGEST = /^(?:[0-9a-f]{64}|[0-9a-f]{96})$/;

/** Policies never change: what their texts hash to is worked out once. */
const byReferences = new WeakMap<readonly string[], Map<ComparedLog['bank'], ReadonlySet<string>>>();

/** The texts and digests that are accepted, and the digests of the texts. */
function acceptedCommandLines(references: readonly string[], bank: ComparedLog['bank']): ReadonlySet<string> {
  const ofBanks = byReferences.get(references) ?? new Map<ComparedLog['bank'], ReadonlySet<string>>();
  byReferences.set(references, ofBanks);
  const known = ofBanks.get(bank);
  if (known !== undefined) return known;
  const texts = references.filter((reference) => !DIGEST.test(reference));
  const accepted = new Set([...references, ...texts.flatMap((text) => digestsOfText(text, bank))]);
  ofBanks.set(bank, accepted);
  return accepted;
}

/** A loader may hash a command line in ASCII or UTF-16, with the NUL that ends it or without. */
function digestsOfText(text: string, bank: ComparedLog['bank']): readonly string[] {
  return (['utf8', 'utf16le'] as const).flatMap((encoding) =>
    [text, `${text}\0`].map((form) => hex(digest(bank, [Buffer.from(form, encoding)]))),
  );
}
