import type { LogRecord } from '../core/decision-log.js';

/** Formats a record as a line of JSON. `content` is a string: the hash covers its exact bytes. */
export function recordLine({ chain, seq, previous, contentSha256, hash, salt, content }: LogRecord): string {
  const written = salt === null ? null : Buffer.from(salt).toString('base64url');
  return `${JSON.stringify({ chain, seq, previous, contentSha256, hash, salt: written, content })}\n`;
}
