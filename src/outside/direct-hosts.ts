import { BlockList, isIP } from 'node:net';

/** Decides by its host whether a connection bypasses the proxy. */
export type IsDirect = (hostname: string) => boolean;

/** Addresses of this machine, and of the host of an Azure VM: through a proxy, they would reach the proxy's own. */
const NEVER_PROXIED = ['127.0.0.0/8', '::1', '169.254.0.0/16', 'fe80::/10', '168.63.129.16'];

/** The loopback name and every name below it (RFC 6761, 6.3). */
const LOOPBACK_NAMES = ['localhost', '.localhost'];

/**
 * Reads the list of hosts that are contacted without the proxy.
 *
 * @param noProxy exact host names, suffixes that begin with a dot, IP addresses, and ranges in CIDR notation. Ranges
 *   match literal addresses only, since no name is resolved.
 */
export function directHosts(noProxy: readonly string[]): IsDirect {
  const entries = [...NEVER_PROXIED, ...LOOPBACK_NAMES, ...noProxy.map((entry) => entry.toLowerCase())];
  const addresses = new BlockList();
  const names = new Set<string>();
  const suffixes: string[] = [];
  for (const entry of entries) {
    const [address = '', bits] = entry.split('/');
    const family = familyOf(address);
    if (family !== null && bits !== undefined) addresses.addSubnet(address, Number(bits), family);
    else if (family !== null) addresses.addAddress(address, family);
    else if (entry.startsWith('.')) suffixes.push(entry);
    else names.add(entry);
  }
  return (hostname) => {
    const host = bareHost(hostname);
    const family = familyOf(host);
    if (family !== null) return addresses.check(host, family);
    return names.has(host) || suffixes.some((suffix) => host.endsWith(suffix));
  };
}

/** A host as URLs have it, in lower case, without the brackets of an IPv6 address and without a final dot. */
export function bareHost(hostname: string): string {
  return hostname
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');
}

function familyOf(address: string): 'ipv4' | 'ipv6' | null {
  const family = isIP(address);
  if (family === 0) return null;
  return family === 4 ? 'ipv4' : 'ipv6';
}
