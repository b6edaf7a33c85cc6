import { judgeRevocationListTime } from '../../crypto/revocation-list.js';
import type { X509Certificate } from '../../formats/x509-certificate.js';
import type { CrlFrame } from '../../formats/x509-crl.js';
import type { SnpProduct } from '../../model/claims.js';
import type { EndorsementOrigin, SnpSigningKey, Sourced } from '../../model/endorsement.js';
import { UnfitError } from '../../model/errors.js';
import type { Log } from '../../model/ports.js';
import type { AmdCache } from './amd-cache.js';
import type { AmdDirectory } from './amd-directory.js';
import { type AmdCrl, verifyCrl } from './amd-material.js';

/** A verified list, where it is from, and whether AMD issues it for VCEKs or for VLEKs: null where that is not known. */
export interface HeldCrl extends AmdCrl {
  readonly origin: EndorsementOrigin;
  readonly series: SnpSigningKey | null;
}

interface AmdHeldCrlsOptions {
  readonly directory: AmdDirectory;
  readonly cache: AmdCache;
  readonly log: Log;
}

/** The revocation lists that are held: of each series the one that was fetched, and all that the operator's folder has. */
export class AmdHeldCrls {
  readonly #options: AmdHeldCrlsOptions;
  /** Verified once each: a list of the folder under the root that was at hand. */
  readonly #verified = new WeakMap<CrlFrame, { readonly ark: X509Certificate; readonly crl: AmdCrl | null }>();

  constructor(options: AmdHeldCrlsOptions) {
    this.#options = options;
  }

  /** All genuine lists of a product line, those that have ended as well. */
  async of(product: SnpProduct, ark: X509Certificate): Promise<readonly HeldCrl[]> {
    const fetched = await Promise.all([this.#fetched(product, 'vcek', ark), this.#fetched(product, 'vlek', ark)]);
    const stored = this.#options.directory.crls(product).flatMap(({ series, list }): HeldCrl[] => {
      const crl = this.#verify(list, ark, product);
      return crl === null ? [] : [{ ...crl, origin: 'store', series }];
    });
    return [...fetched.flat(), ...stored];
  }

  /** The list of a series that was fetched. */
  async #fetched(product: SnpProduct, series: SnpSigningKey, ark: X509Certificate): Promise<readonly HeldCrl[]> {
    const crl = await this.#options.cache.crl({ product, signingKey: series }, ark);
    return crl === null ? [] : [{ ...crl, origin: 'cache', series }];
  }

  /** Unverified CRLs of the folder for an instant: for a caller that has the ARK when none is at hand here. */
  unverified(product: SnpProduct, at: Date): readonly Sourced<Uint8Array>[] {
    return this.#options.directory
      .crls(product)
      .filter(({ list }) => judgeRevocationListTime(list, at) === null)
      .map(({ list }) => ({ value: list.der, origin: 'store' }));
  }

  #verify(list: CrlFrame, ark: X509Certificate, product: SnpProduct): AmdCrl | null {
    const known = this.#verified.get(list);
    if (known?.ark === ark) return known.crl;
    const crl = this.#verifiedOrNull(list, ark, product);
    this.#verified.set(list, { ark, crl });
    return crl;
  }

  #verifiedOrNull(list: CrlFrame, ark: X509Certificate, product: SnpProduct): AmdCrl | null {
    try {
      return verifyCrl(list, ark, product);
    } catch (error) {
      if (!(error instanceof UnfitError)) throw error;
      this.#options.log.warn({ product, why: error.message }, 'revocation list of the AMD endorsement folder not used');
      return null;
    }
  }
}
