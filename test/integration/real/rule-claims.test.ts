import { describe, expect, it } from 'vitest';
import { isObject, type JsonObject, type JsonValue } from '../../../src/core/json.js';
import type { ClaimType, ListType, ObjectType, ScalarType } from '../../../src/policy/cel/claim-type.js';
import { RULE_CLAIMS } from '../../../src/policy/cel/claim-types.js';
import { readGivenClaims } from '../../../src/policy/document/given-claims.js';
import { presentDecision } from '../../../src/wire/present-decision.js';
import { judge } from '../../judge.js';
import { haveVectors, readVector, type Vector, vectors } from '../../vectors.js';
import { azureCase, type Case, LOGS, logCase, type MakeCase, snpCase, tdCase, tokenCase } from './learning-cases.js';

/** The types of claims against the claims of real evidence: a rule on a genuine value must never be called impossible. */

/** In claims, and no claim of rules: the key that `binding` is about, and SGX, of which no evidence is accepted. */
const NO_CLAIM = /^(tpm\.certifiedKey\.jwk|ita\.claims\.sgx_\w+)$/;

/** Claims of which the table says something else than the evidence: none, where all is well. */
function disagreements(value: JsonValue, type: ClaimType | undefined, path: string): readonly string[] {
  if (value === null || NO_CLAIM.test(path)) return [];
  if (type === undefined) return [`${path} is not declared`];
  if (type.kind === 'list') return inList(value, type, path);
  if (type.kind === 'object') return inObject(value, type, path);
  return inScalar(value, type, path);
}

const NAME_OF = { bool: 'boolean', string: 'string' } as const;

function inScalar(value: JsonValue, { kind, form }: ScalarType, path: string): readonly string[] {
  const isOfType = kind === 'int' ? Number.isSafeInteger(value) : typeof value === NAME_OF[kind];
  if (!isOfType) return [`${path} is not of type ${kind}`];
  return form?.fits(String(value)) === false ? [`${path} is not ${form.what}`] : [];
}

function inList(value: JsonValue, { item }: ListType, path: string): readonly string[] {
  if (!Array.isArray(value)) return [`${path} is no list`];
  return value.flatMap((each, index) => disagreements(each, item, `${path}.${index}`));
}

function inObject(value: JsonValue, { members, others }: ObjectType, path: string): readonly string[] {
  if (!isObject(value)) return [`${path} is no object`];
  return Object.entries(value).flatMap(([name, member]) =>
    others?.notOfRules.has(name) === true ? [] : disagreements(member, members.get(name), `${path}.${name}`),
  );
}

function disagreementsOf(claims: JsonObject): readonly string[] {
  return Object.entries(claims).flatMap(([section, value]) => disagreements(value, RULE_CLAIMS.get(section), section));
}

/** The claims of an answer to this evidence. */
async function answeredClaims({ evidence, nonce, judged }: Case): Promise<JsonObject> {
  const decision = await judge(evidence, { nonce }, { ...judged, policies: [policyOf(evidence.type)] });
  return JSON.parse(JSON.stringify(presentDecision(decision, { allChecks: true }).claims));
}

const ROUTES: ReadonlyMap<string, string> = new Map([
  ['maa-token', ', routes: { hardware: off, maa: required }'],
  ['tpm', ', routes: { hardware: off }'],
]);

function policyOf(type: string): string {
  const members = `accepts: [${type}], minimums: any, freshness: none${ROUTES.get(type) ?? ''}`;
  return `{ apiVersion: veritee/v1, id: any, version: 1, ${members} }`;
}

const MAKERS: readonly (readonly [family: string, MakeCase])[] = [
  ['snp', snpCase],
  ['az-snp-vtpm', azureCase],
  ['tdx', tdCase],
  ['az-tdx-vtpm', azureCase],
  ['maa-jwt', tokenCase],
];

/** Has no claims: malformed, a hardware report alone, without a signature, or of keys that are not known. */
const NOT_JUDGED = /-neg-|^tdx-v4-spr-2023$|^az-tdx-hcl-only$|^maa-(claims-sample|jwks-shape-2020)$|-unknown-key$/;

const JUDGED: readonly (readonly [id: string, Vector, MakeCase])[] = haveVectors
  ? [
      ...MAKERS.flatMap(([family, make]) => vectors(family).map((entry) => [entry.id, entry, make] as const)),
      ...LOGS.map((entry) => [entry.id, entry, logCase] as const),
    ].filter(([id]) => !NOT_JUDGED.test(id))
  : [];

/** Payloads of tokens, of issuers that nobody relies on too: what the claims are is the same. */
const PAYLOADS = haveVectors
  ? vectors('maa-jwt', 'ita-jwt').flatMap(({ id, family, files }) => {
      const section = family === 'maa-jwt' ? 'maa' : 'ita';
      return files.flatMap((file) =>
        /\.(jwt|claims\.json)$/.test(file) ? [[id, section, payloadOf(file)] as const] : [],
      );
    })
  : [];

function payloadOf(file: string): JsonObject {
  const text = Buffer.from(readVector(file)).toString('utf8');
  const [, payload = ''] = text.split('.');
  return JSON.parse(file.endsWith('.json') ? text : Buffer.from(payload, 'base64url').toString('utf8'));
}

describe.skipIf(!haveVectors)('the claims of real evidence', () => {
  it.each(JUDGED)('of %s are those of the table, of its types', async (_id, entry, make) => {
    const claims = await answeredClaims(make(entry));
    expect(Object.keys(claims)).not.toEqual([]);
    expect(disagreementsOf(claims)).toEqual([]);
    expect(readGivenClaims(claims).problems).toEqual([]);
  });

  it.each(PAYLOADS)('of %s, a token, are those of the table, of its types', (_id, section, claims) => {
    expect(disagreementsOf({ [section]: { claims } })).toEqual([]);
    expect(readGivenClaims({ [section]: { claims } }).problems).toEqual([]);
  });
});
