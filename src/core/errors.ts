import type { MalformedCode, ProblemCode } from './codes.js';
import { type PlacedProblem, placedText } from './places.js';

/**
 * Bytes that do not have the form they must have. In a request this is a 400 with `code`; material that was
 * fetched, cached or configured turns it into the code of its source.
 *
 * Messages are lower case, without period and without bytes of the evidence: they may be shown to the caller.
 */
export class FormatError extends Error {
  override readonly name = 'FormatError';
  readonly code: MalformedCode;
  /** JSON pointer of the member that carried the bytes, where known. */
  readonly pointer: string | null;

  constructor(code: MalformedCode, message: string, options: { pointer?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.pointer = options.pointer ?? null;
  }

  /** The same error, said of a place in the request. A place that is already known is kept. */
  at(pointer: string): FormatError {
    return this.pointer === null ? new FormatError(this.code, this.message, { pointer, cause: this.cause }) : this;
  }
}

/** A request that is refused with another status than 400. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  readonly code: ProblemCode;
  readonly retryAfterSeconds: number | null;
  /** JSON pointer to the member of the request that is refused; null where it is none. */
  readonly pointer: string | null;
  /** Whether the connection is what is wrong, so that the same request may do over another one. */
  readonly endsConnection: boolean;

  constructor(
    code: ProblemCode,
    message: string,
    options: { retryAfterSeconds?: number; pointer?: string; endsConnection?: boolean; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.pointer = options.pointer ?? null;
    this.retryAfterSeconds = options.retryAfterSeconds ?? null;
    this.endsConnection = options.endsConnection ?? false;
  }
}

/** A configuration or policy that must not be served. The service does not start, or keeps what it has. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
  /** Everything that is wrong, each as `place: what`. */
  readonly problems: readonly string[];
  /** The same by their places. What is said without one is about the whole. */
  readonly placed: readonly PlacedProblem[];

  constructor(problems: readonly (string | PlacedProblem)[], options: { cause?: unknown } = {}) {
    const placed = problems.map((problem) => (typeof problem === 'string' ? { path: [], what: problem } : problem));
    const texts = placed.map(placedText);
    super(texts.join('; '), options.cause === undefined ? undefined : { cause: options.cause });
    this.problems = texts;
    this.placed = placed;
  }
}

/**
 * Waits for several readings, each whatever becomes of the others.
 * @throws {ConfigurationError} with everything that is wrong with any of them
 */
export async function allOrProblems<T>(readings: readonly Promise<T>[]): Promise<readonly T[]> {
  const outcomes = await Promise.allSettled(readings);
  const errors = outcomes.flatMap((outcome): unknown[] => (outcome.status === 'rejected' ? [outcome.reason] : []));
  if (errors.length === 0) return Promise.all(readings);
  const [decisive = errors[0]] = errors.filter((error) => !(error instanceof ConfigurationError));
  if (errors.length === 1 || !(decisive instanceof ConfigurationError)) throw decisive;
  throw new ConfigurationError(errors.flatMap((error) => (error instanceof ConfigurationError ? error.placed : [])));
}

/** Material from elsewhere than a request that cannot be read, does not verify, or is not what was looked for. */
export class UnfitError extends Error {
  override readonly name = 'UnfitError';
}

/** A challenge of a server that has been restarted, or replaced, since: nobody knows whether it was used. */
export class VoidChallengeError extends Error {
  override readonly name = 'VoidChallengeError';
}

/**
 * The message of what was thrown, which need not be an error. A name that has several addresses, none of which answers, makes an error
 * without a message of its own.
 */
export function messageOf(thrown: unknown): string {
  if (thrown instanceof AggregateError && thrown.message === '') return thrown.errors.map(messageOf).join('; ');
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** Runs a parse and says of which place in the request its FormatError speaks. */
export function within<T>(pointer: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw error instanceof FormatError ? error.at(pointer) : error;
  }
}

/** Runs a parse whose failure is a finding and no malformed request: null where the bytes do not have their form. */
export function nullIfMalformed<T>(parse: () => T): T | null {
  try {
    return parse();
  } catch (error) {
    if (error instanceof FormatError) return null;
    throw error;
  }
}

/**
 * Reads material from elsewhere than the request: there, bytes without their form are unfit.
 * @throws {UnfitError} where the bytes are malformed
 */
export function unfitIfMalformed<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof FormatError ? new UnfitError(error.message, { cause: error }) : error;
  }
}
