import type { ComponentChildren } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { JsonObject } from '../model/json.js';
import { BytesPanel } from './bytes-panel.js';
import { ChainPanel } from './chain-panel.js';
import type { FieldPlace } from './claim-fields.js';
import { ComparisonPanel } from './comparison-panel.js';
import { ExampleNote } from './example-panel.js';
import { OwnPanel } from './own-panel.js';
import { PolicyPanel } from './policy-panel.js';
import { shownClaims } from './questions.js';
import { QuestionsPanel, type WantedClaim } from './questions-panel.js';
import { ReceiptPanel } from './receipt-panel.js';
import { RecordPanel } from './record-panel.js';
import { registersOf } from './registers.js';
import { RegistersPanel } from './registers-panel.js';
import type { Service } from './service.js';
import type { Subject } from './subject.js';
import { UnaskedPanel } from './unasked-panel.js';
import { FaultPanel, VerdictPanel } from './verdict-panel.js';

interface ResultProps extends Subject {
  readonly keySet: JsonObject | null;
  readonly alone: boolean;
  readonly service: Service;
}

/** Everything that is shown of what is looked at. */
export function Result(props: ResultProps) {
  const { found, body, own, decision, fault, receipt, recorded, example, keySet, alone } = props;
  const start = useRef<HTMLElement>(null);
  const boot = useMemo(() => registersOf(found, decision?.claims ?? null, body), [found, decision, body]);
  useEffect(() => {
    if (decision !== null || fault !== null || found.length > 0) start.current?.focus();
  }, [decision, fault, found]);
  if (found.length === 0 && decision === null && fault === null) return null;
  return (
    <section class="result" aria-label="Result" tabIndex={-1} ref={start}>
      {example === null ? null : <ExampleNote shown={example} decision={decision} />}
      {decision === null ? null : <VerdictPanel decision={decision} isStored={example?.state !== 'recorded'} />}
      {fault === null ? null : <FaultPanel fault={fault} />}
      {recorded === null ? null : <RecordPanel recorded={recorded} />}
      {isUnasked(props) ? <UnaskedPanel found={found} alone={alone} /> : null}
      {own === null ? null : <OwnPanel verdict={own} alone={alone} isExample={example !== null} />}
      {receipt === null ? null : (
        <ReceiptPanel key={receipt.receipt} given={receipt} keySet={keySet} service={alone ? null : props.service} />
      )}
      <ClaimsAndBytes {...props}>{boot === null ? null : <RegistersPanel boot={boot} />}</ClaimsAndBytes>
      {found.length === 0 ? null : <ComparisonPanel found={found} />}
    </section>
  );
}

function isUnasked({ found, decision, fault, receipt }: Subject): boolean {
  return found.length > 0 && decision === null && fault === null && receipt === null;
}

interface ClaimsAndBytesProps extends ResultProps {
  /** What stands between them. */
  readonly children: ComponentChildren;
}

/** What was decided and what was given: claims lead to their bytes, and fields to their claims. */
function ClaimsAndBytes({ decision, found, body, example, isNonceOfBody, service, children }: ClaimsAndBytesProps) {
  const [place, setPlace] = useState<FieldPlace | null>(null);
  const [wanted, setWanted] = useState<WantedClaim | null>(null);
  const claims = useMemo(() => shownClaims(decision?.claims), [decision]);
  useEffect(() => {
    setPlace(null);
    setWanted(null);
  }, [found, decision]);
  return (
    <>
      {decision === null ? null : (
        <>
          <ChainPanel decision={decision} isNonceOfBody={isNonceOfBody} />
          <QuestionsPanel decision={decision} found={found} wanted={wanted} onPlace={setPlace} />
          <PolicyPanel decision={decision} body={example?.state === 'recorded' ? null : body} service={service} />
        </>
      )}
      {children}
      <BytesPanel found={found} place={place} claims={claims} onClaim={(claim) => setWanted({ claim })} />
    </>
  );
}
