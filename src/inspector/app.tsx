import type { ComponentChildren } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { base64 } from '../model/bytes.js';
import { type JsonObject, memberOf } from '../model/json.js';
import { BytesPanel } from './bytes-panel.js';
import { ChainPanel } from './chain-panel.js';
import type { FieldPlace } from './claim-fields.js';
import { ComparisonPanel } from './comparison-panel.js';
import type { Example, ListedExample, ShownExample } from './example.js';
import { ExampleNote } from './example-panel.js';
import { fetchEndorsements } from './fetched-endorsements.js';
import { type GivenReceipt, receiptAlone, receiptOfAnswer } from './given-receipt.js';
import { type HardwareVerdict, verifyHardware } from './hardware-signature.js';
import { foundOf, type Intake, requestFor } from './intake.js';
import { IntakePanel, type Options } from './intake-panel.js';
import { OwnPanel } from './own-panel.js';
import { PolicyPanel } from './policy-panel.js';
import { shownClaims } from './questions.js';
import { QuestionsPanel, type WantedClaim } from './questions-panel.js';
import { ReceiptPanel } from './receipt-panel.js';
import { RecordPanel } from './record-panel.js';
import { asAnswer } from './recorded-decision.js';
import { registersOf } from './registers.js';
import { RegistersPanel } from './registers-panel.js';
import { type Decision, type RecordedDecision, Service, ServiceFault } from './service.js';
import { type FoundBytes, findBytes } from './structures.js';
import { UnaskedPanel } from './unasked-panel.js';
import { FaultPanel, VerdictPanel } from './verdict-panel.js';

declare const VERSION: string;

/** What is looked at: nothing of it is kept anywhere else. */
interface Subject {
  readonly found: readonly FoundBytes[];
  /** What the service is asked about; null where it cannot be judged alone. */
  readonly body: JsonObject | null;
  readonly own: HardwareVerdict | null;
  readonly decision: Decision | null;
  readonly fault: ServiceFault | null;
  readonly receipt: GivenReceipt | null;
  /** Of a decision that the log has. */
  readonly recorded: RecordedDecision | null;
  /** Whether the nonce that was judged came with the body. */
  readonly isNonceOfBody: boolean;
  /** Where an example of the page is shown. */
  readonly example: ShownExample | null;
}

const NOTHING: Subject = {
  found: [],
  body: null,
  own: null,
  decision: null,
  fault: null,
  receipt: null,
  recorded: null,
  isNonceOfBody: false,
  example: null,
};

/** @param alone whether there is no service behind the page */
export function App({ alone }: { readonly alone: boolean }) {
  const service = useRef(new Service(location.origin));
  const [subject, setSubject] = useState(NOTHING);
  /** Keys that receipts are verified with, where somebody gave some. */
  const [keySet, setKeySet] = useState<JsonObject | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  /** How many things were looked at: who drives the page sees by it when it is done with one. */
  const [looked, setLooked] = useState(0);
  /** How many looks were begun. */
  const begun = useRef(0);

  async function take(intake: Intake, options: Options): Promise<void> {
    if (intake.kind === 'unknown') return show(() => Promise.reject(new Error(intake.why)));
    setProblem(null);
    if (intake.kind === 'key-set') {
      setKeySet(intake.keySet);
      return setLooked((count) => count + 1);
    }
    service.current.identify(options.key);
    await show(() => look(service.current, intake, options, alone));
  }

  async function judgeExample(example: Example, options: Options): Promise<void> {
    service.current.identify(options.key);
    const intake: Intake = { kind: 'request', body: example.body };
    await show(async () => ({
      ...(await look(service.current, intake, options, alone)),
      example: { example, state: 'judged' },
    }));
  }

  /** Of several looks only the last counts, whichever ends last. */
  async function show(make: () => Promise<Subject>): Promise<void> {
    const number = ++begun.current;
    const end = (made: Subject, why: string | null) => {
      if (number !== begun.current) return;
      setSubject(made);
      setProblem(why);
      setBusy(false);
      setLooked((count) => count + 1);
    };
    setProblem(null);
    setBusy(true);
    await make().then(
      (made) => end(made, null),
      (error: unknown) => end(NOTHING, error instanceof Error ? error.message : String(error)),
    );
  }

  return (
    <>
      <Header alone={alone} />
      <main data-looked={looked}>
        <IntakePanel
          alone={alone}
          isBusy={isBusy}
          problem={problem}
          example={subject.example?.example ?? null}
          onTake={take}
          onExample={(listed) => show(() => lookAtExample(service.current, listed))}
          onJudgeExample={judgeExample}
        />
        {keySet === null ? null : (
          <p role="status">
            Receipts are verified with the key set that was given to this page.{' '}
            <button type="button" onClick={() => setKeySet(null)}>
              Forget it
            </button>
          </p>
        )}
        <Result {...subject} keySet={keySet} alone={alone} service={service.current} />
      </main>
      <footer>
        <p>
          veritee {VERSION}. What you give this page stays in it{alone ? '' : ', and goes to this service to be judged'}
          . The page stores nothing.
        </p>
      </footer>
    </>
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
          <a href="/guide">Guide</a>
          <a href="/docs">API</a>
          <a href="/inspector/veritee-inspector.html" download>
            This page as one file
          </a>
        </nav>
      )}
    </header>
  );
}

