import type { MaaConfiguration } from '../config/attestation-services.js';
import type { Configuration } from '../config/configuration.js';
import { SHARED_REGIONS, sharedProvider } from '../core/azure-attestation-regions.js';
import { hex } from '../core/bytes.js';
import { allOrProblems } from '../core/errors.js';
import { sha256 } from '../crypto/digest.js';
import { readTokenRoots } from '../endorsements/token-keys/configured-files.js';
import { maaKeyPlace, type TokenIssuer } from '../endorsements/token-keys/token-issuer.js';
import type { ReadBytes } from '../files/whole-files.js';
import type { LintFacts } from '../policy/lint/lint.js';
import type { ItaIssuer } from '../tee/ita/key-trust.js';
import { type MaaIssuer, sharedMaaIssuers } from '../tee/maa/issuer-policy.js';

/** SHA-256 of the root certificates, lower-case hex, by issuer. Omits issuers without roots. */
export type IssuerRoots = ReadonlyMap<string, ReadonlySet<string>>;

/** Accepted issuers of Azure Attestation, by URL. A configured issuer replaces a shared one of its name. */
export function maaIssuers({ maa }: Configuration): ReadonlyMap<string, MaaIssuer> {
  const own = maa.issuers.map(
    ({ issuer, policyHash, policySigner, teeSigner }): MaaIssuer => ({
      issuer,
      // Null only if a shared provider is listed: otherwise the configuration does not load.
      policyHashes: policyHash === null ? 'shared' : policyHash === 'any' ? 'any' : new Set(policyHash),
      policySigners: policySigner === null ? null : new Set(policySigner),
      teeSigner,
    }),
  );
  return new Map([...sharedMaaIssuers(sharedRegions(maa)), ...own.map((issuer) => [issuer.issuer, issuer] as const)]);
}

/** Facts about the accepted token issuers, for lint. */
export function issuersForLint(configuration: Configuration): Pick<LintFacts, 'knownAuthorities' | 'manyIssuers'> {
  const known = {
    maa: new Set(maaIssuers(configuration).keys()),
    ita: new Set(configuration.ita.issuers.map(({ issuer }) => issuer)),
  };
  return {
    knownAuthorities: (issuer, route) => known[route].has(issuer),
    manyIssuers: (['maa', 'ita'] as const).filter((route) => known[route].size > 1),
  };
}

/**
 * Accepted Trust Authorities, by issuer. If configured roots were not read, no certificate of the issuer is accepted.
 * @param read roots as they are when a token is verified
 */
export function itaIssuers(
  { ita }: Configuration,
  read: { readonly issuers: IssuerRoots },
): ReadonlyMap<string, ItaIssuer> {
  const issuers = ita.issuers.map(({ issuer, roots, policyIds: own }): ItaIssuer => {
    // Those of `submit` belong to no single issuer: a token from another region's service must not count instead.
    const policyIds = new Set([...own, ...(ita.submit?.policyIds ?? [])]);
    if (roots === null) return { issuer, roots, policyIds };
    return {
      issuer,
      policyIds,
      get roots() {
        return read.issuers.get(issuer) ?? new Set<string>();
      },
    };
  });
  return new Map(issuers.map((issuer) => [issuer.issuer, issuer]));
}

/** The locations of the keys of every accepted issuer. */
export function tokenIssuers({ maa, ita }: Configuration): readonly TokenIssuer[] {
  const own = new Map(maa.issuers.map(({ issuer, keys }) => [issuer, keys]));
  const ofMaa = new Set([...sharedRegions(maa).map(sharedProvider), ...own.keys()]);
  return [
    ...[...ofMaa].map((issuer): TokenIssuer => {
      const keys = own.get(issuer) ?? 'jwks';
      return { type: 'maa-token', issuer, keys: keys === 'jwks' ? maaKeyPlace(issuer) : { file: keys }, roots: null };
    }),
    ...ita.issuers.map(({ issuer, keys, roots }): TokenIssuer => {
      return { type: 'ita-token', issuer, keys: keys.startsWith('https://') ? { url: keys } : { file: keys }, roots };
    }),
  ];
}

/** @throws {ConfigurationError} if a file of roots cannot be read */
export async function readIssuerRoots({ ita }: Configuration, readBytes?: ReadBytes): Promise<IssuerRoots> {
  const read = ita.issuers.map(
    async ({ issuer, roots }): Promise<readonly (readonly [string, ReadonlySet<string>])[]> => {
      if (roots === null) return [];
      const naming = { key: ['ita', 'issuers'], role: `roots of ${issuer}` };
      const { certificates } = await readTokenRoots(roots, naming, readBytes);
      return [[issuer, new Set(certificates.map((der) => hex(sha256(der))))]];
    },
  );
  return new Map((await allOrProblems(read)).flat());
}

function sharedRegions({ shared }: MaaConfiguration): readonly string[] {
  return shared === true ? SHARED_REGIONS : shared === false ? [] : shared;
}
