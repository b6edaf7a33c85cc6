/** Type of a claim, as rules may use it. */
export type ClaimType = ScalarType | ListType | ObjectType;

export interface ScalarType {
  readonly kind: 'int' | 'bool' | 'string';
  /** What texts there can be; null where any can. A comparison with any other text is a mistake, and does not load. */
  readonly form: TextForm | null;
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
  /** Whether there can be other members: those of tokens and of the VM configuration, which others define. */
  readonly isOpen: boolean;
}

export const INT: ScalarType = { kind: 'int', form: null };
export const BOOL: ScalarType = { kind: 'bool', form: null };
export const TEXT: ScalarType = { kind: 'string', form: null };

/** Bytes as claims have them. */
export function hexOf(bytes: number): ScalarType {
  const digits = new RegExp(`^[0-9a-f]{${2 * bytes}}$`);
  return textOf(`${2 * bytes} hex digits in lower case`, (text) => digits.test(text));
}

export function oneOf(words: readonly string[]): ScalarType {
  return textOf(`one of ${words.join(', ')}`, (text) => words.includes(text));
}

function textOf(what: string, fits: TextForm['fits']): ScalarType {
  return { kind: 'string', form: { what, fits } };
}

export function listOf(item: ScalarType): ListType {
  return { kind: 'list', item };
}

/** An object with exactly the members of T. One that is not declared here does not compile. */
export function object<T>(members: { readonly [name in keyof T]-?: ClaimType }): ObjectType {
  return { kind: 'object', members: new Map(Object.entries<ClaimType>(members)), isOpen: false };
}

/** An object of which only some members are known. */
export function openObject(members: { readonly [name: string]: ClaimType }): ObjectType {
  return { kind: 'object', members: new Map(Object.entries(members)), isOpen: true };
}
