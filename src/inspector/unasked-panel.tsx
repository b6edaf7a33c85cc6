import { type FoundBytes, nameOfFound } from './structures.js';

const OF_OTHER_ISSUER =
  'Its claims name no address of Azure Attestation or Intel Trust Authority as the issuer, so the service was not asked. Where it is a token of one of them under another address, give it with its type: {"evidence": {"type": "maa-token", "token": "…"}}, or "ita-token".';

/** Why nothing was verified, and the remedy. */
export function UnaskedPanel({ found, alone }: { readonly found: readonly FoundBytes[]; readonly alone: boolean }) {
  const [first, ...others] = found;
  if (first === undefined) return null;
  const what = others.length === 0 ? nameOfFound(first.kind) : 'this';
  return (
    <section class="panel open" aria-labelledby="unasked">
      <h2 id="unasked">Read, and not judged.</h2>
      <p>
        {alone
          ? 'This page has no service to judge it: it shows what the bytes say, and who signed the hardware report.'
          : first.kind === 'token'
            ? OF_OTHER_ISSUER
            : `By itself ${what} cannot be judged, so the service was not asked. It is judged as part of a /verify body: “veritee request” makes one of what “veritee collect” wrote in the guest.`}
      </p>
    </section>
  );
}
