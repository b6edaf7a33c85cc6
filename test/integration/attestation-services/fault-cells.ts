import type { LabFault } from '../../lab/lab-fault.js';
import type { LabConnection, LabServer } from '../../lab/lab-server.js';

/** One cell: what goes wrong, and what a caller is told. */
export interface Cell {
  readonly name: string;
  readonly break: (server: LabServer) => Promise<void> | void;
  readonly retryable: boolean;
  /** The answer comes only when the time of the request is over. */
  readonly hangs?: boolean;
  /** It is left alone until the clock has gone on by this. */
  readonly restMs?: number;
  readonly retryAfterSeconds?: number;
}

/** Faults of a server, on the path of a faulty answer. A DNS failure is each lab's own. */
export function cellsOf(path: RegExp): readonly Cell[] {
  const fault = (kind: LabFault) => (server: LabServer) => server.fail(path, kind);
  const connection = (state: LabConnection) => (server: LabServer) => server.connect(state);
  return [
    { name: 'connection refused', break: connection('refused'), retryable: true },
    { name: 'connect timeout', break: connection('half_open'), retryable: true, hangs: true },
    { name: 'TLS failure', break: connection('tls'), retryable: true },
    { name: 'half-open', break: fault('half_open'), retryable: true, hangs: true },
    { name: '1 byte/s drip', break: fault('drip'), retryable: true, hangs: true },
    {
      name: '429 with Retry-After',
      break: fault({ status: 429, retryAfter: '30' }),
      retryable: true,
      restMs: 30_000,
      retryAfterSeconds: 30,
    },
    { name: '429 without Retry-After', break: fault({ status: 429 }), retryable: true, restMs: 10_000 },
    { name: '500', break: fault({ status: 500 }), retryable: true },
    { name: '503', break: fault({ status: 503 }), retryable: true },
    { name: '404', break: fault({ status: 404 }), retryable: false },
    { name: 'wrong content type', break: fault('content_type'), retryable: true },
    { name: 'garbage', break: fault('garbage'), retryable: true },
    { name: 'oversize', break: fault('oversize'), retryable: true },
    { name: 'redirect', break: fault('redirect'), retryable: true },
  ];
}
