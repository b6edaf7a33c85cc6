/** Type of a claim, as rules may use it. */
export type ClaimType = ScalarType | ListType | ObjectType;

export interface ScalarType {
  readonly kind: 'int' | 'bool' | 'string';
  /** The possible texts; null if any is possible. A comparison with any other text is a mistake, and does not load. */
  readonly form: TextForm | null;
  /** The possible integers; absent if any is possible. A comparison that it decides loads, and lint warns of it. */
  readonly range?: IntegerRange;
}

/** Spans of integers, ends included. */
export interface IntegerRange {
  /** In words: "is …". */
  readonly what: string;
  readonly spans: readonly (readonly [least: number, greatest: number])[];
}

export interface TextForm {
  /** In words: "is …". */
  readonly what: string;
  readonly fits: (text: string) => boolean;
}

export interface ListType {
  readonly kind: 'list';
  readonly item: ScalarType;
}

export interface ObjectType {
  readonly kind: 'object';
  readonly members: ReadonlyMap<string, ClaimType>;
  /** The other possible members: in tokens and the VM configuration, which others define. Null: none. */
  readonly others: OtherMembers | null;
}

/** Members of which only the name is known, and that only once somebody names them. */
export interface OtherMembers {
  /** The type that all of them have; null where each has its own, which the literal beside it gives. */
  readonly type: ScalarType | null;
  /** A name as claims have it. One that is written otherwise is never there. */
  readonly spelling: (name: string) => string;
  /** Members that no rule can name, by their names, and what a policy has in their place. */
  readonly notOfRules: ReadonlyMap<string, string>;
}

export const INT: ScalarType = { kind: 'int', form: null };
export const BOOL: ScalarType = { kind: 'bool', form: null };
export const TEXT: ScalarType = { kind: 'string', form: null };

const UINT32_MAXIMUM = 2 ** 32 - 1;

/** Fields of one, two and four bytes without sign. */
export const UINT8 = integerOf([0, 255]);
export const UINT16 = integerOf([0, 65_535]);
export const UINT32 = integerOf([0, UINT32_MAXIMUM]);

/** VMPL of an SEV-SNP report: the guest has four levels, and a report that the host asked for has all bits set. */
export const VMPL = integerOf([0, 3], [UINT32_MAXIMUM, UINT32_MAXIMUM]);

export function integerOf(...spans: IntegerRange['spans']): ScalarType & { readonly range: IntegerRange } {
  const words = spans.map(([least, greatest]) => (least === greatest ? `${least}` : `${least} to ${greatest}`));
  return { kind: 'int', form: null, range: { what: words.join(' or '), spans } };
}

/** Bytes as claims have them. */
export function hexOf(bytes: number): ScalarType {
  const digits = new RegExp(`^[0-9a-f]{${2 * bytes}}$`);
  return textMatching(`${2 * bytes} hex digits in lower case`, digits);
}

export function oneOf(words: readonly string[]): ScalarType {
  return { kind: 'string', form: { what: `one of ${words.join(', ')}`, fits: (text) => words.includes(text) } };
}

export function textMatching(what: string, form: RegExp): ScalarType {
  return { kind: 'string', form: { what, fits: (text) => form.test(text) } };
}

export function listType(item: ScalarType): ListType {
  return { kind: 'list', item };
}

/** An object with exactly the members of T. One that is not declared here does not compile. */
export function object<T>(members: { readonly [name in keyof T]-?: ClaimType }): ObjectType {
  return { kind: 'object', members: new Map(Object.entries<ClaimType>(members)), others: null };
}

const ANY_OTHERS: OtherMembers = { type: null, spelling: (name) => name, notOfRules: new Map() };

/** An object of which only some members are known. */
export function openObject(
  members: { readonly [name: string]: ClaimType },
  others: Partial<OtherMembers> = {},
): ObjectType {
  return { kind: 'object', members: new Map(Object.entries(members)), others: { ...ANY_OTHERS, ...others } };
}
