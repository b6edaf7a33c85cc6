import type { Configuration } from '../../config/configuration.js';
import { configurationProblem } from '../../config/configuration-problem.js';
import { DEFAULT_TENANT } from '../../config/tenants.js';
import type { LintProblem } from '../../core/lint-problem.js';
import type { KeyPath } from '../../core/places.js';
import type { Clock } from '../../core/ports.js';
import type { EndingFile, NamedFile } from '../../endorsements/files/material-files.js';
import type { TlsMaterial } from '../../http/listener.js';
import { lintedIn } from '../../policy/lint/lint.js';
import type { CheckedPolicies } from './check-policies.js';
import { Endings } from './endings.js';
import { ProblemLog, type RecordFields } from './problem-log.js';

/** Objects that expire on a date, beside API keys. */
export interface EndingParts extends Pick<CheckedPolicies, 'files'> {
  readonly tls: TlsMaterial | null;
  /** Of the management listener. */
  readonly managementTls: Pick<TlsMaterial, 'cert'> | null;
  /** Certificates of `tpm.intermediates`, in DER, by the names of their files. */
  readonly akIssuers: readonly NamedFile[];
  /** CRLs of `amd.chains` and collateral of `intel.collateral`, as they are used at `at`. */
  readonly endorsements: (at: Date) => readonly EndingFile[];
}

/** The warnings of a start about objects that have expired, or expire soon. */
export function checkEndings(
  callers: Configuration['callers'],
  { tls, managementTls, akIssuers, endorsements, files }: EndingParts,
  clock: Clock,
): readonly LintProblem[] {
  const log = new ProblemLog((_severity, fields, message) => endingProblem(fields, message, files));
  const endings = new Endings({
    callers: () => callers,
    tls: () => tls,
    managementTls: () => managementTls,
    policies: () => files,
    akIssuers: () => akIssuers,
    endorsements,
    receiptKeys: () => [],
    clock,
    log,
  });
  endings.warn('access', 'akIssuers', 'endorsements', 'waivers');
  return log.problems;
}

function endingProblem(fields: RecordFields, message: string, files: EndingParts['files']): LintProblem {
  const { tenant = DEFAULT_TENANT, policy, pointer = '', check, approver } = fields;
  const { expires, caller, key, file, subject, issuer } = fields;
  const when = `${message} (${expires})`;
  if (policy !== undefined) {
    const name = files.find((each) => each.tenant === tenant && each.policy.id === policy)?.name ?? policy;
    const waived = `${check}, approved by ${approver}: ${when}`;
    return lintedIn(name, { code: 'expiry_near', pointer, message: waived });
  }
  const path = caller === undefined ? pathOfFile(key, file) : pathOfApiKey(caller, key);
  const about = caller === undefined ? `${file}: ${subject ?? issuer}: ` : '';
  return configurationProblem('config_expiry', { path, what: `${about}${when}` });
}

function pathOfApiKey(caller: string, key: string | undefined): KeyPath {
  return ['callers', caller, ...(key === 'next' ? ['next'] : []), 'expires'];
}

/** Of a folder of endorsements its key is named, of the listener the key of the file, of `tpm.intermediates` the file alone. */
function pathOfFile(key: string | undefined, file = ''): KeyPath {
  if (key !== undefined) return key.split('.');
  return file.startsWith('listen.') ? file.split('.') : ['tpm', 'intermediates'];
}
