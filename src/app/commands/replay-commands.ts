import { listedDecisions } from '../../cli/decision-list.js';
import type { ListDecisionsOptions, ReplayActions, ReplayOptions } from '../../cli/decisions-commands.js';
import { Notes, type Output } from '../../cli/output.js';
import { type PolicyDiffActions, policyDiff, requireSince } from '../../cli/policy-diff-command.js';
import { RECORDED_AND_REPLAYED, replayTime, requireWhich } from '../../cli/replay-report.js';
import type { LogReader } from '../../core/decision-log.js';
import type { Log } from '../../core/ports.js';
import { NO_SLOT } from '../../judge/verification-slots.js';
import { policyDifferences } from '../../policy/document/policy-differences.js';
import type { Policy } from '../../policy/document/policy-document.js';
import type { ReplayDecision } from '../../replay/replay-decision.js';
import { readPolicySet } from '../../stores/policy-files.js';
import type { Replaced } from '../container.js';
import { commandLineLog, configurationOf, outputOf } from './command-line-io.js';
import { commandLineVerification } from './command-line-verification.js';
import { namedPolicy } from './named-policy.js';
import { readingLog } from './open-log.js';
import { policySources } from './policy-sources.js';
import { OF_ITS_OWN_ID, recordOf, replayOne, reportAll } from './replayed-decisions.js';
import { untilSignal } from './until-signal.js';

/**
 * Actions of `veritee replay` and `veritee policy diff`. They need no server, and one may be running.
 * @param replaced values that replace registrations, for a lab
 */
export function replayCommands(replaced: Replaced = {}) {
  return {
    replay: async (decisionId, options) => {
      requireWhich(decisionId, options);
      const asked = listedDecisions(given(options));
      const output = outputOf(options);
      return withKeptDecisions(options, replaced, output, async ({ store, again, policy }, signal) => {
        const instead = policy === null ? [] : [policy];
        const how = { at: replayTime(options), instead, slot: NO_SLOT };
        const judge = async (id: string) => again.replay(await recordOf(store, id), how);
        if (decisionId !== undefined) return replayOne(store, decisionId, policy, judge, output);
        const which = { ...asked, policy: policy?.id ?? null };
        const why = policy === null ? null : OF_ITS_OWN_ID;
        return reportAll(store, which, judge, { output, signal, compared: RECORDED_AND_REPLAYED, why });
      });
    },
    diffPolicies: async (before, after, options) => {
      requireSince(options);
      const asked = listedDecisions(given(options));
      const configuration = await configurationOf(options);
      const { set: known } = await readPolicySet(policySources(configuration));
      const named = (policy: string) => namedPolicy('policy diff', policy, known, configuration);
      const [old, young] = [await named(before), await named(after)];
      const output = outputOf(options);
      const show = () => policyDiff({ old, new: young, members: policyDifferences(old, young) }, output);
      if (options.since === undefined) return show();
      return withKeptDecisions(options, replaced, output, ({ store, again }, signal) => {
        show();
        const both = [old, { ...young, id: old.id }] as const;
        const judge = async (id: string) => again.compareUnder(await recordOf(store, id), both);
        const why = 'decisions that were made under the id of <old> are judged';
        return reportAll(store, { ...asked, policy: old.id }, judge, { output, signal, compared: ['old', 'new'], why });
      });
    },
  } satisfies ReplayActions & PolicyDiffActions;
}

interface KeptDecisions {
  readonly store: LogReader;
  readonly again: ReplayDecision;
  /** The value of `--policy`; null if absent. */
  readonly policy: Policy | null;
}

async function withKeptDecisions(
  options: { readonly config?: string; readonly policy?: string },
  replaced: Replaced,
  output: Output,
  work: (kept: KeptDecisions, signal: AbortSignal) => Promise<number>,
): Promise<number> {
  const notes = new Notes();
  const log: Log = output.asTable ? notes : commandLineLog();
  const configuration = await configurationOf(options);
  const told = (signal: string) => void process.stderr.write(`${signal}: ended before all decisions were judged\n`);
  try {
    return await readingLog(options, async (store) => {
      const named = options.policy ?? null;
      const values = { ...replaced, decisions: store };
      const verification = await commandLineVerification(configuration, named, log, '--policy', values);
      try {
        const { app, policy } = verification;
        return await untilSignal((signal) => work({ store, again: app.replays, policy }, signal), told);
      } finally {
        await verification.close();
      }
    });
  } finally {
    notes.release((text) => process.stderr.write(text));
  }
}

/** The options that select decisions. Omits the policy, whose id is known only after its file is read. */
function given({ since, tenant }: ReplayOptions): ListDecisionsOptions {
  return { ...(since === undefined ? {} : { since }), ...(tenant === undefined ? {} : { tenant }) };
}
