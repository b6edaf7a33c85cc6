import { useEffect, useRef, useState } from 'preact/hooks';
import type { JsonValue } from '../core/json.js';
import { AzurePanel } from './azure-panel.js';
import { CheckTable } from './check-table.js';
import { type FieldPlace, placeOfClaim } from './claim-fields.js';
import { firmwareIn } from './firmware.js';
import { limitsOf } from './limits.js';
import { checksFor, claimsFor, factsFor, QUESTIONS, type Question, questionOfClaim } from './questions.js';
import type { Check, Decision } from './service.js';
import { shownValue } from './shown-value.js';
import type { FoundBytes } from './structures.js';

interface QuestionsPanelProps {
  readonly decision: Decision;
  readonly found: readonly FoundBytes[];
  /** The claim that the user followed from its bytes; a new object each time. */
  readonly wanted: WantedClaim | null;
  /** Shows the bytes of a claim. */
  readonly onPlace: (place: FieldPlace) => void;
}

export interface WantedClaim {
  readonly claim: string;
}

/** A tab for each usual question (WAI-ARIA, tabs pattern). */
export function QuestionsPanel({ decision, found, wanted, onPlace }: QuestionsPanelProps) {
  const [selected, setSelected] = useState(0);
  useEffect(() => {
    if (wanted !== null) setSelected(questionOfClaim(wanted.claim) ?? 0);
  }, [wanted]);
  const question = QUESTIONS[selected];

  return (
    <section class="questions" aria-labelledby="questions">
      <h2 id="questions">What people ask</h2>
      <Tabs selected={selected} onSelect={setSelected} />
      {question === undefined ? null : <Answer {...{ question, decision, found, wanted, onPlace }} />}
    </section>
  );
}

interface TabsProps {
  readonly selected: number;
  readonly onSelect: (index: number) => void;
}

function Tabs({ selected, onSelect }: TabsProps) {
  const list = useRef<HTMLDivElement>(null);

  function move(to: number): void {
    const next = (to + QUESTIONS.length) % QUESTIONS.length;
    onSelect(next);
    list.current?.querySelectorAll('button')[next]?.focus();
  }

  return (
    <div
      role="tablist"
      aria-labelledby="questions"
      ref={list}
      onKeyDown={(event) => {
        const to = { ArrowRight: selected + 1, ArrowLeft: selected - 1, Home: 0, End: QUESTIONS.length - 1 }[event.key];
        if (to === undefined) return;
        event.preventDefault();
        move(to);
      }}
    >
      {QUESTIONS.map(({ name, text }, index) => (
        <button
          key={name}
          type="button"
          role="tab"
          id={`tab-${name}`}
          aria-selected={index === selected}
          aria-controls="question"
          tabIndex={index === selected ? 0 : -1}
          onClick={() => onSelect(index)}
        >
          {text}
        </button>
      ))}
    </div>
  );
}

interface AnswerProps extends QuestionsPanelProps {
  readonly question: Question;
}

function Answer({ question, decision, found, wanted, onPlace }: AnswerProps) {
  const checks = checksFor<Check>(question, decision.checks);
  const claims = claimsFor(question, decision.claims);
  const facts = factsFor(question, decision);
  const isOfLimits = question.name === 'limits';
  return (
    <div role="tabpanel" id="question" aria-labelledby={`tab-${question.name}`}>
      {question.name === 'azure' ? <AzurePanel decision={decision} /> : null}
      {question.name === 'firmware' ? <Sentences of="firmware" texts={firmwareIn(decision)} /> : null}
      {isOfLimits ? <Sentences of="limits" texts={limitsOf(decision.evidence.type)} /> : null}
      <Sentences of="facts" texts={facts} />
      {claims.length === 0 && question.claims.length > 0 && question.name !== 'azure' ? (
        <p>{facts.length === 0 ? 'Nothing that was verified says it.' : 'No verified claim says it.'}</p>
      ) : null}
      {claims.length === 0 ? null : (
        <dl class="claims">
          {claims.map(([path, value]) => (
            <Claim key={path} {...{ path, value, wanted, onPlace }} place={placeOfClaim(path, found)} />
          ))}
        </dl>
      )}
      {checks.length === 0 ? null : <CheckTable caption={`Checks that answer “${question.text}”`} checks={checks} />}
    </div>
  );
}

interface ClaimProps extends Pick<QuestionsPanelProps, 'wanted' | 'onPlace'> {
  readonly path: string;
  readonly value: JsonValue;
  readonly place: FieldPlace | null;
}

function Claim({ path, value, place, wanted, onPlace }: ClaimProps) {
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (wanted?.claim === path) button.current?.focus();
  }, [wanted, path]);
  return (
    <div>
      <dt>
        <code>{path}</code>
      </dt>
      <dd>
        <code>{shownValue(value)}</code>{' '}
        {place === null ? null : (
          <button type="button" class="place" ref={button} onClick={() => onPlace({ ...place })}>
            its bytes<span class="hidden"> ({path})</span>
          </button>
        )}
      </dd>
    </div>
  );
}

function Sentences({ of, texts }: { readonly of: string; readonly texts: readonly string[] }) {
  if (texts.length === 0) return null;
  return (
    <ul class={of}>
      {texts.map((text) => (
        <li key={text}>{shownValue(text)}</li>
      ))}
    </ul>
  );
}
