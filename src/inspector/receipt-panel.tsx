import { useEffect, useMemo, useState } from 'preact/hooks';
import type { JsonObject } from '../core/json.js';
import { fixedKeySet } from '../relying-party/key-source.js';
import type { GivenReceipt } from './given-receipt.js';
import { type ReceiptVerdict, verifyReceipt } from './receipt.js';
import type { ComparedClaim } from './receipt-claims.js';
import type { Service } from './service.js';
import { shownValue } from './shown-value.js';

interface ReceiptPanelProps {
  readonly given: GivenReceipt;
  /** Keys that the user gave to the page: they replace those of the service. */
  readonly keySet: JsonObject | null;
  /** Null if the page has no service. */
  readonly service: Service | null;
}

const SAYS = {
  verified: 'This page verified the receipt.',
  incomplete: 'The receipt is signed and says allow, and not all of it could be compared.',
  refusal: 'The receipt is signed, but it is no allow: relying parties reject it.',
  failed: 'The receipt does not hold.',
  open: 'This page has not verified the receipt.',
} as const;

/** The audience of the receipt. */
const FOR = {
  verified: 'It says allow, under the policy and to the audience that you filled in, and until it ends. ',
  incomplete: 'Not green: below stands what was not compared, and what only the body says, which is its own word. ',
  refusal: '',
} as const;

/** Colours of the panels: a receipt without an allow is never green. */
const COLOUR = { verified: 'verified', incomplete: 'open', refusal: 'open', failed: 'failed', open: 'open' } as const;

/** The signed result: its verification in the browser, and the significance of that. */
export function ReceiptPanel({ given, keySet, service }: ReceiptPanelProps) {
  const [fields, setFields] = useState({ issuer: '', audience: '' });
  const [verdict, setVerdict] = useState<ReceiptVerdict | null>(null);
  const expected = {
    ...given,
    issuer: fields.issuer === '' ? given.issuer : ({ value: fields.issuer, by: 'caller' } as const),
    audience: fields.audience === '' ? given.audience : ({ value: fields.audience, by: 'caller' } as const),
  };
  const ofService = useMemo(() => service?.receiptKeys() ?? null, [given, service]);

  useEffect(() => {
    let isCurrent = true;
    const keys = keySet === null ? ofService : { find: async (kid: string) => fixedKeySet(keySet).find(kid) };
    const world = { now: new Date(), hasWebCrypto: globalThis.crypto?.subtle !== undefined };
    void verifyReceipt(given.receipt, expected, keys, world).then((made) => isCurrent && setVerdict(made));
    return () => {
      isCurrent = false;
    };
  }, [given, keySet, ofService, fields.issuer, fields.audience]);

  if (verdict === null) return <Pending />;
  return (
    <section class={`panel receipt ${COLOUR[verdict.state]}`} data-state={verdict.state} aria-labelledby="receipt">
      <h2 id="receipt">{SAYS[verdict.state]}</h2>
      <Finding verdict={verdict} />
      {given.issuer !== null && given.audience?.by === 'caller' ? null : (
        <ExpectedFields fields={fields} onChange={setFields} />
      )}
      <p class="worth">
        {keySet === null && service !== null
          ? 'The keys came from this service, like the answer: an attacker who controls it controls both. Compare the thumbprint with the one that your gate pins, or drop the key set here that you trust.'
          : `The keys are those that were given to this page: it is worth as much as where they came from${
              service === null ? '' : ', and as this service, which sent the script and the answer'
            }.`}{' '}
        That the receipt is used once, and that its sender is the VM, is for your gate to check.
      </p>
    </section>
  );
}

function Pending() {
  return (
    <section class="panel open receipt" aria-labelledby="receipt">
      <h2 id="receipt">The receipt is being verified.</h2>
    </section>
  );
}

function Finding({ verdict }: { readonly verdict: ReceiptVerdict }) {
  if (verdict.state === 'open') return <p>It could not: {verdict.why}.</p>;
  return (
    <>
      {verdict.state === 'failed' ? (
        <p class="problem">
          {verdict.code === null ? null : <code>{verdict.code}</code>} {shownValue(verdict.message)}
        </p>
      ) : (
        <p>
          {FOR[verdict.state]}Signed by the key with the thumbprint <code>{verdict.thumbprint ?? 'unknown'}</code>.
        </p>
      )}
      {verdict.compared.length === 0 ? null : <ClaimTable compared={verdict.compared} />}
    </>
  );
}

function ClaimTable({ compared }: { readonly compared: readonly ComparedClaim[] }) {
  return (
    <table class="checks claims-of-receipt">
      <caption>What the receipt says, beside what was asked and answered</caption>
      <thead>
        <tr>
          <th scope="col">Claim</th>
          <th scope="col">Result</th>
          <th scope="col">Receipt</th>
        </tr>
      </thead>
      <tbody>
        {compared.map(({ what, claimed, expected, by }) => (
          <tr key={what} class={resultOf({ what, claimed, expected, by }).replaceAll(' ', '_')}>
            <th scope="row">{what}</th>
            <td>{resultOf({ what, claimed, expected, by })}</td>
            <td>
              <code>{shownValue(claimed)}</code>
              {expected === null || expected === claimed ? null : (
                <>
                  , not <code>{shownValue(expected)}</code>
                </>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Equality with the answer proves no more than the service, equality with the body no more than its author. */
const EQUALS = { caller: 'pass', answer: 'as the answer says', body: 'as the body says' } as const;

function resultOf({ claimed, expected, by }: ComparedClaim): string {
  if (expected === null) return 'not compared';
  return claimed === expected ? EQUALS[by] : 'fail';
}

interface Fields {
  readonly issuer: string;
  readonly audience: string;
}

const LABELS = [
  ['issuer', 'Expected issuer'],
  ['audience', 'Expected audience'],
] as const;

function ExpectedFields({
  fields,
  onChange,
}: {
  readonly fields: Fields;
  readonly onChange: (fields: Fields) => void;
}) {
  return (
    <div class="fields">
      {LABELS.map(([name, label]) => (
        <p key={name}>
          <label for={`expected-${name}`}>{label}</label>{' '}
          <input
            id={`expected-${name}`}
            type="text"
            autocomplete="off"
            value={fields[name]}
            onInput={({ currentTarget }) => onChange({ ...fields, [name]: currentTarget.value })}
          />
        </p>
      ))}
    </div>
  );
}
