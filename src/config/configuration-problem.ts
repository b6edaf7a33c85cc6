import { jsonPointer } from '../core/json.js';
import type { LintProblem } from '../core/lint-problem.js';
import type { PlacedProblem } from '../core/places.js';

type Row = Pick<LintProblem, 'severity' | 'remedy'> & {
  /** The meaning of the problem, as one sentence: lower case, no period. */
  readonly meaning: string;
};

/** Kinds of problems of a configuration, as `veritee check` reports them. An error stops the start of the service. */
export const CONFIGURATION_PROBLEMS = {
  config_schema: {
    meaning: 'the file, a key or a value is not what it must be',
    severity: 'error',
    remedy: 'Correct the key as the message says; docs/configuration.md lists every key and its values.',
  },
  config_file: {
    meaning: 'a file that is configured is missing, cannot be read, or is not what it must be',
    severity: 'error',
    remedy:
      "Correct the path, the file or its permissions, so that the service's user can read it. A relative path counts from the folder in which the command runs.",
  },
  config_permission: {
    meaning: 'a file that the service has to create cannot be created',
    severity: 'error',
    remedy: "Let the service's user write the folder, or configure another one.",
  },
  config_missing: {
    meaning: 'a folder or file that is configured is missing or cannot be read; the service starts without it',
    severity: 'warning',
    remedy: 'Correct the path or the permissions, or remove the key.',
  },
  config_unused: {
    meaning: 'a file in a configured folder is not used',
    severity: 'warning',
    remedy: 'Replace the file as the message says, or remove it from the folder.',
  },
  config_data: {
    meaning: 'what the service fetches and remembers cannot be written to disk',
    severity: 'warning',
    remedy: "Let the service's user write the folder, or set stores.url to a file in a folder that it can write.",
  },
  config_readable: {
    meaning: 'a file that holds a secret can be read by every user of the machine',
    severity: 'warning',
    remedy: 'Take the permission to read from others: chmod o-r FILE.',
  },
  config_expiry: {
    meaning: 'an API key, a certificate or a CRL has expired or expires within 30 days, or TDX collateral within 7',
    severity: 'warning',
    remedy: 'Replace it before it expires; remove an expired one unless past verification times need it.',
  },
  config_setting: {
    meaning: 'the value is allowed, and means more or less than it seems to',
    severity: 'warning',
    remedy: 'Change the value, unless it is meant so.',
  },
} as const satisfies { readonly [code: string]: Row };

export type ConfigurationProblemCode = keyof typeof CONFIGURATION_PROBLEMS;

/** Makes a problem of a configuration, in the form of policy problems. */
export function configurationProblem(code: ConfigurationProblemCode, { path, what }: PlacedProblem): LintProblem {
  const { severity, remedy } = CONFIGURATION_PROBLEMS[code];
  return { code, pointer: jsonPointer(path), message: what, remedy, severity };
}
