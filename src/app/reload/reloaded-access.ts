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

/** The result of a reload, as names of configuration keys. */
export interface AccessReload {
  /** The values that this reload has put in force. */
  readonly tookOver: readonly string[];
  /** The values that differ from those in force, and need a restart. */
  readonly needRestart: readonly string[];
  /** The configuration in force. */
  readonly configuration: Configuration;
}

/** The name of this part in reloads. */
export const ACCESS_PART = 'callers and listen.tls';

/** The listeners whose TLS material is replaced. */
export interface ReloadedListeners {
  readonly server: Pick<RunningServer, 'exchangeTls' | 'endConnections'>;
  /** Null: the main listener serves probes and metrics. */
  readonly management: Pick<RunningManagement, 'exchangeTls'> | null;
}

/** TLS material of the listeners; null for a listener without TLS. */
interface ListenersTls {
  readonly server: TlsMaterial | null;
  readonly management: TlsIdentity | null;
}

/** The access to the service: TLS material and callers. A reload replaces both, or neither. */
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

  /** @throws {ConfigurationError} if a TLS file of a listener, or a file of a caller, is wrong */
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
   * Puts callers and TLS material of a new configuration in force. Ends open connections if a caller has lost access.
   * @throws {ConfigurationError} if any of it is wrong; nothing has changed then
   * @throws {Error} if a listener rejects its TLS material; nothing has changed then
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
    // No await follows, so a request never sees new callers with old TLS material.
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

/** A restart is needed to switch TLS on or off, or to start or stop requesting client certificates. */
function withAccessOf(current: Configuration, { callers, listen }: Configuration): Configuration {
  const { cert, clientCa } = current.listen.tls;
  const isAlike =
    (cert === null) === (listen.tls.cert === null) && (clientCa === null) === (listen.tls.clientCa === null);
  const tls = isAlike ? listen.tls : current.listen.tls;
  const management = managementOf(current.listen.management, listen.management);
  return { ...current, callers, listen: { ...current.listen, tls, management } };
}

/** A restart is needed to switch its TLS on or off, or to change its address or the access to metrics. */
function managementOf(current: ManagementConfiguration | null, read: ManagementConfiguration | null) {
  if (current === null || read === null || (current.tls === null) !== (read.tls === null)) return current;
  return { ...current, tls: read.tls };
}

/** @throws {Error} if the material of one listener cannot be used; both then have the material they had before */
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
 * A list that was emptied by mistake must not open the service, where a restart could. This holds on loopback too: a
 * proxy there may forward requests from anyone.
 */
function requireCallers(before: Configuration, { callers }: Configuration): void {
  if (Object.keys(callers).length > 0 || Object.keys(before.callers).length === 0) return;
  throw new ConfigurationError(['callers: none is left; to serve without callers, restart the service']);
}

/** A new tenant needs a restart: policies of a tenant are opened at the start. */
function requireTenants(configuration: Configuration): void {
  const known = policiesByTenant(configuration);
  const problems = Object.entries(configuration.callers).flatMap(([name, { tenant }]) => {
    const what = `the tenant ${tenant} is not served yet: a new tenant needs a restart`;
    return known.has(tenant) ? [] : [{ path: ['callers', name, 'tenant'], what }];
  });
  if (problems.length > 0) throw new ConfigurationError(problems);
}

/** Whether a caller has lost access. An unchanged caller has not. Without configured callers, everyone had access. */
function losesCallers(before: Configuration, after: Configuration): boolean {
  const callers = Object.entries(before.callers);
  if (callers.length === 0) return Object.keys(after.callers).length > 0;
  return callers.some(([name, caller]) => !isDeepStrictEqual(caller, after.callers[name]));
}

function losesClients(before: TlsMaterial | null, after: TlsMaterial | null): boolean {
  if (before === null || before.clientCa === null) return false;
  const kept = new Set(authorities(after?.clientCa ?? ''));
  if (authorities(before.clientCa).some((authority) => !kept.has(authority))) return true;
  // A client whose certificate a new CRL revokes had access before.
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

/** @throws {ConfigurationError} with the problems of the files of both listeners */
async function readListenersTls(
  { tls, management }: ListenConfiguration,
  readBytes?: ReadBytes,
): Promise<ListenersTls> {
  const server = readTlsMaterial(tls, readBytes);
  const ofManagement = readManagementTls(management, readBytes);
  await allOrProblems<unknown>([server, ofManagement]);
  return { server: await server, management: await ofManagement };
}
