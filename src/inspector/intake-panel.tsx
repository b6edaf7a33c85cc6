import { useState } from 'preact/hooks';
import { fromUtf8 } from '../model/bytes.js';
import { DropForm } from './drop-form.js';
import type { Example, ListedExample } from './example.js';
import { ExampleList } from './example-panel.js';
import { leaveLink, useFollowedLink } from './followed-link.js';
import { type Intake, readIntake } from './intake.js';
import { type CallerOptions, NO_FIELDS, OptionFields, optionsOf } from './option-fields.js';

interface IntakePanelProps {
  readonly alone: boolean;
  readonly isBusy: boolean;
  readonly problem: string | null;
  /** The example that is shown. */
  readonly example: Example | null;
  readonly onTake: (intake: Intake, options: CallerOptions) => void;
  readonly onExample: (listed: ListedExample) => void;
  readonly onJudgeExample: (example: Example, options: CallerOptions) => void;
}

/** Longer texts are taken from files: a text area of that size makes browsers slow. */
const SHOWN_TEXT = 200_000;

/** What somebody gives to the page, and what it is judged by. */
export function IntakePanel({ alone, isBusy, problem, example, ...handlers }: IntakePanelProps) {
  const [fields, setFields] = useState(NO_FIELDS);
  const options = optionsOf(fields);
  const given = useGiven((intake) => handlers.onTake(intake, options));
  useFollowedLink((id) => {
    if (!alone) given.follow(id);
  });

  function pick(listed: ListedExample): void {
    leaveLink();
    given.setText('');
    handlers.onExample(listed);
  }

  return (
    <DropForm onSubmit={given.submit} onFile={(file) => void given.takeFile(file)}>
      <h1>Is this confidential VM what it claims to be?</h1>
      <GivenFields given={given} alone={alone} isBusy={isBusy} />
      {alone ? null : (
        <>
          <OptionFields fields={fields} onChange={setFields} />
          <ExampleList
            picked={example}
            isBusy={isBusy}
            onPick={pick}
            onJudge={(picked) => handlers.onJudgeExample(picked, options)}
          />
        </>
      )}
      <p class="problem" role="alert">
        {problem}
      </p>
      <p class="busy" role="status">
        {isBusy ? 'Working…' : ''}
      </p>
    </DropForm>
  );
}

/** What was given last, as text or as a file. */
function useGiven(onTake: (intake: Intake) => void) {
  const [text, setText] = useState('');
  /** The file that was given last: it is judged again with other options. */
  const [last, setLast] = useState<Intake | null>(null);

  function give(intake: Intake): void {
    leaveLink();
    onTake(intake);
  }

  function submit(): void {
    if (text !== '') give(readIntake(fromUtf8(text)));
    else if (last !== null) give(last);
  }

  async function takeFile(file: File | undefined): Promise<void> {
    if (file === undefined) return;
    const bytes = new Uint8Array(await file.arrayBuffer());
    const intake = readIntake(bytes);
    setText(intake.kind === 'request' && bytes.byteLength <= SHOWN_TEXT ? await file.text() : '');
    setLast(intake);
    give(intake);
  }

  /** A link stays what the address names. */
  function follow(id: string): void {
    setText(id);
    onTake(readIntake(fromUtf8(id)));
  }

  return { text, isEmpty: text === '' && last === null, setText, submit, takeFile, follow };
}

interface GivenFieldsProps {
  readonly given: ReturnType<typeof useGiven>;
  readonly alone: boolean;
  readonly isBusy: boolean;
}

function GivenFields({ given: { text, isEmpty, setText, takeFile }, alone, isBusy }: GivenFieldsProps) {
  return (
    <>
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
        <button type="submit" disabled={isBusy || isEmpty}>
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
    </>
  );
}
