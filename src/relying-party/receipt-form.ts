import { base64url } from 'jose';
import { type JsonObject, member, parseJsonObject } from './json-text.js';
import { ReceiptError } from './receipt-error.js';

/** A parsed receipt. Nothing of it is verified. */
export interface ReceiptParts {
  readonly header: JsonObject;
  readonly claims: JsonObject;
}

/** Maximum characters of a receipt: many times the length that the service writes. */
const RECEIPT_LENGTH = 65_536;

/**
 * Steps 1 and 2 of docs/receipts.md: the form of a receipt, and its header without the key.
 *
 * @throws {ReceiptError} `receipt_form`, `receipt_header`
 */
export function takeApart(receipt: string): ReceiptParts {
  const parts = splitReceipt(receipt);
  if (member(parts.header, 'typ') !== 'eat+jwt') {
    throw new ReceiptError('receipt_header', 'The header of the receipt does not have the typ eat+jwt.');
  }
  if (Object.hasOwn(parts.header, 'crit')) {
    throw new ReceiptError('receipt_header', 'The header of the receipt has crit, which no receipt has.');
  }
  return parts;
}

function splitReceipt(receipt: unknown): ReceiptParts {
  if (receipt === null)
    throw malformedReceipt('There is no receipt: a decision has none without an audience, or of the past.');
  if (typeof receipt !== 'string') throw malformedReceipt('The receipt is not a string.');
  if (receipt === '') throw malformedReceipt('The receipt is empty.');
  if (receipt.length > RECEIPT_LENGTH) throw malformedReceipt(`The receipt has over ${RECEIPT_LENGTH} characters.`);
  const [header, payload, signature, ...more] = receipt.split('.');
  if (header === undefined || payload === undefined || signature === undefined || more.length > 0) {
    throw malformedReceipt('The receipt does not have three parts with a dot between them.');
  }
  decode(signature, 'signature');
  return { header: parseReceiptPart(header, 'header'), claims: parseReceiptPart(payload, 'payload') };
}

function parseReceiptPart(part: string, name: string): JsonObject {
  const bytes = decode(part, name);
  try {
    return parseJsonObject(bytes);
  } catch {
    // The message of the parser may quote the text.
    throw malformedReceipt(`The ${name} of the receipt is not one JSON object without repeated members.`);
  }
}

function decode(part: string, name: string): Uint8Array {
  const bytes = decodeBase64Url(part);
  if (bytes === null) throw malformedReceipt(`The ${name} of the receipt is not base64url without padding.`);
  return bytes;
}

/**
 * Decodes base64url without padding; null unless the text is the canonical encoding. Decoders skip padding, foreign
 * characters and unused bits; encoding the bytes again detects that.
 */
export function decodeBase64Url(text: string): Uint8Array | null {
  try {
    const bytes = base64url.decode(text);
    return base64url.encode(bytes) === text ? bytes : null;
  } catch {
    return null;
  }
}

function malformedReceipt(message: string): ReceiptError {
  return new ReceiptError('receipt_form', message);
}
