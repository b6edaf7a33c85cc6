import type { FetchedSourceName } from './collateral-cache.js';
import type { CollateralKey } from './intel-collateral.js';

/** One address of a service. */
export interface Place {
  readonly origin: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Where a service has what. */
export interface CollateralPlace {
  /** @param fmspc lower-case hex */
  tcbInfo(fmspc: string): Place;
  readonly qeIdentity: Place;
  pckCrl(ca: CollateralKey['ca']): Place;
  /** Asked one after the other. */
  readonly rootCaCrl: readonly [Place, Place?];
}

/** Intel's own service has the root's list under another origin, which the root certificate itself names. */
const INTEL_ORIGIN = 'https://api.trustedservices.intel.com';
const INTEL_CERTIFICATES = 'https://certificates.trustedservices.intel.com';
const ROOT_LIST = '/IntelSGXRootCA.der';

/** Path of a service's address: what is in front of the API, and the version, 4 unless it says 3. */
const BASE = /^(.*?)(?:\/(?:sgx|tdx)\/certification\/(v[34]))?\/*$/;

/**
 * Addresses of a service. TCB info and QE identity are both asked for without `update` or a number: so they are of one
 * choice, the standard one.
 *
 * @param url origin, with or without the path of the API (`/sgx/certification/v4/`), as it is given to other clients
 */
export function placeOf(url: string, name: FetchedSourceName): CollateralPlace {
  const { origin, pathname } = new URL(url);
  const [, base = '', version = 'v4'] = BASE.exec(pathname) ?? [];
  // Azure's metadata service requires this header, so that a web page cannot make a browser send the request.
  const headers: Record<string, string> = name === 'thim' ? { metadata: 'true' } : {};
  const at = (path: string): Place => ({ origin, path: `${base}${path}`, headers });
  const sgx = `/sgx/certification/${version}`;
  const tdx = `/tdx/certification/${version}`;
  return {
    tcbInfo: (fmspc) => at(`${tdx}/tcb?fmspc=${fmspc}`),
    qeIdentity: at(`${tdx}/qe/identity`),
    pckCrl: (ca) => at(`${sgx}/pckcrl?ca=${ca}&encoding=der`),
    rootCaCrl:
      origin === INTEL_ORIGIN
        ? [{ origin: INTEL_CERTIFICATES, path: ROOT_LIST, headers: {} }]
        : [at(`${sgx}/rootcacrl`), at(ROOT_LIST)],
  };
}

/** All origins that a service is asked under. */
export function originsOf(url: string): readonly string[] {
  const { origin } = new URL(url);
  return origin === INTEL_ORIGIN ? [origin, INTEL_CERTIFICATES] : [origin];
}
