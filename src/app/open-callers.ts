import { type ApiKey, ApiKeyCallers } from '../callers/api-keys.js';
import { type CertificateCaller, CertificateCallers } from '../callers/client-certificates.js';
import { ConfiguredCallers } from '../callers/configured-callers.js';
import { LocalCaller } from '../callers/local-caller.js';
import { type CallerIssuer, type TokenCaller, TokenCallers } from '../callers/token-callers.js';
import { entraDemands, genericDemands, kubernetesDemands } from '../callers/token-demands.js';
import { type CallerConfiguration, markOf, type OidcConfiguration } from '../config/callers.js';
import { type Configuration, callerKeyDirectory } from '../config/configuration.js';
import { policiesOf } from '../config/tenants.js';
import type { CallerDirectory } from '../core/caller-directory.js';
import type { CredentialClock } from '../core/clock-doubt.js';
import { allOrProblems } from '../core/errors.js';
import type { Clock } from '../core/ports.js';
import type { Caller } from '../core/request.js';
import {
  type CallerKeyPlace,
  type CallerKeysOptions,
  type OpenCallerKeys,
  openCallerKeys,
  placeId,
} from '../endorsements/token-keys/open-caller-keys.js';

export type CallerOptions = Omit<CallerKeysOptions, 'folder' | 'clock'> & { readonly clock: Clock & CredentialClock };

interface ByToken {
  readonly place: CallerKeyPlace;
  readonly audiences: readonly string[];
  readonly demands: Omit<TokenCaller, 'caller' | 'audiences'>;
}

export interface OpenCallers {
  readonly directory: CallerDirectory;
  readonly keyring: CallerKeyring;
}

/**
 * Opens the callers of a configuration.
 * @param before the keys of the present callers; those that are still needed stay open
 * @throws {ConfigurationError} if a file that a caller names cannot be used
 */
export async function openCallers(
  configuration: Configuration,
  options: CallerOptions,
  before: CallerKeyring = CallerKeyring.NONE,
): Promise<OpenCallers> {
  const entries = Object.entries(configuration.callers);
  const keyring = await before.next(
    entries.flatMap(([name, caller]) => byTokenOf(name, caller)?.place ?? []),
    { ...options, folder: callerKeyDirectory(configuration) },
  );
  return { directory: directoryOf(configuration, keyring, options), keyring };
}

function directoryOf(
  configuration: Configuration,
  keyring: CallerKeyring,
  { clock, log }: CallerOptions,
): CallerDirectory {
  const { callers, historical, listen, time, deadlineSeconds } = configuration;
  const entries = Object.entries(callers);
  if (entries.length === 0) return new LocalCaller({ historical, insecure: listen.insecure });
  const known = entries.map(([name, configured]) => ({
    configured,
    byToken: byTokenOf(name, configured),
    caller: callerOf(name, configured, policiesOf(configuration, configured.tenant).default),
  }));
  const byCertificate = known.flatMap(({ caller, configured }) => certificateCallerOf(caller, configured));
  const apiKeys = known.map(({ caller, configured }) => ({ caller, keys: apiKeysOf(configured) }));
  const issuers = new Map<string, CallerIssuer>();
  for (const { caller, byToken } of known) {
    if (byToken === null) continue;
    const { place, audiences, demands } = byToken;
    const others = issuers.get(placeId(place))?.callers ?? [];
    const callersOfIssuer = [...others, { caller, audiences, ...demands }];
    issuers.set(placeId(place), { issuer: place.issuer, keys: keyring.of(place), callers: callersOfIssuer });
  }
  const leewaySeconds = time.tokenLeewaySeconds;
  const tokens = { issuers: [...issuers.values()], leewaySeconds, deadlineMs: deadlineSeconds * 1000, clock, log };
  return new ConfiguredCallers({
    apiKeys: new ApiKeyCallers(apiKeys, clock, log),
    tokens: issuers.size === 0 ? null : new TokenCallers(tokens),
    certificates: listen.tls.clientCa === null ? null : new CertificateCallers(byCertificate, clock),
  });
}

/** @param standard the policy that a caller may use if its configuration names none */
function callerOf(
  principal: string,
  { tenant, roles, policies, audience, keys }: CallerConfiguration,
  standard: string,
): Caller {
  return {
    principal,
    tenant,
    roles: new Set(roles),
    policies: new Set(policies ?? [standard]),
    audiences: new Set(audience ?? []),
    keys: new Set(keys),
  };
}

