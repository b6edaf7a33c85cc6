import { ConfigurationError } from '../../core/errors.js';

/** One kind of problem that `policy lint` and the loading of a policy report. */
interface PolicyProblemRow {
  /** The meaning of the problem. One sentence in lower case, without a period. */
  readonly meaning: string;
  /** `error`: the policy does not load, or, for a release policy, must not be used. */
  readonly severity: 'error' | 'warning';
  /** The remedy for the author. */
  readonly remedy: string;
}

export const POLICY_PROBLEMS = {
  policy_schema: {
    meaning: 'the text, or a member of it, is not what it must be',
    severity: 'error',
    remedy: 'Correct the member as the message says; docs/policy.md lists every member and its values.',
  },
  policy_member_unused: {
    meaning:
      'nothing that the policy accepts can consult the member, or the member keeps the policy from ever allowing',
    severity: 'error',
    remedy: 'Remove the member, or accept the evidence or token that it speaks of.',
  },
  rule_type: {
    meaning: 'the rule does not parse, names a claim that does not exist, or compares values of different types',
    severity: 'error',
    remedy: 'Correct the expression as the message says; docs/claims.md lists every claim and its type.',
  },
  rule_function: {
    meaning: 'the rule uses an operator, function or macro that rules do not have',
    severity: 'error',
    remedy: 'Write the rule with the operators and functions that docs/policy.md lists.',
  },
  rule_limit: {
    meaning: 'the rule, or all rules together, are longer or deeper than they may be',
    severity: 'error',
    remedy: 'Split the rule into several rules: all of them must be met.',
  },
  rule_always: {
    meaning:
      'the rule, or a comparison in it, is met whatever the evidence says, or rests on what the guest or whoever launched it writes',
    severity: 'error',
    remedy: 'Remove the rule, or compare a claim in it.',
  },
  rule_never: {
    meaning: 'the rule, or a comparison in it, cannot be met by any evidence, or not by evidence of some types',
    severity: 'error',
    remedy: 'Correct the rule: with it the policy never allows.',
  },
  akv_authority: {
    meaning: 'the authority is not an issuer of tokens that is relied on',
    severity: 'error',
    remedy:
      'Name a shared provider or an instance of maa.issuers, or, in a rule of a policy, an issuer of ita.issuers.',
  },
  akv_slash: {
    meaning: 'the authority ends in a slash, which the issuer of a token does not',
    severity: 'warning',
    remedy: 'Remove the slash at the end of the authority.',
  },
  akv_coerced: {
    meaning: 'the value is a text where the claim is a boolean or a number',
    severity: 'warning',
    remedy: 'Write the value as a JSON boolean or number, without quotation marks.',
  },
  akv_no_debug: {
    meaning: 'no condition refuses a TEE that can be debugged',
    severity: 'warning',
    remedy: 'Add a condition that the debug claim of the token equals false, as the message writes it.',
  },
  akv_path: {
    meaning: 'the path of the claim does not belong to the kind of token that the other conditions speak of',
    severity: 'warning',
    remedy: 'Write all paths for one kind of token: x-ms-isolation-tee.… for guest tokens, without it for others.',
  },
  akv_always: {
    meaning:
      'the condition holds for every token that has the claim, or for every one of some hosts, or rests on what the guest writes itself',
    severity: 'warning',
    remedy: 'Remove the condition, or compare the claim with the value that it must have.',
  },
  akv_never: {
    meaning: 'the condition cannot be met by any token, or not by tokens of some hosts',
    severity: 'error',
    remedy: 'Correct the condition as the message says: while it is not met, the authority allows no release.',
  },
  boot_unpinned: {
    meaning: 'nothing in the policy, or in one of its sets of reference values, says what the VM boots',
    severity: 'warning',
    remedy: 'Require Secure Boot, or pin the boot in referenceValues; veritee policy learn writes them.',
  },
  launch_only_paravisor: {
    meaning: 'the launch measurement that is pinned measures the paravisor alone, and not what the VM boots',
    severity: 'warning',
    remedy:
      'Pin PCRs or the boot as well: on Azure the launch measurement changes when Microsoft updates the paravisor.',
  },
  token_issuer_unnamed: {
    meaning: 'the configuration accepts tokens of several issuers, and the policy does not say of which',
    severity: 'warning',
    remedy: 'List the issuers whose tokens count in require.maa.issuers or require.ita.issuers.',
  },
  snp_floor_low: {
    meaning: 'a minimum is below the first firmware without a published flaw',
    severity: 'warning',
    remedy: 'Raise the minimum to the one that AMD publishes.',
  },
  release_unpinned: {
    meaning:
      'the policy has all else that the release of a key needs, and pins neither what the VM runs nor which machine it is',
    severity: 'error',
    remedy:
      'Pin code or machine as docs/key-release.md lists, or write anyMachine: true at the key: then any VM that the policy allows gets it.',
  },
  release_firmware_only: {
    meaning: 'the policy has all else that the release of a key needs, and pins firmware alone, which many VMs have',
    severity: 'warning',
    remedy: 'Pin what the VM boots as well: docs/key-release.md lists what counts.',
  },
  launcher_word: {
    meaning: 'whoever launches the VM chooses every value that is pinned',
    severity: 'warning',
    remedy:
      'Pin the launch measurement or the key that signs it, or a machine; behind a paravisor write paravisor: known.',
  },
  host_data_open_policy: {
    meaning: 'the HOST_DATA that is accepted is that of a published policy with which a guest starts any container',
    severity: 'warning',
    remedy: 'Write a policy that lists the containers of the workload, and pin its SHA-256.',
  },
  expiry_near: {
    meaning: 'a waiver or date has ended, or ends within 30 days',
    severity: 'warning',
    remedy: 'Update the platform, so that the waiver is no longer needed, or have it approved again with a new date.',
  },
} as const satisfies { readonly [code: string]: PolicyProblemRow };

