import type { HardwareVerdict } from './hardware-signature.js';

const SAYS = {
  verified: 'This page verified itself who signed the hardware report.',
  failed: 'This page could not verify the signature of the hardware report.',
  open: 'This page has not verified the hardware report itself.',
} as const;

/** What the browser verified without the service, and what that is worth. */
export function OwnPanel({ verdict, alone }: { readonly verdict: HardwareVerdict; readonly alone: boolean }) {
  return (
    <section class={`own ${verdict.state}`} aria-labelledby="own">
      <h2 id="own">{SAYS[verdict.state]}</h2>
      {verdict.state === 'open' ? (
        <p>It could not: {verdict.why}.</p>
      ) : (
        <ol class="steps">
          {verdict.steps.map(({ what, holds }) => (
            <li key={what} class={holds ? 'pass' : 'fail'}>
              {what}: {holds ? 'yes' : 'no'}
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
