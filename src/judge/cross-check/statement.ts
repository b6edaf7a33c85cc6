import type { TokenRoute } from '../../core/evidence.js';
import { isObject, type JsonObject, type JsonValue } from '../../core/json.js';

/** The statement of one Attestation Result about one claim. */
export interface Statement {
  /** Written as our own claims are. Where that cannot be done, as it stands. */
  readonly value: JsonValue;
  /**
   * False for a value of the wrong form, and where a result contradicts itself. Such a statement equals no other:
   * what is not understood may not pass for agreement.
   */
  readonly sound: boolean;
}

/** A claim and what is said of it. Claims have the names of our own: section and path, as in `snp.tcb.reported.snp`. */
export type Entry = readonly [claim: string, statement: Statement];

export type Statements = ReadonlyMap<string, Statement>;

/** Writes a value as our own claims are written; undefined where its type or form is another one. */
export type Form = (value: JsonValue) => JsonValue | undefined;

/** Which member of an object states a claim, and in which form. */
export type Source = readonly [claim: string, member: string, form: Form];

/** Bytes in hex of either case, of exactly this length; lower case where read. */
export function hexOf(bytes: number): Form {
  const digits = new RegExp(`^[0-9a-fA-F]{${2 * bytes}}$`);
  return (value) => (typeof value === 'string' && digits.test(value) ? value.toLowerCase() : undefined);
}

/** A JSON boolean, and nothing that only looks like one. */
export const flag: Form = (value) => (typeof value === 'boolean' ? value : undefined);

/** An integer from zero up, as a JSON number. */
export const count: Form = (value) => (Number.isSafeInteger(value) && Number(value) >= 0 ? value : undefined);

export const text: Form = (value) => (typeof value === 'string' ? value : undefined);

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** A GUID, which Azure writes in both cases. */
export const guid: Form = (value) => (typeof value === 'string' && GUID.test(value) ? value.toLowerCase() : undefined);

export function sound(value: JsonValue): Statement {
  return { value, sound: true };
}

export function unsound(value: JsonValue): Statement {
  return { value, sound: false };
}

export function stated(value: JsonValue, form: Form): Statement {
  const read = form(value);
  return read === undefined ? unsound(value) : sound(read);
}

/** The statements in the members of an object. An absent member states nothing; JSON null is a value of the wrong type. */
export function readSources(object: JsonObject, sources: readonly Source[]): readonly Entry[] {
  return sources.flatMap(([claim, member, form]): readonly Entry[] => {
    const value = object[member];
    return value === undefined ? [] : [[claim, stated(value, form)]];
  });
}

/**
 * Statements by claim. A claim that a result states twice, each time otherwise, is unsound and shows both; one that it
 * states more often shows the first two, so that what is shown does not grow with each of them.
 */
export function collectStatements(entries: readonly Entry[]): Statements {
  const statements = new Map<string, Statement>();
  const contradicted = new Set<string>();
  for (const [claim, statement] of entries) {
    const earlier = statements.get(claim);
    if (earlier === undefined) statements.set(claim, statement);
    else if (!contradicted.has(claim) && !saysTheSame(earlier, statement)) {
      statements.set(claim, unsound([earlier.value, statement.value]));
      contradicted.add(claim);
    }
  }
  return statements;
}

/** Whether both are there, are sound, and have one value. */
export function saysTheSame(a: Statement | undefined, b: Statement | undefined): boolean {
  return a !== undefined && b !== undefined && a.sound && b.sound && isSameJson(a.value, b.value);
}

function isSameJson(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((element, i) => isSameJson(element, b[i]));
  }
  if (!isObject(a) || !isObject(b)) return a === b;
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && isSameJson(a[name], b[name]))
  );
}

/** The attestation key of a vTPM, as the hardware vouches for it: RFC 7638 thumbprint. */
export const AK = 'hcl.akThumbprint';

/** Which kind of TEE: `snp` or `tdx`. */
export const TEE = 'tee';

export const REPORT_DATA = ['snp.reportData', 'tdx.reportData'] as const;

/** A TEE as one Attestation Result states it. */
export interface TeeView {
  readonly route: 'hardware' | TokenRoute;
  /** The claim that has to be the same in another view for that to be about the same TEE. */
  readonly identity: typeof AK | (typeof REPORT_DATA)[number];
  readonly statements: Statements;
}

/** A token's view. The attestation key is its identity wherever a paravisor speaks in it. */
export function tokenView(route: TokenRoute, statements: Statements, sealedToVtpm: boolean): TeeView {
  const tee = statements.get(TEE)?.value;
  const ofHardware = tee === 'tdx' ? 'tdx.reportData' : 'snp.reportData';
  return { route, identity: sealedToVtpm || statements.has(AK) ? AK : ofHardware, statements };
}
