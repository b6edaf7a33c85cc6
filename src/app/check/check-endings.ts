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
import { type EndingFields, expiring } from './endings.js';

/** Objects that expire on a date, without API keys. */
export interface EndingParts extends Pick<CheckedPolicies, 'files'> {
  readonly tls: TlsMaterial | null;
  /** Of the management listener. */
  readonly managementTls: Pick<TlsMaterial, 'cert'> | null;
  /** Certificates of `tpm.intermediates`, in DER, by the names of their files. */
  readonly akIssuers: readonly NamedFile[];
  /** CRLs of `amd.chains` and collateral of `intel.collateral`, as used at `at`. */
  readonly endorsements: (at: Date) => readonly EndingFile[];
}

/** The warnings of a start about objects that have expired, or expire soon. */
export function checkEndings(
  callers: Configuration['callers'],
  { tls, managementTls, akIssuers, endorsements, files }: EndingParts,
  clock: Clock,
): readonly LintProblem[] {
  const sources = {
    callers: () => callers,
    tls: () => tls,
    managementTls: () => managementTls,
    policies: () => files,
    akIssuers: () => akIssuers,
    endorsements,
    receiptKeys: () => [],
  };
  const groups = ['access', 'akIssuers', 'endorsements', 'waivers'] as const;
  return expiring(sources, clock.now(), groups).map(({ fields, message }) =>
    endingProblem(fields, `${message} (${fields.expires})`, files),
  );
}

function endingProblem(fields: EndingFields, what: string, files: EndingParts['files']): LintProblem {
  if ('policy' in fields) {
    const { tenant = DEFAULT_TENANT, policy, pointer, check, approver } = fields;
    const name = files.find((each) => each.tenant === tenant && each.policy.id === policy)?.name ?? policy;
    return lintedIn(name, { code: 'expiry_near', pointer, message: `${check}, approved by ${approver}: ${what}` });
  }
  const about = 'file' in fields ? `${fields.file}: ${'subject' in fields ? fields.subject : fields.issuer}: ` : '';
  return configurationProblem('config_expiry', { path: pathOf(fields), what: `${about}${what}` });
}

/**
 * A warning names the configuration key of an endorsement folder, or the key of the listener's file. It names only the
 * file in `tpm.intermediates`.
 */
function pathOf(fields: Exclude<EndingFields, { readonly policy: string }>): KeyPath {
  if ('caller' in fields) return ['callers', fields.caller, ...(fields.key === 'next' ? ['next'] : []), 'expires'];
  if ('key' in fields) return fields.key.split('.');
  return fields.file.startsWith('listen.') ? fields.file.split('.') : ['tpm', 'intermediates'];
}
