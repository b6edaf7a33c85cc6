import type { RESULT_CHECKS } from '../checks/results.js';
import type { Finding, RemediesOf } from '../checks/row.js';
import type { JsonValue } from '../json.js';
import { changedPolicy, faultsOf, value } from './words.js';

/** The setting that configures fetching tokens of a route. */
const SUBMIT: ReadonlyMap<JsonValue, string> = new Map([
  ['maa', 'maa.submit'],
  ['ita', 'ita.submit'],
]);

export const RESULT_REMEDIES = {
  disagreement: (finding) => {
    const { expected, actual } = finding;
    if (expected === 'hardware') {
      return 'The operator should find out why that verifier refuses the evidence, because its policy or the machine has to change.';
    }
    return expected !== null && actual === null
      ? `The caller should send a token that states ${faultsOf(finding, 'this claim')} (Azure Attestation states runtime claims that it was sent as JSON).`
      : `The caller should send evidence and tokens of the same VM, from the same boot${because(finding)}.`;
  },
  route_missing: missingRoute,
} satisfies RemediesOf<typeof RESULT_CHECKS>;

function because(finding: Finding): string {
  const claims = faultsOf(finding, '');
  return claims === '' ? '' : `, because they differ in ${claims}`;
}

function missingRoute(finding: Finding): string {
  const { expected, actual } = finding;
  const send = `The caller should send a token for the route ${value(expected, 'that the policy requires')} in attestationResults`;
  switch (actual) {
    case 'not asked':
      return `${send}, because the service asks for none at a verification time in the past, or about evidence that fails a check.`;
    case 'never fetched':
      return `${send}, because the service fetches none where the evidence itself is a token.`;
    case 'never issued':
      return `The operator should take routes.ita: required out of ${changedPolicy(finding)} for SEV-SNP evidence, because Intel Trust Authority issues no tokens about it.`;
    default:
      return `${send}, or the operator should configure the service to fetch one (${SUBMIT.get(expected) ?? 'maa.submit, ita.submit'}).`;
  }
}
