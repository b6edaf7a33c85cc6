import type { JsonObject, JsonValue } from '../../src/core/json.js';
import type { Body } from './body.js';

/** How many bodies of each kind got which answer, as a table. */
export function tallyOf(answers: readonly (readonly [Body, JsonValue])[]): string {
  const rows = new Map<string, Map<string, number>>();
  for (const [{ kind }, answer] of answers) {
    for (const name of [kind, 'all']) {
      const row = rows.get(name) ?? new Map<string, number>();
      const outcome = outcomeOf(answer);
      rows.set(name, row.set(outcome, (row.get(outcome) ?? 0) + 1));
    }
  }
  const lines = [...rows].map(([name, row]) => `${name.padEnd(24)} ${rowText(row)}`);
  return lines.toSorted().join('\n');
}

/** @throws {Error} if no evidence of the lab is allowed, of one type or more */
export function requireAllowed(answers: readonly (readonly [Body, JsonValue])[]): void {
  const ofLab = answers.filter(([{ kind }]) => kind.startsWith('lab '));
  const allowed = new Set(ofLab.flatMap(([{ kind }, answer]) => (outcomeOf(answer) === 'allow' ? [kind] : [])));
  const refused = ofLab.map(([{ kind }]) => kind).find((kind) => !allowed.has(kind));
  if (refused !== undefined)
    throw new Error(`nothing of ${refused} is allowed: are its roots not taken (lab-roots.mjs)?`);
}

/** The decision, or the status of an answer without one. */
function outcomeOf(answer: JsonValue): string {
  const { status, body } = answer as JsonObject;
  const decision = (body as JsonObject | null)?.['decision'];
  return typeof decision === 'string' ? decision : String(status);
}

function rowText(row: ReadonlyMap<string, number>): string {
  const outcomes = [...row].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return outcomes.map(([outcome, count]) => `${outcome} ${count}`).join(', ');
}
