import { expect, it } from 'vitest';
import { NOT_AVAILABLE, requireAvailable } from '../../../src/config/availability.js';
import { loadConfiguration } from '../../../src/config/load-configuration.js';

const ASKED: readonly (readonly [place: string, text: string])[] = [
  ['callers.ci.mtls', 'callers: { ci: { mtls: { subject: a }, roles: [verify] } }'],
];

it.each(ASKED)('loads, and does not start, where %s asks for what this version does not have', (place, text) => {
  const configuration = loadConfiguration({ text, environment: {} });
  expect(() => requireAvailable(configuration)).toThrow(
    expect.objectContaining({
      problems: [
        expect.stringMatching(new RegExp(`^${place.replaceAll('.', '\\.')}: .+: not available in this version$`)),
      ],
    }),
  );
});

it('covers everything that is listed as not available', () => {
  expect(ASKED).toHaveLength(NOT_AVAILABLE.length);
});

it('starts with the defaults of what is not available, written or not', () => {
  const written = 'limits: { batchBytes: 16777216 }\ndecisions: { retentionDays: 365 }\nreceipts: { issuer: null }';
  for (const text of ['', written]) requireAvailable(loadConfiguration({ text, environment: {} }));
});

it.each(['off', './data/veritee.db', '/var/lib/veritee/veritee.db'])(
  'starts with the decision store %s: its directory is that of what is kept now',
  (store) => {
    const text = JSON.stringify({ decisions: { store } });
    const configuration = loadConfiguration({ text, environment: {} });
    requireAvailable(configuration);
    expect(configuration.decisions.store).toBe(store);
  },
);
