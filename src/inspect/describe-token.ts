import type { JsonObject, JsonValue } from '../core/json.js';
import { decodeBase64 } from '../formats/base64.js';
import { parseClaimsSet, parseJws } from '../formats/jws.js';
import { type FieldDescription, type StructureDescription, textField } from './field-description.js';
import { memberFields } from './json-members.js';

/** Claims whose name does not explain them (RFC 7519, section 4.1; Microsoft, Azure Attestation claim sets). */
const MEANINGS: ReadonlyMap<string, string> = new Map([
  ['jku', 'where the token says that its keys are: never followed'],
  ['nonce', 'an echo of the request for the token: proves nothing'],
  ['x-ms-policy-hash', 'the policy under which it was issued'],
]);

/**
 * Describes header and claims of a token, with the places of their members in the decoded parts.
 * @throws {FormatError} as `parseJws` and `parseClaimsSet`
 */
export function describeToken(token: string, about: string): readonly StructureDescription[] {
  const { header, payload, signature } = parseJws(token);
  const [encoded = ''] = token.split('.');
  const headerText = decodeBase64(encoded);
  const signed = textField('signature length', signature.byteLength, 'bytes');
  const claims = fieldsOf(payload, parseClaimsSet(payload));
  return [
    {
      name: 'JOSE header',
      about,
      start: null,
      length: headerText.byteLength,
      fields: [...fieldsOf(headerText, header), signed],
    },
    { name: 'claims', about, start: null, length: payload.byteLength, fields: claims },
  ];
}

function fieldsOf(text: Uint8Array, object: JsonObject): readonly FieldDescription[] {
  return memberFields(text, object).map((field) => ({
    ...field,
    meaning: MEANINGS.get(field.name) ?? timeClaimText(field.name, field.value),
  }));
}

function timeClaimText(name: string, value: JsonValue): string | null {
  if (!['exp', 'iat', 'nbf'].includes(name) || typeof value !== 'number') return null;
  const instant = new Date(value * 1000);
  return Number.isNaN(instant.getTime()) ? null : instant.toISOString();
}
