import { useState } from 'preact/hooks';
import { fromUtf8 } from '../core/bytes.js';
import { DropForm } from './drop-form.js';
import type { Example, ListedExample } from './example.js';
import { ExampleList } from './example-panel.js';
import { leaveLink, useFollowedLink } from './followed-link.js';
import { type Intake, readIntake } from './intake.js';
import { type CallerOptions, NO_FIELDS, OptionFields, optionsOf } from './option-fields.js';
import { type GivenFile, readFiles, type UnusedFile } from './several-files.js';
import { shownValue } from './shown-value.js';

interface IntakePanelProps {
  readonly alone: boolean;
  readonly isBusy: boolean;
  readonly problem: string | null;
  /** The shown example. */
  readonly example: Example | null;
  readonly onTake: (intake: Intake, options: CallerOptions) => void;
  readonly onExample: (listed: ListedExample) => void;
  readonly onJudgeExample: (example: Example, options: CallerOptions) => void;
}

/** Longer texts must come from files: a text area of that size makes browsers slow. */
const SHOWN_TEXT = 200_000;

/** The inputs of the page: evidence, policy, nonce and audience. */
export function IntakePanel({ alone, isBusy, problem, example, ...handlers }: IntakePanelProps) {
  const [fields, setFields] = useState(NO_FIELDS);
  const options = optionsOf(fields);
  const given = useGiven((intake) => handlers.onTake(intake, options));
  useFollowedLink((id) => {
    if (!alone) given.follow(id);
  });

  function pick(listed: ListedExample): void {
    leaveLink();
    given.clear();
    handlers.onExample(listed);
  }

  return (
    <DropForm onSubmit={given.submit} onFiles={(files) => void given.takeFiles(files)}>
      <Introduction alone={alone} />
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
      <UnusedFiles files={given.unused} />
      <p class="busy" role="status">
        {isBusy ? 'Working…' : ''}
      </p>
    </DropForm>
  );
}

function Introduction({ alone }: { readonly alone: boolean }) {
  return (
    <>
      <h1>Is this confidential VM what it claims to be?</h1>
      <p>
        A confidential VM sends evidence that its hardware signed.{' '}
        {alone
          ? 'This page shows what the evidence says, and verifies who signed it.'
          : 'This page shows what the evidence says, whether the service accepts it, and every reason if it does not.'}{' '}
        {alone
          ? 'Drop files anywhere in this window, or paste the evidence below.'
          : 'Drop files anywhere in this window, paste the evidence below, or pick an example.'}
      </p>
    </>
  );
}

/** The last input, as text or as a file. */
function useGiven(onTake: (intake: Intake) => void) {
  const [text, setText] = useState('');
  /** The last given file, which is verified again with other options. */
  const [last, setLast] = useState<Intake | null>(null);
  const [unused, setUnused] = useState<readonly UnusedFile[]>([]);

  function give(intake: Intake): void {
    leaveLink();
    onTake(intake);
  }

  function submit(): void {
    setUnused([]);
    const given = text === '' ? last : readIntake(fromUtf8(text));
    if (given !== null) give(given);
  }

  async function takeFiles(files: readonly File[]): Promise<void> {
    if (files.length === 0) return;
    const given = await readAll(files);
    setText(given.text);
    setLast(given.intake);
    setUnused(given.unused);
    give(given.intake);
  }

  function clear(): void {
    setText('');
    setUnused([]);
  }

  /** Looks up the decision of a link, whose id becomes the input. */
  function follow(id: string): void {
    clear();
    setText(id);
    onTake(readIntake(fromUtf8(id)));
  }

  return { text, unused, isEmpty: text === '' && last === null, setText, clear, submit, takeFiles, follow };
}

/** Evidence has some fifteen parts. */
const MOST_FILES = 64;
const TOO_MANY = `The page reads ${MOST_FILES} files at once.`;
const UNREADABLE = 'The browser cannot read it: it may be a folder.';

async function readAll(files: readonly File[]) {
  const read = await Promise.all(files.slice(0, MOST_FILES).map(readFile));
  const { intake, unused } = readGiven(read);
  const others = files.slice(MOST_FILES).map(({ name }) => ({ name, why: TOO_MANY }));
  return { text: textOfGiven(read, intake), intake, unused: [...unused, ...others] };
}

/** Reads a dropped file. A folder can be dropped like a file, but has no bytes. */
async function readFile(file: File): Promise<GivenFile | UnusedFile> {
  const { name } = file;
  return file.arrayBuffer().then(
    (buffer) => ({ name, bytes: new Uint8Array(buffer) }),
    () => ({ name, why: UNREADABLE }),
  );
}

/** Reads one file alone, and several as one body. */
function readGiven(read: readonly (GivenFile | UnusedFile)[]): ReturnType<typeof readFiles> {
  const files = read.filter((each) => 'bytes' in each);
  const unreadable = read.filter((each) => 'why' in each);
  const [only, ...others] = files;
  if (only === undefined) return { intake: { kind: 'unknown', why: UNREADABLE }, unused: [] };
  const { intake, unused } = others.length === 0 ? { intake: readIntake(only.bytes), unused: [] } : readFiles(files);
  return { intake, unused: [...unused, ...unreadable] };
}

/** The text to show for the input; empty if it is no body, or too long. */
function textOfGiven([first, ...others]: readonly (GivenFile | UnusedFile)[], intake: Intake): string {
  if (intake.kind !== 'request') return '';
  const isOne = first !== undefined && 'bytes' in first && others.length === 0;
  const text = isOne ? new TextDecoder().decode(first.bytes) : JSON.stringify(intake.body);
  return text.length <= SHOWN_TEXT ? text : '';
}

/** File names are untrusted. */
function UnusedFiles({ files }: { readonly files: readonly UnusedFile[] }) {
  return (
    <div class="unused" role="status">
      {files.length === 0 ? null : (
        <>
          <p>Not used:</p>
          <ul>
            {files.map(({ name, why }, index) => (
              <li key={index}>
                <code>{shownValue(name, LONGEST_NAME)}</code>: {shownValue(why)}
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}

const LONGEST_NAME = 100;

interface GivenFieldsProps {
  readonly given: ReturnType<typeof useGiven>;
  readonly alone: boolean;
  readonly isBusy: boolean;
}

function GivenFields({ given: { text, isEmpty, setText, takeFiles }, alone, isBusy }: GivenFieldsProps) {
  return (
    <>
      <p>
        <label for="evidence">
          Paste a /verify body, a report, quote, event log, certificate, CRL, token or receipt (base64, hex or PEM)
          {alone ? '' : ', or the id of a decision'}.
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
          <span>or choose files: several become one /verify body</span>
          <input
            type="file"
            multiple
            onChange={({ currentTarget }) => {
              void takeFiles([...(currentTarget.files ?? [])]);
              // Allows the user to choose the same files again.
              currentTarget.value = '';
            }}
          />
        </label>
      </div>
    </>
  );
}
