import { type Command, InvalidArgumentError } from 'commander';
import type { ReceiptDemand, ReceiptVerifierOptions } from '../relying-party/options.js';
import { secureUrl } from '../relying-party/secure-url.js';
import { type Handlers, JSON_TOO } from './command-group.js';
import { UsageError } from './input.js';

const GATE_COMMAND_HELP = `
Exit codes: 0 allow, 1 usage or malformed, 2 deny, 3 indeterminate or failed. With --exec: that of the command, 128 and the
number of the signal that ended it, or 125 where the gate itself did not let it run.

The command and the program of --collect run without a shell. The program of --collect finds the nonce in VERITEE_NONCE; the
command finds VERITEE_RECEIPT, VERITEE_DECISION_ID and VERITEE_NONCE. Neither gets VERITEE_API_KEY.
  veritee gate --url https://veritee.example --audience https://gate.example --policy payments@sha256:HEX \\
    --evidence-type az-snp-vtpm --collect ./collect.sh --exec -- ./release-key.sh --of payments`;

/** Exit code of the gate with `--exec` if the command did not run. Commands seldom use it. */
export const EXEC_FAILURE = 125;

export interface GateOptions {
  readonly url: string;
  readonly audience: string;
  readonly policy: readonly string[];
  readonly evidenceType: readonly string[];
  readonly issuer?: string;
  readonly tenant: string;
  readonly jwks?: string;
  readonly apiKeyFile?: string;
  readonly evidence?: string;
  readonly nonce?: string;
  readonly collect?: string;
  readonly boundKey?: string;
  readonly timeout: string;
  readonly json?: boolean;
  readonly exec?: boolean;
}

export interface GateActions {
  /** @param command program and arguments after `--` */
  gate(command: readonly string[], options: GateOptions): Promise<number>;
}

/** Adds `veritee gate`. */
export function addGateCommand(program: Command, run: Handlers<GateActions>): void {
  program
    .command('gate')
    .description('send evidence to a service, verify the receipt, and run a command only on an allow')
    .argument('[command...]', 'with --exec, after --: program and arguments to run on an allow')
    .requiredOption('--url <url>', 'URL of the service: https, or http to this machine')
    .requiredOption('--audience <name>', 'required audience of the receipt: your own name')
    .option(
      '--policy <id[@sha256:hex]>',
      'required policy, with the digest of its text; may be given again',
      oneMore,
      [],
    )
    .option(
      '--evidence-type <type>',
      'type of evidence that counts, such as az-snp-vtpm; may be given again',
      oneMore,
      [],
    )
    .option('--issuer <name>', 'issuer of the receipt (receipts.issuer of the service), if it is not the URL')
    .option('--tenant <name>', 'tenant of the caller at the service', 'default')
    .option('--jwks <file>', 'key set of the issuer; otherwise it is fetched from the issuer')
    .option('--api-key-file <file>', 'file with the API key; otherwise VERITEE_API_KEY, if set')
    .option('--evidence <file>', 'a /verify body that was made for --nonce, or - for standard input')
    .option('--nonce <base64url>', 'with --evidence: the nonce that you gave out for it')
    .option('--collect <program>', 'program that prints a /verify body for the challenge in VERITEE_NONCE')
    .option('--bound-key <thumbprint>', 'demand a bound key: required, or its RFC 7638 SHA-256 thumbprint')
    .option('--timeout <seconds>', 'for everything before the command', '60')
    .option(...JSON_TOO)
    .option('--exec', 'on an allow, run the command after --; otherwise exit with 125')
    .addHelpText('after', GATE_COMMAND_HELP)
    .action(run('gate'));
}

/** Whether the arguments are those of a gate with a command, even if they have other errors. */
export function isGateWithExec(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  const own = end < 0 ? args : args.slice(0, end);
  const isGate = own.find((arg) => !arg.startsWith('-')) === 'gate';
  return isGate && own.some((arg) => arg === '--exec' || arg.startsWith('--exec='));
}

function oneMore(value: string, before: readonly string[]): readonly string[] {
  if (value === '') throw new InvalidArgumentError('It is empty.');
  return [...before, value];
}

/** The source of the evidence. */
export type EvidenceSource =
  | { readonly kind: 'file'; readonly file: string; readonly nonce: string }
  | { readonly kind: 'program'; readonly program: string };

/** The options, validated. */
export interface GateRequest {
  /** Without a slash at its end. */
  readonly url: string;
  readonly expected: Omit<ReceiptVerifierOptions, 'keys' | 'clock' | 'fetch' | 'subject'>;
  readonly source: EvidenceSource;
  readonly boundKey: ReceiptDemand['boundKey'];
  readonly timeoutMs: number;
  /** Program and arguments; null: no command. */
  readonly command: readonly [program: string, ...args: string[]] | null;
}

