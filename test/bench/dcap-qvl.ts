import dcap from '@phala/dcap-qvl';
import { readVerifyRequest } from '../../src/wire/read-verify-request.js';
import type { Verify } from './primitives.js';
import type { Material } from './protocol.js';

/**
 * The same quotes, with the same collateral, by another verifier in this runtime. It is given the lab's root, and keeps
 * nothing from one to the next: certificates, lists and documents are read and verified each time.
 */
export function dcapQvl({ bodies, intel }: Material): Verify {
  const quotes = bodies.tdx.map(quoteOf);
  const collateral = JSON.parse(intel.collateral);
  const verifier = dcap.QuoteVerifier.newWithRootCa(Buffer.from(intel.root, 'base64'));
  let turn = 0;
  return async () => {
    const { status } = verifier.verify(quotes[turn++ % quotes.length] ?? Buffer.of(), collateral, Date.now() / 1000);
    if (status !== 'UpToDate') throw new Error(`dcap-qvl: ${status}`);
  };
}

function quoteOf(body: string): Uint8Array {
  const { evidence } = readVerifyRequest(Buffer.from(body));
  if (evidence.type !== 'tdx') throw new Error('a request of a td has no quote');
  return evidence.quote;
}
