import { styleText } from 'node:util';
import type { Check, CheckResult } from '../model/check.js';
import type { Decision, Outcome } from '../model/decision.js';

const OUTCOME_COLOUR = { allow: 'green', deny: 'red', indeterminate: 'yellow' } as const;

const RESULT_COLOUR: { readonly [result in CheckResult]: 'green' | 'red' | 'yellow' | 'gray' } = {
  pass: 'green',
  fail: 'red',
  warn: 'yellow',
  unavailable: 'yellow',
  skipped: 'gray',
  not_configured: 'gray',
};

/** A decision for people: what it is, why, and every check that ran. */
export function decisionTable(decision: Decision): string {
  return [
    `${headline(decision.decision)}  ${decision.evidence.type} ${decision.evidence.sha256.slice(0, 16)}${decision.historical ? '  (historical)' : ''}`,
    ...decision.policies.map((policy) => `policy    ${policy.id} version ${policy.version}: ${policy.outcome}`),
    ...(decision.reasons.length === 0 ? [] : [`reasons   ${decision.reasons.join(', ')}`]),
    `until     ${decision.validUntil.toISOString()}`,
    '',
    ...rows(decision.checks),
    '',
  ].join('\n');
}

function headline(outcome: Outcome): string {
  return styleText(['bold', OUTCOME_COLOUR[outcome]], outcome.toUpperCase().padEnd(8));
}

/** Checks that were not reached are many and say nothing each: they are counted. */
function rows(checks: readonly Check[]): readonly string[] {
  const ran = checks.filter(({ result }) => result !== 'skipped' && result !== 'not_configured');
  const width = Math.max(...ran.map(({ id }) => id.length), 0);
  const skipped = checks.length - ran.length;
  return [
    ...ran.map(({ id, result, detail }) => {
      const label = styleText(RESULT_COLOUR[result], result.padEnd(11));
      return `${label} ${id.padEnd(width)}  ${detail}`;
    }),
    ...(skipped === 0 ? [] : [styleText('gray', `${skipped} checks were not reached or not asked for`)]),
  ];
}
