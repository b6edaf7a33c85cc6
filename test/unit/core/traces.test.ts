import { describe, expect, it } from 'vitest';
import { NO_TRACER, SPAN_ATTRIBUTES, STEPS } from '../../../src/core/traces.js';

describe('what spans say', () => {
  /** An author of a new attribute has to state here that it has no secret. */
  it('is in these attributes and in no others', () => {
    expect(SPAN_ATTRIBUTES).toEqual([
      'error.type',
      'http.request.method',
      'http.response.status_code',
      'http.route',
      'server.address',
      'server.port',
      'veritee.decision',
      'veritee.decision_id',
      'veritee.endorsements',
      'veritee.evidence_type',
      'veritee.policies',
      'veritee.reasons',
      'veritee.request_id',
      'veritee.token_route',
    ]);
  });

  it('is under the names of few steps', () => {
    expect(new Set(STEPS).size).toBe(STEPS.length);
    expect(STEPS.filter((step) => !/^[a-z]+ ?[a-z]+$/.test(step))).toEqual([]);
  });
});

describe('where nothing is traced', () => {
  it('a step is its work and nothing else', async () => {
    const work = Promise.resolve(42);
    expect(NO_TRACER.span('appraise', () => work)).toBe(work);
    const said = await NO_TRACER.span('appraise', async (span) => [
      span.set({ 'http.response.status_code': 200 }),
      span.fail('clock'),
    ]);
    expect(said).toEqual([undefined, undefined]);
  });

  it('what is thrown at once is thrown at once', () => {
    const fault = new Error('malformed');
    const work = () => {
      throw fault;
    };
    expect(() => NO_TRACER.span('appraise', work)).toThrow(fault);
  });
});
