import { FetchError } from '../endorsements/fetch-error.js';
import { parseStrictJson } from '../formats/strict-json.js';
import { FormatError } from '../model/errors.js';
import { isObject, type JsonObject } from '../model/json.js';
import type { BoundedAnswer } from './bounded-exchange.js';

/** What another verifier answered, where it is about the evidence. */
export type AttestationAnswer = { readonly token: string } | { readonly refused: string };

const TOKEN_BYTES = 64 * 1024;

/** The policy of the instance said no: the one error that is a judgement of the evidence. */
const REFUSED = 'PolicyEvaluationError';

/**
 * Reads the answer of Azure Attestation to an attest call.
 *
 * @throws {FetchError} where it is neither a token nor a refusal of the evidence
 */
export function readAttestationAnswer(answer: BoundedAnswer): AttestationAnswer {
  const { status } = answer;
  if (status < 300) return { token: readToken(answer) };
  const code = errorCodeOf(answer);
  if (status === 400 && code === REFUSED) {
    return { refused: 'Azure Attestation judged the evidence and its policy does not allow it' };
  }
  // The code is for the log: text of another service is not shown to callers, a word of it included.
  throw new FetchError('status', `answered with status ${status}`, {
    status,
    ...(code === null ? {} : { cause: code }),
  });
}

/**
 * The token of an answer. It is text here, and nothing of it is looked at.
 * @throws {FetchError} where there is none
 */
export function readToken(answer: BoundedAnswer): string {
  const token = objectOf(answer)?.['token'];
  if (typeof token !== 'string' || token === '' || token.length > TOKEN_BYTES) {
    throw new FetchError('content_type', 'answered with something else than a token', { status: answer.status });
  }
  return token;
}

/**
 * The code of an error: `{error: {code}}`, or `{Error: {Code}}` of older services. Null where there is none, or where
 * it is not a word: text of the service goes no further.
 */
function errorCodeOf(answer: BoundedAnswer): string | null {
  const body = objectOf(answer);
  const error = body?.['error'] ?? body?.['Error'];
  const code = isObject(error) ? (error['code'] ?? error['Code']) : null;
  return typeof code === 'string' && /^[A-Za-z]{1,64}$/.test(code) ? code : null;
}

function objectOf({ body }: BoundedAnswer): JsonObject | null {
  try {
    const value = parseStrictJson(body);
    return isObject(value) ? value : null;
  } catch (error) {
    if (error instanceof FormatError) return null;
    throw error;
  }
}
