import { useEffect, useState } from 'preact/hooks';
import { fromUtf8 } from '../core/bytes.js';
import { type Comparison, compareFound, type StructurePair } from './comparison.js';
import { foundOf, readIntake } from './intake.js';
import { shownValue } from './shown-value.js';
import type { FoundBytes } from './structures.js';

/** Another piece of evidence beside this one. Both are read in the browser, and neither is verified. */
export function ComparisonPanel({ found }: { readonly found: readonly FoundBytes[] }) {
  const [problem, setProblem] = useState<string | null>(null);
  const [comparison, setComparison] = useState<Comparison | null>(null);

  // A comparison with other evidence does not apply to this one.
  useEffect(() => {
    setComparison(null);
    setProblem(null);
  }, [found]);

  function compare(bytes: Uint8Array): void {
    const intake = readIntake(bytes);
    const other = foundOf(intake);
    setComparison(other === null ? null : compareFound(found, other));
    if (intake.kind === 'unknown') setProblem(intake.why);
    else setProblem(other === null ? 'That is no evidence.' : null);
  }

  return (
    <section class="comparison" aria-labelledby="comparison">
      <h2 id="comparison">Compare with another piece</h2>
      <ComparisonForm problem={problem} onGiven={compare} />
      {comparison === null ? null : <Compared comparison={comparison} />}
    </section>
  );
}

interface ComparisonFormProps {
  readonly problem: string | null;
  readonly onGiven: (bytes: Uint8Array) => void;
}

function ComparisonForm({ problem, onGiven }: ComparisonFormProps) {
  const [text, setText] = useState('');

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        onGiven(fromUtf8(text));
      }}
    >
      <p>
        <label for="other-evidence">
          Paste other evidence, of an earlier boot or of another machine; or choose a file.
        </label>
      </p>
      <textarea
        id="other-evidence"
        rows={3}
        spellcheck={false}
        value={text}
        autocomplete="off"
        onInput={({ currentTarget }) => setText(currentTarget.value)}
      />
      <div class="row">
        <button type="submit" disabled={text === ''}>
          Compare
        </button>
        <FileChoice onGiven={onGiven} />
      </div>
      <p class="problem" role="alert">
        {problem}
      </p>
    </form>
  );
}

function FileChoice({ onGiven }: Pick<ComparisonFormProps, 'onGiven'>) {
  async function takeFile(file: File | undefined): Promise<void> {
    if (file !== undefined) onGiven(new Uint8Array(await file.arrayBuffer()));
  }

  return (
    <label class="file">
      <span>or choose a file</span>
      <input type="file" id="other-file" onChange={({ currentTarget }) => void takeFile(currentTarget.files?.[0])} />
    </label>
  );
}

/** Nonces, signatures and times always differ, and are among the fields below. */
const NOTHING = 'Nothing differs that tells one boot from another';

function Compared({ comparison: { compared, differences, notes, structures } }: { readonly comparison: Comparison }) {
  const [showsAll, setShowAll] = useState(false);
  return (
    <>
      <h3>What differs between the boots</h3>
      {compared.length > 0 && differences.length === 0 ? (
        <p>
          {NOTHING}: {compared.join(', ')}.
        </p>
      ) : null}
      {differences.length === 0 ? null : (
        <ul class="differences">
          {differences.map((detail) => (
            <li key={detail}>{shownValue(detail)}</li>
          ))}
        </ul>
      )}
      {notes.map((note) => (
        <p key={note}>{shownValue(note)}</p>
      ))}
      <h3>Side by side</h3>
      <p>
        <label>
          <input
            type="checkbox"
            checked={showsAll}
            onChange={({ currentTarget }) => setShowAll(currentTarget.checked)}
          />{' '}
          Show fields that are equal, too
        </label>
      </p>
      {structures.length === 0 ? <p>The two have no structure in common.</p> : null}
      {structures.map((pair, index) => (
        <PairTable key={index} pair={pair} showsAll={showsAll} />
      ))}
    </>
  );
}

function PairTable({ pair: { name, fields }, showsAll }: { readonly pair: StructurePair; readonly showsAll: boolean }) {
  const different = fields.filter(({ differs }) => differs).length;
  const shown = fields.filter(({ differs }) => differs || showsAll);
  if (shown.length === 0) return <p>{name}: no field differs.</p>;
  return (
    <table class="pairs">
      <caption>
        {name}: {different} of {fields.length} fields differ
      </caption>
      <thead>
        <tr>
          <th scope="col">Field</th>
          <th scope="col">This one</th>
          <th scope="col">The other</th>
        </tr>
      </thead>
      <tbody>
        {shown.map(({ name: field, one, other, differs }) => (
          <tr key={field} class={differs ? 'differs' : ''}>
            <th scope="row">{shownValue(field)}</th>
            <td data-label="this one">{one === undefined ? 'not there' : <code>{shownValue(one)}</code>}</td>
            <td data-label="the other">{other === undefined ? 'not there' : <code>{shownValue(other)}</code>}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