/** @throws {UsageError} with the missing or wrong option, and the remedy */
export function gateRequest(command: readonly string[], options: GateOptions): GateRequest {
  const url = readUrl('--url', options.url);
  const issuer = options.issuer ?? url;
  if (options.jwks === undefined) readUrl('--issuer', issuer);
  return {
    url,
    expected: {
      issuer,
      audience: options.audience,
      policies: readPolicies(options.policy),
      evidenceTypes: readEvidenceTypes(options.evidenceType),
      tenant: options.tenant,
    },
    source: readSource(options),
    boundKey: readBoundKey(options.boundKey),
    timeoutMs: readTimeout(options.timeout),
    command: readCommand(command, options.exec === true),
  };
}

function readUrl(option: string, text: string): string {
  try {
    return secureUrl(text, option).href.replace(/\/$/, '');
  } catch (error) {
    throw new UsageError([error instanceof Error ? error.message : `${option} is no URL`], { cause: error });
  }
}

const POLICY = /^([a-z0-9][a-z0-9-]{0,63})(?:@sha256:([0-9a-f]{64}))?$/;

function readPolicies(texts: readonly string[]): GateRequest['expected']['policies'] {
  if (texts.length === 0) {
    throw new UsageError(['--policy is missing: name the policy that must have judged, as ID or ID@sha256:HEX']);
  }
  return texts.map((text) => {
    const [, id, sha256] = POLICY.exec(text) ?? [];
    if (id === undefined) {
      throw new UsageError([
        '--policy: expected the id of a policy, or ID@sha256:HEX with 64 digits of hex in lower case',
        'veritee policy show ID prints the digest',
      ]);
    }
    return sha256 === undefined ? { id } : { id, sha256 };
  });
}

function readEvidenceTypes(types: readonly string[]): readonly string[] {
  if (types.length > 0) return types;
  throw new UsageError(['--evidence-type is missing: name the type of evidence that counts, such as az-snp-vtpm']);
}

function readSource({ evidence, nonce, collect }: GateOptions): EvidenceSource {
  if (evidence !== undefined && collect !== undefined) {
    throw new UsageError(['--evidence and --collect do not go together: leave one out']);
  }
  if (collect !== undefined) {
    if (nonce !== undefined) {
      throw new UsageError([
        '--nonce and --collect do not go together: with --collect the service is asked for a challenge',
      ]);
    }
    if (collect === '') throw new UsageError(['--collect: is empty; expected the path or name of a program']);
    return { kind: 'program', program: collect };
  }
  if (evidence === undefined) {
    throw new UsageError(['name where the evidence comes from: --collect PROGRAM, or --evidence FILE with --nonce']);
  }
  if (nonce === undefined) {
    throw new UsageError([
      '--evidence needs --nonce: the nonce that you gave out for this evidence, not the one in the file',
    ]);
  }
  return { kind: 'file', file: evidence, nonce: readGateNonce(nonce, '--nonce') };
}

const NONCE = /^[A-Za-z0-9_-]{11,86}$/;

/**
 * Reads a nonce that programs can safely receive: canonical base64url of 8 to 64 bytes, without characters that a
 * shell or a terminal would interpret.
 *
 * @throws {UsageError} for anything else
 */
export function readGateNonce(text: string, name: string): string {
  const bytes = Buffer.from(text, 'base64url');
  const isNonce = NONCE.test(text) && bytes.length >= 8 && bytes.length <= 64 && bytes.toString('base64url') === text;
  if (isNonce) return text;
  throw new UsageError([`${name}: is not base64url of 8 to 64 bytes without padding`]);
}

function readBoundKey(text: string | undefined): GateRequest['boundKey'] {
  if (text === undefined || text === 'required') return text;
  if (/^[A-Za-z0-9_-]{43}$/.test(text)) return { jkt: text };
  throw new UsageError(['--bound-key: expected required, or the RFC 7638 SHA-256 thumbprint of the key in base64url']);
}

const LONGEST_SECONDS = 600;

function readTimeout(text: string): number {
  const seconds = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (seconds >= 1 && seconds <= LONGEST_SECONDS) return seconds * 1000;
  throw new UsageError([`--timeout: expected whole seconds from 1 to ${LONGEST_SECONDS}`]);
}

function readCommand([program, ...args]: readonly string[], isExec: boolean): GateRequest['command'] {
  if (isExec && (program === undefined || program === '')) {
    throw new UsageError(['--exec: no command; write it behind --, as in --exec -- ./release-key.sh']);
  }
  if (program === undefined) return null;
  if (!isExec) throw new UsageError(['a command, and no --exec: write --exec in front of --']);
  return [program, ...args];
}
