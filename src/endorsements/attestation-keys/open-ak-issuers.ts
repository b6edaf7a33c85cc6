import type { AkIssuersRequest, HashedDer, Sourced } from '../../core/endorsement.js';
import type { NamedFile } from '../files/material-files.js';
import type { OpenSource, SourceOptions } from '../files/open-source.js';
import { AkIssuerFolder } from './ak-issuer-folder.js';

/** Finds possible issuers of an attestation key's certificate. */
export interface AkIssuersSource {
  find(request: AkIssuersRequest): Promise<readonly Sourced<HashedDer>[]>;
}

interface AkIssuersOptions extends Pick<SourceOptions, 'log'> {
  readonly folder: string;
  /** How often the folder is polled. */
  readonly pollMs?: number;
}

const POLL_MS = 5_000;

export interface OpenAkIssuers extends OpenSource<AkIssuersSource> {
  /** The current certificates, in DER, by file name, for the supervision of their expiry. */
  certificates(): readonly NamedFile[];
}

/** Opens the operator's folder. Sends no request to addresses in the certificates. */
export function openAkIssuers({ folder, log, pollMs = POLL_MS }: AkIssuersOptions): OpenAkIssuers {
  const issuers = new AkIssuerFolder({ folder, log, pollMs });
  const ready = issuers.start();
  return {
    source: {
      find: async (request) => {
        await ready;
        return issuers.find(request);
      },
    },
    ready,
    certificates: () => issuers.certificates,
    reload: async () => [await issuers.reload()],
    close: async () => issuers.close(),
  };
}
