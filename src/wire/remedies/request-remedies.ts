import { looksLikeHex } from '../../formats/hex-like.js';
import { isObject, type JsonValue } from '../../model/json.js';
import { type Remedies, value } from './words.js';

export const REQUEST_REMEDIES = {
  internal_error: 'The caller should report the decision id to the operator, whose log names the fault.',
  deadline:
    'The caller should ask again, and where it happens often the operator should look for slow sources in the log or raise deadlineSeconds.',
  clock:
    'The operator should correct the clock of this machine, and the caller should ask again once /readyz answers 200.',
  nonce_mismatch: ({ expected }) =>
    wasHex(expected)
      ? 'The caller should send the nonce as base64url, because this one looks like hex, and the guest should make its evidence for the same bytes.'
      : 'The guest should make its evidence anew for the nonce, and the bound key, of this request.',
  nonce_used:
    'The caller should ask POST /challenges for another challenge, and the guest should make its evidence anew.',
  nonce_expired:
    'The caller should ask POST /challenges for another challenge, and send the evidence before its expiresAt.',
  nonce_scope:
    'The caller should ask POST /challenges for a challenge with the audience, policy and evidence type of this request.',
  nonce_missing: ({ expected }) =>
    expected === 'challenge'
      ? 'The caller should ask POST /challenges for a challenge, and send it as nonce with evidence that was made for it.'
      : 'The caller should send the nonce that the guest put into its evidence.',
  nonce_stale: 'The guest should write the nonce to NV index 0x01400002 before it reads its HCL report.',
  binding_missing: 'The caller should send binding.jwk with evidence that the guest made for nonce and key.',
  no_policy: 'The caller should name a policy, or the operator should configure one in policies.default.',
  policy_evidence_type: ({ expected }) =>
    `The caller should send evidence of a type that the policy accepts (${value(expected, 'see expected')}), or name another policy.`,
  rule_not_met: ({ expected }) =>
    `The operator should compare the rule ${value(expected, 'of the policy')} with the claims in this answer.`,
  reference_not_applicable:
    'The operator should add a set of reference values that applies to this evidence to the policy.',
  claim_missing: 'The caller should send evidence or a token that makes the claim which the policy asks for.',
  claim_type: ({ expected }) =>
    `The operator should compare the claim with a value of its own type in the policy: ${value(expected, 'see the detail')}.`,
  release_token_stale: 'The caller should get a token after the challenge was issued, and send it with that challenge.',
  release_other_vm: 'The caller should send a token of the same VM as the evidence.',
  release_key_unbound: 'The guest should bind the one key of its token to which the secret is to be wrapped.',
  release_refused: "The operator should compare the vault's release policy with the claims of the token.",
  release_warning: 'The operator should mend or waive every warning of this decision.',
  nonce_store:
    'The caller should ask for another challenge, and the operator should look in the log why the challenge store does not answer.',
  release_unavailable:
    'The caller should ask again with a new challenge, and the operator should look in the log why the vault does not answer.',
  audit_unavailable: 'The operator should look in the log why the decision could not be stored.',
} satisfies Remedies;

/** Whether the nonce was hex that has been read as base64. Fields of 64 bytes end in zeros, which it did not have. */
function wasHex(expected: JsonValue): boolean {
  const nonce = isObject(expected) ? expected['nonce'] : expected;
  if (typeof nonce !== 'string') return false;
  return looksLikeHex(Buffer.from(nonce.replace(/(?:00)+$/, ''), 'hex').toString('base64url'));
}
