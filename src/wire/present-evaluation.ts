import type { Evaluation } from '../core/evaluation.js';
import { partNode, policyNode } from './present-explanation.js';
import type { Schemas } from './schema-check.js';

/** What a policy came to that was tried, as the answer to /policies:evaluate has it. */
export function presentEvaluation({ outcome, matched, unmatched, because }: Evaluation): Schemas['Evaluation'] {
  const explanation =
    'part' in because ? partNode(because.part) : policyNode('the policy that was tried', outcome, because.checks);
  return { outcome, matched, unmatched, explanation };
}
