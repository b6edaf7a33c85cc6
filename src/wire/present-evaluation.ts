import type { Evaluation } from '../core/evaluation.js';
import { partNode, policyNode } from './present-explanation.js';
import type { Schemas } from './schema-check.js';

/** Formats the result of a policy evaluation for the answer to /policies:evaluate. */
export function presentEvaluation({ outcome, matched, unmatched, because }: Evaluation): Schemas['Evaluation'] {
  const explanation =
    'part' in because ? partNode(because.part) : policyNode('the policy that was tried', outcome, because.checks);
  return { outcome, matched, unmatched, explanation };
}
