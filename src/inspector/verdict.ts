import type { EvidenceType } from '../core/evidence.js';

/** The members of a decision that this module reads. */
interface Decided {
  readonly decision: string;
  readonly historical: boolean;
  readonly retryable: boolean;
  readonly reasons: readonly string[];
  readonly policies: readonly { readonly id: string }[];
  readonly evidence: { readonly type: string };
  readonly checks: readonly Finding[];
}

interface Finding {
  readonly id: string;
  readonly result: string;
  readonly detail: string;
  readonly expected: unknown;
  readonly actual: unknown;
  readonly remedy: string | null;
  readonly about: string;
  readonly waived: boolean;
}

/** A reason, with its check: null if the answer does not list it. */
export interface Reason {
  readonly code: string;
  readonly check: Finding | null;
}

const EVIDENCE_NAMES: { readonly [type in EvidenceType]: string } = {
  snp: 'SEV-SNP evidence',
  tdx: 'TDX evidence',
  'az-snp-vtpm': 'evidence of an Azure confidential VM on SEV-SNP',
  'az-tdx-vtpm': 'evidence of an Azure confidential VM on TDX',
  tpm: 'evidence of a vTPM, which shows no confidential VM',
  'maa-token': 'a token of Azure Attestation',
  'ita-token': 'a token of Intel Trust Authority',
};

/** The decision in one sentence. */
export function verdictOf({ decision, historical, retryable, reasons, policies, evidence }: Decided): string {
  const what = (EVIDENCE_NAMES as { readonly [other: string]: string })[evidence.type] ?? 'this evidence';
  const whose = `policy ${policies.map(({ id }) => id).join(' and ') || '(none)'}`;
  const when = historical ? ' at a past instant, which releases nothing' : '';
  if (decision === 'allow') return `Allow: ${whose} accepts ${what}${when}.`;
  const count = reasons.length === 1 ? 'one reason' : `${reasons.length} reasons`;
  if (decision === 'deny') return `Deny: ${whose} refuses ${what}, for ${count}${when}.`;
  const again = retryable ? ' The same request may be decided later.' : '';
  return `Indeterminate: ${whose} could not be applied to ${what}, for ${count}${when}.${again}`;
}

/** The reasons in the order of the answer, each with the check that failed or could not be decided. */
export function reasonsOf({ reasons, checks }: Pick<Decided, 'reasons' | 'checks'>): readonly Reason[] {
  return reasons.map((code) => ({
    code,
    check: checks.find(({ id, result }) => id === code && (result === 'fail' || result === 'unavailable')) ?? null,
  }));
}

/** Findings that the policy tolerates, and that the page must show. */
export function warningsOf({ checks }: Pick<Decided, 'checks'>): readonly Finding[] {
  return checks.filter(({ result }) => result === 'warn');
}
