import type { TokenType } from '../model/evidence.js';
import type { JsonValue } from '../model/json.js';

/** Whose tokens have such an `iss`, whether it is configured or not. */
const ISSUERS: readonly { readonly type: TokenType; readonly name: string; readonly iss: RegExp }[] = [
  { type: 'maa-token', name: 'Azure Attestation', iss: /^https:\/\/[^/]+\.attest\.azure\.[a-z]+$/ },
  {
    type: 'ita-token',
    name: 'Trust Authority',
    iss: /^(?:Intel Trust Authority|https:\/\/[^/]+\.trustauthority\.intel\.com)$/,
  },
];

/**
 * How a message goes on where a token was sent as one of another verifier; empty where it does not look so. Nothing
 * is accepted by it, and nothing that the token says is repeated: its signature has not been verified.
 */
export function lookalikeHint(iss: JsonValue | undefined, sentAs: TokenType): string {
  if (typeof iss !== 'string') return '';
  const other = ISSUERS.find(({ type, iss: form }) => type !== sentAs && form.test(iss));
  return other === undefined ? '' : `: it looks like a token of ${other.name}, which is sent as ${other.type}`;
}
