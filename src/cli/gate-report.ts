import type { VerifiedReceipt } from '../relying-party/check-receipt.js';
import { ReceiptError, type ReceiptErrorCode } from '../relying-party/receipt-error.js';
import { type Check, NotAllowedError, ServiceError } from '../relying-party/service-errors.js';
import { EXEC_FAILURE, type GateRequest } from './gate-options.js';
import { GateProgramError } from './gate-programs.js';
import { UsageError } from './input.js';
import { EXIT_CODE, OUTCOME_COLOUR, type Output, printableTexts, styledFor, withoutCommands } from './output.js';

/** Output streams of a gate. Standard output belongs to the command, if there is one. */
export interface GateOutput extends Output {
  /** Writes to standard error. */
  complain(text: string): void;
}

/** The result in JSON. */
interface Result {
  readonly allowed: boolean;
  /** Code of the failure; null for an allow. */
  readonly code: string | null;
  readonly message: string;
  /** The remedy; null if the checks have remedies, or none is needed. */
  readonly remedy: string | null;
  readonly decision: 'allow' | 'deny' | 'indeterminate' | null;
  readonly decisionId: string | null;
  readonly retryable: boolean;
  readonly reasons: readonly string[];
  /** Checks that did not pass. */
  readonly checks: readonly Check[];
  /** Claims of the receipt. The receipt itself is a secret, and is not shown. */
  readonly receipt: Pick<VerifiedReceipt, 'issuer' | 'audience' | 'expiresAt' | 'evidence' | 'policies'> | null;
}

/**
 * Reports the outcome of a gate.
 *
 * @param outcome the verified receipt, or the error
 * @returns the exit code
 * @throws {UsageError} unchanged
 */
export function gateReport(outcome: unknown, { command }: Pick<GateRequest, 'command'>, output: GateOutput): number {
  if (outcome instanceof UsageError) throw outcome;
  const result = isVerified(outcome) ? allowed(outcome) : refused(outcome);
  // A service repeats text of the guest, which is unverified: the log of a pipeline must not execute commands in it.
  const json = `${withoutCommands(JSON.stringify(result, null, 2))}\n`;
  const style = command === null ? output : { inColour: false };
  const lines = `${peopleLines(result, style).map(withoutCommands).join('\n')}\n`;
  // With a command, JSON is written only on request.
  if (command === null) output.write(output.asTable ? lines : json);
  else if (!result.allowed) output.complain(lines);
  if (command === null && !output.asTable && !result.allowed) output.complain(lines);
  if (result.allowed) return EXIT_CODE.allow;
  return command === null ? exitCodeOf(outcome) : EXEC_FAILURE;
}

function isVerified(outcome: unknown): outcome is VerifiedReceipt {
  return typeof outcome === 'object' && outcome !== null && !(outcome instanceof Error) && 'decision' in outcome;
}

const NOTHING: Result = {
  allowed: false,
  code: null,
  message: '',
  remedy: null,
  decision: null,
  decisionId: null,
  retryable: false,
  reasons: [],
  checks: [],
  receipt: null,
};

function allowed({ decisionId, issuer, audience, expiresAt, evidence, policies }: VerifiedReceipt): Result {
  return {
    ...NOTHING,
    allowed: true,
    message: 'The receipt is an allow for this gate.',
    decision: 'allow',
    decisionId,
    receipt: { issuer, audience, expiresAt, evidence, policies },
  };
}

function refused(error: unknown): Result {
  if (error instanceof NotAllowedError) return notAllowed(error);
  const message = error instanceof Error ? `${error.message}${sayCauses(error.cause)}` : 'The gate failed.';
  const base = { ...NOTHING, message };
  if (error instanceof ReceiptError) return { ...base, code: error.code, remedy: RECEIPT_REMEDIES[error.code] };
  if (error instanceof ServiceError) return { ...base, code: error.code, remedy: serviceRemedy(error) };
  if (error instanceof GateProgramError) return { ...base, code: 'program_failed', remedy: PROGRAM_REMEDY };
  return { ...base, code: 'internal_error', remedy: null };
}

function notAllowed({ message, decision, decisionId, reasons, checks, retryable }: NotAllowedError): Result {
  const isPast = decision === 'allow';
  return {
    ...NOTHING,
    code: isPast ? 'historical' : decision,
    message,
    remedy: isPast ? 'Ask for a decision about now: a body without at, and a service that does not add one.' : null,
    decision,
    decisionId,
    retryable,
    reasons,
    checks,
  };
}

/** Deeper causes come from libraries. */
const CAUSES = 4;

/** Why an exchange failed, from the known causes. */
function sayCauses(cause: unknown): string {
  const said: string[] = [];
  for (let depth = 0, at = cause; at instanceof Error && depth < CAUSES; depth++, at = at.cause) {
    if (at.message !== '' && at.message !== 'fetch failed' && at.message !== 'no answer came') said.push(at.message);
  }
  return said.length === 0 ? '' : ` (${said.join('; ')})`;
}

