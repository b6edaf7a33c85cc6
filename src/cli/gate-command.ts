import { boundedExchange } from '../relying-party/bounded-exchange.js';
import { requireIssuedSince, type VerifiedReceipt } from '../relying-party/check-receipt.js';
import { type JsonObject, parseJsonObject } from '../relying-party/json-text.js';
import { readChallenge, readObject, receiptOfAllow } from '../relying-party/read-answer.js';
import { ReceiptError } from '../relying-party/receipt-error.js';
import { createReceiptVerifier, type ReceiptVerifier } from '../relying-party/receipt-verifier.js';
import { ServiceError } from '../relying-party/service-errors.js';
import { EXEC_FAILURE, type GateOptions, type GateRequest, gateRequest, readGateNonce } from './gate-options.js';
import { collectedOutput, ranCommand } from './gate-programs.js';
import { type GateOutput, gateReport } from './gate-report.js';
import { type NamedInput, UsageError } from './input.js';
import { printable, withoutCommands } from './output.js';

/** Everything that the gate uses of its environment. */
export interface GateMachine {
  readonly environment: NodeJS.ProcessEnv;
  readonly clock: () => Date;
  readonly monotonicMs: () => number;
  readonly fetch: typeof globalThis.fetch;
  readonly readInput: (file: string, expected: string) => Promise<NamedInput>;
  /** Aborts the work before the command. */
  readonly signal: AbortSignal;
}

/** A verified receipt, and the environment of the command. */
export interface Allowed {
  readonly verified: VerifiedReceipt;
  readonly receipt: string;
  readonly nonce: string;
}

/**
 * Sends evidence to a service, verifies the receipt of its answer, and runs the command after an allow. In
 * every other case, no command runs and the exit code is not 0.
 *
 * @returns the exit code
 * @throws {UsageError} if an option or a file is malformed
 */
export async function gateCommand(
  command: readonly string[],
  options: GateOptions,
  machine: GateMachine,
  output: GateOutput,
): Promise<number> {
  try {
    return await ranGate(command, options, machine, output);
  } catch (error) {
    if (options.exec !== true || !machine.signal.aborted) throw error;
    // The exit code of a signal could be one of the command.
    output.complain(`${printable(error instanceof Error ? error.message : 'failed')}\n`);
    return EXEC_FAILURE;
  }
}

async function ranGate(
  command: readonly string[],
  options: GateOptions,
  machine: GateMachine,
  output: GateOutput,
): Promise<number> {
  const request = gateRequest(command, options);
  const service = await openService(options, request, machine);
  const outcome = await new Gate(request, machine, service, output).judge().catch((error: unknown) => {
    // With a command, a signal is a failure of the gate like any other.
    if (request.command === null) machine.signal.throwIfAborted();
    return { error };
  });
  if ('error' in outcome) return gateReport(outcome.error, request, output);
  if (request.command === null) {
    machine.signal.throwIfAborted();
    return gateReport(outcome.verified, request, output);
  }
  if (machine.signal.aborted) return EXEC_FAILURE;
  return ranCommand(request.command, commandEnvironment(machine.environment, outcome));
}

/** The service's key, and the verifier of its receipts. */
interface OpenService {
  readonly headers: Readonly<Record<string, string>>;
  readonly verifier: ReceiptVerifier;
}

const API_KEY = /^[\x21-\x7e]{1,4096}$/;

async function openService(options: GateOptions, request: GateRequest, machine: GateMachine): Promise<OpenService> {
  const key = await apiKeyOf(options, machine);
  const json = { accept: 'application/json', 'content-type': 'application/json' };
  const { jwks } = options;
  const keys = jwks === undefined ? undefined : parseInputObject(await machine.readInput(jwks, KEY_SET));
  return {
    headers: key === null ? json : { ...json, authorization: `Bearer ${key}` },
    verifier: verifierFor(request, keys, machine),
  };
}

const KEY_SET = 'a JWK Set, as the service has it at /.well-known/jwks.json';

/** Reports errors in the options, or the key set, as usage errors. */
function verifierFor({ expected }: GateRequest, keys: JsonObject | undefined, machine: GateMachine): ReceiptVerifier {
  const { clock } = machine;
  try {
    const given = keys === undefined ? {} : { keys: keys as { readonly keys: never } };
    return createReceiptVerifier({ ...expected, ...given, clock, fetch: jsonFetch(machine) });
  } catch (error) {
    throw error instanceof TypeError ? new UsageError([error.message], { cause: error }) : error;
  }
}

/** @returns null if there is none. Pipelines set an empty variable for a missing secret. */
async function apiKeyOf({ apiKeyFile }: GateOptions, { environment, readInput }: GateMachine): Promise<string | null> {
  if (apiKeyFile !== undefined) {
    const { bytes } = await readInput(apiKeyFile, 'a file with the API key and nothing else');
    return requireApiKey(
      Buffer.from(bytes)
        .toString('utf8')
        .replace(/\r?\n$/, ''),
      '--api-key-file',
    );
  }
  const key = environment['VERITEE_API_KEY'] ?? '';
  return key === '' ? null : requireApiKey(key, 'VERITEE_API_KEY');
}

function requireApiKey(key: string, name: string): string {
  if (API_KEY.test(key)) return key;
  throw new UsageError([`${name}: is no API key; expected one line without spaces`]);
}

function parseInputObject({ name, bytes }: NamedInput): JsonObject {
  try {
    return parseJsonObject(bytes);
  } catch (cause) {
    throw new UsageError([`${name}: is not one JSON object without repeated members`], { cause });
  }
}

