import { useEffect, useRef, useState } from 'preact/hooks';
import { fromUtf8 } from '../model/bytes.js';
import { decisionIn } from './decision-link.js';
import type { Example, ListedExample } from './example.js';
import { ExampleList } from './example-panel.js';
import { type Intake, readIntake } from './intake.js';

/** What the caller wants to be judged by. Empty: what the request says, or the service's default. */
export interface Options {
  readonly policy: string;
  readonly nonce: string;
  readonly audience: string;
  /** API key or token of the caller. */
  readonly key: string | null;
}

interface IntakePanelProps {
  readonly alone: boolean;
  readonly isBusy: boolean;
  readonly problem: string | null;
  /** The example that is shown. */
  readonly example: Example | null;
  readonly onTake: (intake: Intake, options: Options) => void;
  readonly onExample: (listed: ListedExample) => void;
  readonly onJudgeExample: (example: Example, options: Options) => void;
}

/** Longer texts are taken from files: a text area of that size makes browsers slow. */
const SHOWN_TEXT = 200_000;

export function IntakePanel({ alone, isBusy, problem, example, ...handlers }: IntakePanelProps) {
  const { onTake } = handlers;
  const [text, setText] = useState('');
  /** The file that was given last: it is judged again with other options. */
  const [last, setLast] = useState<Intake | null>(null);
  const [isOver, setOver] = useState(false);
  const [fields, setFields] = useState({ policy: '', nonce: '', audience: '', key: '' });
  const options = { ...fields, key: fields.key === '' ? null : fields.key };

  // A link is followed with the key of that moment.
  const follow = useRef(() => {});
  follow.current = () => {
    const id = alone ? null : decisionIn(location.hash);
    if (id === null) return;
    setText(id);
    onTake(readIntake(fromUtf8(id)), options);
  };
  useEffect(() => {
    const onChange = () => follow.current();
    onChange();
    addEventListener('hashchange', onChange);
    return () => removeEventListener('hashchange', onChange);
  }, []);

  /** What is looked at now is not what the address names any more. */
  function leaveLink(): void {
    if (location.hash !== '') history.replaceState(null, '', location.pathname);
  }

  function give(intake: Intake): void {
    leaveLink();
    onTake(intake, options);
  }

  async function takeFile(file: File | undefined): Promise<void> {
    if (file === undefined) return;
    const bytes = new Uint8Array(await file.arrayBuffer());
    const intake = readIntake(bytes);
    setText(intake.kind === 'request' && bytes.byteLength <= SHOWN_TEXT ? await file.text() : '');
    setLast(intake);
    give(intake);
  }

  // A file that misses the form would else be opened in place of the page.
  useEffect(() => {
    const keep = (event: Event) => event.preventDefault();
    for (const name of ['dragover', 'drop']) addEventListener(name, keep);
    return () => {
      for (const name of ['dragover', 'drop']) removeEventListener(name, keep);
    };
  }, []);

  return (
    <form
      class={isOver ? 'intake over' : 'intake'}
      onSubmit={(event) => {
        event.preventDefault();
        if (text !== '') give(readIntake(fromUtf8(text)));
        else if (last !== null) give(last);
      }}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        void takeFile(event.dataTransfer?.files[0]);
      }}
    >
      <h1>Is this confidential VM what it claims to be?</h1>
      <p>
        <label for="evidence">
          Paste a /verify body, a report, quote, event log, certificate, CRL, token or receipt (base64, hex or PEM)
          {alone ? '' : ', or the id of a decision'}; or drop a file here.
        </label>
      </p>
      <textarea
        id="evidence"
        rows={6}
        spellcheck={false}
        value={text}
        autocomplete="off"
        onInput={({ currentTarget }) => setText(currentTarget.value)}
      />
      <div class="row">
        <button type="submit" disabled={isBusy || (text === '' && last === null)}>
          {alone ? 'Read it' : 'Judge it'}
        </button>
        <label class="file">
          <span>or choose a file</span>
          <input
            type="file"
            onChange={({ currentTarget }) => {
              void takeFile(currentTarget.files?.[0]);
              // The same file can be chosen again.
              currentTarget.value = '';
            }}
          />
        </label>
      </div>
      {alone ? null : <OptionFields fields={fields} onChange={setFields} />}
      {alone ? null : (
        <ExampleList
          picked={example}
          isBusy={isBusy}
          onPick={(listed) => {
            leaveLink();
            setText('');
            handlers.onExample(listed);
          }}
          onJudge={(picked) => handlers.onJudgeExample(picked, options)}
        />
      )}
      <p class="problem" role="alert">
        {problem}
      </p>
      <p class="busy" role="status">
        {isBusy ? 'Working…' : ''}
      </p>
    </form>
  );
}

type Fields = { readonly [name in 'policy' | 'nonce' | 'audience' | 'key']: string };

const LABELS: readonly (readonly [keyof Fields, string, string])[] = [
  ['policy', 'Policy', 'Its id. Empty: what the body says, or the default of the service.'],
  ['nonce', 'Nonce', 'base64url, where the body has none.'],
  ['audience', 'Audience', 'Your own name, for a receipt.'],
  ['key', 'Key of the caller', 'Where the service asks for one. It stays in the memory of this page.'],
];

function OptionFields({ fields, onChange }: { readonly fields: Fields; readonly onChange: (fields: Fields) => void }) {
  return (
    <details>
      <summary>Policy, nonce, audience, key</summary>
      <div class="fields">
        {LABELS.map(([name, label, hint]) => (
          <p key={name}>
            <label for={`option-${name}`}>{label}</label>
            <input
              id={`option-${name}`}
              {...(name === 'key' ? { type: 'password' as const } : { type: 'text' as const })}
              autocomplete={name === 'key' ? 'new-password' : 'off'}
              aria-describedby={`hint-${name}`}
              value={fields[name]}
              onInput={({ currentTarget }) => onChange({ ...fields, [name]: currentTarget.value })}
            />
            <small id={`hint-${name}`}>{hint}</small>
          </p>
        ))}
      </div>
    </details>
  );
}
