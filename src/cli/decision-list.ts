import { OUTCOMES } from '../core/decision.js';
import type { DecisionQuery, FoundDecision, LogStore } from '../core/decision-log.js';
import { FormatError } from '../core/errors.js';
import { listedNames, quotedName } from '../core/names-in-messages.js';
import { ChangedDecisionError } from '../core/recorded-decision.js';
import { POLICY_ID } from '../core/request.js';
import { presentFoundDecision } from '../wire/present-recorded-decision.js';
import { readInstant } from '../wire/read-requests.js';
import type { Schemas } from '../wire/schema-check.js';
import type { ListDecisionsOptions } from './decisions-commands.js';
import { UsageError } from './input.js';
import { EXIT_CODE, OUTCOME_COLOUR, type Output, printableTexts, styledFor } from './output.js';

/** Number of listed decisions without `--limit`. */
const DEFAULT_LIMIT = 50;

/** Decisions in one read. */
const AT_ONCE = 500;

/** Most reasons in a row: the most important ones. */
const SHOWN_REASONS = 3;

type Summary = Schemas['DecisionSummary'];

/** The filter for the list, and its length. */
export type ListedDecisions = Omit<DecisionQuery, 'cursor'>;

/** @throws {UsageError} for an invalid value */
export function listedDecisions(options: ListDecisionsOptions): ListedDecisions {
  const { policy = null, decision, since, tenant = null, limit = String(DEFAULT_LIMIT) } = options;
  if (policy !== null && !POLICY_ID.test(policy)) {
    throw new UsageError([`--policy: ${quotedName(policy)} is no policy id`]);
  }
  const outcome = OUTCOMES.find((known) => known === decision) ?? null;
  if (decision !== undefined && outcome === null) {
    throw new UsageError([`--decision: ${quotedName(decision)} is no decision; there are ${listedNames(OUTCOMES)}`]);
  }
  if (!/^[1-9][0-9]{0,8}$/.test(limit)) {
    throw new UsageError([`--limit: ${quotedName(limit)} is no number from 1 to 999999999`]);
  }
  return { tenant, policy, decision: outcome, since: sinceOf(since), limit: Number(limit) };
}

function sinceOf(text: string | undefined): Date | null {
  return text === undefined ? null : parseTimeOption('--since', text);
}

/** @throws {UsageError} if the text is not a time */
export function parseTimeOption(option: string, text: string): Date {
  try {
    return readInstant(text, '');
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new UsageError([`${option}: ${error.message}`], { cause: error });
  }
}

/**
 * Lists decisions, newest first.
 * @returns the exit code
 * @throws {ChangedDecisionError} after the list, if some records are malformed
 */
export async function listDecisions(
  store: Pick<LogStore, 'list'>,
  { limit, ...listed }: ListedDecisions,
  output: Output,
): Promise<number> {
  const rows: Summary[] = [];
  let [found, changed] = [0, 0];
  for await (const each of newest(store, listed, limit)) {
    found += 1;
    const summary = presentFoundDecision(each);
    if (summary === null) changed += 1;
    else if (output.asTable) rows.push(printableTexts(summary));
    else output.write(`${JSON.stringify(summary)}\n`);
  }
  if (output.asTable) output.write(table(rows, found === limit ? limit : null, output));
  if (changed > 0) throw new ChangedDecisionError(`left out: what is stored of ${changed} decisions`);
  return EXIT_CODE.allow;
}

async function* newest(
  store: Pick<LogStore, 'list'>,
  listed: Omit<ListedDecisions, 'limit'>,
  limit: number,
): AsyncGenerator<FoundDecision> {
  let cursor: string | null = null;
  for (let left = limit; left > 0; ) {
    const page: readonly FoundDecision[] = await store.list({ ...listed, cursor, limit: Math.min(left, AT_ONCE) });
    yield* page;
    left -= page.length;
    cursor = page.at(-1)?.decisionId ?? null;
    if (cursor === null) return;
  }
}

/** @param limit null: the list is complete */
function table(rows: readonly Summary[], limit: number | null, output: Output): string {
  if (rows.length === 0) return 'no decisions\n';
  const styled = styledFor(output);
  const width = Math.max(...rows.map(({ tenant }) => tenant.length));
  const lines = rows.map((row) => {
    const outcome = styled(OUTCOME_COLOUR[row.decision], row.decision.padEnd('indeterminate'.length));
    return `${row.decidedAt}  ${outcome}  ${row.decisionId}  ${row.tenant.padEnd(width)}  ${what(row)}`;
  });
  const more = limit === null ? [] : [styled('gray', `the newest ${limit}; --limit lists more`)];
  return `${[...lines, ...more].join('\n')}\n`;
}

function what({ evidence, policies, reasons, historical, withdrawn }: Summary): string {
  const more = reasons.length - SHOWN_REASONS;
  const why = [...reasons.slice(0, SHOWN_REASONS), ...(more > 0 ? [`and ${more} more`] : [])].join(', ');
  return [
    `${evidence.type} under ${policies.map(({ id }) => id).join(', ')}`,
    ...(why === '' ? [] : [`: ${why}`]),
    ...(historical ? [' (historical)'] : []),
    ...(withdrawn ? [' (withdrawn: answered audit_unavailable)'] : []),
  ].join('');
}
