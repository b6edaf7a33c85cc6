import { hex } from '../core/bytes.js';
import type { EndorsementRequest, EndorsementSet, EndorsementSource, FetchContext } from '../core/endorsement.js';
import type { Inquiry } from './inquiry.js';

export interface GatherParts {
  readonly endorsements: EndorsementSource;
  /** Remembers the endorsements of evidence, by tenant. Absent: the service serves none. */
  readonly remembered?: {
    remember(requests: readonly EndorsementRequest[], set: EndorsementSet, context: FetchContext): void;
  };
}

/**
 * Fetches the endorsements of evidence and tokens concurrently.
 * @param needs the requests of the evidence and of each token
 * @returns one set for each
 */
export async function gather<N extends readonly (readonly EndorsementRequest[])[]>(
  { endorsements, remembered }: GatherParts,
  needs: N,
  fetch: FetchContext,
  inquiry: Inquiry,
): Promise<{ readonly [index in keyof N]: EndorsementSet }> {
  const asked = needs.map(async (requests) => {
    const set = await inquiry.ask(
      'endorsements',
      () => keyOf(requests),
      () => endorsements.fetch(requests, fetch),
    );
    remembered?.remember(requests, set, fetch);
    return set;
  });
  // An error in one must not leave the others unfinished.
  await Promise.allSettled(asked);
  return (await Promise.all(asked)) as { readonly [index in keyof N]: EndorsementSet };
}

/** The key of requests for endorsements. It depends on the requested items, not on endorsements in the request. */
function keyOf(requests: readonly EndorsementRequest[]): string {
  return requests.map(keyOfOne).join('; ');
}

function keyOfOne(request: EndorsementRequest): string {
  switch (request.kind) {
    case 'amd-snp':
      return `${request.kind} ${request.signingKey} ${request.products.join()} ${hex(request.chipId)}`;
    case 'intel-tdx':
      return `${request.kind} ${request.fmspc} ${request.ca}`;
    case 'token-keys':
      return `${request.kind} ${request.type} ${request.issuer} ${request.kid}`;
    case 'ak-issuers':
      return `${request.kind} ${hex(request.issuer)}`;
  }
}
