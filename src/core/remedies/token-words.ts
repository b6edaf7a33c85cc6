import type { FilledRemedy, Finding } from '../checks/row.js';
import { isObject, type JsonValue } from '../json.js';
import { changedPolicy, value } from './words.js';

/** If a token was sent with the type of another verifier, the remedy names the right type. */
export function unlessLookalike(remedy: FilledRemedy): FilledRemedy {
  return (finding) => {
    const type = isObject(finding.actual) ? finding.actual['type'] : undefined;
    return typeof type === 'string' ? `The caller should send the token with the type ${type}.` : remedy(finding);
  };
}

export function tokenTime({ expected, actual }: Finding): string {
  const times = isObject(actual) ? actual : {};
  const [from, until] = [instantOf(times['nbf'] ?? times['iat']), instantOf(times['exp'])];
  const window = until === null ? '' : ` (this one is valid ${from === null ? '' : `from ${from} `}until ${until})`;
  return `The caller should send a token that is valid at ${value(expected, 'the verification time')}${window}, or the operator should correct this service's clock if the token is current.`;
}

/** Formats seconds since 1970; null if they are no instant. */
function instantOf(seconds: JsonValue | undefined): string | null {
  const instant = new Date(typeof seconds === 'number' ? seconds * 1000 : Number.NaN);
  return Number.isNaN(instant.getTime()) ? null : instant.toISOString();
}

export function issuer(finding: Finding): string {
  const { actual, policy, setting } = finding;
  return policy === null
    ? `The operator should add the issuer that the token names in iss to ${setting ?? 'maa.issuers or ita.issuers'} if it is to be accepted.`
    : `The operator should add ${value(actual, 'the issuer')} to ${setting ?? 'the required issuers'} of ${changedPolicy(finding)} if it is to be accepted.`;
}

/** The alternative for the operator, as the end of a sentence; empty if the policy could not name the value. */
export function orAccept(finding: Finding, canBeListed: boolean): string {
  const { actual, setting = 'what is required' } = finding;
  const said = value(actual, '');
  return canBeListed && said !== ''
    ? `, or the operator should add ${said} to ${setting} of ${changedPolicy(finding)}`
    : '';
}

/** The hash of the policy is listed already, but its signer is missing. */
export function policySigner(signer: JsonValue | undefined): string {
  return typeof signer === 'string'
    ? `The operator should add ${value(signer, 'the signer')} to policySigner of this issuer (maa.issuers[]) if whoever signed the policy is trusted with it.`
    : 'The operator should have the policy of this issuer signed by a signer that policySigner lists, because the token names none.';
}

export function audience({ actual }: Finding): string {
  const named = value(actual, '');
  return `The caller should send a token without an audience (aud${named === '' ? '' : ` is ${named}`}), because this service has no name that an audience could be.`;
}

/** @param member the policy's list of accepted statuses */
export function lowTokenStatus(verifier: string, member: string): FilledRemedy {
  return (finding) => {
    const { actual, policy, result } = finding;
    if (actual === 'Revoked') {
      return "The machine's owner should update its firmware, because Intel has revoked this TCB and no policy can accept it.";
    }
    if (policy === null) {
      return 'The caller should get a token that states a TCB status which Intel defines, because no policy can accept any other.';
    }
    const update = `The machine's owner should update its firmware until ${verifier} calls it UpToDate and not ${value(actual, 'anything else')}`;
    return result === 'warn'
      ? `${update}, and the operator should list in ${member} of ${changedPolicy(finding)} which statuses pass.`
      : `${update}, or the operator should add that status to ${member} of ${changedPolicy(finding)} or waive it there.`;
  };
}