interface ResultProps extends Subject {
  readonly keySet: JsonObject | null;
  readonly alone: boolean;
  readonly service: Service;
}

function Result(props: ResultProps) {
  const { found, body, own, decision, fault, receipt, recorded, example, keySet, alone } = props;
  const start = useRef<HTMLElement>(null);
  const boot = useMemo(() => registersOf(found, decision?.claims ?? null, body), [found, decision, body]);
  useEffect(() => {
    if (decision !== null || fault !== null || found.length > 0) start.current?.focus();
  }, [decision, fault, found]);
  if (found.length === 0 && decision === null && fault === null) return null;
  return (
    <section class="result" aria-label="Result" tabIndex={-1} ref={start}>
      {example === null ? null : <ExampleNote shown={example} decision={decision} />}
      {decision === null ? null : <VerdictPanel decision={decision} isStored={example?.state !== 'recorded'} />}
      {fault === null ? null : <FaultPanel fault={fault} />}
      {recorded === null ? null : <RecordPanel recorded={recorded} />}
      {isUnasked(props) ? <UnaskedPanel found={found} alone={alone} /> : null}
      {own === null ? null : <OwnPanel verdict={own} alone={alone} isExample={example !== null} />}
      {receipt === null ? null : <ReceiptPanel key={receipt.receipt} given={receipt} keySet={keySet} alone={alone} />}
      <ClaimsAndBytes {...props}>{boot === null ? null : <RegistersPanel boot={boot} />}</ClaimsAndBytes>
      {found.length === 0 ? null : <ComparisonPanel found={found} />}
    </section>
  );
}

function isUnasked({ found, decision, fault, receipt }: Subject): boolean {
  return found.length > 0 && decision === null && fault === null && receipt === null;
}

interface ClaimsAndBytesProps extends ResultProps {
  /** What stands between them. */
  readonly children: ComponentChildren;
}

/** What was decided and what was given: claims lead to their bytes, and fields to their claims. */
function ClaimsAndBytes({ decision, found, body, example, isNonceOfBody, service, children }: ClaimsAndBytesProps) {
  const [place, setPlace] = useState<FieldPlace | null>(null);
  const [wanted, setWanted] = useState<WantedClaim | null>(null);
  const claims = useMemo(() => shownClaims(decision?.claims), [decision]);
  useEffect(() => {
    setPlace(null);
    setWanted(null);
  }, [found, decision]);
  return (
    <>
      {decision === null ? null : (
        <>
          <ChainPanel decision={decision} isNonceOfBody={isNonceOfBody} />
          <QuestionsPanel decision={decision} found={found} wanted={wanted} onPlace={setPlace} />
          <PolicyPanel decision={decision} body={example?.state === 'recorded' ? null : body} service={service} />
        </>
      )}
      {children}
      <BytesPanel found={found} place={place} claims={claims} onClaim={(claim) => setWanted({ claim })} />
    </>
  );
}

