import { FormatError } from '../../core/errors.js';
import { isObject, type JsonObject } from '../../core/json.js';
import { parseStrictJson } from '../../formats/strict-json.js';
import type { BoundedAnswer } from '../bounded-agent.js';
import { FetchError } from '../fetch-error.js';

/** The answer of another verifier, if it is about the evidence. */
export type AttestationAnswer = { readonly token: string } | { readonly refused: string };

const TOKEN_BYTES = 64 * 1024;
const BAD_REQUEST = 400;
const UNPROCESSABLE = 422;

/** Errors of Azure Attestation that are about the evidence, and their messages. */
const REFUSALS: ReadonlyMap<string, string> = new Map([
  ['PolicyEvaluationError', 'Azure Attestation judged the evidence and its policy does not allow it'],
  ['InvalidParameter', 'Azure Attestation refuses the evidence (InvalidParameter)'],
  ['InvalidOperation', 'Azure Attestation refuses the evidence (InvalidOperation)'],
]);

/**
 * Reads the answer of Azure Attestation to an attest call.
 *
 * @throws {FetchError} if it is neither a token nor a refusal of the evidence
 */
export function readAttestationAnswer(answer: BoundedAnswer): AttestationAnswer {
  const { status } = answer;
  if (status < 300) return { token: readToken(answer) };
  const code = errorCodeOf(answer);
  const refused = status === BAD_REQUEST && code !== null ? REFUSALS.get(code) : undefined;
  if (refused !== undefined) return { refused };
  // The code is only for the log: callers see no text of another service.
  throw new FetchError('status', `answered with status ${status}`, {
    status,
    ...(code === null ? {} : { cause: code }),
  });
}

/**
 * Reads the token of an answer as text, without parsing it.
 * @throws {FetchError} if there is none
 */
export function readToken(answer: BoundedAnswer): string {
  const token = answerObject(answer)?.['token'];
  if (typeof token !== 'string' || token === '' || token.length > TOKEN_BYTES) {
    throw new FetchError('content_type', 'answered with something other than a token', { status: answer.status });
  }
  return token;
}

/**
 * Reads the code of an error: `{error: {code}}`, or `{Error: {Code}}` of older services. Null if there is none, or if
 * it is not a single word: longer text of the service is not used.
 */
function errorCodeOf(answer: BoundedAnswer): string | null {
  const body = answerObject(answer);
  const error = body?.['error'] ?? body?.['Error'];
  const code = isObject(error) ? (error['code'] ?? error['Code']) : null;
  return typeof code === 'string' && /^[A-Za-z]{1,64}$/.test(code) ? code : null;
}

/**
 * Whether Trust Authority's 400, or 422, is about the evidence. Its errors are texts without a code. Its client documents
 * "Invalid nonce and/or run time data". Any text about the quote, its content or its validity also counts as a
 * refusal: an optional route must not ignore a refusal that is worded differently.
 * Names are read as words (`verifier_nonce`, `QuoteVerificationFailed`). A page of HTML comes from a front end.
 */
export function isAboutQuote({ status, body }: BoundedAnswer): boolean {
  if (!isRefusal(status)) return false;
  const text = Buffer.from(body).toString('latin1');
  if (text.trimStart().startsWith('<')) return false;
  const said = words(text);
  return ABOUT_QUOTE.test(said) && !ABOUT_KEY_OF_API.test(said);
}

/** Whether Trust Authority refuses the request itself, and not its credentials or form. */
export function isRefusal(status: number): boolean {
  return status === BAD_REQUEST || status === UNPROCESSABLE;
}

/** Splits names in a text: at underscores, where a capital follows a letter, and behind an acronym. */
function words(text: string): string {
  return text
    .replaceAll(/[_-]/g, ' ')
    .replaceAll(/([a-z])(?=[A-Z])/g, '$1 ')
    .replaceAll(/([A-Z])(?=[A-Z][a-z])/g, '$1 ');
}

/** `Unable to verify API key`: about the credentials of this service. */
const ABOUT_KEY_OF_API = /\b(?:api|subscription) ?keys?\b/i;

const ABOUT_QUOTE = new RegExp(
  `\\b(?:${[
    'quotes?',
    'nonce',
    '(?:run ?time|user|report|held) ?data',
    'evidence',
    'tcb',
    'pck',
    'fmspc',
    'debug(?! ?(?:id|=|:|[0-9]))',
    'signatures?(?! ?alg)',
    'certificates?',
    'revoked',
    'verif(?:y|ied|ication)',
    'attest(?:er|ed|ation fail\\w*)',
  ].join('|')})\\b`,
  'i',
);

function answerObject({ body }: BoundedAnswer): JsonObject | null {
  try {
    const value = parseStrictJson(body);
    return isObject(value) ? value : null;
  } catch (error) {
    if (error instanceof FormatError) return null;
    throw error;
  }
}
