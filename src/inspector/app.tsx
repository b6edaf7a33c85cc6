import { useRef, useState } from 'preact/hooks';
import type { JsonObject } from '../core/json.js';
import type { Intake } from './intake.js';
import { IntakePanel } from './intake-panel.js';
import type { CallerOptions } from './option-fields.js';
import { Result } from './result.js';
import { Service } from './service.js';
import { look, lookAtExample, NOTHING, type Subject } from './subject.js';

declare const VERSION: string;

/** Null if the page is not in a secure context. */
const WEB_CRYPTO = globalThis.crypto?.subtle ?? null;

/** @param alone whether the page has no service */
export function App({ alone }: { readonly alone: boolean }) {
  const service = useRef(new Service(location.origin));
  const means = { service: alone ? null : service.current, subtle: WEB_CRYPTO };
  /** Keys that the user gave to the page for receipts. */
  const [keySet, setKeySet] = useState<JsonObject | null>(null);
  const { subject, problem, isBusy, looked, show, noteLook } = useShown();

  function take(intake: Intake, options: CallerOptions, shown: Partial<Subject> = {}): void {
    if (intake.kind === 'unknown') {
      show(() => Promise.reject(new Error(intake.why)));
    } else if (intake.kind === 'key-set') {
      setKeySet(intake.keySet);
      noteLook();
    } else {
      service.current.identify(options.key);
      show(async () => ({ ...(await look(intake, options, means)), ...shown }));
    }
  }

  return (
    <>
      <Header alone={alone} />
      <main data-looked={looked}>
        <IntakePanel
          {...{ alone, isBusy, problem }}
          example={subject.example?.example ?? null}
          onTake={take}
          onExample={(listed) => show(() => lookAtExample(listed, service.current, WEB_CRYPTO))}
          onJudgeExample={(example, options) =>
            take({ kind: 'request', body: example.body }, options, { example: { example, state: 'judged' } })
          }
        />
        <KeySetNote keySet={keySet} onForget={() => setKeySet(null)} />
        <Result {...subject} keySet={keySet} alone={alone} service={service.current} />
      </main>
      <Footer alone={alone} />
    </>
  );
}

interface Shown {
  readonly subject: Subject;
  readonly problem: string | null;
  readonly isBusy: boolean;
  /** Number of completed inspections, by which an automated test detects the end of one. */
  readonly looked: number;
}

/** The shown subject. Of several requests only the last one counts, in any order of completion. */
function useShown() {
  const [shown, setShown] = useState<Shown>({ subject: NOTHING, problem: null, isBusy: false, looked: 0 });
  /** Number of started inspections. */
  const begun = useRef(0);

  function show(make: () => Promise<Subject>): void {
    const number = ++begun.current;
    const end = (subject: Subject, problem: string | null) => {
      if (number !== begun.current) return;
      setShown(({ looked }) => ({ subject, problem, isBusy: false, looked: looked + 1 }));
    };
    setShown((before) => ({ ...before, problem: null, isBusy: true }));
    make().then(
      (made) => end(made, null),
      (error: unknown) => end(NOTHING, error instanceof Error ? error.message : String(error)),
    );
  }

  /** For changes that do not affect the subject. */
  function noteLook(): void {
    setShown((before) => ({ ...before, problem: null, looked: before.looked + 1 }));
  }

  return { ...shown, show, noteLook };
}

interface KeySetNoteProps {
  readonly keySet: JsonObject | null;
  readonly onForget: () => void;
}

function KeySetNote({ keySet, onForget }: KeySetNoteProps) {
  if (keySet === null) return null;
  return (
    <p role="status">
      Receipts are verified with the key set that was given to this page.{' '}
      <button type="button" onClick={onForget}>
        Forget it
      </button>
    </p>
  );
}

function Footer({ alone }: { readonly alone: boolean }) {
  return (
    <footer>
      <p>
        veritee {VERSION}. What you give this page stays in it{alone ? '' : ', and goes to this service to be judged'}.
        The page stores nothing.
      </p>
    </footer>
  );
}

function Header({ alone }: { readonly alone: boolean }) {
  return (
    <header>
      <p class="product">veritee</p>
      {alone ? null : (
        <nav aria-label="Pages">
          <a href="/" aria-current="page">
            Inspector
          </a>
          <a href="/docs">API</a>
          <a href="/inspector/veritee-inspector.html" download>
            This page as one file
          </a>
        </nav>
      )}
    </header>
  );
}
