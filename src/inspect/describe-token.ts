import { parseClaimsSet, parseJws } from '../formats/jws.js';
import type { JsonObject, JsonValue } from '../model/json.js';
import { type FieldDescription, type StructureDescription, textField } from './field-description.js';

/** Claims whose meaning is not in their name (RFC 7519, section 4.1; Microsoft, Azure Attestation claim sets). */
const MEANINGS: ReadonlyMap<string, string> = new Map([
  ['jku', 'where the token says that its keys are: never followed'],
  ['nonce', 'an echo of the request for the token: proves nothing'],
  ['x-ms-policy-hash', 'the policy under which it was issued'],
]);

/**
 * Header and claims of a token.
 * @throws {FormatError} as `parseJws` and `parseClaimsSet`
 */
export function describeToken(token: string, about: string): readonly StructureDescription[] {
  const { header, payload, signature } = parseJws(token);
  const signed = textField('signature length', signature.byteLength, 'bytes');
  return [
    { name: 'JOSE header', about, start: null, length: token.indexOf('.'), fields: [...fieldsOf(header), signed] },
    { name: 'claims', about, start: null, length: payload.byteLength, fields: fieldsOf(parseClaimsSet(payload)) },
  ];
}

function fieldsOf(object: JsonObject): readonly FieldDescription[] {
  return Object.entries(object).map(([name, value]) =>
    textField(name, value, MEANINGS.get(name) ?? instantOf(name, value)),
  );
}

function instantOf(name: string, value: JsonValue): string | null {
  if (!['exp', 'iat', 'nbf'].includes(name) || typeof value !== 'number') return null;
  const instant = new Date(value * 1000);
  return Number.isNaN(instant.getTime()) ? null : instant.toISOString();
}
