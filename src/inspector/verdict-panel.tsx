import { Compared } from './check-table.js';
import { linkTo } from './decision-link.js';
import type { Decision, ServiceFault } from './service.js';
import { shownValue } from './shown-value.js';
import { reasonsOf, verdictOf, warningsOf } from './verdict.js';

interface VerdictPanelProps {
  readonly decision: Decision;
  /** Whether the service may have a record of it: it has none for an example. */
  readonly isStored: boolean;
  /** Whether it is a withdrawn record: it was stored too late, and its answer said `audit_unavailable`. */
  readonly isWithdrawn: boolean;
}

/** Characters of an expected or actual value: the chain of trust shows more. */
const SHORTENED = 100;

/** The decision in one sentence, then its reasons with their remedies. */
export function VerdictPanel({ decision, isStored, isWithdrawn }: VerdictPanelProps) {
  return (
    <section class={`verdict ${isWithdrawn ? 'withdrawn' : decision.decision}`} aria-labelledby="verdict">
      <h2 id="verdict">
        {isWithdrawn ? 'Withdrawn, recorded too late: ' : ''}
        {verdictOf(decision)}
      </h2>
      <Reasons reasons={reasonsOf(decision)} />
      <Warnings warnings={warningsOf(decision)} />
      <Facts {...{ decision, isStored, isWithdrawn }} />
    </section>
  );
}

function Reasons({ reasons }: { readonly reasons: ReturnType<typeof reasonsOf> }) {
  if (reasons.length === 0) return null;
  return (
    <ol class="reasons" aria-label="Reasons">
      {reasons.map(({ code, check }) => (
        <li key={code}>
          <p>
            <code>{code}</code> {shownValue(check?.detail ?? '')}
          </p>
          {check === null ? null : <Compared expected={check.expected} actual={check.actual} longest={SHORTENED} />}
          {check?.remedy == null ? null : <p class="remedy">{shownValue(check.remedy)}</p>}
        </li>
      ))}
    </ol>
  );
}

function Warnings({ warnings }: { readonly warnings: ReturnType<typeof warningsOf> }) {
  if (warnings.length === 0) return null;
  return (
    <ul class="warnings" aria-label="Warnings">
      {warnings.map(({ id, about, detail, remedy, waived }) => (
        <li key={`${id} ${about}`}>
          <p>
            <code>{id}</code> {shownValue(detail)}
            {waived ? ' (waived by the policy)' : ''}
          </p>
          {remedy === null ? null : <p class="remedy">{shownValue(remedy)}</p>}
        </li>
      ))}
    </ul>
  );
}

function Facts({ decision, isStored, isWithdrawn }: VerdictPanelProps) {
  return (
    <dl class="facts">
      <dt>Decision</dt>
      <dd>
        <code>{decision.decisionId}</code>{' '}
        {isStored ? (
          <a href={linkTo(decision.decisionId)} target="_blank" rel="noopener">
            Link to its record
          </a>
        ) : null}{' '}
        {isStored ? <small>in a new tab; reading records needs the role audit:read</small> : null}
      </dd>
      <dt>Decided at</dt>
      <dd>{decision.decidedAt}</dd>
      {decision.decision === 'allow' && !isWithdrawn && decision.validUntil !== '' ? (
        <>
          <dt>Holds until</dt>
          <dd>{decision.validUntil}</dd>
        </>
      ) : null}
      <dt>Evidence</dt>
      <dd>
        {decision.evidence.type}, SHA-256 <code>{decision.evidence.sha256}</code>
      </dd>
    </dl>
  );
}

/** Why the service verified nothing. */
export function FaultPanel({ fault }: { readonly fault: ServiceFault }) {
  return (
    <section class="verdict fault" aria-labelledby="fault">
      <h2 id="fault">Not judged: {shownValue(fault.message)}</h2>
      {fault.code === null ? null : (
        <p>
          <code>{fault.code}</code>
          {fault.pointer === null ? '' : ` at ${shownValue(fault.pointer)}`}
        </p>
      )}
      {fault.status === 401 ? (
        <p>Give the key of a caller under “Policy, nonce, audience, key”, and try again.</p>
      ) : null}
    </section>
  );
}
