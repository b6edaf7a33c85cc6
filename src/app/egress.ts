import type { Configuration } from '../config/configuration.js';
import type { ConnectOptions } from '../outside/bounded-agent.js';
import { EgressProxy } from '../outside/egress-proxy.js';

/**
 * Returns the options of outgoing connections, with the proxy if the configuration names one. Connections with the same
 * options share one circuit breaker for the proxy.
 *
 * @param connect further options, for tests
 */
export function connectOptions({ egress }: Configuration, connect: ConnectOptions = {}): ConnectOptions {
  const { proxy: url, ...options } = egress;
  return url === null ? connect : { ...connect, proxy: new EgressProxy({ url, ...options }) };
}
