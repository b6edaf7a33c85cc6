import type { RecordedDecision } from './service.js';
import { shownValue } from './shown-value.js';

/** The record of a decision, and the facts that the decision log lacks. */
export function RecordPanel({ recorded }: { readonly recorded: RecordedDecision }) {
  return (
    <section class="panel open record" aria-labelledby="record">
      <h2 id="record">From the decision log, and not judged now.</h2>
      {recorded.record.withdrawn ? (
        <p class="problem">
          Withdrawn: it was recorded too late, so the answer said <code>audit_unavailable</code>, and was no allow.
        </p>
      ) : null}
      <RecordFacts recorded={recorded} />
      <p>
        There are no bytes to show: the answer has a digest of the evidence alone. The log keeps no remedies and no
        receipt either. If the service keeps evidence (<code>decisions.keepEvidence: full</code>), it can replay the
        decision with <code>POST /decisions/ID:replay</code>, but never returns the evidence.
      </p>
    </section>
  );
}

function RecordFacts({ recorded: { record, release } }: { readonly recorded: RecordedDecision }) {
  return (
    <dl class="facts">
      <dt>Recorded at</dt>
      <dd>
        {shownValue(record.recordedAt)}, by veritee {shownValue(record.version)}
      </dd>
      <dt>Caller</dt>
      <dd>
        {shownValue(record.principal)} of tenant {shownValue(record.tenant)}
      </dd>
      <dt>Record</dt>
      <dd>
        {record.seq} of chain <code>{shownValue(record.chain)}</code>
      </dd>
      <dt>Its hash</dt>
      <dd>
        <code>{shownValue(record.hash)}</code>
      </dd>
      {release === null ? null : (
        <>
          <dt>Key release</dt>
          <dd>
            {shownValue(release.keyId)}: {release.state.replace('_', ' ')}
            {release.code === null ? '' : ` (${release.code})`}
          </dd>
        </>
      )}
    </dl>
  );
}
