/** A link to a recorded decision: only its id, after the `#`, which browsers do not send to servers. Links never contain evidence. */
const LINK = /^#decision=([0-9a-fA-F-]{36})$/;

/** The fragment of the link to a decision. */
export function linkTo(decisionId: string): string {
  return `#decision=${encodeURIComponent(decisionId)}`;
}

/** The id in a fragment; null for any other fragment. */
export function decisionIn(fragment: string): string | null {
  return LINK.exec(fragment)?.[1] ?? null;
}
