import { expect, it } from 'vitest';
import { ServiceResource } from '../../../../src/telemetry/traces/service-resource.js';

it('says what it was made with, and nothing of process and machine', () => {
  const resource = new ServiceResource({ 'service.name': 'veritee' });
  expect(resource.attributes).toEqual({ 'service.name': 'veritee' });
  expect(resource.getRawAttributes()).toEqual([['service.name', 'veritee']]);
});

it('takes what is said by another one, which counts where both say something', () => {
  const resource = new ServiceResource({ 'service.name': 'veritee', 'service.version': '1' });
  const merged = resource.merge(new ServiceResource({ 'service.version': '2' }));
  expect(merged.attributes).toEqual({ 'service.name': 'veritee', 'service.version': '2' });
  expect(resource.merge(null).attributes).toEqual(resource.attributes);
});
