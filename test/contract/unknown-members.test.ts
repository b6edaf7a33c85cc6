import { describe, expect, it } from 'vitest';
import { readChallengeRequest, readInspectRequest, readVerifyRequest } from '../../src/wire/read-requests.js';
import { formatErrorOf } from '../format-error-of.js';
import {
  azSnpVtpmEvidence,
  azTdxVtpmEvidence,
  azureCleanroom,
  azureCleanroomValue,
  azureGuest,
  azureGuestInfo,
  azureGuestTdxInfo,
  base64url,
  bodyOf,
  collateral,
  configfsTsm,
  configfsTsmTdx,
  EC_JWK,
  extendedReport,
  itaRequest,
  maaSnpReport,
  maaSnpRequest,
  maaTdxRequest,
  NONCE,
  OKP_JWK,
  PEM,
  RSA_JWK,
  snpEvidence,
  tdxEvidence,
  trusteeTd,
  trusteeTdxV0,
  trusteeTdxV1,
  trusteeTpm,
  trusteeV0,
  trusteeV1,
} from '../unit/wire/sample-bodies.js';
import { insideOf, referenced, type Schema, schemaErrors, schemaNamed } from './openapi-schemas.js';

const endorsements = { vek: 'AAAA', chain: '', crls: [] };
const pcrs = { sha1: {}, sha256: {}, sha384: {}, sha512: {} };
const native = { ...azSnpVtpmEvidence(), endorsements, tpmQuote: { message: '', signature: '', pcrs } };
const TOKENS = ['maa-token', 'ita-token'].map((type) => ({ type, token: 'e30.e30.AA' }));
/** The payload is open: it has whatever a caller gave the client. */
const guestInfo = { ...azureGuestInfo(), ClientPayload: null };
const EVIDENCE = [
  ...TOKENS,
  { ...snpEvidence(), endorsements },
  { ...tdxEvidence(), collateral: collateral() },
  native,
  { ...native, akCertificate: 'AAAA', akChain: PEM },
  { ...azTdxVtpmEvidence(), tpmQuote: native.tpmQuote, collateral: collateral(), akCertificate: PEM, akChain: PEM },
  { type: 'tpm', tpmQuote: native.tpmQuote, akCertificate: PEM, akChain: PEM },
  trusteeV0(),
  trusteeV1(1),
  trusteeTdxV0(),
  trusteeTdxV1(2),
  trusteeTd(),
  trusteeTpm(),
  { type: 'tpm', dialect: 'go-tpm-tools', value: 'AAAA' },
  maaSnpRequest(),
  maaTdxRequest(),
  azureGuest(guestInfo),
  azureCleanroom(azureCleanroomValue()),
  azureCleanroom({ report: { snpCvm: azureCleanroomValue() } }),
  azureGuest({ ...guestInfo, IsolationInfo: { Type: 'SevSnp', Evidence: { Proof: maaSnpReport(), RunTimeData: '' } } }),
  azureGuest({ ...azureGuestTdxInfo(), ClientPayload: null }, 'az-tdx-vtpm'),
  azureGuest({ ...guestInfo, IsolationInfo: { Type: 'TrustedLaunch' } }, 'tpm'),
  azureGuest(base64url(bodyOf(guestInfo))),
  extendedReport(),
  configfsTsm(),
  configfsTsmTdx(),
  itaRequest(1),
  itaRequest(2),
];
const keyed = (jwk: object) => ({ evidence: snpEvidence(), nonce: base64url(NONCE), binding: { jwk } });

/** Bodies that together have every object of every request schema. */
const BODIES = {
  VerifyRequest: [
    ...EVIDENCE.map((evidence) => ({ evidence })),
    { evidence: snpEvidence(), attestationResults: TOKENS },
    keyed(RSA_JWK),
    keyed(EC_JWK),
    keyed(OKP_JWK),
  ],
  Evidence: EVIDENCE,
  EventLogInspectionRequest: [{ type: 'event-log', log: 'AAAA', pcrs }],
  StructureInspectionRequest: [{ type: 'bytes', as: 'crl', value: 'AAAA' }],
  ChallengeRequest: [{}],
} as const;

