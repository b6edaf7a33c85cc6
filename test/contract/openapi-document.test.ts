import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { generatedModules } from '../../scripts/write-modules.js';
import { MALFORMED_CODES, PROBLEM_CODES } from '../../src/core/codes.js';
import { HEALTH_CODES } from '../../src/core/health.js';
import { STRUCTURE_KINDS } from '../../src/inspect/raw-structures.js';
import { CHECK_IDS } from '../../src/tee/catalogue.js';
import { DOCUMENT, insideOf, referenced, SCHEMAS, schemaErrors, schemaNamed } from './openapi-schemas.js';

const everySchema = Object.entries(SCHEMAS).flatMap(([name, schema]) => [...insideOf(schema, name)]);

describe('generated files', () => {
  it('are what their sources generate', async () => {
    const files = await generatedModules();
    expect([...files.keys()]).toEqual([
      'src/wire/generated/openapi-types.ts',
      'src/relying-party/generated/openapi-types.ts',
      'src/inspector/generated/openapi-types.ts',
      'src/wire/generated/openapi-schemas.ts',
      'src/tee/snp/amd/generated/carried-certificates.ts',
    ]);
    for (const [path, text] of files) expect(readFileSync(path, 'utf8')).toBe(text);
  });
});

describe('codes', () => {
  it('lists every check id, in the order of importance', () => {
    expect(schemaNamed('CheckId').enum).toEqual(CHECK_IDS);
  });

  it('lists every code of a probe that fails', () => {
    expect(schemaNamed('HealthProblem').properties?.['code']).toMatchObject({ enum: HEALTH_CODES });
  });

  it('lists every code of a problem document', () => {
    expect(schemaNamed('ProblemCode').enum).toEqual([...MALFORMED_CODES, ...PROBLEM_CODES, 'internal_error']);
  });
});

it('lists every kind of structure that is recognised', () => {
  expect(schemaNamed('StructureKind').enum).toEqual(STRUCTURE_KINDS);
});

describe('schemas', () => {
  it('REQ-04 close every object, but those that show what others say under their own names', () => {
    const objects = everySchema.filter(
      ([, schema]) =>
        schema.properties !== undefined || schema.patternProperties !== undefined || isObject(schema.type),
    );
    const open = objects.filter(
      ([, schema]) => schema.additionalProperties !== false && schema.oneOf === undefined && schema.anyOf === undefined,
    );
    expect(objects.length).toBeGreaterThan(50);
    expect(open.map(([place]) => place)).toEqual([
      'AzureCleanroomValue/imageReference',
      'AzureCleanroomParts/runtimeClaims',
      'Decision/maaView',
      'CrossCheck/differences[]/values',
      'TokenClaims/claims',
      'HclClaims/vmConfiguration',
      'RecordedDecision',
      'RecordedDecision/checks[]',
      'RecordedDecision/claims',
      'Replay/replayed',
      'DecisionRecord/request',
      'EvaluationRequest/claims',
    ]);
  });

  it('close every alternative of a union of objects', () => {
    const unions = everySchema.filter(([, schema]) => isObject(schema.type) && schema.oneOf !== undefined);
    expect(unions.map(([place]) => place)).toEqual([
      'PublicJwk',
      'NativeEvidence',
      'DialectEvidence',
      'AttestationResult',
      'TrusteeEvidence',
      'MaaRequestEvidence',
      'AzureGuestRequestEvidence',
      'AzureCleanroomRequestEvidence',
      'ItaRequestEvidence',
      'ConfigfsTsmEvidence',
    ]);
    for (const [, schema] of unions) {
      for (const branch of schema.oneOf ?? []) {
        const { additionalProperties, oneOf } = referenced(branch);
        expect(additionalProperties === false || oneOf !== undefined).toBe(true);
      }
    }
  });

  it('have a type beside each constant and enumeration, and a required tag beside each discriminator', () => {
    for (const [place, schema] of everySchema) {
      if (schema.const !== undefined || schema.enum !== undefined) expect(schema.type, place).toBeDefined();
      if (schema.discriminator === undefined) continue;
      expect(schema.type, place).toBe('object');
      expect(schema.required, place).toContain(schema.discriminator.propertyName);
      expect(Object.values(schema.discriminator.mapping ?? {}), place).toEqual(schema.oneOf?.map(({ $ref }) => $ref));
    }
  });

  it('compile in strict mode, each of them', () => {
    for (const name of Object.keys(SCHEMAS)) expect(() => schemaErrors(name, null), name).not.toThrow();
  });
});

describe('operations', () => {
  it('are those that exist', () => {
    const operations = Object.entries(DOCUMENT.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    expect(operations).toEqual([
      'post /verify',
      'post /inspect',
      'get /endorsements/{sha256}',
      'post /challenges',
      'post /keys/{keyId}/release',
      'get /decisions',
      'get /decisions/{id}',
      'post /decisions/{id}:replay',
      'get /policies',
      'get /policies/{id}',
      'post /policies:lint',
      'post /policies:evaluate',
      'get /livez',
      'get /readyz',
      'get /metrics',
      'get /.well-known/jwks.json',
      'get /.well-known/openid-configuration',
      'get /authorize/{gate}/{path}',
      'get /openapi.json',
      'get /',
      'get /inspector/{id}',
      'get /docs',
    ]);
  });

  it('use every schema', () => {
    const text = JSON.stringify(DOCUMENT);
    const unused = Object.keys(SCHEMAS).filter((name) => !text.includes(`"#/components/schemas/${name}"`));
    expect(unused).toEqual([]);
  });
});

function isObject(type: string | readonly string[] | undefined): boolean {
  return type === 'object' || (Array.isArray(type) && type.includes('object'));
}