export type PolicyProblemCode = keyof typeof POLICY_PROBLEMS;

/** One problem of a policy. */
export interface PolicyProblem {
  readonly code: PolicyProblemCode;
  /** JSON pointer of the member; empty for the whole document. */
  readonly pointer: string;
  /** Line in the text, if known. */
  readonly line?: number;
  /** Lower case, without period. */
  readonly message: string;
  /** Replaces the severity of the code. */
  readonly severity?: 'warning';
  /** Replaces the remedy of the code. */
  readonly remedy?: string;
}

/** A policy text that does not load. */
export class PolicyError extends ConfigurationError {
  readonly policyProblems: readonly PolicyProblem[];

  constructor(policyProblems: readonly PolicyProblem[], options: { cause?: unknown } = {}) {
    super(policyProblems.map(problemText), options);
    this.policyProblems = policyProblems;
  }
}

export function schemaProblem(pointer: string, message: string): PolicyProblem {
  return { code: 'policy_schema', pointer, message };
}

/** A problem of a member of a release policy, alone or in a rule. */
export function releaseSchemaProblem(pointer: string, message: string): PolicyProblem {
  const remedy =
    'Correct the member as the message says; docs/release-policies.md has the grammar of release policies.';
  return { ...schemaProblem(pointer, message), remedy };
}

/** A problem of a text that cannot be parsed. */
export function textProblem(message: string, line: number | null): PolicyProblem {
  const remedy = 'Correct the text as the message says; its members were not looked at.';
  return { ...schemaProblem('', message), ...(line === null ? {} : { line }), remedy };
}

export function unusedMember(pointer: string, message: string): PolicyProblem {
  return { code: 'policy_member_unused', pointer, message };
}

/** Formats a problem for logs and the command line: `line N: place: message (code)`. */
function problemText({ code, pointer, line, message }: PolicyProblem): string {
  if (line === undefined) return `${pointer || 'document'}: ${message} (${code})`;
  return `line ${line}: ${pointer === '' ? '' : `${pointer}: `}${message} (${code})`;
}
