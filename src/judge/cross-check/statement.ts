import type { TokenRoute } from '../../core/evidence.js';
import { isObject, type JsonObject, type JsonValue } from '../../core/json.js';

export interface Statement {
  /** In the form of our own claims; unchanged if that form does not fit. */
  readonly value: JsonValue;
  /**
   * False for a value of the wrong form, and if a result contradicts itself. Such a statement equals no other: an
   * unreadable value must not count as agreement.
   */
  readonly sound: boolean;
}

/** A claim and its statement. Names are those of our own claims: section and path, as in `snp.tcb.reported.snp`. */
export type Entry = readonly [claim: string, statement: Statement];

export type Statements = ReadonlyMap<string, Statement>;

/** Converts a value to the form of our own claims; undefined if its type or form is wrong. */
export type Form = (value: JsonValue) => JsonValue | undefined;

/** A claim, the member of an object that states it, and the form of the member. */
export type Source = readonly [claim: string, member: string, form: Form];

/** Accepts hex of either case with exactly this number of bytes. Returns it in lower case. */
export function hexOf(bytes: number): Form {
  const digits = new RegExp(`^[0-9a-fA-F]{${2 * bytes}}$`);
  return (value) => (typeof value === 'string' && digits.test(value) ? value.toLowerCase() : undefined);
}

/** Accepts a JSON boolean, but not a text or number in its place. */
export const flag: Form = (value) => (typeof value === 'boolean' ? value : undefined);

/** Accepts a JSON number that is an integer of zero or more. */
export const count: Form = (value) => (Number.isSafeInteger(value) && Number(value) >= 0 ? value : undefined);

export const text: Form = (value) => (typeof value === 'string' ? value : undefined);

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Accepts a GUID, which Azure writes in both cases. */
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

/**
 * The statements in the members of an object. An absent member states nothing; JSON null is a value of the wrong type.
 */
export function readSources(object: JsonObject, sources: readonly Source[]): readonly Entry[] {
  return sources.flatMap(([claim, member, form]): readonly Entry[] => {
    const value = object[member];
    return value === undefined ? [] : [[claim, stated(value, form)]];
  });
}

/**
 * Collects statements by claim. A claim with two different statements is unsound and shows both. Further statements of
 * it are not shown, so that the output does not grow with their number.
 */
export function collectStatements(entries: readonly Entry[]): Statements {
  const statements = new Map<string, Statement>();
  const contradicted = new Set<string>();
  for (const [claim, statement] of entries) {
    const earlier = statements.get(claim);
    if (earlier === undefined) statements.set(claim, statement);
    else if (!contradicted.has(claim) && !isSameStatement(earlier, statement)) {
      statements.set(claim, unsound([earlier.value, statement.value]));
      contradicted.add(claim);
    }
  }
  return statements;
}

/** Whether both exist, are sound, and have the same value. */
export function isSameStatement(a: Statement | undefined, b: Statement | undefined): boolean {
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

/** RFC 7638 thumbprint of the attestation key of a vTPM, as the hardware vouches for it. */
export const AK = 'hcl.akThumbprint';

/** The kind of TEE: `snp` or `tdx`. */
export const TEE = 'tee';

export const REPORT_DATA = ['snp.reportData', 'tdx.reportData'] as const;

/** A TEE according to one Attestation Result. */
export interface TeeView {
  readonly route: 'hardware' | TokenRoute;
  /** The claim that must be equal in another view of the same TEE. */
  readonly identity: typeof AK | (typeof REPORT_DATA)[number];
  readonly statements: Statements;
}

/** The view of a token. The attestation key is its identity if the token has statements of a paravisor. */
export function tokenView(route: TokenRoute, statements: Statements, sealedToVtpm: boolean): TeeView {
  const tee = statements.get(TEE)?.value;
  const ofHardware = tee === 'tdx' ? 'tdx.reportData' : 'snp.reportData';
  return { route, identity: sealedToVtpm || statements.has(AK) ? AK : ofHardware, statements };
}
