import type { MalformedCode, ProblemCode } from './codes.js';
import { type PlacedProblem, placedText } from './places.js';

/**
 * Bytes do not have the required form. In a request this is a 400 with `code`; for material that was
 * fetched, cached or configured, it becomes the code of its source.
 *
 * Messages are lower case, without period and without bytes of the evidence: they may be shown to the caller.
 */
export class FormatError extends Error {
  override readonly name = 'FormatError';
  readonly code: MalformedCode;
  /** JSON pointer of the member with the bytes, if known. */
  readonly pointer: string | null;

  constructor(code: MalformedCode, message: string, options: { pointer?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.pointer = options.pointer ?? null;
  }

  /** The same error for a place in the request. A known place is kept. */
  at(pointer: string): FormatError {
    return this.pointer === null ? new FormatError(this.code, this.message, { pointer, cause: this.cause }) : this;
  }
}

/** A rejected request with a status other than 400. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  readonly code: ProblemCode;
  readonly retryAfterSeconds: number | null;
  /** JSON pointer to the rejected member of the request; null if there is none. */
  readonly pointer: string | null;
  /** Whether the connection is at fault, so that the same request may succeed over another one. */
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

/** An unusable configuration or policy. The service does not start, or keeps the previous one. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
  /** All problems, each as `place: what`. */
  readonly problems: readonly string[];
  /** The problems with their places. A problem without a place concerns the whole. */
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
 * Waits for several reads, even after one has failed.
 * @throws {ConfigurationError} with the problems of all of them
 */
export async function allOrProblems<T>(readings: readonly Promise<T>[]): Promise<readonly T[]> {
  const outcomes = await Promise.allSettled(readings);
  const errors = outcomes.flatMap((outcome): unknown[] => (outcome.status === 'rejected' ? [outcome.reason] : []));
  if (errors.length === 0) return Promise.all(readings);
  const [decisive = errors[0]] = errors.filter((error) => !(error instanceof ConfigurationError));
  if (errors.length === 1 || !(decisive instanceof ConfigurationError)) throw decisive;
  throw new ConfigurationError(errors.flatMap((error) => (error instanceof ConfigurationError ? error.placed : [])));
}

/** Material from outside a request that is malformed, does not verify, or is not the expected one. */
export class UnfitError extends Error {
  override readonly name = 'UnfitError';
}

/** A challenge of a server that was restarted or replaced since: whether it was used is unknown. */
export class VoidChallengeError extends Error {
  override readonly name = 'VoidChallengeError';
}

/**
 * The message of a thrown value, which need not be an error. If a name has several addresses and none answers, Node throws an error
 * without a message of its own.
 */
export function messageOf(thrown: unknown): string {
  if (thrown instanceof AggregateError && thrown.message === '') return thrown.errors.map(messageOf).join('; ');
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** Runs a parser and adds a place in the request to its FormatError. */
export function within<T>(pointer: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw error instanceof FormatError ? error.at(pointer) : error;
  }
}

/** Runs a parser whose failure is a finding, not a malformed request: returns null for malformed bytes. */
export function nullIfMalformed<T>(parse: () => T): T | null {
  try {
    return parse();
  } catch (error) {
    if (error instanceof FormatError) return null;
    throw error;
  }
}

/**
 * Reads material from outside the request, where malformed bytes are unfit.
 * @throws {UnfitError} if the bytes are malformed
 */
export function unfitIfMalformed<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof FormatError ? new UnfitError(error.message, { cause: error }) : error;
  }
}
