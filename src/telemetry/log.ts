import type { DestinationStream, Logger, LoggerOptions } from 'pino';
import { destination as createDestination, pino, stdTimeFunctions } from 'pino';
import { ConfigurationError, FormatError, RefusedError } from '../core/errors.js';
import { outputProblem } from '../core/file-problem.js';

const STANDARD_OUTPUT = 1;

/** Records that wait to be written; more are dropped. */
const WAITING_BYTES = 4 * 1024 * 1024;

const MASK = '[masked]';

/** Members that are never written, in any object. Lower case, without `-` and `_`. */
const SECRET_MEMBERS: ReadonlySet<string> = new Set([
  'authorization',
  'proxyauthorization',
  'xapikey',
  'apikey',
  'apikeysha256',
  'cookie',
  'setcookie',
  'password',
  'secret',
  'token',
  'nonce',
  'body',
  'evidence',
  'report',
  'hclreport',
  'tpmquote',
  'quote',
  'runtimedata',
  'userdata',
  'reportdata',
  'extradata',
  'endorsements',
  'claims',
]);

/** Member for a thrown value. Only errors are read: other values can be anything. */
const ERROR_MEMBER = 'err';

/** Objects deeper than this are not written: a log record reports an event, not the processed objects. */
const DEPTH = 5;

/**
 * The log of the process: one JSON line per record. Secrets and evidence do not appear at any level. Members with
 * their names are masked at every depth, and bytes are never written. Of a foreign error, the log only has kind,
 * code and place: messages of parsers and of the runtime quote their input.
 *
 * @param destination defaults to standard output
 */
export function createLog(level: string, destination?: DestinationStream): Logger {
  return pino(logOptions(level), destination ?? outputTo(STANDARD_OUTPUT, sayOnStandardError));
}

function sayOnStandardError(problem: string): void {
  process.stderr.write(`log: standard output: ${problem}\n`);
}

/**
 * An output that cannot stop the service: on a full disk the service continues, and reports it once. Unwritten records are tried
 * again with the next record, and dropped when the process ends; the library would retry for ever.
 */
export function outputTo(descriptor: number, say: (problem: string) => void): ReturnType<typeof createDestination> {
  const stream = createDestination({ dest: descriptor, maxLength: WAITING_BYTES });
  stream.once('error', (error: unknown) => say(outputProblem(error)));
  stream.on('error', () => {
    stream.flushSync = () => {};
  });
  return stream;
}

function logOptions(level: string): LoggerOptions {
  return {
    level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: {
      level: (label) => ({ level: label }),
      log: (fields) => maskObject(fields, 0),
    },
    // `log` above writes errors; the library's own serializer would write their messages.
    serializers: { err: (error: unknown) => error },
  };
}

function maskObject(fields: object, depth: number): Record<string, unknown> {
  const masked: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (name === ERROR_MEMBER && !(value instanceof Error)) masked[name] = { type: typeof value };
    else masked[name] = isSecret(name) ? MASK : maskValue(value, depth);
  }
  return masked;
}

function maskValue(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  if (depth >= DEPTH || ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return MASK;
  if (value instanceof Error) return errorFields(value, depth);
  if (value instanceof URL) return value.origin;
  if (Array.isArray(value)) return value.map((item) => maskValue(item, depth + 1));
  return maskObject(value, depth + 1);
}

/** Results of `isSecret`: the names in log records come from this code base, so they are few and constant. */
const known = new Map<string, boolean>();
const KNOWN_LIMIT = 1_000;

function isSecret(name: string): boolean {
  let secret = known.get(name);
  if (secret === undefined) {
    secret = SECRET_MEMBERS.has(name.replaceAll(/[-_]/g, '').toLowerCase());
    if (known.size < KNOWN_LIMIT) known.set(name, secret);
  }
  return secret;
}

interface ErrorFields {
  readonly type: string;
  readonly code?: string;
  /** Only of errors of this service: their messages are made to be shown, without bytes of the evidence. */
  readonly message?: string;
  readonly frames: readonly string[];
  readonly cause?: ErrorFields;
}

function errorFields(error: Error, depth: number): ErrorFields {
  const code: unknown = 'code' in error ? error.code : undefined;
  return {
    type: error.name,
    ...(typeof code === 'string' ? { code } : {}),
    ...(isOwn(error) ? { message: error.message } : {}),
    frames: framesOf(error),
    ...(error.cause instanceof Error && depth < DEPTH ? { cause: errorFields(error.cause, depth + 1) } : {}),
  };
}

function isOwn(error: Error): boolean {
  return error instanceof FormatError || error instanceof RefusedError || error instanceof ConfigurationError;
}

/** Lines of the stack with a place. The lines before repeat the message, which may have several lines. */
function framesOf(error: Error): readonly string[] {
  const lines = (error.stack ?? '').split('\n').map((line) => line.trim());
  return lines.filter((line) => /^at .+(?::\d+:\d+\)?|\(native\)|<anonymous>\)?)$/.test(line)).slice(0, 12);
}
