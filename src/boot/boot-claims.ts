import { hex, latin1 } from '../core/bytes.js';
import type { BootClaim, EventLogClaims } from '../core/claims.js';
import type { AbsentClaim, EventLogGaps } from '../core/verification.js';
import { applicationsIn, type Listed, loaderListsIn } from './boot-lists.js';
import type { CheckedEvent } from './checked-event.js';
import type { RegisterLayout } from './register-layout.js';
import { secureBootOf } from './secure-boot.js';

/** Returns why the events of a register prove nothing about the machine; null if they do. */
export type RegisterCover = (index: number) => AbsentClaim | null;

export interface BootClaims {
  readonly claims: Omit<EventLogClaims, 'replayed' | 'notCovered'>;
  readonly absent: EventLogGaps['absent'];
  readonly loadOptions: EventLogGaps['loadOptions'];
}

/** A claim with its value, or why it is absent. */
type Made<T> = { readonly value: T } | { readonly absent: AbsentClaim };

/**
 * Derives claims about a boot from the events of covered registers. A claim from several registers needs all of
 * them to be covered: otherwise its list would be incomplete.
 */
export function bootClaims(
  events: ReadonlyMap<number, readonly CheckedEvent[]>,
  layout: RegisterLayout,
  cover: RegisterCover,
): BootClaims {
  const absent: { [claim in BootClaim]?: AbsentClaim } = {};
  const claim = <T>(name: BootClaim, registers: readonly number[], make: () => Made<T>): T | null => {
    const gap = registers.map(cover).find((found) => found !== null);
    const made = gap === undefined ? make() : { absent: gap };
    if ('value' in made) return made.value;
    absent[name] = made.absent;
    return null;
  };
  const { state, unknown, variables } = secureBootOf(events.get(layout.secureBoot) ?? [], layout);
  const failed = [...layout.ofFirmware].find((index) => hasError(events.get(index) ?? []));
  const variable = (name: keyof typeof variables) =>
    claim(name, [layout.secureBoot], () => valueOrUnverified(variables[name], `${name} was not measured exactly once`));
  const lists = loaderListsIn(events, layout);
  const claims = {
    secureBoot: claim('secureBoot', [layout.secureBoot], () =>
      failed === undefined ? stateOf(state, unknown) : stateOf(null, errorIn(failed, layout)),
    ),
    pk: variable('pk'),
    kek: variable('kek'),
    db: variable('db'),
    dbx: variable('dbx'),
    mokList: claim('mokList', [layout.mokList], () => mokListOf(events.get(layout.mokList) ?? [])),
    applications: claim('applications', indicesOf(layout.applications), () =>
      entriesOf(applicationsIn(events, layout)),
    ),
    commandLines: claim('commandLines', indicesOf(layout.loader), () => entriesOf(lists.commandLines)),
    files: claim('files', filesRegisters(layout), () => entriesOf(lists.files)),
  };
  return { claims, absent, loadOptions: lists.loadOptions };
}

const indicesOf = (registers: readonly { readonly index: number }[]) => registers.map(({ index }) => index);

/** Registers with files. Fewer registers have files than command lines. */
function filesRegisters({ loader }: RegisterLayout): readonly number[] {
  return indicesOf(loader.filter(({ contents }) => contents === 'files' || contents === 'mixed'));
}

/**
 * Whether firmware measured an error, which it does instead of a separator, in any register. Compares the digest: the log may
 * give it any name. Beside a separator the same bytes are a setting.
 */
function hasError(events: readonly CheckedEvent[]): boolean {
  return events.some(({ separator }) => separator === 'error') && !events.some(({ separator }) => separator === 'zero');
}

function errorIn(index: number, { name }: RegisterLayout): string {
  return `the firmware measured an error as separator of ${name(index)}`;
}

function stateOf(state: boolean | null, unknown: string | null): Made<boolean> {
  if (state !== null) return { value: state };
  return { absent: { check: 'secure_boot_unknown', detail: unknown ?? 'it was not measured' } };
}

function valueOrUnverified(value: string | null, detail: string): Made<string> {
  return value === null ? { absent: { check: 'eventlog_unverified', detail } } : { value };
}

function entriesOf(found: Listed): Made<readonly string[]> {
  return 'entries' in found
    ? { value: found.entries }
    : { absent: { check: 'eventlog_unverified', detail: found.absent } };
}

const MOK_LIST = 'MokList\0';

/**
 * shim extends by the contents of MokList. The log has its name beside the digest, but no digest covers the name. shim measures it
 * first, before an OS can add events: only there the name counts. If shim ran twice, both contents are the same.
 */
function mokListOf(events: readonly CheckedEvent[]): Made<string> {
  const [first] = events;
  const named = events.filter(({ event: { data } }) => latin1(data) === MOK_LIST);
  const digests = new Set(named.map(({ digest }) => hex(digest)));
  const [digest] = digests;
  if (digest === undefined || digests.size > 1 || named[0] !== first) {
    return { absent: { check: 'eventlog_unverified', detail: 'MokList is not the first that shim measured' } };
  }
  return { value: digest };
}
