import { hasParavisor, isTokenType, placeOf, teeOf, tokenRouteOf } from '../../core/evidence-traits.js';
import type { JsonValue } from '../../core/json.js';
import type { AppraisalTopic, TopicInput } from './appraisal-topic.js';

/** The source of the Secure Boot state, and its place. */
interface SecureBootWord {
  readonly state: JsonValue;
  /** Ends a sentence: "Secure Boot is on, by …". */
  readonly source: string;
  readonly place: string;
}

/**
 * Appraises Secure Boot. The event log decides if its register was quoted; otherwise the configuration of the
 * paravisor, or the token. Only a literal `true` passes. An absent value fails as `secure_boot_unknown`. If log
 * and configuration differ, every policy denies, because one of them is not from this boot.
 */
export const secureBoot: AppraisalTopic = {
  needs: (policy, evidenceType) => {
    if (policy.secureBoot === 'any') return [];
    // Bare evidence can lack runtime claims, but only a verified report shows that it does.
    const section = hasParavisor(evidenceType) ? 'hcl' : (tokenRouteOf(evidenceType) ?? teeOf(evidenceType));
    return section === null ? [] : [section];
  },
  required: (policy) => (policy.secureBoot === 'required' ? ['secure_boot'] : []),
  appraise: (policy, input, checks) => {
    const log = wordOfLog(input);
    const other = wordOfOther(input);
    const configured = other.state ?? withheldState(input);
    if (contradict(log, configured)) {
      checks.at(log.place).fail('secure_boot', {
        expected: { [CONFIGURED]: configured },
        actual: { [`${log.section}.eventLog.secureBoot`]: log.state },
        detail: `Secure Boot is ${onOrOff(log.state)} by ${log.source}, and ${onOrOff(configured)} by ${other.source}`,
      });
      return;
    }
    if (policy.secureBoot === 'any') return;
    const { state, source, place } = log ?? other;
    if (typeof state !== 'boolean') {
      // Also for a log that does not decide. Its sender should not be told to send a log.
      const gap = input.verification.eventLogGaps?.absent.secureBoot;
      const why =
        gap === undefined ? {} : { detail: `the event log does not say whether Secure Boot is on: ${gap.detail}` };
      checks.at(place).fail('secure_boot_unknown', { expected: true, actual: state, ...why });
      return;
    }
    const detail = `Secure Boot is ${onOrOff(state)}, by ${source}`;
    checks.at(place).require(state, 'secure_boot', { expected: true, actual: state, detail, otherwise: detail });
  },
};

/** The claim of the paravisor. */
const CONFIGURED = 'hcl.vmConfiguration.secureBoot';

function contradict(log: WordOfLog | null, other: JsonValue): log is WordOfLog {
  if (typeof log?.state !== 'boolean' || typeof other !== 'boolean') return false;
  return log.state !== other;
}

/**
 * The withheld state. If only the AK is vouched for, the runtime claims do not decide, but must not contradict the
 * log.
 */
function withheldState({ verification: { withheldConfiguration } }: TopicInput): JsonValue {
  return withheldConfiguration?.['secureBoot'] ?? null;
}

function onOrOff(state: JsonValue): string {
  return state === true ? 'on' : 'off';
}

interface WordOfLog extends SecureBootWord {
  readonly section: 'tpm' | 'tdx';
}

/** Null if there is no log, or if its Secure Boot register was not quoted. */
function wordOfLog({ evidenceType, verification }: TopicInput): WordOfLog | null {
  const { tpm, tdx } = verification.claims;
  const section = tpm?.eventLog === undefined ? 'tdx' : 'tpm';
  const log = tpm?.eventLog ?? tdx?.eventLog;
  const gap = verification.eventLogGaps?.absent.secureBoot;
  if (log === undefined || (gap !== undefined && gap.check !== 'secure_boot_unknown')) return null;
  const place = placeOf('eventLog', evidenceType);
  return { section, state: log.secureBoot, source: 'the event log', place };
}

function wordOfOther({ evidenceType, verification: { claims } }: TopicInput): SecureBootWord {
  const place = placeOf('hcl', evidenceType);
  if (isTokenType(evidenceType)) {
    return { state: claims.maa?.stated.secureBoot ?? null, source: 'the token', place };
  }
  const state = claims.hcl?.vmConfiguration?.['secureBoot'] ?? null;
  return { state, source: 'the runtime claims', place };
}
