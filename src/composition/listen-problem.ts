import type { ListenConfiguration } from '../config/configuration.js';

/** Why the port could not be opened, in words and with the key to change; null for any other error. */
export function listenProblem(error: unknown, { host, port }: ListenConfiguration): string | null {
  if (!(error instanceof Error && 'syscall' in error && 'code' in error)) return null;
  if (error.syscall !== 'listen' && error.syscall !== 'getaddrinfo') return null;
  switch (error.code) {
    case 'EADDRINUSE':
      return `listen.port: port ${port} of ${host} is in use; stop what uses it, or choose another (VERITEE__LISTEN__PORT; 0 picks a free one)`;
    case 'EACCES':
      return `listen.port: the user of this process may not open port ${port}; choose one from 1024 on (VERITEE__LISTEN__PORT)`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `listen.host: ${host} is no address of this machine; 127.0.0.1 and 0.0.0.0 always are (VERITEE__LISTEN__HOST)`;
    default:
      return `listen: port ${port} of ${host} cannot be opened (${String(error.code)})`;
  }
}
