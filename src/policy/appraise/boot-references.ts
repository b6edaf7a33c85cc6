import { hex } from '../../core/bytes.js';
import type { BootClaim, EventLogClaims } from '../../core/claims.js';
import type { CheckId } from '../../core/codes.js';
import type { JsonValue } from '../../core/json.js';
import type { EventLogGaps } from '../../core/verification.js';
import { digest } from '../../crypto/digest.js';
import type { BootReferences } from '../document/reference-grammar.js';

/** Comparison of one claim of an event log with the values that a policy accepts. */
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
  /** The values that are not reference values, or the register that was not quoted; as in a check. */
  readonly faults: readonly string[];
}

/** The event log of the claims, and its binding to a quote. */
export interface ComparedLog {
  /** Undefined if no log was sent, or if it failed verification. */
  readonly claims: EventLogClaims | undefined;
  readonly gaps: EventLogGaps | undefined;
  readonly bank: 'sha256' | 'sha384';
  /** The check for a value that is not a reference value. */
  readonly mismatch: 'tpm_pcr' | 'tdx_measurement';
}

/**
 * Compares the boot claims with the reference values of a policy. A list must not be empty, and each of its items must
 * be a reference value; order and repetition do not count. An absent claim does not match.
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
  // Asserted claims can lack members.
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

/**
 * Formats an entry for a remedy. The author of the log chose any text but a digest, so only plain text is shown,
 * quoted.
 */
function namedInRemedy(entry: string): string {
  if (DIGEST.test(entry)) return entry;
  return /^[\x20-\x7e]{1,128}$/.test(entry) ? JSON.stringify(entry) : 'a text that the claims show';
}

/**
 * The values that are not reference values. A digest that the log labels as load options is compared with the files
 * too. Otherwise the sender of the log could exclude a file from the comparison by its label.
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

/**
 * The remark on load options. One register covers the digests of load options and files, and only the log labels them.
 */
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

/** Form of a digest. A reference value of this form is never read as the text of a command line. */
const DIGEST = /^(?:[0-9a-f]{64}|[0-9a-f]{96})$/;

/** Digests by reference values. Cached, because policies are immutable. */
const byReferences = new WeakMap<readonly string[], Map<ComparedLog['bank'], ReadonlySet<string>>>();

/** The accepted texts and digests, and the digests of the texts. */
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

/** The digests of a command line. A loader hashes it in ASCII or UTF-16, with or without a NUL at the end. */
function digestsOfText(text: string, bank: ComparedLog['bank']): readonly string[] {
  return (['utf8', 'utf16le'] as const).flatMap((encoding) =>
    [text, `${text}\0`].map((form) => hex(digest(bank, [Buffer.from(form, encoding)]))),
  );
}
