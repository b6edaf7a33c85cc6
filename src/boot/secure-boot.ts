import { hex } from '../core/bytes.js';
import { sha256 } from '../crypto/digest.js';
import type { CheckedEvent } from './checked-event.js';
import { EFI_GLOBAL_VARIABLE, EFI_IMAGE_SECURITY_DATABASE, type EfiVariable } from './format/efi-variable.js';
import { EVENT_TYPE } from './format/measured-event.js';
import type { RegisterLayout } from './register-layout.js';

/** The variable of shim, under its own vendor GUID. */
const MOK_SB_STATE = { name: 'MokSBState', guid: '605dab50-e046-4300-abb6-3dd810dd8b23' };
const SECURE_BOOT = { name: 'SecureBoot', guid: EFI_GLOBAL_VARIABLE };

/** Variables that control Secure Boot, each under its required vendor GUID. */
const VARIABLES = {
  pk: { name: 'PK', guid: EFI_GLOBAL_VARIABLE },
  kek: { name: 'KEK', guid: EFI_GLOBAL_VARIABLE },
  db: { name: 'db', guid: EFI_IMAGE_SECURITY_DATABASE },
  dbx: { name: 'dbx', guid: EFI_IMAGE_SECURITY_DATABASE },
} as const;

type Database = keyof typeof VARIABLES;
const DATABASES = Object.keys(VARIABLES) as readonly Database[];

/** The facts in the register of Secure Boot. */
export interface SecureBootVerdict {
  readonly state: boolean | null;
  /** Why the state is unknown: one sentence; null if it is known. */
  readonly unknown: string | null;
  /** SHA-256 of the contents of each variable, hex; null unless the log has it exactly once. */
  readonly variables: { readonly [database in Database]: string | null };
}

/** One event of the register, read once. */
interface Reading {
  readonly judged: CheckedEvent;
  readonly variable: EfiVariable | null;
  readonly isAuthority: boolean;
}

/**
 * Determines the state of Secure Boot from the variables that firmware measured before the separator. The digest identifies the
 * separator: an OS that extends the register later can add nothing before it (TCG PC Client PFP, PCR[7]).
 *
 * The state is known only if SecureBoot, PK, KEK, db and dbx each occur exactly once. SecureBoot must have one byte that is 0 or 1, and no
 * debugger may be on. If Secure Boot is on, shim must also check started images. An authority for them must then follow the
 * separator. No authority may precede it.
 */
export function secureBootOf(events: readonly CheckedEvent[], layout: RegisterLayout): SecureBootVerdict {
  const readings = events.map(readingOfEvent);
  const end = events.findIndex(({ separator }) => separator !== null);
  const before = readings.slice(0, Math.max(end, 0));
  const listed = layout.secureBootAlone ? before : databasesIn(before);
  const variables = Object.fromEntries(
    DATABASES.map((database) => [database, contentsDigest(listed, VARIABLES[database])]),
  ) as SecureBootVerdict['variables'];
  const unknown = whyUnknown(events[end], before, readings, variables);
  const [found] = namedVariables(before, SECURE_BOOT);
  return { state: unknown === null ? found?.contents[0] === 1 : null, unknown, variables };
}

/**
 * Finds PK, KEK, db and dbx in a shared register: they must follow SecureBoot, which its digest identifies,
 * in this order. A host measures its own blobs before, and one of them could be the data of a variable.
 */
function databasesIn(before: readonly Reading[]): readonly Reading[] {
  const first = before.findIndex(isSecureBoot);
  if (first < 0) return [];
  const following = before.slice(first + 1, first + 1 + DATABASES.length);
  return following.every(({ variable }, at) => isNamedAs(variable, DATABASES[at])) ? following : [];
}

function isNamedAs(variable: EfiVariable | null, database: Database | undefined): boolean {
  return variable !== null && database !== undefined && isNamed(variable, VARIABLES[database]);
}

/**
 * Whether an event is the separator of a register, by its digest. In registers with settings, four bytes
 * of zeros can be any setting, so there the log must also call it a separator.
 */
export function isSeparatorOf(
  { separator, event }: CheckedEvent,
  index: number,
  { ofSettings }: RegisterLayout,
): boolean {
  return separator !== null && (!ofSettings.has(index) || event.type === EVENT_TYPE.separator);
}

/** Variables of Secure Boot after the separator, where firmware writes none. Returns the offset of the event. */
export function lateVariable(events: readonly CheckedEvent[]): number | null {
  const end = events.findIndex(({ separator }) => separator !== null);
  if (end < 0) return null;
  const late = events
    .slice(end + 1)
    .map(readingOfEvent)
    .find(isLate);
  return late?.judged.event.offset ?? null;
}

