import type { Clock, Log } from '../../core/ports.js';
import type { PartOutcome } from '../../core/reload.js';
import type { SharedMarks } from '../../core/shared-marks.js';
import type { ReadBytes } from '../../files/whole-files.js';
import type { BoundedAgentOptions } from '../../outside/bounded-agent.js';
import type { EndingFile, ExportedBundle, ImportReport } from './material-files.js';

/** The dependencies of every source of endorsements. */
export interface SourceWorld extends Pick<BoundedAgentOptions, 'observer' | 'connect'> {
  readonly clock: Clock;
  readonly log: Log;
  /** How files that the configuration names are read; left out, from the disk. Folders are read from the disk. */
  readonly readBytes?: ReadBytes | undefined;
  /** Rollback marks that replicas share; left out, there are none. */
  readonly sharedMarks?: SharedMarks | undefined;
  /** Whether the process lives on after a request, so that there is time in which to renew. Where left out it does. */
  readonly inBackground?: boolean;
}

/** How one question to a service is asked. */
export interface ServiceCall {
  readonly signal: AbortSignal;
  /** Whether a 404 may be remembered. Not for historical requests. */
  readonly remember: boolean;
}

/** Something that a source gave and that is held. Certificates of chips are left out: there are as many as machines. */
export interface FetchedMaterial {
  readonly kind: 'crl' | 'tdx-collateral' | 'token-keys';
  /** The key of the configuration that names the source; of keys of tokens their issuer. */
  readonly source: string;
  /** When the source last said that it has nothing newer. */
  readonly fetchedAt: Date;
  /** When it is of no use any more. */
  readonly expires: Date;
}

/** A source of endorsements, with everything that runs behind it. */
export interface OpenSource<Source> {
  /** Waits for `ready` by itself. */
  readonly source: Source;
  /** Folders and files are read. */
  readonly ready: Promise<void>;
  /** Reads the operator's folder or files again. Never rejects. */
  reload(): Promise<readonly PartOutcome[]>;
  /** Ends timers, connections and what is being fetched. */
  close(): Promise<void>;
}

/** A source with a folder and a cache. */
export interface OpenFolderSource<Source, Selection> extends OpenSource<Source> {
  /** Renews what is due. Runs by itself from time to time. */
  refreshDue(): Promise<void>;
  /** The fetched endorsements, as far as they are renewed. */
  fetched(): Promise<readonly FetchedMaterial[]>;
  /** The files of the operator's folder that expire, as they are used at `at`. */
  endings(at: Date): readonly EndingFile[];
  /** Collects endorsements for machines without network. */
  exportBundle(selection: Selection, signal: AbortSignal): Promise<ExportedBundle>;
  /** Verifies a folder of endorsements and takes what holds into the operator's folder. */
  importBundle(path: string): Promise<ImportReport>;
}
