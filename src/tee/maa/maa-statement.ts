import type { Checks } from '../../core/check.js';
import { isObject, type JsonObject } from '../../core/json.js';
import { MAA_ATTESTATION_TYPES, type MaaAttestationType, misspeltCompliance } from '../../core/maa-words.js';
import { type Shape, shapeProblem, TDX_SHAPES } from '../shared/tokens/claim-shapes.js';

/** TEEs in tokens of Azure Attestation, as in `x-ms-attestation-type`. */
export type MaaTee = Exclude<MaaAttestationType, 'azurevm'>;

/** The attested facts in a token, each member read from its exact path (Microsoft, Azure Attestation claim sets). */
export interface MaaStatement {
  /** `x-ms-attestation-type` of the token. */
  readonly attestationType: MaaAttestationType;
  readonly tee: MaaTee;
  /** The claims about the TEE: the token itself, or `x-ms-isolation-tee` in a guest attestation token. */
  readonly claims: JsonObject;
  /**
   * The runtime claims that the hardware vouches for: `x-ms-runtime` among the claims about the TEE; null if absent.
   */
  readonly runtime: JsonObject | null;
  /**
   * `x-ms-runtime` of a guest attestation token, which Azure sealed to the vTPM of that guest; null for other tokens.
   */
  readonly guestRuntime: JsonObject | null;
}

/** Types of the claims. Azure Attestation writes no other type, so a claim of another type is rejected. */
const SHAPES: ReadonlyMap<string, Shape> = new Map<string, Shape>([
  ['x-ms-compliance-status', 'string'],
  ['x-ms-runtime', 'object'],
  ['x-ms-sevsnpvm-authorkeydigest', 'string'],
  ['x-ms-sevsnpvm-bootloader-svn', 'number'],
  ['x-ms-sevsnpvm-familyId', 'string'],
  ['x-ms-sevsnpvm-guestsvn', 'number'],
  ['x-ms-sevsnpvm-hostdata', 'string'],
  ['x-ms-sevsnpvm-idkeydigest', 'string'],
  ['x-ms-sevsnpvm-imageId', 'string'],
  ['x-ms-sevsnpvm-launchmeasurement', 'string'],
  ['x-ms-sevsnpvm-microcode-svn', 'number'],
  ['x-ms-sevsnpvm-migration-allowed', 'boolean'],
  ['x-ms-sevsnpvm-reportdata', 'string'],
  ['x-ms-sevsnpvm-reportid', 'string'],
  ['x-ms-sevsnpvm-smt-allowed', 'boolean'],
  ['x-ms-sevsnpvm-snpfw-svn', 'number'],
  ['x-ms-sevsnpvm-tee-svn', 'number'],
  ['x-ms-sevsnpvm-vmpl', 'number'],
  ...TDX_SHAPES,
]);

/** A claim that identifies each TEE. A token about another TEE does not have it among these claims. */
const REPORT_DATA: { readonly [tee in MaaTee]: string } = {
  sevsnpvm: 'x-ms-sevsnpvm-reportdata',
  tdxvm: 'tdx_report_data',
};

/**
 * Reads the claims about the TEE. Fails for a token that is not about a confidential VM (SGX, TPM, or a Trusted Launch
 * VM, which has no `x-ms-isolation-tee`), and for a claim of a wrong type.
 */
export function readStatement(checks: Checks, claims: JsonObject): MaaStatement | null {
  const statement = statementOf(claims);
  const problem = typeof statement === 'string' ? statement : claimProblem(statement);
  checks.require(problem === null, 'token_claim_type', {
    expected: MAA_ATTESTATION_TYPES,
    actual: claims['x-ms-attestation-type'] ?? null,
    otherwise: problem ?? '',
    faults: problem === null ? [] : [problem],
  });
  return problem !== null || typeof statement === 'string' ? null : statement;
}

function statementOf(claims: JsonObject): MaaStatement | string {
  const type = claims['x-ms-attestation-type'];
  if (type === 'sevsnpvm' || type === 'tdxvm') {
    if (claims['x-ms-isolation-tee'] !== undefined) return `a ${type} token has x-ms-isolation-tee`;
    return { attestationType: type, tee: type, claims, runtime: runtimeOf(claims), guestRuntime: null };
  }
  if (type !== 'azurevm') return 'the token is about a kind of TEE that is not judged here';
  const isolation = claims['x-ms-isolation-tee'];
  if (!isObject(isolation)) return 'x-ms-isolation-tee is missing: the VM is not a confidential VM';
  const tee = isolation['x-ms-attestation-type'];
  if (tee !== 'sevsnpvm' && tee !== 'tdxvm') return 'x-ms-isolation-tee names a TEE that is not judged here';
  const guestRuntime = runtimeOf(claims);
  if (claims['x-ms-runtime'] !== undefined && guestRuntime === null) return 'x-ms-runtime has the wrong type';
  return { attestationType: type, tee, claims: isolation, runtime: runtimeOf(isolation), guestRuntime };
}

function runtimeOf({ 'x-ms-runtime': runtime }: JsonObject): JsonObject | null {
  return isObject(runtime) ? runtime : null;
}

function claimProblem({ tee, claims }: MaaStatement): string | null {
  if (claims[REPORT_DATA[tee]] === undefined) return `${REPORT_DATA[tee]} is missing`;
  const status = claims['x-ms-compliance-status'];
  if (typeof status === 'string' && misspeltCompliance(status) !== null)
    return 'x-ms-compliance-status is in the wrong case';
  return shapeProblem(claims, SHAPES);
}

/**
 * Requires that debugging is off. The debug claim must be the literal `false`: a missing claim, a string or a number
 * fails. If the token of a TD also has `dbgstat` (EAT), that must be `disabled`.
 */
export function verifyDebug(checks: Checks, { tee, claims }: MaaStatement): void {
  const value = claims[tee === 'sevsnpvm' ? 'x-ms-sevsnpvm-is-debuggable' : 'tdx_td_attributes_debug'] ?? null;
  const status = tee === 'tdxvm' ? (claims['dbgstat'] ?? 'disabled') : 'disabled';
  const compared = { expected: false, actual: value };
  if (value === true || status === 'enabled') {
    checks.fail('token_debug', compared);
  } else if (value !== false || status !== 'disabled') {
    const detail = 'the token does not say literally that debugging is off';
    checks.fail('token_debug_unknown', { ...compared, detail });
    checks.skip(['token_debug'], detail);
  } else {
    checks.pass('token_debug', compared);
  }
}

/** `x-ms-compliance-status` among the claims about the TEE; null if absent. */
export function complianceStatusOf({ claims }: MaaStatement): string | null {
  const status = claims['x-ms-compliance-status'];
  return typeof status === 'string' ? status : null;
}

/** `attester_tcb_status` of a TD; null if absent, and for an SEV-SNP VM. */
export function tcbStatusOf({ tee, claims }: MaaStatement): string | null {
  const status = tee === 'tdxvm' ? claims['attester_tcb_status'] : null;
  return typeof status === 'string' ? status : null;
}
