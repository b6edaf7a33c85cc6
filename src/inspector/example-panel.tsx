import { type Example, type ListedExample, noteOn, type ShownExample } from './example.js';
import type { Decision } from './service.js';

declare const EXAMPLES: readonly ListedExample[];

interface ExampleListProps {
  readonly picked: Example | null;
  readonly isBusy: boolean;
  readonly onPick: (listed: ListedExample) => void;
  readonly onJudge: (example: Example) => void;
}

/** Recorded examples, for users without evidence. */
export function ExampleList({ picked, isBusy, onPick, onJudge }: ExampleListProps) {
  return (
    <section class="examples" aria-labelledby="examples">
      <h2 id="examples">Examples</h2>
      <p>Recorded with the test lab's roots, which no service trusts. An example asks no service for a decision.</p>
      <ul>
        {EXAMPLES.map((listed, index) => (
          <li key={listed.path} class="card">
            <button
              type="button"
              disabled={isBusy}
              aria-pressed={listed.title === picked?.title}
              aria-describedby={`teaches-${index}`}
              onClick={() => onPick(listed)}
            >
              {listed.title}
            </button>
            <p id={`teaches-${index}`}>{listed.shows}</p>
          </li>
        ))}
      </ul>
      {picked === null ? null : (
        <button type="button" class="judge-example" disabled={isBusy} onClick={() => onJudge(picked)}>
          Let this service judge “{picked.title}” now
        </button>
      )}
    </section>
  );
}

/** The note above an example. */
export function ExampleNote({ shown, decision }: { readonly shown: ShownExample; readonly decision: Decision | null }) {
  return (
    <section class="panel open example-note" aria-labelledby="example">
      <h2 id="example">Example: {shown.example.title}</h2>
      <p>{shown.example.shows}</p>
      <p>{noteOn(shown, decision)}</p>
    </section>
  );
}
