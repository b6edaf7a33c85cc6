import type { Clock, Log } from '../../core/ports.js';
import type { PartOutcome } from '../../core/reload.js';
import type { SharedMarks } from '../../core/shared-marks.js';
import type { ReadBytes } from '../../files/whole-files.js';
import type { BoundedAgentOptions } from '../../outside/bounded-agent.js';
import type { EndingFile, ExportedBundle, ImportReport } from './material-files.js';

/** The dependencies of every source of endorsements. */
export interface SourceOptions extends Pick<BoundedAgentOptions, 'observer' | 'connect'> {
  readonly clock: Clock;
  readonly log: Log;
  /** How files of the configuration are read; defaults to the disk. Folders are always read from the disk. */
  readonly readBytes?: ReadBytes | undefined;
  /** Rollback marks that replicas share; left out, there are none. */
  readonly sharedMarks?: SharedMarks | undefined;
  /** Whether the process continues after a request, so that it can renew in the background. Defaults to true. */
  readonly inBackground?: boolean;
}

/** The conditions of one call to a service. */
export interface ServiceCall {
  readonly signal: AbortSignal;
  /** Whether a 404 may be remembered. Not for historical requests. */
  readonly remember: boolean;
}

/** Cached material of a source. Certificates of chips are left out: there are as many as machines. */
export interface FetchedMaterial {
  readonly kind: 'crl' | 'tdx-collateral' | 'token-keys';
  /** The configuration key of the source; for keys of tokens, their issuer. */
  readonly source: string;
  /** When the source last confirmed that it has nothing newer. */
  readonly fetchedAt: Date;
  /** When it becomes unusable. */
  readonly expires: Date;
}

/** A source of endorsements, with its background work. */
export interface OpenSource<Source> {
  /** Waits for `ready` by itself. */
  readonly source: Source;
  /** Resolves once folders and files are read. */
  readonly ready: Promise<void>;
  /** Reads the operator's folder or files again. Never rejects. */
  reload(): Promise<readonly PartOutcome[]>;
  /** Ends timers, connections and fetches. */
  close(): Promise<void>;
}

/** A source with a folder and a cache. */
export interface OpenFolderSource<Source, Selection> extends OpenSource<Source> {
  /** Renews due material. Also runs by itself from time to time. */
  refreshDue(): Promise<void>;
  /** The fetched endorsements that are renewed. */
  fetched(): Promise<readonly FetchedMaterial[]>;
  /** The files of the operator's folder with an expiry, as used at `at`. */
  endings(at: Date): readonly EndingFile[];
  /** Collects endorsements for machines without network. */
  exportBundle(selection: Selection, signal: AbortSignal): Promise<ExportedBundle>;
  /** Verifies a folder of endorsements and copies valid material into the operator's folder. */
  importBundle(path: string): Promise<ImportReport>;
}
