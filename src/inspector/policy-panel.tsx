import { useEffect, useState } from 'preact/hooks';
import type { JsonObject } from '../core/json.js';
import { textDigest } from './browser-digest.js';
import { PolicyEditor } from './policy-editor.js';
import { type PolicyLine, readPolicyLines } from './policy-lines.js';
import type { Decision, PolicyText, Service } from './service.js';
import { shownValue } from './shown-value.js';

interface PolicyPanelProps {
  readonly decision: Decision;
  /** The verified body; null if it is not available, for example for a recorded decision. */
  readonly body: JsonObject | null;
  readonly service: Service;
}

/** The text of each applied policy, with the deciding lines, and an editor for it. */
export function PolicyPanel({ decision, body, service }: PolicyPanelProps) {
  return (
    <section class="policies" aria-labelledby="policies">
      <h2 id="policies">By which policy</h2>
      {decision.policies.map(({ id, sha256 }) => (
        <OnePolicy key={`${decision.decisionId} ${id}`} {...{ id, sha256, decision, body, service }} />
      ))}
    </section>
  );
}

interface OnePolicyProps extends PolicyPanelProps {
  readonly id: string;
  /** Digest of the evaluated text. */
  readonly sha256: string;
}

/** Fetches the text when the user opens it: not every caller may read policies. */
function OnePolicy({ id, sha256, decision, body, service }: OnePolicyProps) {
  const [isOpen, setOpen] = useState(false);
  const [policy, setPolicy] = useState<PolicyText | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    if (isOpen) service.policy(id).then(setPolicy, (error: Error) => setProblem(error.message));
  }, [isOpen, id, service]);
  return (
    <details class="policy" onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>{id}: show its text, with the lines that decided</summary>
      <p>
        SHA-256 of the text that decided: <code>{sha256}</code>
      </p>
      <p class="problem" role="alert">
        {problem === null ? '' : `Its text is not shown: ${problem}`}
      </p>
      {policy === null ? null : (
        <>
          {textDigest(policy.text) === sha256 ? (
            <PolicyLines id={id} text={policy.text} decision={decision} />
          ) : (
            <>
              <p class="problem">
                This is not the text that decided: its SHA-256 is <code>{textDigest(policy.text)}</code>. The policy was
                changed since, so no line is marked.
              </p>
              <PolicyLines id={id} text={policy.text} decision={{ ...decision, checks: [] }} />
            </>
          )}
          <PolicyEditor text={policy.text} {...{ id, decision, body, service }} />
        </>
      )}
    </details>
  );
}

function PolicyLines({
  id,
  text,
  decision,
}: {
  readonly id: string;
  readonly text: string;
  readonly decision: Decision;
}) {
  const { lines, byDefault } = readPolicyLines(text, { ...decision, id });
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: who uses the keyboard has to be able to scroll it */}
      <section class="policy-text" tabIndex={0} aria-label={`Text of policy ${id}`}>
        <table>
          <caption class="hidden">Lines of the policy, and the checks that each decided</caption>
          <tbody>
            {lines.map((line) => (
              <LineRow key={line.number} line={line} />
            ))}
          </tbody>
        </table>
      </section>
      {byDefault.length === 0 ? null : (
        <p>
          By default, where the policy says nothing:{' '}
          {byDefault.map((check, index) => (
            <span key={check}>
              {index === 0 ? '' : ', '}
              <code>{check}</code>
            </span>
          ))}
          .
        </p>
      )}
    </>
  );
}

const SAYS = { fail: 'refused by', warn: 'tolerated by', pass: 'met' } as const;

function LineRow({ line: { number, text, state, checks } }: { readonly line: PolicyLine }) {
  return (
    <tr class={state ?? ''}>
      <th scope="row">{number}</th>
      <td>
        <code>{shownValue(text)}</code>
        {state === null || checks.length === 0 ? null : (
          <small>
            {' '}
            {SAYS[state]}: {checks.join(', ')}
          </small>
        )}
      </td>
    </tr>
  );
}
