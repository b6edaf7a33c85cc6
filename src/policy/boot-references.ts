import { digest, hex } from '../crypto/digest.js';
import type { BootClaim, BootList, EventLogClaims } from '../model/claims.js';
import type { CheckId } from '../model/codes.js';
import type { JsonValue } from '../model/json.js';
import type { EventLogGaps } from '../model/verification.js';
import type { BootReferences } from './reference-grammar.js';

/** One claim of an event log, compared with the values that a policy accepts. */
export interface BootComparison {
  readonly id: CheckId;
  readonly member: BootClaim;
  readonly accepted: readonly string[];
  readonly actual: JsonValue;
  readonly holds: boolean;
  /** What is wrong; empty where it holds. */
  readonly finding: string;
  /** What the comparison leaves open where it holds; empty where nothing. */
  readonly remark: string;
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

const LISTS: ReadonlySet<BootClaim> = new Set<BootList>(['applications', 'commandLines', 'files']);

/**
 * Compares the boot with what a policy knows of it. Of a list everything has to be among the references, and there has
 * to be something: order and repetition say nothing. A claim that the log does not show does not match.
 */
export function bootComparisons(references: BootReferences, log: ComparedLog): readonly BootComparison[] {
  return Object.entries(references).flatMap(([member, accepted]) =>
    accepted === null
      ? []
      : [{ ...compareClaim(member as BootClaim, accepted, log), remark: remarkOn(member, references) }],
  );
}

/** Load options and files stand in one register by their digests, and only the log says which is which. */
function remarkOn(member: string, { files }: BootReferences): string {
  return member === 'commandLines' && files === null
    ? '; files are not compared, and a log can call load options a file'
    : '';
}

function compareClaim(
  member: BootClaim,
  accepted: readonly string[],
  log: ComparedLog,
): Omit<BootComparison, 'remark'> {
  const { claims, gaps, mismatch } = log;
  if (claims === undefined) {
    return {
      id: 'eventlog_missing',
      member,
      accepted,
      actual: null,
      holds: false,
      finding: 'is nowhere: there is no event log',
    };
  }
  const value = claims[member] as string | readonly string[] | null;
  if (value === null) {
    const gap = gaps?.absent[member];
    const finding = `is not shown by the event log: ${gap?.detail ?? 'it does not hold'}`;
    return { id: gap?.check ?? 'eventlog_unverified', member, accepted, actual: null, holds: false, finding };
  }
  const entries = typeof value === 'string' ? [value] : value;
  const unlisted = entries.filter((entry) => !isAccepted(entry, accepted, member === 'commandLines' ? log.bank : null));
  const holds = entries.length > 0 && unlisted.length === 0;
  return { id: mismatch, member, accepted, actual: value, holds, finding: findingOf(member, entries, unlisted) };
}

function findingOf(member: BootClaim, entries: readonly string[], unlisted: readonly string[]): string {
  if (entries.length === 0) return 'is empty';
  if (!LISTS.has(member)) return 'is not among the reference values';
  return `has what is not among the reference values: ${shortened(unlisted)}`;
}

const SHOWN = 3;

function shortened(values: readonly string[]): string {
  const rest = values.length > SHOWN ? ` and ${values.length - SHOWN} more` : '';
  return `${values.slice(0, SHOWN).join(', ')}${rest}`;
}

/** @param bank of the digests that may stand for a text; null where values are no text */
function isAccepted(entry: string, accepted: readonly string[], bank: ComparedLog['bank'] | null): boolean {
  if (accepted.includes(entry)) return true;
  return bank !== null && accepted.some((text) => digestsOfText(text, bank).includes(entry));
}

/** A loader may hash a command line in ASCII or UTF-16, with the NUL that ends it or without. */
function digestsOfText(text: string, bank: ComparedLog['bank']): readonly string[] {
  return (['utf8', 'utf16le'] as const).flatMap((encoding) =>
    [text, `${text}\0`].map((form) => hex(digest(bank, [Buffer.from(form, encoding)]))),
  );
}