const MAXIMUM_ANSWER = 4 * 1024 * 1024;
/** Longest answer, for the default limit of a service's request body. */
const MAXIMUM_BODY = 16 * 1024 * 1024;
const BODY = 'a /verify body, as veritee collect writes it, or veritee request from the files of a guest';

class Gate {
  readonly #request: GateRequest;
  readonly #machine: GateMachine;
  readonly #service: OpenService;
  readonly #endsAtMs: number;
  readonly #begunAt: Date;
  readonly #output: GateOutput;

  constructor(request: GateRequest, machine: GateMachine, service: OpenService, output: GateOutput) {
    this.#output = output;
    this.#request = request;
    this.#machine = machine;
    this.#service = service;
    this.#endsAtMs = machine.monotonicMs() + request.timeoutMs;
    this.#begunAt = machine.clock();
  }

  async judge(): Promise<Allowed> {
    const { nonce, input } = await this.#evidence();
    const answer = await this.#post('/verify', this.#bodyOf(input, nonce));
    const receipt = receiptOfAllow(answer);
    if (typeof receipt !== 'string') throw new ReceiptError('receipt_form', NO_RECEIPT);
    const { boundKey } = this.#request;
    const demand = boundKey === undefined ? { nonce } : { nonce, boundKey };
    const verified = await this.#service.verifier.verify(receipt, demand);
    requireIssuedSince(verified, this.#begunAt);
    return { verified, receipt, nonce };
  }

  async #evidence(): Promise<{ readonly nonce: string; readonly input: NamedInput }> {
    const { source } = this.#request;
    const { readInput, environment, signal } = this.#machine;
    if (source.kind === 'file') return { nonce: source.nonce, input: await readInput(source.file, BODY) };
    const nonce = await this.#challenge();
    const tell = (line: string) => this.#output.complain(`${withoutCommands(printable(line))}\n`);
    const bounds = { timeoutMs: this.#remainingMs(), maximumBytes: MAXIMUM_BODY, signal, tell };
    const bytes = await collectedOutput(source.program, collectorEnvironment(environment, nonce), bounds);
    return { nonce, input: { name: 'what --collect printed', bytes } };
  }

  async #challenge(): Promise<string> {
    const { audience, policies, evidenceTypes } = this.#request.expected;
    const [policy, another] = policies;
    const [evidenceType, anotherType] = evidenceTypes;
    const { nonce } = readChallenge(
      await this.#post('/challenges', {
        audience,
        ...(another === undefined && policy !== undefined ? { policy: policy.id } : {}),
        ...(anotherType === undefined ? { evidenceType } : {}),
      }),
    );
    try {
      return readGateNonce(nonce, 'nonce');
    } catch (cause) {
      throw new ServiceError('answer_invalid', 200, 'The challenge of the service is not base64url of 8 to 64 bytes.', {
        cause,
      });
    }
  }

  /** The body comes from the machine under appraisal, so the gate sets policy, audience and time. */
  #bodyOf(input: NamedInput, nonce: string): JsonObject {
    const body = parseInputObject(input);
    if ('at' in body) {
      throw new UsageError([`${input.name}: at_not_enabled: names a past verification time, and a gate judges now`]);
    }
    const { audience, policies } = this.#request.expected;
    return { ...body, nonce, audience, policy: policies.map(({ id }) => id) };
  }

  async #post(path: string, body: object): Promise<JsonObject> {
    const { url } = this.#request;
    const answer = await boundedExchange(new URL(`${url}${path}`), {
      fetch: jsonFetch(this.#machine),
      timeoutMs: this.#remainingMs(),
      maximumBytes: MAXIMUM_ANSWER,
      headers: this.#service.headers,
      body: JSON.stringify(body),
    }).catch((cause: unknown) => {
      throw new ServiceError('no_answer', null, `No answer of the service to ${path} could be read.`, { cause });
    });
    return readObject(answer);
  }

  #remainingMs(): number {
    return Math.max(1, this.#endsAtMs - this.#machine.monotonicMs());
  }
}

const NO_RECEIPT =
  'The service says allow and sends no receipt: the caller may not have this audience (callers.*.audience of the service).';

const JSON_TYPE = /^application\/(?:[a-z0-9.-]+\+)?json(?:\s*;|$)/i;

/** Returns a `fetch` that parses JSON only under its media type. A signal aborts the request. */
function jsonFetch({ fetch, signal }: GateMachine): typeof globalThis.fetch {
  return async (url, init) => {
    const signals = [signal, ...(init?.signal ? [init.signal] : [])];
    const response = await fetch(url, { ...init, signal: AbortSignal.any(signals) });
    const type = response.headers.get('content-type') ?? '';
    if (response.status === 200 && !JSON_TYPE.test(type)) throw new Error('the answer is not JSON by its media type');
    return response;
  };
}

/** Removes the identity of the decision and the secrets from the environment of programs, unless the gate sets them itself. */
function withoutOwn(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const own = ['VERITEE_API_KEY', 'VERITEE_RECEIPT', 'VERITEE_DECISION_ID', 'VERITEE_NONCE'];
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !own.includes(name)));
}

function collectorEnvironment(environment: NodeJS.ProcessEnv, nonce: string): NodeJS.ProcessEnv {
  return { ...withoutOwn(environment), VERITEE_NONCE: nonce };
}

function commandEnvironment(environment: NodeJS.ProcessEnv, { verified, receipt, nonce }: Allowed): NodeJS.ProcessEnv {
  return {
    ...withoutOwn(environment),
    VERITEE_RECEIPT: receipt,
    VERITEE_DECISION_ID: verified.decisionId ?? '',
    VERITEE_NONCE: nonce,
  };
}
