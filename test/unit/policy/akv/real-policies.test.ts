import { describe, expect, it } from 'vitest';
import { SHARED_REGIONS, sharedProvider } from '../../../../src/core/azure-attestation-regions.js';
import type { JsonObject, JsonValue } from '../../../../src/core/json.js';
import { parseStrictJson } from '../../../../src/formats/strict-json.js';
import type { Comparison } from '../../../../src/policy/akv/compare-values.js';
import { evaluateReleasePolicy } from '../../../../src/policy/akv/evaluate-release-policy.js';
import { lintReleasePolicy } from '../../../../src/policy/akv/lint-release-policy.js';
import type { ReleasePolicy } from '../../../../src/policy/akv/policy-tree.js';
import { looksLikeReleasePolicy, readReleasePolicy } from '../../../../src/policy/akv/release-policy.js';
import { haveVectors, readVector, type Vector, vector } from '../../../vectors.js';

const MINIMAL = 'akv-policy-cvm-minimal';
const DATA_DISK = 'akv-policy-cvm-datadisk';
const TOKEN = 'maa-azurevm-snp-weu-2022';

interface Row {
  readonly policy: string;
  readonly claimsOf: string;
  readonly satisfied: boolean | null;
}

const ROWS: readonly Row[] = haveVectors
  ? JSON.parse(Buffer.from(readVector('akv-policy/decisions.json')).toString())
  : [];
const SHARED: ReadonlySet<string> = new Set(SHARED_REGIONS.map(sharedProvider));

function document({ files: [file = ''] }: Vector): JsonValue {
  return parseStrictJson(readVector(file));
}

function policyOf(id: string): ReleasePolicy {
  const { policy, problems } = readReleasePolicy(document(vector(id)));
  expect(problems).toEqual([]);
  if (policy === null) throw new Error(`${id} does not read`);
  return policy;
}

function claimsOf(id: string): JsonObject {
  const [file = ''] = vector(id).files;
  const bytes = Buffer.from(readVector(file));
  if (!file.endsWith('.jwt')) return parseStrictJson(bytes) as JsonObject;
  const [, payload = ''] = bytes.toString('latin1').split('.');
  return parseStrictJson(Buffer.from(payload, 'base64url')) as JsonObject;
}

function evaluate({ policy, claimsOf: token }: Omit<Row, 'satisfied'>, comparison: Comparison) {
  const claims = claimsOf(token);
  return evaluateReleasePolicy(policyOf(policy), { issuer: String(claims['iss']), claims }, comparison);
}

/** How many problems there are with each code. */
function lintCounts(policy: ReleasePolicy): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { code } of lintReleasePolicy(policy, { knownAuthorities: (issuer) => SHARED.has(issuer) })) {
    counts[code] = (counts[code] ?? 0) + 1;
  }
  return counts;
}

describe.runIf(haveVectors)('published release policies', () => {
  it.each([MINIMAL, DATA_DISK])('%s reads, with the authorities that it names', (id) => {
    const { authorities } = vector(id).expect.facts;
    expect(looksLikeReleasePolicy(document(vector(id)))).toBe(true);
    expect(policyOf(id).authorities.map(({ authority }) => authority)).toEqual(authorities);
  });

  it('lint as what they are: without a debug clause, and some authorities with a slash', () => {
    const { authorities } = vector(DATA_DISK).expect.facts;
    const slashes = authorities.filter((authority: string) => authority.endsWith('/')).length;
    expect(lintCounts(policyOf(MINIMAL))).toEqual({ akv_no_debug: 1 });
    expect(lintCounts(policyOf(DATA_DISK))).toEqual({ akv_slash: slashes, akv_no_debug: authorities.length });
  });

  it.each(ROWS.filter(({ satisfied }) => satisfied !== null))(
    '$policy is met by $claimsOf: $satisfied, in either comparison and without a normalisation',
    (row) => {
      for (const comparison of ['strict', 'compatible'] as const) {
        expect(evaluate(row, comparison)).toMatchObject({ met: row.satisfied, normalisations: [] });
      }
    },
  );

  it('are met across a slash at the end of the authority in compatible comparison, which says so', () => {
    const [undecided, ...others] = ROWS.filter(({ satisfied }) => satisfied === null);
    expect(undecided).toMatchObject({ policy: DATA_DISK, claimsOf: TOKEN });
    expect(others).toEqual([]);
    const { met, normalisations, explanation } = evaluate({ policy: DATA_DISK, claimsOf: TOKEN }, 'compatible');
    const slash = 'the authority ends in a slash, the issuer does not';
    expect({ met, normalisations }).toEqual({ met: true, normalisations: [slash] });
    expect(explanation.parts.findIndex(({ value }) => value === true)).toBe(10);
    expect(explanation.parts[10]?.text).toBe('authority "https://sharedweu.weu.attest.azure.net/"');
  });

  it('are not met across a slash in strict comparison, which says that compatible would take it as equal', () => {
    const { met, normalisations, explanation } = evaluate({ policy: DATA_DISK, claimsOf: TOKEN }, 'strict');
    expect({ met, normalisations }).toEqual({ met: false, normalisations: [] });
    expect(explanation.parts.map(({ state, parts }) => `${state} ${parts.length}`)).toEqual(
      Array.from({ length: 26 }, () => 'not reached 0'),
    );
    expect(explanation.parts[10]?.note).toBe(
      'the authority ends in a slash, the issuer does not: comparison compatible takes them as equal',
    );
  });
});

const GRAMMAR = expect.stringContaining('docs/release-policies.md has the grammar');

describe.runIf(haveVectors)('what belongs to a release policy and is none', () => {
  it('is told so: an import list', () => {
    const value = document(vector('akv-policy-aci-config'));
    expect(looksLikeReleasePolicy(value)).toBe(false);
    expect(readReleasePolicy(value)).toEqual({
      policy: null,
      problems: [
        { code: 'policy_schema', pointer: '', message: expect.stringMatching(/^is an import list/), remedy: GRAMMAR },
      ],
    });
  });

  it('is told so: the answer of a key release', () => {
    const [file = ''] = vector('akv-skr-response-2022').files;
    expect(readReleasePolicy(Buffer.from(readVector(file)).toString('latin1'))).toEqual({
      policy: null,
      problems: [{ code: 'policy_schema', pointer: '', message: expect.stringMatching(/^is a JWS/), remedy: GRAMMAR }],
    });
  });

  it('is no obstacle: the policy in that answer is the one that the token meets', () => {
    const { releasePolicy } = vector('akv-skr-response-2022').expect.facts;
    expect(readReleasePolicy(releasePolicy).policy).toEqual(policyOf(MINIMAL));
  });
});

describe.runIf(haveVectors)('the claims of an import list', () => {
  it('lint as never true and as coerced by Key Vault in a policy: the digest in that document is not filled in', () => {
    const { claims } = document(vector('akv-policy-aci-config')) as { readonly claims: readonly JsonValue[] };
    const entry = { authority: sharedProvider('weu'), allOf: claims[0] ?? null };
    const { policy } = readReleasePolicy({ version: '1.0.0', anyOf: [entry] });
    expect(policy === null ? null : lintCounts(policy)).toEqual({ akv_never: 1, akv_coerced: 2 });
  });
});
