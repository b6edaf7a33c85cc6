import { type Configuration, endorsementCacheDirectory } from '../config/configuration.js';
import type { EndorsementSource } from '../core/endorsement.js';
import { AllEndorsements } from '../endorsements/all-endorsements.js';
import type { AmdTuning } from '../endorsements/amd/amd-parts.js';
import { type OpenAmdEndorsements, openAmdEndorsements } from '../endorsements/amd/open-amd-endorsements.js';
import { type OpenAkIssuers, openAkIssuers } from '../endorsements/attestation-keys/open-ak-issuers.js';
import type { EndingFile } from '../endorsements/files/material-files.js';
import type { FetchedMaterial, OpenSource, SourceOptions } from '../endorsements/files/open-source.js';
import { type OpenEarlyCollateral, openEarlyCollateral } from '../endorsements/intel/open-early-collateral.js';
import { type OpenIntelEndorsements, openIntelEndorsements } from '../endorsements/intel/open-intel-endorsements.js';
import { openTokenKeys } from '../endorsements/token-keys/open-token-keys.js';
import type { AmdRootPins } from '../tee/snp/amd/roots.js';
import { INTEL_SGX_ROOT_PINS } from '../tee/tdx/intel/roots.js';
import { servedPins } from './amd-lines.js';
import { logWarnings, missingFolders } from './check/load-warnings.js';
import { tokenIssuers } from './token-issuers.js';

/** The dependencies of endorsement sources beside the configuration. */
export interface EndorsementOptions extends SourceOptions {
  /** Roots of the built-in product lines that replace AMD's. Only a lab sets them, and no configuration does. */
  readonly amdRootPins?: AmdRootPins;
  /**
   * Roots that replace Intel's: SHA-256 of their SubjectPublicKeyInfo. Only a lab sets them, and no configuration does.
   */
  readonly intelRootPins?: ReadonlySet<string>;
  /** Limits and times of requests to AMD, for tests. */
  readonly amdTuning?: Partial<AmdTuning>;
}

/**
 * All sources of endorsements, with their background work. `ready` rejects with a ConfigurationError if a configured
 * file is unusable.
 */
export interface OpenEndorsements extends OpenSource<EndorsementSource>, Pick<OpenAkIssuers, 'certificates'> {
  fetched(): Promise<readonly FetchedMaterial[]>;
  /** CRLs and collateral of the operator's folders, as used at `at`. */
  endings(at: Date): readonly EndingFile[];
}

/** AMD's endorsements from the configured sources. */
export function openAmd(configuration: Configuration, options: EndorsementOptions): OpenAmdEndorsements {
  const { amd } = configuration;
  return openAmdEndorsements({
    ...options,
    tuning: options.amdTuning ?? {},
    pins: servedPins(configuration, options.amdRootPins),
    kds: amd.kds === 'off' ? null : amd.kds,
    folder: amd.chains,
    cacheFolder: endorsementCacheDirectory(configuration),
  });
}

/** Intel's collateral from the configured sources. */
export function openIntel(configuration: Configuration, options: EndorsementOptions): OpenIntelEndorsements {
  const { intel, azure } = configuration;
  return openIntelEndorsements({
    ...options,
    pins: options.intelRootPins ?? INTEL_SGX_ROOT_PINS,
    pcs: intel.pcs === 'off' ? null : intel.pcs,
    thim: azure.thim === 'off' ? null : azure.thim,
    folder: intel.collateral,
    cacheFolder: endorsementCacheDirectory(configuration),
  });
}

/** Intel's early collateral; null if it is not used. No decision depends on it. */
export function openEarly({ intel }: Configuration, options: EndorsementOptions): OpenEarlyCollateral | null {
  if (intel.early === 'off' || intel.pcs === 'off') return null;
  return openEarlyCollateral({ ...options, pins: options.intelRootPins ?? INTEL_SGX_ROOT_PINS, pcs: intel.pcs });
}

/**
 * AMD's endorsements, Intel's collateral, the key sets of token issuers and the issuers of attestation keys, from the
 * configured sources.
 * @throws {ConfigurationError} if an issuer is configured twice
 */
export function openEndorsements(configuration: Configuration, options: EndorsementOptions): OpenEndorsements {
  const keys = openTokenKeys({ ...options, issuers: tokenIssuers(configuration) });
  const amd = openAmd(configuration, options);
  const intel = openIntel(configuration, options);
  const akIssuers = openAkIssuers({ ...options, folder: configuration.tpm.intermediates });
  const parts: readonly OpenSource<unknown>[] = [amd, intel, akIssuers, keys];
  const all = async (of: (part: OpenSource<unknown>) => Promise<void>) => {
    await Promise.all(parts.map(of));
  };
  const warnOfFolders = async () => logWarnings(await missingFolders(configuration), options.log);
  return {
    source: new AllEndorsements({
      amd: amd.source,
      intel: intel.source,
      tokenKeys: keys.source,
      akIssuers: akIssuers.source,
    }),
    ready: Promise.all([warnOfFolders(), all(({ ready }) => ready)]).then(() => {}),
    fetched: async () => [...(await amd.fetched()), ...(await intel.fetched()), ...keys.fetched()],
    certificates: () => akIssuers.certificates(),
    endings: (at) => [...amd.endings(at), ...intel.endings(at)],
    reload: async () => (await Promise.all(parts.map((part) => part.reload()))).flat(),
    close: () => all((part) => part.close()),
  };
}
