import { useState } from 'preact/hooks';
import { chainOfTrust, type Link, type LinkName, type LinkState, type NonceBy } from './chain-of-trust.js';
import { CheckTable } from './check-table.js';
import type { Check, Decision } from './service.js';

const TITLES: { readonly [name in LinkName]: string } = {
  root: 'Root of the vendor',
  certificates: 'Certificates and CRLs',
  report: 'Hardware report',
  claimsHash: 'Hash of the runtime claims',
  attestationKey: 'Attestation key',
  quote: 'vTPM quote',
  pcrs: 'PCR values',
  eventLog: 'Event log',
  token: 'Token of another verifier',
  fresh: 'Nonce and key',
  policy: 'Policy',
  release: 'Key release',
  service: 'The service itself',
};

const STATES: { readonly [state in LinkState]: string } = {
  verified: 'verified',
  failed: 'failed',
  open: 'with reservations',
  not_reached: 'not reached',
};

interface ChainPanelProps {
  readonly decision: Decision;
  readonly nonceBy: NonceBy;
  /** Whether it is a withdrawn record, which was stored too late. */
  readonly isWithdrawn: boolean;
}

/** The note about a nonce that the user did not enter. */
const NONCES: { readonly [by in NonceBy]: string | null } = {
  caller: null,
  body: 'The nonce came with the body, so the author of the body chose it. It only shows that the evidence is fresh if you issued it: enter it above to compare.',
  unknown: 'The decision log does not say who chose the nonce.',
};

/** The chain of trust: each link depends on the links before it. */
export function ChainPanel({ decision: answer, nonceBy, isWithdrawn }: ChainPanelProps) {
  const { evidence, checks, decision } = answer;
  const [shown, setShown] = useState<LinkName | null>(null);
  const context = { decision: isWithdrawn ? 'withdrawn' : decision, nonceBy };
  const links = chainOfTrust<Check>(evidence.type, checks, context);
  const link = links.find(({ name }) => name === shown);
  return (
    <section class="chain" aria-labelledby="chain">
      <h2 id="chain">The chain of trust</h2>
      <ol class="links">
        {links.map((each) => (
          <li key={each.name} class={each.state}>
            <button
              type="button"
              aria-expanded={each.name === shown}
              aria-controls="link-checks"
              onClick={() => setShown(each.name === shown ? null : each.name)}
            >
              <span class="title">{TITLES[each.name]}</span>
              <span class="state">{STATES[each.state]}</span>
            </button>
          </li>
        ))}
      </ol>
      {NONCES[nonceBy] === null ? null : <p>{NONCES[nonceBy]}</p>}
      <div id="link-checks">{link === undefined ? null : <LinkChecks link={link} />}</div>
    </section>
  );
}

function LinkChecks({ link: { name, checks } }: { readonly link: Link<Check> }) {
  if (checks.length === 0) return <p>No check of “{TITLES[name]}” is in the answer.</p>;
  return <CheckTable caption={`Checks of “${TITLES[name]}”`} checks={checks} />;
}
