import { LRUCache } from 'lru-cache';
import type { LogStore } from '../core/decision-log.js';
import { isObject, type JsonObject, type JsonValue } from '../core/json.js';
import { digestOf, namedBytes } from './kept-values.js';
import { isDigest } from './record-content.js';

/** Version of the form that names all inputs of a decision. A new form gets a new number. A missing number means the first. */
export const INPUTS_VERSION = 1;

/** Version for decisions with a requested key release: an earlier version would ignore the requirements of that release. */
export const RELEASE_INPUTS_VERSION = 2;

/** Whether a later version of veritee wrote the inputs of a decision. */
export function areOfLaterVersion({ v }: JsonObject): boolean {
  return typeof v === 'number' && v > RELEASE_INPUTS_VERSION;
}

/** Kept bytes that name others, and cannot be read. `changed`: their digest differs. `later`: a later version wrote them. */
export interface UnreadBytes {
  readonly sha256: string;
  readonly why: 'missing' | 'changed' | 'malformed' | 'later';
}

/** The objects that a decision depends on. */
export interface KeptNames {
  /** Digests of kept bytes, hex. */
  readonly digests: ReadonlySet<string>;
  /** If it is not empty, the decision may reference more objects. */
  readonly unread: readonly UnreadBytes[];
}

/** Cache size. Many decisions share a configuration. */
const REMEMBERED = 16;

/** Reads which bytes the kept inputs of a decision reference. */
export class KeptNamesReader {
  readonly #store: Pick<LogStore, 'object'>;
  /** The objects that a shared object, such as a configuration, references. */
  readonly #configurations = new LRUCache<string, readonly string[]>({ max: REMEMBERED });

  constructor(store: Pick<LogStore, 'object'>) {
    this.#store = store;
  }

  /** @param inputs the digest that the record of the decision names */
  async of(inputs: string): Promise<KeptNames> {
    const named = await this.#read(inputs, namesInInputs);
    if ('why' in named) return { digests: new Set([inputs]), unread: [named] };
    const { configuration, bytes } = named;
    const further = await this.#inConfiguration(configuration);
    const isRead = !('why' in further);
    return {
      digests: new Set([inputs, configuration, ...bytes, ...(isRead ? further : [])]),
      unread: isRead ? [] : [further],
    };
  }

  async #inConfiguration(sha256: string): Promise<readonly string[] | UnreadBytes> {
    const known = this.#configurations.get(sha256);
    if (known !== undefined) return known;
    const named = await this.#read(sha256, digestsIn);
    if (!('why' in named)) this.#configurations.set(sha256, named);
    return named;
  }

  async #read<T extends object>(sha256: string, names: Names<T>): Promise<T | UnreadBytes> {
    const bytes = await this.#store.object(sha256);
    if (bytes === null) return { sha256, why: 'missing' };
    if (digestOf(bytes) !== sha256) return { sha256, why: 'changed' };
    const named = read(bytes, names) ?? 'malformed';
    return typeof named === 'string' ? { sha256, why: named } : named;
  }
}

/** Returns the names in a value; null if the value has another form. */
type Names<T> = (value: JsonValue) => T | 'later' | null;

/** Returns null also if the value is nested too deeply. */
function read<T>(bytes: Uint8Array, names: Names<T>): T | 'later' | null {
  try {
    return names(JSON.parse(Buffer.from(bytes).toString('utf8')));
  } catch {
    return null;
  }
}

function namesInInputs(
  value: JsonValue,
): { readonly configuration: string; readonly bytes: readonly string[] } | 'later' | null {
  if (!isObject(value)) return null;
  if (areOfLaterVersion(value)) return 'later';
  const { inputs, configuration } = value;
  if (inputs === undefined || !isDigest(configuration)) return null;
  const bytes = digestsIn(inputs);
  return bytes === null ? null : { configuration, bytes };
}

function digestsIn(value: JsonValue): readonly string[] | null {
  const named = namedBytes(value);
  return named.every(isDigest) ? named : null;
}
