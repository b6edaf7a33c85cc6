import { endsAtOtherRoot, type HardwareVerdict } from './hardware-signature.js';
import { shownValue } from './shown-value.js';

const SAYS = {
  verified: 'This page verified itself who signed the hardware report.',
  failed: 'This page could not verify the signature of the hardware report.',
  open: 'This page has not verified the hardware report itself.',
} as const;

const OF_OTHER_ROOT =
  'Every signature of the report holds, and its certificates end at a root that this page does not know.';
/** The lab's key is public. */
const OF_EXAMPLE =
  "Every signature of the report holds, and its certificates end at the test lab's root, as those of every example do.";

interface HardwarePanelProps {
  readonly verdict: HardwareVerdict;
  readonly alone: boolean;
  readonly isExample: boolean;
}

/** The verification in the browser, and its worth. */
export function HardwarePanel({ verdict, alone, isExample }: HardwarePanelProps) {
  const isExpected = isExample && endsAtOtherRoot(verdict);
  return (
    <section class={`panel hardware ${isExpected ? 'expected' : verdict.state}`} aria-labelledby="hardware">
      <h2 id="hardware">{isExpected ? OF_EXAMPLE : endsAtOtherRoot(verdict) ? OF_OTHER_ROOT : SAYS[verdict.state]}</h2>
      {verdict.state === 'open' ? (
        <p>It could not: {shownValue(verdict.why)}.</p>
      ) : (
        <ol class="steps">
          {verdict.steps.map(({ what, holds }) => (
            <li key={what} class={holds ? 'pass' : isExpected ? 'expected' : 'fail'}>
              {shownValue(what)}: {holds ? 'yes' : isExpected ? 'no, expected here' : 'no'}
            </li>
          ))}
        </ol>
      )}
      <p class="worth">
        It looks at signatures alone: not at dates, revocation, firmware, policy or freshness.{' '}
        {alone
          ? 'It is worth as much as this file: compare its SHA-256 with the published one.'
          : 'It is worth as much as this service, which sent the script and the pinned roots. For a verdict that does not rest on the service, use this page as one file.'}
      </p>
    </section>
  );
}
