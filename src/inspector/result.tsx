import { type ComponentChildren, Fragment } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { JsonObject } from '../core/json.js';
import { BytesPanel } from './bytes-panel.js';
import { ChainPanel } from './chain-panel.js';
import type { FieldPlace } from './claim-fields.js';
import { ComparisonPanel } from './comparison-panel.js';
import { ExampleNote } from './example-panel.js';
import { HardwarePanel } from './hardware-panel.js';
import { PolicyPanel } from './policy-panel.js';
import { shownClaims } from './questions.js';
import { QuestionsPanel, type WantedClaim } from './questions-panel.js';
import { ReceiptPanel } from './receipt-panel.js';
import { RecordPanel } from './record-panel.js';
import { registersOf } from './registers.js';
import { RegistersPanel } from './registers-panel.js';
import { type Section, SectionList } from './section-list.js';
import type { Service } from './service.js';
import type { Subject } from './subject.js';
import { UnaskedPanel } from './unasked-panel.js';
import { FaultPanel, VerdictPanel } from './verdict-panel.js';

interface ResultProps extends Subject {
  readonly keySet: JsonObject | null;
  readonly alone: boolean;
  readonly service: Service;
}

/** The whole display of the evidence. */
export function Result(props: ResultProps) {
  const { found, decision, fault } = props;
  const start = useRef<HTMLElement>(null);
  const linked = useLinkedClaims(props);
  useEffect(() => {
    if (decision === null && fault === null && found.length === 0) return;
    // Focus alone would scroll to the middle of a result that is taller than the window.
    start.current?.focus({ preventScroll: true });
    start.current?.scrollIntoView();
  }, [decision, fault, found]);
  if (found.length === 0 && decision === null && fault === null) return null;
  const sections = [...judgementOf(props), ...detailsOf(props, linked)].filter((each) => each !== null);
  return (
    <section class="result" aria-label="Result" tabIndex={-1} ref={start}>
      <SectionList sections={sections} />
      {sections.map(({ id, panel }) => (
        <Fragment key={id}>{panel}</Fragment>
      ))}
    </section>
  );
}

/** A section with its panel; no section is listed without one. */
type ShownSection = (Section & { readonly panel: ComponentChildren }) | null;

/** The decision, and the verification in the browser. */
function judgementOf(props: ResultProps): readonly ShownSection[] {
  const { found, hardware, decision, fault, receipt, recorded, example, keySet, alone } = props;
  const service = alone ? null : props.service;
  const isStored = example?.state !== 'recorded';
  const isUnasked = found.length > 0 && decision === null && fault === null && receipt === null;
  return [
    example && { id: 'example', title: 'Example', panel: <ExampleNote shown={example} decision={decision} /> },
    decision && {
      id: 'verdict',
      title: 'Decision',
      panel: <VerdictPanel decision={decision} isStored={isStored} isWithdrawn={isWithdrawn(props)} />,
    },
    fault && { id: 'fault', title: 'Not judged', panel: <FaultPanel fault={fault} /> },
    recorded && { id: 'record', title: 'Record', panel: <RecordPanel recorded={recorded} /> },
    isUnasked ? { id: 'unasked', title: 'Not judged', panel: <UnaskedPanel found={found} alone={alone} /> } : null,
    hardware && {
      id: 'hardware',
      title: 'Hardware signature',
      panel: <HardwarePanel verdict={hardware} alone={alone} isExample={example !== null} />,
    },
    receipt && {
      id: 'receipt',
      title: 'Receipt',
      panel: <ReceiptPanel key={receipt.receipt} given={receipt} keySet={keySet} service={service} />,
    },
  ];
}

const isWithdrawn = ({ recorded }: Subject) => recorded?.record.withdrawn === true;

/** The reasons, and their bytes. */
function detailsOf(props: ResultProps, linked: LinkedClaims): readonly ShownSection[] {
  const { found, body, decision, nonceBy, example, service } = props;
  const { boot, claims, place, wanted, setPlace, setWanted } = linked;
  const judgedBody = example?.state === 'recorded' ? null : body;
  return [
    decision && {
      id: 'chain',
      title: 'Chain of trust',
      panel: <ChainPanel decision={decision} nonceBy={nonceBy} isWithdrawn={isWithdrawn(props)} />,
    },
    decision && {
      id: 'questions',
      title: 'What people ask',
      panel: <QuestionsPanel decision={decision} found={found} wanted={wanted} onPlace={setPlace} />,
    },
    decision && {
      id: 'policies',
      title: 'Policy',
      panel: <PolicyPanel decision={decision} body={judgedBody} service={service} />,
    },
    boot && { id: 'registers', title: 'Measured boot', panel: <RegistersPanel boot={boot} /> },
    found.length === 0
      ? null
      : {
          id: 'bytes',
          title: 'Bytes',
          panel: <BytesPanel {...{ found, place, claims }} onClaim={(claim) => setWanted({ claim })} />,
        },
    found.length === 0 ? null : { id: 'comparison', title: 'Compare', panel: <ComparisonPanel found={found} /> },
  ];
}

type LinkedClaims = ReturnType<typeof useLinkedClaims>;

/** Links claims to their bytes, and fields to their claims. */
function useLinkedClaims({ found, decision, body }: Subject) {
  const [place, setPlace] = useState<FieldPlace | null>(null);
  const [wanted, setWanted] = useState<WantedClaim | null>(null);
  const boot = useMemo(() => registersOf(found, decision?.claims ?? null, body), [found, decision, body]);
  const claims = useMemo(() => shownClaims(decision?.claims), [decision]);
  useEffect(() => {
    setPlace(null);
    setWanted(null);
  }, [found, decision]);
  return { boot, claims, place, wanted, setPlace, setWanted };
}
