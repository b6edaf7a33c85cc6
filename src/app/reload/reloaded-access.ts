import { X509Certificate } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Configuration, ListenConfiguration, ManagementConfiguration } from '../../config/configuration.js';
import { changedKeys } from '../../config/effective-configuration.js';
import { policiesByTenant } from '../../config/tenants.js';
import type { CallerDirectory } from '../../core/caller-directory.js';
import { allOrProblems, ConfigurationError } from '../../core/errors.js';
import type { ReadBytes } from '../../files/whole-files.js';
import type { TlsIdentity, TlsMaterial } from '../../http/listener.js';
import type { RunningManagement } from '../../http/management.js';
import type { RunningServer } from '../../http/server.js';
import { type CallerOptions, type OpenCallers, openCallers } from '../open-callers.js';
import { pemCertificates, readManagementTls, readTlsMaterial } from '../tls-material.js';

/** The result of a reload, by the names of keys. */
export interface AccessReload {
  /** The values in force from now on. */
  readonly tookOver: readonly string[];
  /** The values that differ from those in force, and need a restart. */
  readonly needRestart: readonly string[];
  /** The configuration in force. */
  readonly configuration: Configuration;
}

/** As reloads call them. */
export const ACCESS_PART = 'callers and listen.tls';

/** The listeners whose TLS material is exchanged. */
export interface ReloadedListeners {
  readonly server: Pick<RunningServer, 'exchangeTls' | 'endConnections'>;
  /** Null: probes and metrics are beside the rest. */
  readonly management: Pick<RunningManagement, 'exchangeTls'> | null;
}

/** TLS material of the listeners; null where one has none. */
interface ListenersTls {
  readonly server: TlsMaterial | null;
  readonly management: TlsIdentity | null;
}

/** The access to the service: TLS material and callers. They are exchanged together, or not at all. */
export class ReloadedAccess {
  readonly #options: CallerOptions;
  #callers: OpenCallers;
  #configuration: Configuration;
  #tls: ListenersTls;

  private constructor(configuration: Configuration, options: CallerOptions, tls: ListenersTls, callers: OpenCallers) {
    this.#configuration = configuration;
    this.#options = options;
    this.#tls = tls;
    this.#callers = callers;
  }

  /** @throws {ConfigurationError} where a TLS file of a listener, or a file of a caller, is wrong */
  static async open(configuration: Configuration, options: CallerOptions): Promise<ReloadedAccess> {
    const tls = await readListenersTls(configuration.listen, options.readBytes);
    return new ReloadedAccess(configuration, options, tls, await openCallers(configuration, options));
  }

  close(): Promise<void> {
    return this.#callers.keyring.close();
  }

  /** The values in force. */
  get configuration(): Configuration {
    return this.#configuration;
  }

  get callers(): CallerDirectory {
    return this.#callers.directory;
  }

  get tls(): TlsMaterial | null {
    return this.#tls.server;
  }

  /** Of the management listener. */
  get managementTls(): TlsIdentity | null {
    return this.#tls.management;
  }

