/** A link to a recorded decision: its id alone, behind the `#`, which no browser sends to anybody. Evidence is never in a link. */
const LINK = /^#decision=([0-9a-fA-F-]{36})$/;

/** The fragment of the link to a decision. */
export function linkTo(decisionId: string): string {
  return `#decision=${encodeURIComponent(decisionId)}`;
}

/** The id that a fragment names; null for any other. */
export function decisionIn(fragment: string): string | null {
  return LINK.exec(fragment)?.[1] ?? null;
}
