import type { Dispatcher } from 'undici';
import {
  BoundedAgent,
  type BoundedAnswer,
  type BoundedRequest,
  headerOf,
  refusedContent,
  refusedStatus,
} from './bounded-agent.js';
import type { FetchError } from './fetch-error.js';

/** The object of a fetch. */
export interface FetchRequest extends BoundedRequest {
  /**
   * Accepted media types, in lower case; an answer without a type is accepted too. If it is left out, as for
   * certificates and CRLs, whose types have many names: everything that is not obviously something else.
   */
  readonly mediaTypes?: ReadonlySet<string>;
}

/** One GET, bounded. */
export interface Fetch {
  /** @throws {FetchError} */
  get(request: FetchRequest): Promise<BoundedAnswer>;
  close(): Promise<void>;
}

/**
 * Certificates and CRLs are served under many types, or none. An answer with the type of a page, a picture or a portal's error
 * object is rejected before it is read. The parser detects other unexpected content.
 */
const OTHER_CONTENT = /^(?:text\/(?!plain)|image\/|multipart\/|application\/(?:[a-z.]+\+)?(?:json|xml|javascript)\b)/i;

/** Fetches from configured origins, with the bounds of every agent. */
export class BoundedFetch extends BoundedAgent implements Fetch {
  get(request: FetchRequest): Promise<BoundedAnswer> {
    return this.ask(request, { method: 'GET', body: null }, (status, headers) => refusal(status, headers, request));
  }
}

function refusal(
  status: number,
  headers: Dispatcher.ResponseData['headers'],
  { mediaTypes }: FetchRequest,
): FetchError | null {
  if (status !== 200) return refusedStatus(status, headers);
  return isOtherContent(headerOf(headers, 'content-type') ?? '', mediaTypes) ? refusedContent(status) : null;
}

function isOtherContent(contentType: string, mediaTypes: ReadonlySet<string> | undefined): boolean {
  if (mediaTypes === undefined) return OTHER_CONTENT.test(contentType);
  const [mediaType = ''] = contentType.split(';');
  return mediaType.trim() !== '' && !mediaTypes.has(mediaType.trim().toLowerCase());
}