const READERS = {
  VerifyRequest: readVerifyRequest,
  Evidence: readInspectRequest,
  EventLogInspectionRequest: readInspectRequest,
  StructureInspectionRequest: readInspectRequest,
  ChallengeRequest: readChallengeRequest,
} as const;

type Name = keyof typeof BODIES;
const NAMES = Object.keys(BODIES) as Name[];

/** A copy with an unknown member in one object, for each object, and where that is. */
function* withUnknownMember(value: unknown, pointer = ''): Generator<readonly [string, unknown]> {
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    const [first, ...others] = value;
    for (const [place, changed] of withUnknownMember(first, `${pointer}/0`)) yield [place, [changed, ...others]];
    return;
  }
  yield [`${pointer}/unheardOf`, { ...value, unheardOf: 1 }];
  for (const [name, member] of Object.entries(value)) {
    for (const [place, changed] of withUnknownMember(member, `${pointer}/${name}`))
      yield [place, { ...value, [name]: changed }];
  }
}

/** The closed objects that a request schema reaches. */
function reachableObjects(schema: Schema, found = new Set<Schema>()): Set<Schema> {
  for (const [, inner] of insideOf(schema, '')) {
    const target = referenced(inner);
    if (found.has(target)) continue;
    if (target.additionalProperties === false) found.add(target);
    if (inner.$ref !== undefined) reachableObjects(target, found);
  }
  return found;
}

/** The closed objects of a schema that a value goes through. */
function visitedObjects(schema: Schema, value: unknown, found = new Set<Schema>()): Set<Schema> {
  const target = referenced(schema);
  if (typeof value !== 'object' || value === null) return found;
  if (Array.isArray(value)) {
    const { items } = target;
    return items === undefined ? found : visitedObjects(items, value[0], found);
  }
  if (target.additionalProperties === false && fits(target, value)) found.add(target);
  for (const branch of target.oneOf ?? []) visitedObjects(branch, value, found);
  if (target.additionalProperties !== false || !found.has(target)) return found;
  for (const [name, member] of Object.entries(target.properties ?? {})) {
    visitedObjects(member, (value as Record<string, unknown>)[name], found);
  }
  return found;
}

/** Whether an object has the members that are required, and the constants. */
function fits(schema: Schema, value: object): boolean {
  const members = new Map<string, unknown>(Object.entries(value));
  const known = [...members.keys()].every(
    (name) => schema.properties?.[name] !== undefined || schema.patternProperties !== undefined,
  );
  const constants = Object.entries(schema.properties ?? {}).every(
    ([name, { const: constant }]) => constant === undefined || members.get(name) === constant,
  );
  return known && constants && (schema.required ?? []).every((name) => members.has(name));
}

describe.each(NAMES)('%s', (name) => {
  it('is what each of the bodies is, read by its unions', () => {
    for (const body of BODIES[name]) expect(schemaErrors(name, body)).toEqual([]);
  });

  it('has no object that the bodies do not reach', () => {
    const visited = new Set(BODIES[name].flatMap((body) => [...visitedObjects(schemaNamed(name), body)]));
    const reachable = [...reachableObjects(schemaNamed(name))];
    expect(reachable.length).toBeGreaterThan(0);
    expect(reachable.filter((schema) => !visited.has(schema))).toEqual([]);
  });

  it('REQ-04 refuses an unknown member in every object, and says where', () => {
    for (const body of BODIES[name]) {
      for (const [pointer, changed] of withUnknownMember(body)) {
        const error = formatErrorOf(() => READERS[name](bodyOf(changed)));
        expect(error, pointer).toEqual({ code: 'unknown_property', pointer });
        expect(schemaErrors(name, changed), pointer).not.toEqual([]);
      }
    }
  });
});