function apiKeysOf({ apiKeySha256, expires, next }: CallerConfiguration): readonly ApiKey[] {
  if (apiKeySha256 === null || expires === null) return [];
  return [{ apiKeySha256, expires }, ...(next === null ? [] : [next])].map((key) => ({
    ...key,
    expires: new Date(key.expires),
  }));
}

function certificateCallerOf(caller: Caller, { mtls }: CallerConfiguration): readonly CertificateCaller[] {
  const mark = mtls === null ? null : markOf(mtls);
  return mark === null ? [] : [{ caller, mark: mark[0], value: mark[1] }];
}

/** How a caller's tokens are verified, and the location of the keys; null if the caller uses no tokens. */
function byTokenOf(name: string, { oidc, kubernetes }: CallerConfiguration): ByToken | null {
  if (oidc !== null) {
    const { issuer, keys, ca, audience, tenantId } = oidc;
    const place = { issuer, keys, ca, tokenFile: null, tenantId, path: ['callers', name, 'oidc'] };
    return { place, audiences: audience, demands: oidcDemands(oidc) };
  }
  if (kubernetes === null) return null;
  const { issuer, keys, ca, tokenFile, audience, serviceAccounts } = kubernetes;
  const place = { issuer, keys, ca, tokenFile, tenantId: null, path: ['callers', name, 'kubernetes'] };
  return { place, audiences: audience, demands: kubernetesDemands(serviceAccounts) };
}

function oidcDemands({ profile, tenantId, clientIds, appRoles, subjects, claims }: OidcConfiguration) {
  // A configuration of this profile does not load without a tenant.
  if (profile === 'entra') return entraDemands({ tenantId: tenantId ?? '', clientIds, appRoles });
  return genericDemands({ subjects, claims });
}

/** The keys of issuers of callers, each place once. */
export class CallerKeyring {
  static readonly NONE = new CallerKeyring(new Map(), [], []);
  readonly #open: ReadonlyMap<string, OpenCallerKeys>;
  /** Keys that the previous keyring did not have. */
  readonly #added: readonly OpenCallerKeys[];
  /** Keys of previous callers. Earlier requests may still wait for them. */
  readonly #retired: readonly OpenCallerKeys[];

  private constructor(
    open: ReadonlyMap<string, OpenCallerKeys>,
    added: readonly OpenCallerKeys[],
    retired: readonly OpenCallerKeys[],
  ) {
    this.#open = open;
    this.#added = added;
    this.#retired = retired;
  }

  /**
   * Keys for these places. Reuses keys fetched from places that stay, and reads files again. @throws
   * {ConfigurationError}
   */
  async next(places: readonly CallerKeyPlace[], options: CallerKeysOptions): Promise<CallerKeyring> {
    const wanted = new Map(places.map((place) => [placeId(place), place]));
    const before = [...this.#open];
    const stays = await Promise.all(before.map(([id, keys]) => wanted.has(id) && keys.isCurrent()));
    const kept = before.filter((_, index) => stays[index]);
    const missing = [...wanted].filter(([id]) => !kept.some(([known]) => known === id));
    const opened = await allOrNone(missing.map(([, place]) => openCallerKeys(place, options)));
    const added = missing.map(([id], index) => [id, opened[index] as OpenCallerKeys] as const);
    const retired = [...this.#open].filter(([id]) => !kept.some(([known]) => known === id)).map(([, keys]) => keys);
    return new CallerKeyring(new Map([...kept, ...added]), opened, retired);
  }

  of(place: CallerKeyPlace): OpenCallerKeys {
    const keys = this.#open.get(placeId(place));
    if (keys === undefined) throw new Error('keys of a caller that were not opened');
    return keys;
  }

  /** Closes the keys that were opened for this keyring. The previous keyring stays in use. */
  async discard(): Promise<void> {
    await Promise.all(this.#added.map((keys) => keys.close()));
  }

  /** Closes unused keys at the next reload, when no request can wait for them. */
  async closeRetired(): Promise<void> {
    await Promise.all(this.#retired.map((keys) => keys.close()));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open.values(), ...this.#retired].map((keys) => keys.close()));
  }
}

/** Opens several. If one fails, closes all. @throws {ConfigurationError} with the problems of all */
async function allOrNone(opening: readonly Promise<OpenCallerKeys>[]): Promise<readonly OpenCallerKeys[]> {
  try {
    return await allOrProblems(opening);
  } catch (error) {
    const outcomes = await Promise.allSettled(opening);
    await Promise.all(outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value.close() : null)));
    throw error;
  }
}
