import { placeOf } from '../../core/evidence-traits.js';
import { registerNames } from '../../core/register-names.js';
import type { AppraisalTopic } from './appraisal-topic.js';

/**
 * PCRs that are not in their initial state although the event log has nothing for them: whatever extended them, the log
 * is not all of the boot. What an OS extends while it runs is not among them, and a policy may name others.
 */
export const eventLogCover: AppraisalTopic = {
  needs: () => [],
  required: () => [],
  appraise: ({ require: { tpm } }, { evidenceType, verification: { eventLogGaps } }, checks) => {
    const unexplained = eventLogGaps?.unexplained ?? [];
    if (unexplained.length === 0) return;
    const excused = tpm?.runtimePcrs ?? [];
    const rest = unexplained.filter((index) => !excused.includes(index));
    checks.at(placeOf('eventLog', evidenceType)).require(rest.length === 0, 'eventlog_replay', {
      expected: excused,
      actual: unexplained,
      detail: `the log has no event for ${registerNames('PCR', unexplained)}, which runtimePcrs lists`,
      otherwise: `the log has no event for what extended ${registerNames('PCR', rest)}`,
    });
  },
};
