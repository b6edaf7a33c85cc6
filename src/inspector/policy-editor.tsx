import { useEffect, useRef, useState } from 'preact/hooks';
import type { JsonObject, JsonValue } from '../core/json.js';
import { ExplanationTree } from './explanation-tree.js';
import { lineOfPointer } from './policy-lines.js';
import type { Decision, Evaluation, PolicyProblem, Service } from './service.js';

interface PolicyEditorProps {
  readonly id: string;
  /** The initial text of the editor. */
  readonly text: string;
  readonly decision: Decision;
  readonly body: JsonObject | null;
  readonly service: Service;
}

/** The pause before a request, so that not every letter causes one. */
const PAUSE_MS = 400;

/** Warning of POST /policies:evaluate on evidence (src/workbench/evaluate-policy.ts). */
const NOT_EVALUATED =
  'An evaluation takes evidence, nonce and verification time of the request, and leaves out its binding and attestationResults; it asks no other verifier, uses up no challenge, and does not compare with the counters that the service remembers of a vTPM.';

/** A policy editor: the text is linted while the user types, and evaluated on the current evidence. The service stores nothing. */
export function PolicyEditor({ id, text: original, decision, body, service }: PolicyEditorProps) {
  const [text, setText] = useState(original);
  const lint = useLint(text, service);
  const { evaluation, problem, isBusy, evaluate, forget } = useEvaluation(text, service, evaluated(decision, body));
  const area = useRef<HTMLTextAreaElement>(null);

  function change(changed: string): void {
    setText(changed);
    forget();
  }

  return (
    <details class="editor">
      <summary>Change it, and see what it would decide</summary>
      <p>
        <label for={`editor-${id}`}>Text of the policy, in YAML or JSON. Nothing is stored.</label>
      </p>
      <textarea
        id={`editor-${id}`}
        ref={area}
        rows={16}
        spellcheck={false}
        value={text}
        autocomplete="off"
        onInput={({ currentTarget }) => change(currentTarget.value)}
      />
      <Problems lint={lint} text={text} onLine={(line) => selectLine(area.current, line)} />
      {body === null ? null : <p class="not-evaluated">{NOT_EVALUATED}</p>}
      <p>
        <button type="button" disabled={isBusy} onClick={() => void evaluate()}>
          {isBusy ? 'Evaluating…' : 'Evaluate'}
        </button>
      </p>
      <p class="problem" role="alert">
        {problem}
      </p>
      {evaluation === null ? null : <EvaluationResult evaluation={evaluation} body={body} />}
    </details>
  );
}

/** @param input the input of the evaluation */
function useEvaluation(text: string, service: Service, input: JsonObject) {
  const [evaluation, setEvaluation] = useState<Evaluation | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  const current = useRef(text);
  current.current = text;

  function forget(): void {
    setEvaluation(null);
    setProblem(null);
  }

  /** Drops an answer about a text that the editor no longer has. */
  async function evaluate(): Promise<void> {
    forget();
    setBusy(true);
    try {
      const made = await service.evaluate({ text, ...input });
      if (current.current === text) setEvaluation(made);
    } catch (error) {
      if (current.current === text) setProblem(error instanceof Error ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  }

  return { evaluation, problem, isBusy, evaluate, forget };
}

/** Without the evidence, evaluates claims: only rules and reference values. */
function evaluated({ claims, evidence, at }: Decision, body: JsonObject | null): JsonObject {
  if (body === null) return { claims: claims as unknown as JsonValue, type: evidence.type };
  const nonce = body['nonce'];
  const given: JsonObject = nonce === undefined ? {} : { nonce };
  return { evidence: body['evidence'] as JsonObject, ...given, ...(body['at'] === undefined ? {} : { at }) };
}

interface Lint {
  readonly problems: readonly PolicyProblem[];
  /** Why linting failed. */
  readonly fault: string | null;
  readonly isBusy: boolean;
}

const NOT_LINTED: Lint = { problems: [], fault: null, isBusy: true };

function useLint(text: string, service: Service): Lint {
  const [lint, setLint] = useState(NOT_LINTED);
  useEffect(() => {
    let isCurrent = true;
    setLint(NOT_LINTED);
    const say = (said: Lint) => isCurrent && setLint(said);
    const timer = setTimeout(() => {
      service.lint(text).then(
        (problems) => say({ problems, fault: null, isBusy: false }),
        (error: Error) => say({ problems: [], fault: error.message, isBusy: false }),
      );
    }, PAUSE_MS);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [text, service]);
  return lint;
}

interface ProblemsProps {
  readonly lint: Lint;
  readonly text: string;
  readonly onLine: (line: number) => void;
}

function Problems({ lint: { problems, fault, isBusy }, text, onLine }: ProblemsProps) {
  const nothing = isBusy ? 'Linting…' : 'No problem was found.';
  return (
    <div class="lint" role="status">
      {fault === null ? null : <p class="problem">It could not be linted: {fault}</p>}
      {fault === null && problems.length === 0 ? <p>{nothing}</p> : null}
      {problems.length === 0 ? null : (
        <ul>
          {problems.map((problem) => (
            <li key={`${problem.code} ${problem.pointer} ${problem.message}`} class={problem.severity}>
              <Place pointer={problem.pointer} text={text} onLine={onLine} /> <code>{problem.pointer}</code>{' '}
              {problem.severity} <code>{problem.code}</code>: {problem.message}{' '}
              <span class="remedy">{problem.remedy}</span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

interface PlaceProps {
  readonly pointer: string;
  readonly text: string;
  readonly onLine: (line: number) => void;
}

function Place({ pointer, text, onLine }: PlaceProps) {
  const line = pointer === '' ? null : lineOfPointer(text, pointer);
  if (line === null) return null;
  return (
    <button type="button" onClick={() => onLine(line)}>
      line {line}
    </button>
  );
}

function selectLine(area: HTMLTextAreaElement | null, line: number): void {
  const lines = area?.value.split('\n') ?? [];
  const start = lines.slice(0, line - 1).reduce((length, text) => length + text.length + 1, 0);
  area?.focus();
  area?.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0));
}

const SAYS = { allow: 'It would allow.', deny: 'It would deny.', indeterminate: 'It could not be decided.' } as const;

/** Members of a request that an evaluation rejects. */
const LEFT_OUT = ['attestationResults', 'binding'] as const;

interface EvaluationResultProps {
  readonly evaluation: Evaluation;
  readonly body: JsonObject | null;
}

/** An allow for a request other than the verified one is not green. */
function EvaluationResult({ evaluation, body }: EvaluationResultProps) {
  const { outcome, unmatched, explanation } = evaluation;
  const leftOut = LEFT_OUT.filter((name) => body?.[name] !== undefined);
  return (
    <div class={`evaluation ${leftOut.length === 0 && body !== null ? outcome : 'partial'}`} role="status">
      <h3>{SAYS[outcome]}</h3>
      {leftOut.length === 0 ? null : (
        <p class="problem">
          That is without {leftOut.join(' and ')} of the request: with them, it may be decided otherwise.
        </p>
      )}
      {body !== null ? null : (
        <p>
          The verified claims of the answer were evaluated, by rules and reference values alone, and not the evidence.
        </p>
      )}
      {unmatched.length === 0 ? null : (
        <p>
          Not met, or not reached:{' '}
          {unmatched.map((check, index) => (
            <span key={check}>
              {index === 0 ? '' : ', '}
              <code>{check}</code>
            </span>
          ))}
          .
        </p>
      )}
      <ExplanationTree node={explanation} />
    </div>
  );
}
