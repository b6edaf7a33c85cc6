import { Ajv2020 } from 'ajv/dist/2020.js';
import { isObject, type JsonObject, type JsonValue } from '../model/json.js';

/** Id under which the components of openapi.yaml are known to Ajv. */
export const SCHEMA_ROOT = 'openapi';

/**
 * An Ajv that knows the given schemas as `openapi#/components/schemas/<name>`, each compiled when first asked for.
 * Nothing is coerced, removed or filled in: a request is what was sent.
 */
export function createAjv(schemas: JsonObject): Ajv2020 {
  const ajv = new Ajv2020({
    strict: true,
    strictRequired: false,
    discriminator: true,
    coerceTypes: false,
    removeAdditional: false,
    useDefaults: false,
    // Errors say of which schema and value they are: messages for people are made of both.
    verbose: true,
  });
  ajv.addVocabulary(['openapi', 'info', 'paths', 'components']);
  ajv.addSchema({ components: { schemas: withoutMappings(schemas) } }, SCHEMA_ROOT);
  return ajv;
}

/** `discriminator.mapping` is for readers and generators of openapi.yaml; Ajv refuses it. */
function withoutMappings(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(withoutMappings);
  if (!isObject(value)) return value;
  const members = Object.entries(value).map(([name, member]) => [
    name,
    name === 'discriminator' && isObject(member) ? { propertyName: member['propertyName'] } : withoutMappings(member),
  ]);
  return Object.fromEntries(members);
}
