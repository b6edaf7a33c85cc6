import type { FilledRemedy, Finding, RemediesOf } from '../core/checks/row.js';
import type { CheckId } from '../core/checks/tables.js';
import { CERTIFICATE_REMEDIES } from '../core/remedies/certificates.js';
import { EVENT_LOG_REMEDIES } from '../core/remedies/event-log.js';
import { FRESHNESS_REMEDIES } from '../core/remedies/freshness.js';
import { CRL_OUT_OF_REACH_REMEDIES, OUT_OF_REACH_REMEDIES } from '../core/remedies/out-of-reach.js';
import { POLICY_REMEDIES } from '../core/remedies/policy.js';
import { RELEASE_REMEDIES } from '../core/remedies/release.js';
import { RESULT_REMEDIES } from '../core/remedies/results.js';
import { SERVICE_REMEDIES } from '../core/remedies/service.js';
import { TOKEN_REMEDIES } from '../core/remedies/tokens.js';
import { WARNING_REMEDIES } from '../core/remedies/warnings.js';
import { AZURE_REMEDIES, AZURE_WARNINGS_REMEDIES } from './azure/checks/remedies.js';
import { ITA_REMEDIES } from './ita/checks/remedies.js';
import { MAA_REMEDIES } from './maa/checks/remedies.js';
import { SNP_OUT_OF_REACH_REMEDIES, SNP_REMEDIES, SNP_WARNINGS_REMEDIES } from './snp/checks/remedies.js';
import { TDX_OUT_OF_REACH_REMEDIES, TDX_REMEDIES, TDX_WARNINGS_REMEDIES } from './tdx/checks/remedies.js';
import { TPM_REMEDIES } from './tpm/checks/remedies.js';

/** The remedy of every check. Separate from the rows, because verification and appraisal do not read remedies. */
export const REMEDIES = {
  ...SERVICE_REMEDIES,
  ...CERTIFICATE_REMEDIES,
  ...SNP_REMEDIES,
  ...TDX_REMEDIES,
  ...AZURE_REMEDIES,
  ...TPM_REMEDIES,
  ...EVENT_LOG_REMEDIES,
  ...TOKEN_REMEDIES,
  ...MAA_REMEDIES,
  ...ITA_REMEDIES,
  ...RESULT_REMEDIES,
  ...FRESHNESS_REMEDIES,
  ...POLICY_REMEDIES,
  ...RELEASE_REMEDIES,
  ...SNP_OUT_OF_REACH_REMEDIES,
  ...CRL_OUT_OF_REACH_REMEDIES,
  ...TDX_OUT_OF_REACH_REMEDIES,
  ...OUT_OF_REACH_REMEDIES,
  ...SNP_WARNINGS_REMEDIES,
  ...AZURE_WARNINGS_REMEDIES,
  ...TDX_WARNINGS_REMEDIES,
  ...WARNING_REMEDIES,
} satisfies RemediesOf<Record<CheckId, unknown>>;

/**
 * Returns the remedy for a check that did not pass, in one sentence, for the operator, the guest's owner or the caller.
 * Returns null if the check passed or did not run.
 */
export function remedyOf(check: Finding & { readonly id: CheckId }): string | null {
  if (check.result !== 'fail' && check.result !== 'warn' && check.result !== 'unavailable') return null;
  if (check.remedy !== undefined) return check.remedy;
  const remedy: string | FilledRemedy = REMEDIES[check.id];
  return typeof remedy === 'string' ? remedy : remedy(check);
}
