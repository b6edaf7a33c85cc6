import type { buildConnector } from 'undici';
import type { Configuration } from '../config/configuration.js';
import { endorsementCacheDirectory } from '../config/directories.js';
import { type OpenAmdEndorsements, openAmdEndorsements } from '../endorsements/open-amd-endorsements.js';
import type { Clock, Log } from '../model/ports.js';
import { AMD_ROOT_PINS, type AmdRootPins } from '../verifiers/snp/trust-anchors.js';

/** Where AMD's material comes from, beside the configuration. */
export interface EndorsementWorld {
  readonly clock: Clock;
  readonly log: Log;
  /** Other roots than AMD's: only for a lab, never from a configuration. */
  readonly amdRootPins?: AmdRootPins;
  /** Options of TLS and socket, for a lab with certificates of its own. */
  readonly connect?: buildConnector.BuildOptions;
}

/** AMD's endorsements as the configuration names their sources. */
export function openEndorsements(configuration: Configuration, world: EndorsementWorld): OpenAmdEndorsements {
  const { amd } = configuration;
  return openAmdEndorsements({
    pins: world.amdRootPins ?? AMD_ROOT_PINS,
    kds: amd.kds === 'off' ? null : amd.kds,
    folder: amd.chains,
    cacheFolder: endorsementCacheDirectory(configuration),
    clock: world.clock,
    log: world.log,
    ...(world.connect === undefined ? {} : { connect: world.connect }),
  });
}
