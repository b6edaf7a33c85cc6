import type { ExplanationNode } from './service.js';
import { shownValue } from './shown-value.js';

/** The reasons, step by step: failed ones are open. */
export function ExplanationTree({ node }: { readonly node: ExplanationNode }) {
  const { parts = [], result, state } = node;
  if (parts.length === 0) {
    return (
      <p class="step">
        <Came node={node} /> <NodeNote node={node} />
      </p>
    );
  }
  return (
    <details class="step" open={result === 'fail' || result === 'unavailable' || state === 'undefined'}>
      <summary>
        <Came node={node} />
      </summary>
      <p>
        <NodeNote node={node} />
      </p>
      <ul>
        {failedFirst(parts).map((part, index) => (
          <li key={`${index} ${part.text}`}>
            <ExplanationTree node={part} />
          </li>
        ))}
      </ul>
    </details>
  );
}

function failedFirst(parts: readonly ExplanationNode[]): readonly ExplanationNode[] {
  const hasFailed = ({ result }: ExplanationNode) => result === 'fail' || result === 'unavailable';
  return [...parts.filter(hasFailed), ...parts.filter((part) => !hasFailed(part))];
}

/** The subject, and its result. */
function Came({ node: { text, result, state, value } }: { readonly node: ExplanationNode }) {
  const came = result ?? (state === 'value' ? undefined : state);
  return (
    <>
      <code>{shownValue(text)}</code>
      {came === undefined ? null : `: ${came.replace('_', ' ')}`}
      {value === undefined ? null : (
        <>
          {' = '}
          <code>{shownValue(value)}</code>
        </>
      )}
    </>
  );
}

function NodeNote({ node: { note, remedy } }: { readonly node: ExplanationNode }) {
  return (
    <>
      {note === undefined ? null : shownValue(note)}
      {remedy === undefined ? null : <span class="remedy"> {shownValue(remedy)}</span>}
    </>
  );
}
