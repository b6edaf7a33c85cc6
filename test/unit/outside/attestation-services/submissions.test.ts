import { describe, expect, it } from 'vitest';
import { routeUnavailable } from '../../../../src/outside/attestation-services/submissions.js';
import { FetchError } from '../../../../src/outside/fetch-error.js';

const status = (code: number, retryAfterMs?: number) =>
  new FetchError('status', `answered with status ${code}`, {
    status: code,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });

describe('routeUnavailable', () => {
  it.each([
    [status(400), false],
    [status(401), false],
    [status(403), false],
    [status(404), false],
    [new FetchError('not_allowed', 'not configured'), false],
    [status(429), true],
    [status(500), true],
    [status(503), true],
    [new FetchError('network', 'no connection'), true],
    [new FetchError('timeout', 'late'), true],
    [new FetchError('aborted', 'late'), true],
    [new FetchError('open', 'not asked'), true],
    [new FetchError('busy', 'too many'), true],
    [new FetchError('content_type', 'a page'), true],
  ])('says whether a later attempt is worth while: $0.fault $0.status', (error, retryable) => {
    expect(routeUnavailable('Azure Attestation', [error])).toEqual({
      code: 'route_unavailable',
      detail: `Azure Attestation: ${error.message}`,
      retryable,
    });
  });

  it('tells of the preferred way, and is retryable where any way may come back', () => {
    expect(routeUnavailable('x', [status(403), status(503)])).toEqual({
      code: 'route_unavailable',
      detail: 'x: answered with status 403',
      retryable: true,
    });
  });

  it.each([
    [[1], 1],
    [[1_001], 2],
    [[0], 1],
    [[60_000, 7_000], 7],
    [[9_999_999_000], 3_600],
  ])('of pauses of %j ms names %i s', (pauses, seconds) => {
    const errors = pauses.map((ms) => status(429, ms));
    expect(routeUnavailable('x', errors)).toHaveProperty('retryAfterSeconds', seconds);
  });
});
