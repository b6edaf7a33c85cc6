import type { EndorsementRequest, EndorsementSet, EndorsementSource, FetchContext } from '../core/endorsement.js';
import { NO_ROOM } from '../outside/fetch-error.js';
import type { AkIssuersSource } from './attestation-keys/open-ak-issuers.js';
import type { TdxCollateralSource } from './intel/intel-endorsements.js';
import type { TokenKeysSource } from './token-keys/token-keys.js';

interface Sources {
  readonly amd: EndorsementSource;
  readonly intel: TdxCollateralSource;
  readonly tokenKeys: TokenKeysSource;
  readonly akIssuers: AkIssuersSource;
}

/** Calls the right source for each kind of endorsement. */
export class AllEndorsements implements EndorsementSource {
  readonly #sources: Sources;
  readonly #bulkheads = { amd: new Bulkhead(), intel: new Bulkhead(), tokenKeys: new Bulkhead() };

  constructor(sources: Sources) {
    this.#sources = sources;
  }

  async fetch(requests: readonly EndorsementRequest[], context: FetchContext): Promise<EndorsementSet> {
    // The set does not name its token or quote: the set for one must not be used for another.
    const keys = onlyOne(
      requests.filter((request) => request.kind === 'token-keys'),
      'keys of more than one token are requested at once',
    );
    const collateral = onlyOne(
      requests.filter((request) => request.kind === 'intel-tdx'),
      'collateral of more than one quote is requested at once',
    );
    const issuer = onlyOne(
      requests.filter((request) => request.kind === 'ak-issuers'),
      'issuers of more than one attestation key are requested at once',
    );
    const { amd, intel, tokenKeys, akIssuers } = this.#sources;
    const bulkheads = this.#bulkheads;
    const [{ snp }, foundCollateral, foundKeys, foundIssuers] = await Promise.all([
      bulkheads.amd.run(context, (within) => amd.fetch(requests, within)),
      collateral === undefined ? null : bulkheads.intel.run(context, (within) => intel.find(collateral, within)),
      keys === undefined ? null : bulkheads.tokenKeys.run(context, (within) => tokenKeys.find(keys, within)),
      issuer === undefined ? null : akIssuers.find(issuer),
    ]);
    return {
      snp,
      tdx: foundCollateral,
      tokenKeys: foundKeys,
      ...(foundIssuers === null ? {} : { akIssuers: foundIssuers }),
    };
  }
}

/** Most requests that wait for one vendor: half of the most concurrent verifications. */
export const MOST_WAITING = 128;

/**
 * Prevents a hanging vendor from blocking every verification of the service. A request beyond the limit
 * gets only cached endorsements, without a wait.
 */
class Bulkhead {
  #waiting = 0;

  async run<T>(context: FetchContext, ask: (within: FetchContext) => Promise<T>): Promise<T> {
    // A separate signal: a listener on a permanent one would stay with it.
    if (this.#waiting >= MOST_WAITING) return ask({ ...context, signal: AbortSignal.abort(NO_ROOM) });
    this.#waiting += 1;
    try {
      return await ask(context);
    } finally {
      this.#waiting -= 1;
    }
  }
}

/** @throws {Error} if there are several: a programming error */
function onlyOne<T>(wanted: readonly T[], otherwise: string): T | undefined {
  if (wanted.length > 1) throw new Error(otherwise);
  return wanted[0];
}