type Looked = Exclude<Intake, { kind: 'unknown' | 'key-set' }>;

/** Reads what was given, verifies what can be verified here, and asks the service. */
async function look(service: Service, intake: Looked, options: Options, alone: boolean): Promise<Subject> {
  if (intake.kind === 'decision') return alone ? refuseDecision() : lookUp(service, intake.id);
  if (intake.kind === 'receipt') {
    const receipt = await receiptAlone(intake.receipt, options, alone ? null : service);
    return { ...NOTHING, found: [intake.found], receipt };
  }
  const found = foundOf(intake) ?? [];
  const body = intake.kind === 'request' ? intake.body : requestFor(intake.found, intake.token, toBase64Url);
  const own = await verifyHardware(found, WEB_CRYPTO);
  const looked = { ...NOTHING, found, body, own };
  if (alone || body === null) return looked;
  const asked = withOptions(body, options);
  const { decision, fault } = await judged(service, asked);
  const receipt = await receiptOfAnswer(decision, asked, service);
  const isNonceOfBody = options.nonce === '' && memberOf(body, 'nonce') !== undefined;
  return {
    ...looked,
    body: asked,
    decision,
    fault,
    receipt,
    isNonceOfBody,
    ...(await completed(looked, decision, service)),
  };
}

/**
 * Verifies again with the certificates that the service has, where those of the evidence were not enough. It keeps none of those of a
 * request about the past.
 */
async function completed({ found, own }: Pick<Subject, 'found' | 'own'>, decision: Decision | null, service: Service) {
  if (own?.state !== 'open' || decision === null || decision.historical || WEB_CRYPTO === null) return { found, own };
  const fetched = await fetchEndorsements(decision, service, WEB_CRYPTO);
  if (fetched.state === 'failed') return { found, own: fetched.verdict };
  const all = [...found, ...fetched.found];
  return { found: all, own: await verifyHardware(all, WEB_CRYPTO) };
}

/** What was recorded: no service is asked to judge. */
async function lookAtExample(service: Service, { path }: ListedExample): Promise<Subject> {
  const example = (await service.example(path)) as unknown as Example;
  const found = findBytes(example.body);
  const own = await verifyHardware(found, WEB_CRYPTO);
  const { body, answer: decision } = example;
  return { ...NOTHING, found, body, own, decision, example: { example, state: 'recorded' } };
}

function refuseDecision(): never {
  throw new Error('A recorded decision is asked of a service, and this page has none.');
}

/** What the decision log has. */
async function lookUp(service: Service, id: string): Promise<Subject> {
  try {
    const recorded = await service.decision(id);
    return { ...NOTHING, recorded, decision: asAnswer(recorded) };
  } catch (error) {
    if (error instanceof ServiceFault) return { ...NOTHING, fault: error };
    throw error;
  }
}

/** Null where the page is not in a secure context. */
const WEB_CRYPTO = globalThis.crypto?.subtle ?? null;

async function judged(service: Service, body: JsonObject): Promise<Pick<Subject, 'decision' | 'fault'>> {
  try {
    return { decision: await service.verify(body), fault: null };
  } catch (error) {
    if (error instanceof ServiceFault) return { decision: null, fault: error };
    throw error;
  }
}

/** What was filled in goes in place of what the body says. */
function withOptions(body: JsonObject, { policy, nonce, audience }: Options): JsonObject {
  const given = Object.entries({ policy, nonce, audience }).filter(([, value]) => value !== '');
  return { ...body, ...Object.fromEntries(given) };
}

const toBase64Url = (bytes: Uint8Array) => base64(bytes, 'base64url');
