import { createHash } from 'node:crypto';

/**
 * Hex of 16 bytes and more, base64 and base64url of 32 bytes: what depends on the keys of the lab, which are made anew each
 * time. Ids of token keys are base64 with its padding.
 */
const DIGEST =
  /\b(?:[\da-f]{32,})\b|(?<![\w+/])[A-Za-z\d+/]{43}(?==)|(?<![\w-])(?=[\w-]*\d)(?=[\w-]*[A-Z])[\w-]{43}(?![\w-])/g;

/**
 * Puts made-up digests of the same length in the place of all in a value, the same for the same: what is equal stays
 * equal, what differs differs.
 */
export function withStableDigests<T>(value: T): T {
  const stable = new Map<string, string>();
  const text = JSON.stringify(value).replaceAll(DIGEST, (digest) => {
    const known = stable.get(digest) ?? madeUp(`${stable.size}`, digest);
    stable.set(digest, known);
    return known;
  });
  return JSON.parse(text);
}

function madeUp(name: string, { length }: string): string {
  const digest = createHash('sha512').update(name).digest();
  if (length === 43) return digest.subarray(0, 32).toString('base64url');
  return digest
    .toString('hex')
    .repeat(Math.ceil(length / 128))
    .slice(0, length);
}