/** An authority is a key of db, logged under that name. The digest identifies SecureBoot, independent of the log. */
function isLate({ judged, variable, isAuthority }: Reading): boolean {
  if (judged.known?.kind === 'secureBoot') return true;
  if (variable === null) return false;
  const named = (wanted: { readonly name: string; readonly guid: string }) => isNamed(variable, wanted);
  if (named(VARIABLES.db)) return !isAuthority;
  return named(SECURE_BOOT) || DATABASES.some((database) => named(VARIABLES[database]));
}

/** The first event whose data was not measured; null if there is none. */
export function unverifiedEvent(
  events: readonly CheckedEvent[],
  { secureBootAlone }: RegisterLayout,
): CheckedEvent | null {
  const wrong = events.find((judged) => {
    const mustVerify = secureBootAlone || OF_SECURE_BOOT.has(judged.event.type ?? EVENT_TYPE.noAction);
    return mustVerify && judged.variable === null && !judged.isWhole;
  });
  return wrong ?? null;
}

const OF_SECURE_BOOT: ReadonlySet<number> = new Set([
  EVENT_TYPE.separator,
  EVENT_TYPE.efiAction,
  EVENT_TYPE.variableDriverConfig,
  EVENT_TYPE.variableAuthority,
]);

function readingOfEvent(judged: CheckedEvent): Reading {
  return { judged, variable: judged.variable, isAuthority: judged.event.type === EVENT_TYPE.variableAuthority };
}

function whyUnknown(
  separator: CheckedEvent | undefined,
  before: readonly Reading[],
  all: readonly Reading[],
  variables: SecureBootVerdict['variables'],
): string | null {
  if (separator === undefined) return 'no separator ends what the firmware measured';
  if (separator.separator === 'error') return 'the firmware measured an error as separator';
  if (before.some(({ isAuthority }) => isAuthority)) return 'an authority stands before the separator';
  if (all.some(({ judged }) => judged.known?.kind === 'debugMode')) return 'a debugger was on';
  const measured = before.filter(isSecureBoot);
  if (measured.length !== 1) return `SecureBoot was measured ${measured.length} times`;
  const first = measured[0]?.variable ?? null;
  if (first === null) return 'the log has other data for SecureBoot';
  const [value] = first.contents;
  if (first.contents.byteLength !== 1 || (value !== 0 && value !== 1)) {
    return `SecureBoot is ${first.contents.byteLength === 0 ? 'empty' : `0x${hex(first.contents.subarray(0, 8))}`}`;
  }
  const missing = DATABASES.filter((database) => variables[database] === null);
  if (missing.length > 0) return `not measured exactly once: ${missing.map((name) => VARIABLES[name].name).join(', ')}`;
  return value === 1 ? whyUnchecked(all) : null;
}

/** With Secure Boot on: why started software may be unchecked. */
function whyUnchecked(all: readonly Reading[]): string | null {
  if (all.some(isShimUnchecking)) return 'SecureBoot is on, and shim does not check what it starts (MokSBState)';
  // An earlier check excludes authorities before the separator.
  return all.some(({ isAuthority, variable }) => isAuthority && variable !== null)
    ? null
    : 'SecureBoot is on, and no authority was measured for what was started';
}

/** Also compares the digest, which identifies it even if the log has other data. */
function isSecureBoot({ judged, variable }: Reading): boolean {
  return judged.known?.kind === 'secureBoot' || (variable !== null && isNamed(variable, SECURE_BOOT));
}

/** The owner of a VM can have shim start unsigned images, which the firmware knows nothing of. */
function isShimUnchecking({ judged, variable }: Reading): boolean {
  if (judged.known?.kind === 'shimChecksNothing') return true;
  return variable !== null && isNamed(variable, MOK_SB_STATE) && variable.contents[0] === 1;
}

function namedVariables(readings: readonly Reading[], wanted: { readonly name: string; readonly guid: string }) {
  return readings.flatMap(({ variable }) => (variable !== null && isNamed(variable, wanted) ? [variable] : []));
}

function isNamed(variable: EfiVariable, wanted: { readonly name: string; readonly guid: string }): boolean {
  return variable.name === wanted.name && variable.guid === wanted.guid;
}

function contentsDigest(readings: readonly Reading[], wanted: { readonly name: string; readonly guid: string }) {
  const [first, ...others] = namedVariables(readings, wanted);
  return first === undefined || others.length > 0 ? null : hex(sha256(first.contents));
}
