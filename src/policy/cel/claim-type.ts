/** Type of a claim, as rules may use it. */
export type ClaimType = ScalarType | ListType | ObjectType;

export interface ScalarType {
  readonly kind: 'int' | 'bool' | 'string';
  /**
   * The possible texts; null if any text is possible. A comparison with another text is a mistake, and does not load.
   */
  readonly form: TextForm | null;
  /** The possible integers; absent if any is possible. If they decide a comparison, the rule loads, and lint warns. */
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
  /** The type of other members, which tokens and the VM configuration may have; null if there are none. */
  readonly others: OtherMembers | null;
}

/** Type of members that have a known name only, and no type until a rule names them. */
export interface OtherMembers {
  /** The type of all of them; null if each gets its type from the literal beside it. */
  readonly type: ScalarType | null;
  /** The spelling of names in claims. A claim with another spelling never exists. */
  readonly spelling: (name: string) => string;
  /** Members that no rule can name, by name, with the member that a policy uses instead. */
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

/** VMPL of an SEV-SNP report: the guest has four levels. A report that the host requested has all bits set. */
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

/** An object with exactly the members of T. A missing member does not compile. */
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
