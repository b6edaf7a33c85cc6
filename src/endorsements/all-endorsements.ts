import type { EndorsementRequest, EndorsementSet, EndorsementSource, FetchContext } from '../model/endorsement.js';
import type { AkIssuersSource } from './attestation-keys/open-ak-issuers.js';
import type { TdxCollateralSource } from './intel/intel-endorsements.js';
import type { TokenKeysSource } from './token-keys/token-keys.js';

interface Sources {
  readonly amd: EndorsementSource;
  readonly intel: TdxCollateralSource;
  readonly tokenKeys: TokenKeysSource;
  readonly akIssuers: AkIssuersSource;
}

/** Asks the right source for each kind of endorsement. */
export class AllEndorsements implements EndorsementSource {
  readonly #sources: Sources;

  constructor(sources: Sources) {
    this.#sources = sources;
  }

  async fetch(requests: readonly EndorsementRequest[], context: FetchContext): Promise<EndorsementSet> {
    // The set does not say whose it is: one for another token or quote must not be able to take its place.
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
    const [{ snp }, foundCollateral, foundKeys, foundIssuers] = await Promise.all([
      amd.fetch(requests, context),
      collateral === undefined ? null : intel.find(collateral, context),
      keys === undefined ? null : tokenKeys.find(keys, context),
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

/** @throws {Error} where there are several: a mistake of whoever asks */
function onlyOne<T>(wanted: readonly T[], otherwise: string): T | undefined {
  if (wanted.length > 1) throw new Error(otherwise);
  return wanted[0];
}