  /**
   * Takes over callers and TLS material of a configuration that was read again, and ends open connections where somebody has
   * lost access.
   * @throws {ConfigurationError} where anything of it is wrong; nothing has changed then
   * @throws {Error} where a listener does not take its TLS material; likewise
   */
  async reload(read: Configuration, listeners: ReloadedListeners): Promise<AccessReload> {
    const before = { configuration: this.#configuration, tls: this.#tls };
    const configuration = withAccessOf(before.configuration, read);
    requireCallers(before.configuration, configuration);
    requireTenants(configuration);
    const tls = await readListenersTls(configuration.listen, this.#options.readBytes);
    const callers = await openCallers(configuration, this.#options, this.#callers.keyring);
    await this.#callers.keyring.closeRetired();
    try {
      exchangeTls(listeners, before.tls, tls);
    } catch (error) {
      await callers.keyring.discard();
      throw error;
    }
    // From there on nothing waits, so that no request meets the one without the other.
    this.#callers = callers;
    this.#configuration = configuration;
    this.#tls = tls;
    if (losesCallers(before.configuration, configuration) || losesClients(before.tls.server, tls.server)) {
      listeners.server.endConnections();
    }
    const changed = [...changedKeys(before.configuration, configuration), ...changedFiles(before.tls, tls)];
    return { tookOver: [...new Set(changed)], needRestart: changedKeys(configuration, read), configuration };
  }
}

/** Whether there is TLS, and whether it asks for certificates of clients, is settled when the port is opened. */
function withAccessOf(current: Configuration, { callers, listen }: Configuration): Configuration {
  const { cert, clientCa } = current.listen.tls;
  const isAlike =
    (cert === null) === (listen.tls.cert === null) && (clientCa === null) === (listen.tls.clientCa === null);
  const tls = isAlike ? listen.tls : current.listen.tls;
  const management = managementOf(current.listen.management, listen.management);
  return { ...current, callers, listen: { ...current.listen, tls, management } };
}

/** Likewise; its address, and who may read the metrics, need a restart as well. */
function managementOf(current: ManagementConfiguration | null, read: ManagementConfiguration | null) {
  if (current === null || read === null || (current.tls === null) !== (read.tls === null)) return current;
  return { ...current, tls: read.tls };
}

/** @throws {Error} where the material of one listener cannot be used; both have what they had before then */
function exchangeTls({ server, management }: ReloadedListeners, before: ListenersTls, tls: ListenersTls): void {
  if (tls.management !== null) management?.exchangeTls(tls.management);
  try {
    if (tls.server !== null) server.exchangeTls(tls.server);
  } catch (error) {
    if (before.management !== null) management?.exchangeTls(before.management);
    throw error;
  }
}

/**
 * A list that was emptied by mistake must not open the service, where a new start could. This holds on loopback too:
 * whatever a proxy there lets through would be let in.
 */
function requireCallers(before: Configuration, { callers }: Configuration): void {
  if (Object.keys(callers).length > 0 || Object.keys(before.callers).length === 0) return;
  throw new ConfigurationError(['callers: none is left; to serve without callers, restart the service']);
}

/** Policies of a tenant are opened at the start. */
function requireTenants(configuration: Configuration): void {
  const known = policiesByTenant(configuration);
  const problems = Object.entries(configuration.callers).flatMap(([name, { tenant }]) => {
    const what = `the tenant ${tenant} is not served yet: a new tenant needs a restart`;
    return known.has(tenant) ? [] : [{ path: ['callers', name, 'tenant'], what }];
  });
  if (problems.length > 0) throw new ConfigurationError(problems);
}

/** A caller that is unchanged in both configurations has lost nothing. Without configured callers, everybody had access. */
function losesCallers(before: Configuration, after: Configuration): boolean {
  const callers = Object.entries(before.callers);
  if (callers.length === 0) return Object.keys(after.callers).length > 0;
  return callers.some(([name, caller]) => !isDeepStrictEqual(caller, after.callers[name]));
}

function losesClients(before: TlsMaterial | null, after: TlsMaterial | null): boolean {
  if (before === null || before.clientCa === null) return false;
  const kept = new Set(authorities(after?.clientCa ?? ''));
  if (authorities(before.clientCa).some((authority) => !kept.has(authority))) return true;
  // Whoever is on another CRL was let in before.
  return !isDeepStrictEqual(before.clientCrl, after?.clientCrl);
}

function authorities(pem: string): readonly string[] {
  return pemCertificates(pem).map((certificate) => new X509Certificate(certificate).fingerprint256);
}

function changedFiles(before: ListenersTls, after: ListenersTls): readonly string[] {
  return [
    ...changedKeys(before.server ?? {}, after.server ?? {}, 'listen.tls'),
    ...changedKeys(before.management ?? {}, after.management ?? {}, 'listen.management.tls'),
  ];
}

/** @throws {ConfigurationError} with all that is wrong with the files of either listener */
async function readListenersTls(
  { tls, management }: ListenConfiguration,
  readBytes?: ReadBytes,
): Promise<ListenersTls> {
  const server = readTlsMaterial(tls, readBytes);
  const ofManagement = readManagementTls(management, readBytes);
  await allOrProblems<unknown>([server, ofManagement]);
  return { server: await server, management: await ofManagement };
}
