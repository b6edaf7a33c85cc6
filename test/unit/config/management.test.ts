import { describe, expect, it } from 'vitest';
import { loadConfiguration } from '../../../src/config/load-configuration.js';
import { ConfigurationError } from '../../../src/core/errors.js';

const CALLERS = { ci: { apiKeySha256: 'ab'.repeat(32), expires: '2099-01-01', roles: ['metrics'] } };

function managementOf(management: object | null, listen: object = {}, callers: object = {}) {
  const text = JSON.stringify({ listen: { port: 8080, management, ...listen }, callers });
  return loadConfiguration({ text, environment: {} }).listen.management;
}

function problemsOf(...given: Parameters<typeof managementOf>): readonly string[] {
  try {
    managementOf(...given);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
  return [];
}

describe('listen.management', () => {
  it('is on loopback, without TLS and for callers, unless it says otherwise', () => {
    expect(managementOf({ port: 9090 })).toEqual({ host: '127.0.0.1', port: 9090, tls: null, metrics: 'callers' });
    expect(managementOf(null)).toBeNull();
  });

  it('can be given in the environment', () => {
    const environment = { VERITEE__LISTEN__MANAGEMENT__PORT: '0', VERITEE__LISTEN__MANAGEMENT__METRICS: 'open' };
    const { management } = loadConfiguration({ text: null, environment }).listen;
    expect(management).toMatchObject({ host: '127.0.0.1', port: 0, metrics: 'open' });
  });

  it.each<[object, string]>([
    [{}, 'listen.management.port: is missing'],
    [{ port: 65_536 }, 'listen.management.port: must be a whole number from 0 to 65535'],
    [{ port: 9090, metrics: 'all' }, 'listen.management.metrics: must be callers or open'],
    [{ port: 9090, tls: { cert: 'a.pem' } }, 'listen.management.tls.key: is missing'],
    [
      { port: 9090, tls: { cert: 'a.pem', key: 'k.pem', clientCa: 'ca.pem' } },
      'listen.management.tls.clientCa: unknown key; there are cert, key',
    ],
  ])('%j does not load', (management, problem) => {
    expect(problemsOf(management)).toEqual([problem]);
  });

  it('needs callers where other machines can connect, or that listen.insecure says so', () => {
    const management = { host: '0.0.0.0', port: 9090 };
    expect(problemsOf(management)).toEqual([
      'listen.management.host: not a loopback address, and no callers are configured (listen.insecure: true serves anyone)',
    ]);
    expect(problemsOf(management, {}, CALLERS)).toEqual([]);
    expect(problemsOf(management, { insecure: true })).toEqual([]);
  });

  it('shows metrics to everybody only on loopback, or where listen.insecure says so', () => {
    const management = { host: '0.0.0.0', port: 9090, metrics: 'open' };
    expect(problemsOf(management, {}, CALLERS)).toEqual([
      'listen.management.metrics: must be callers, since the host is not a loopback address (listen.insecure: true shows the metrics to anyone)',
    ]);
    expect(problemsOf(management, { insecure: true }, CALLERS)).toEqual([]);
    for (const host of ['127.0.0.1', '::1', 'localhost']) expect(problemsOf({ ...management, host })).toEqual([]);
  });

  it.each([
    ['127.0.0.1', '127.0.0.1', true],
    ['0.0.0.0', '127.0.0.1', true],
    ['127.0.0.1', '::', true],
    ['127.0.0.1', '127.0.0.2', false],
  ])('cannot be at the port of the service: %s beside %s', (host, own, isRefused) => {
    const problem = 'listen.management.port: must not be listen.port: probes and metrics need a port of their own';
    expect(problemsOf({ host: own, port: 8080 }, { host }, CALLERS)).toEqual(isRefused ? [problem] : []);
    expect(problemsOf({ host: own, port: 0 }, { host, port: 0 }, CALLERS)).toEqual([]);
  });
});