const PROGRAM_REMEDY = 'Run the program by itself, with VERITEE_NONCE set, and see why it fails.';
const NO_ANSWER_REMEDY =
  'See whether --url is right, the service runs, and its certificate is one that Node trusts (NODE_EXTRA_CA_CERTS names more).';
const OTHER_SERVICE_REMEDY =
  'See what answers at --url: it is not veritee, or something in front of it answers instead.';

function serviceRemedy({ code, status }: ServiceError): string {
  if (code === 'no_answer') return NO_ANSWER_REMEDY;
  if (code === 'answer_invalid' || code === 'status_unexpected') return OTHER_SERVICE_REMEDY;
  if (status === 401) return 'Give a valid API key, in the file of --api-key-file or in VERITEE_API_KEY.';
  if (status === 403) return 'The operator of the service has to give this caller the role, policy or audience.';
  if (isCallersFault(status)) return 'Change the evidence or the options as the service says.';
  return 'Try again later, and see the log of the service.';
}

/** 408, 425 and 429 depend on the moment. */
function isCallersFault(status: number | null): boolean {
  return status !== null && status >= 400 && status < 500 && ![408, 425, 429].includes(status);
}

const OPTION_REMEDY = (option: string) =>
  `Compare ${option} with what the service says and what this gate is meant to ask for.`;

const RECEIPT_REMEDIES: Readonly<Record<ReceiptErrorCode, string>> = {
  receipt_form:
    'See that the service gives this caller receipts for the audience, and that nothing changes its answers.',
  receipt_header: OTHER_SERVICE_REMEDY,
  receipt_key: 'See that --jwks, or the key set of the issuer, is that of the service which answers at --url.',
  receipt_keys_unavailable:
    'See that /.well-known/jwks.json of the issuer can be reached, or give its key set as --jwks.',
  receipt_signature: OTHER_SERVICE_REMEDY,
  receipt_issuer: OPTION_REMEDY('--issuer (receipts.issuer of the service)'),
  receipt_audience: OPTION_REMEDY('--audience'),
  receipt_nonce: 'Do not trust this answer: it is not about the evidence that was sent. See what answers at --url.',
  receipt_time: 'Compare the clocks of this machine and of the service.',
  receipt_profile: OTHER_SERVICE_REMEDY,
  receipt_policy: OPTION_REMEDY('--policy, its digest and --tenant'),
  receipt_evidence_type: OPTION_REMEDY('--evidence-type'),
  receipt_decision: OTHER_SERVICE_REMEDY,
  receipt_binding: OPTION_REMEDY('--bound-key'),
};

function exitCodeOf(error: unknown): number {
  if (error instanceof NotAllowedError)
    return error.decision === 'indeterminate' ? EXIT_CODE.indeterminate : EXIT_CODE.deny;
  const isMalformed =
    error instanceof ServiceError && error.code !== 'status_unexpected' && isCallersFault(error.status);
  return isMalformed ? EXIT_CODE.usage : EXIT_CODE.indeterminate;
}

function peopleLines(result: Result, style: Pick<Output, 'inColour'>): readonly string[] {
  const {
    allowed: isAllowed,
    code,
    message,
    remedy,
    decision,
    decisionId,
    retryable,
    checks,
    receipt,
  } = printableTexts(result);
  const styled = styledFor(style);
  const verdict = isAllowed ? 'allow' : (decision ?? 'indeterminate');
  const word = isAllowed ? 'allow' : `no allow (${code})`;
  return [
    `${styled(['bold', isAllowed ? 'green' : OUTCOME_COLOUR[verdict === 'allow' ? 'deny' : verdict]], word)}  ${message}`,
    ...(decisionId === null ? [] : [`  decision  ${decisionId}`]),
    ...(receipt === null ? [] : receiptLines(receipt)),
    ...checks.flatMap(checkLines),
    ...(remedy === null ? [] : [`  ${remedy}`]),
    ...(retryable ? ['  The same request may later be judged otherwise.'] : []),
  ];
}

function receiptLines({
  issuer,
  audience,
  expiresAt,
  evidence,
  policies,
}: NonNullable<Result['receipt']>): readonly string[] {
  return [
    `  issuer    ${issuer}`,
    `  audience  ${audience}`,
    `  evidence  ${evidence.type}`,
    ...policies.map(({ id, sha256 }) => `  policy    ${id}@sha256:${sha256}`),
    `  ends      ${expiresAt}`,
  ];
}

/** The checks of an answer may have any form. */
function checkLines(check: Partial<Check>): readonly string[] {
  const { id, result, detail, remedy } = check;
  const text = (value: unknown) => (typeof value === 'string' ? value : '');
  return [`  ${text(result)}  ${text(id)}: ${text(detail)}`, ...(text(remedy) === '' ? [] : [`    ${text(remedy)}`])];
}
