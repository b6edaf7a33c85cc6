import type { Configuration } from '../config/configuration.js';
import type { ConnectOptions } from '../outgoing/bounded-agent.js';
import { EgressProxy } from '../outgoing/egress-proxy.js';

/**
 * How connections are opened by a configuration: through its proxy, where it names one. Those that share a proxy share
 * what is known of its health.
 *
 * @param connect further options, for tests
 */
export function connectOptions({ egress }: Configuration, connect: ConnectOptions = {}): ConnectOptions {
  const { proxy: url, ...options } = egress;
  return url === null ? connect : { ...connect, proxy: new EgressProxy({ url, ...options }) };
}
