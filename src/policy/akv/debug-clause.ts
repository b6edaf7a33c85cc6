import type { PolicyProblem } from '../document/policy-problem.js';
import { ISOLATION, TRUST_AUTHORITY_TD } from './maa-claims.js';
import type { ClaimCondition, Condition, ReleaseAuthority } from './policy-tree.js';
import { kindsOf, nameInTee, type TokenKind } from './token-kinds.js';

const SNP_DEBUG = 'x-ms-sevsnpvm-is-debuggable';
const TDX_DEBUG = 'tdx_td_attributes_debug';

/** Claims that are true if the TEE can be debugged. The claims of SGX exist only at the top level. */
const DEBUG_FLAGS: ReadonlySet<string> = new Set([
  ...[SNP_DEBUG, TDX_DEBUG, 'x-ms-sgx-is-debuggable', 'is-debuggable'],
  // Trust Authority has two claims for debug of a TD.
  'tdx_is_debuggable',
]);

/**
 * Reports an entry that a TEE in debug mode can meet. The compliance status does not exclude debug: it only identifies
 * the paravisor as Azure's.
 *
 * @param isOfTrustAuthority whether the authority is a Trust Authority and not an Azure Attestation instance
 */
export function lintDebug({ pointer, group }: ReleaseAuthority, isOfTrustAuthority: boolean): readonly PolicyProblem[] {
  if (refusesDebug(group)) return [];
  const instead = isOfTrustAuthority ? OF_TRUST_AUTHORITY : remedy(group);
  return [{ code: 'akv_no_debug', pointer, message: `no condition refuses a TEE that can be debugged: ${instead}` }];
}

const OF_TRUST_AUTHORITY = `add ${refusal(`${TRUST_AUTHORITY_TD}.${TDX_DEBUG}`)} to allOf`;

/** Whether every way to meet a condition refuses debug. */
function refusesDebug(condition: Condition): boolean {
  switch (condition.kind) {
    case 'claim':
      return isDebugRefusal(condition);
    case 'allOf':
      return condition.conditions.some(refusesDebug);
    case 'anyOf':
      return condition.conditions.every(refusesDebug);
  }
}

/** Counts claims at these paths only: the guest writes every claim in x-ms-runtime. */
function isDebugRefusal({ claim, operator, value }: ClaimCondition): boolean {
  const name = nameInTee(claim);
  if (name === 'dbgstat') return operator === 'equals' && value === 'disabled';
  if (!DEBUG_FLAGS.has(name)) return false;
  const text = String(value);
  return (operator === 'equals' && text === 'false') || (operator === 'notEquals' && text === 'true');
}

function remedy(group: Condition): string {
  const kinds = kindsNamed(group);
  const prefix = kinds.has('guest') ? `${ISOLATION}.` : '';
  const snp = refusal(prefix + SNP_DEBUG);
  const tdx = refusal(prefix + TDX_DEBUG);
  if (kinds.has('sevsnpvm') && !kinds.has('tdxvm')) return `add ${snp} to allOf`;
  if (kinds.has('tdxvm') && !kinds.has('sevsnpvm')) return `add ${tdx} to allOf`;
  return `add ${snp} for SEV-SNP and ${tdx} for TDX, in branches of anyOf where both are accepted`;
}

function refusal(claim: string): string {
  return `{ "claim": "${claim}", "equals": false }`;
}

/** The kinds of token that a condition, or one inside it, names. */
function kindsNamed(condition: Condition): ReadonlySet<TokenKind> {
  if (condition.kind === 'claim') return new Set(kindsOf(condition));
  return new Set(condition.conditions.flatMap((each) => [...kindsNamed(each)]));
}
