import { PolicyFileError } from '../files/policy-file.js';
import { ConfigurationError, messageOf, UnfitError } from '../model/errors.js';
import { isSystemError } from '../model/file-problem.js';
import { type GateCode, GateRefusal } from '../model/gate.js';
import type { PlacedProblem } from '../model/places.js';

/** What was thrown, as it goes to another process. */
export type TransferredFailure =
  | { readonly kind: 'configuration'; readonly problems: readonly PlacedProblem[] }
  | { readonly kind: 'unfit' | 'policy file' | 'other'; readonly message: string }
  | { readonly kind: 'gate'; readonly code: GateCode; readonly message: string }
  | { readonly kind: 'system'; readonly code: string; readonly syscall: string; readonly message: string };

export function failureOf(error: unknown): TransferredFailure {
  if (error instanceof ConfigurationError) return { kind: 'configuration', problems: error.placed };
  const message = messageOf(error);
  if (error instanceof GateRefusal) return { kind: 'gate', code: error.code, message };
  if (error instanceof UnfitError) return { kind: 'unfit', message };
  if (error instanceof PolicyFileError) return { kind: 'policy file', message };
  if (isSystemError(error)) return { kind: 'system', code: error.code, syscall: syscallOf(error), message };
  return { kind: 'other', message };
}

/** The error that stands for it here. */
export function thrownBy(failure: TransferredFailure): Error {
  switch (failure.kind) {
    case 'configuration':
      return new ConfigurationError(failure.problems);
    case 'gate':
      return new GateRefusal(failure.code, failure.message);
    case 'unfit':
      return new UnfitError(failure.message);
    case 'policy file':
      return new PolicyFileError(failure.message);
    case 'system': {
      const { code, syscall } = failure;
      return Object.assign(new Error(failure.message), { code, syscall });
    }
    case 'other':
      return new Error(failure.message);
  }
}

function syscallOf(error: Error): string {
  return 'syscall' in error ? String(error.syscall) : '';
}
