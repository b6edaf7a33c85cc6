import type { Caller } from './request.js';

/** Headers of a request, by their names in lower case. */
export type RequestHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** The credentials in a request. */
export interface PresentedCredentials {
  readonly headers: RequestHeaders;
  /** The client certificate of the connection, DER, verified by TLS. Null: the listener requested none. */
  readonly clientCertificate: () => Uint8Array | null;
}

/** Authenticates callers. */
export interface CallerDirectory {
  /** Whether a request must have credentials. */
  readonly asksForCredentials: boolean;
  /** @throws {RefusedError} `unauthorized` */
  identify(presented: PresentedCredentials): Promise<Caller>;
  /** Whether requests under this Host name are served at all. */
  serves(host: string | undefined): boolean;
}
