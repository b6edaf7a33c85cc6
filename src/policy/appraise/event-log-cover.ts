import { placeOf } from '../../core/evidence-traits.js';
import { registerNames } from '../../core/register-names.js';
import type { AppraisalTopic } from './appraisal-topic.js';

/**
 * Rejects PCRs that were extended although the event log has no event for them, because such a log is incomplete. PCRs
 * that a running OS extends are exempt, and a policy can exempt others (`runtimePcrs`).
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
