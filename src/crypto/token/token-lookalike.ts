import type { TokenType } from '../../core/evidence.js';
import type { JsonValue } from '../../core/json.js';

/** The kind of issuer with such an `iss`, configured or not. */
const ISSUERS: readonly { readonly type: TokenType; readonly name: string; readonly iss: RegExp }[] = [
  { type: 'maa-token', name: 'Azure Attestation', iss: /^https:\/\/[^/]+\.attest\.azure\.[a-z]+$/ },
  {
    type: 'ita-token',
    name: 'Trust Authority',
    iss: /^(?:Intel Trust Authority|https:\/\/[^/]+\.trustauthority\.intel\.com)$/,
  },
];

/** The message about a token that was sent as another type. */
interface Lookalike {
  /** The end of a message; empty without such a likeness. */
  readonly hint: string;
  /** The probable type of the token, as a check shows it. */
  readonly looksLike: { readonly type: TokenType } | null;
}

/** Only a hint: it accepts no token, and repeats nothing of the unverified token. */
export function lookalike(iss: JsonValue | undefined, sentAs: TokenType | null): Lookalike {
  const other = ISSUERS.find(({ type, iss: form }) => type !== sentAs && typeof iss === 'string' && form.test(iss));
  if (other === undefined) return { hint: '', looksLike: null };
  const { name, type } = other;
  return { hint: `: it looks like a token of ${name}, which is sent as ${type}`, looksLike: { type } };
}
