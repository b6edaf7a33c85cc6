import { describe, expect, it } from 'vitest';
import { EVIDENCE_TYPES, placeOf, tokenRouteOf, tokenTypeOf, traitsOf } from '../../../src/core/evidence-traits.js';
import { schemaNamed } from '../../contract/openapi-schemas.js';

describe('the traits of evidence types', () => {
  it('are there for every type of the contract', () => {
    expect(EVIDENCE_TYPES).toEqual(schemaNamed('EvidenceType').enum);
  });

  it.each(EVIDENCE_TYPES)('of %s do not contradict each other', (type) => {
    const { kind, tee, paravisor, vtpm, tokenRoute, hasTeeTopics, longestNonce } = traitsOf(type);
    expect(tee !== null).toBe(kind === 'hardware');
    expect(tokenRoute !== null).toBe(kind === 'token');
    if (paravisor) expect(vtpm).toBe(true);
    if (hasTeeTopics) expect(tee).not.toBeNull();
    if (vtpm) expect(longestNonce).toEqual({ bytes: 50, holder: 'a TPM quote' });
  });

  it.each(EVIDENCE_TYPES)(
    'of %s name the sections of its report or token, of its paravisor and of its vTPM',
    (type) => {
      const { kind, tee, paravisor, vtpm, tokenRoute, always, possible } = traitsOf(type);
      expect(always).toEqual(
        [tee, paravisor ? 'hcl' : null, vtpm ? 'tpm' : null, tokenRoute].filter((each) => each !== null),
      );
      const withRuntimeClaims = kind === 'hardware' ? ['hcl'] : [];
      expect(new Set(possible)).toEqual(new Set([...always, ...withRuntimeClaims]));
    },
  );

  it.each(EVIDENCE_TYPES)('of %s name its schema, and places that answers and the schema know', (type) => {
    const { schema, tee, tokenRoute, noncePlaces } = traitsOf(type);
    const { properties = {} } = schemaNamed(schema);
    expect(properties['type']).toMatchObject({ const: type });
    const { bound } = schemaNamed('Freshness').properties ?? {};
    expect(bound?.items?.enum).toEqual(expect.arrayContaining([...noncePlaces]));
    const section = tee ?? tokenRoute ?? 'tpm';
    expect(Object.keys(properties)).toContain(placeOf(section, type).replace('/evidence/', ''));
  });

  it('lead from the route of a token to its type and back', () => {
    for (const route of ['maa', 'ita'] as const) expect(tokenRouteOf(tokenTypeOf(route))).toBe(route);
  });

  it('have the evidence itself as the place of claims that no evidence of the type makes', () => {
    expect(placeOf('maa', 'snp')).toBe('/evidence');
  });
});
