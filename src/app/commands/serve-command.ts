import { UsageError } from '../../cli/input.js';
import { EXIT_CODE } from '../../cli/output.js';
import type { ServeOptions } from '../../cli/program.js';
import type { Configuration, ListenConfiguration } from '../../config/configuration.js';
import type { Log } from '../../core/ports.js';
import { createLog } from '../../telemetry/log.js';
import { openAccessWarning } from '../check/load-warnings.js';
import { ManagementPortError } from '../open-management.js';
import { FileWatch } from '../reload/file-watch.js';
import { StopSignals } from '../reload/stop-signals.js';
import { type RunningService, type ServiceOptions, startService } from '../service.js';
import { SYSTEM_CLOCK } from '../system.js';
import { configurationOf, write } from './command-line-io.js';

/**
 * Runs the service until a signal stops it.
 * @param early signals of the service, if the process already listens for them
 */
export async function serve(options: ServeOptions, early: StopSignals | null): Promise<number> {
  const signals = early ?? new StopSignals();
  // `service` is assigned before the first change can be reported.
  const watch = new FileWatch({ onChange: () => void service.reload() });
  const readConfiguration = async () => {
    if (options.config !== undefined) await watch.note(options.config);
    return configurationOf(options);
  };
  const configuration = await readConfiguration();
  const log = createLog(configuration.log.level);
  const service = await start(configuration, { log, readConfiguration, readBytes: watch.readBytes });
  watch.watch();
  if (Object.keys(configuration.callers).length === 0) sayWhoIsLetIn(configuration, log);
  const { url, managementUrl } = service;
  const management = managementUrl === null ? {} : { management: managementUrl };
  const line = { level: 'info', time: SYSTEM_CLOCK.now().toISOString(), msg: 'listening', url, ...management };
  // Written at every log level: scripts wait for this line.
  write(`${JSON.stringify(line)}\n`);
  const close = async () => {
    // Later changes take effect at the next start.
    await watch.close();
    await service.close();
  };
  await signals.serve({ reload: () => service.reload(), close }, log);
  return EXIT_CODE.allow;
}

/** @throws {UsageError} if a port cannot be opened */
async function start(configuration: Configuration, options: ServiceOptions): Promise<RunningService> {
  try {
    return await startService(configuration, options);
  } catch (error) {
    const problem = listenProblem(error, configuration.listen);
    throw problem === null ? error : new UsageError([problem], { cause: error });
  }
}

function sayWhoIsLetIn(configuration: Configuration, log: Log): void {
  const open = openAccessWarning(configuration);
  if (open === null) log.info({}, 'no callers are configured: anyone on this machine may verify, and no one else');
  else log.warn({}, open.what);
}

/** Why a port could not be opened, with the key to change; null for any other error. */
function listenProblem(error: unknown, listen: ListenConfiguration): string | null {
  if (!(error instanceof ManagementPortError)) return portProblem(error, 'listen', listen);
  return listen.management === null ? null : portProblem(error.cause, 'listen.management', listen.management);
}

/** @param key of the configuration that holds host and port */
function portProblem(
  error: unknown,
  key: 'listen' | 'listen.management',
  { host, port }: Pick<ListenConfiguration, 'host' | 'port'>,
): string | null {
  if (!(error instanceof Error && 'syscall' in error && 'code' in error)) return null;
  if (!['listen', 'getaddrinfo'].includes(String(error.syscall))) return null;
  const variable = `VERITEE__${key.toUpperCase().replaceAll('.', '__')}`;
  switch (error.code) {
    case 'EADDRINUSE':
      return `${key}.port: port ${port} of ${host} is in use; stop the process that uses it, or choose another port (${variable}__PORT; 0 picks a free one)`;
    case 'EACCES':
      return `${key}.port: the user of this process may not open port ${port}; choose one from 1024 on (${variable}__PORT)`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `${key}.host: ${host} is not an address of this machine; 127.0.0.1 and 0.0.0.0 always are (${variable}__HOST)`;
    default:
      return `${key}: port ${port} of ${host} cannot be opened (${String(error.code)})`;
  }
}
