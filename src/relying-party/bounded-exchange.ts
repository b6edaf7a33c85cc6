export interface BoundedExchange {
  /** Defaults to that of the platform. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** Timeout of the whole exchange, including the body. */
  readonly timeoutMs: number;
  /** Most bytes of the answer's body. */
  readonly maximumBytes: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The request body; if left out, the request is a GET. */
  readonly body?: string | undefined;
  /** Ends the exchange early. */
  readonly signal?: AbortSignal | undefined;
}

export interface BoundedAnswer {
  readonly status: number;
  readonly bytes: Uint8Array;
}

/** A browser's cache would repeat an insufficient answer. Node ignores the member, and its types lack it. */
const UNCACHED = { cache: 'no-store' } as const;

/** The reason for a missing answer. */
class ExchangeError extends Error {
  override readonly name = 'ExchangeError';
}

/**
 * Sends one request, and reads the whole answer.
 *
 * @throws {ExchangeError} if the answer is a redirect, too large, too late or missing, or the caller aborts
 */
export async function boundedExchange(url: URL, options: BoundedExchange): Promise<BoundedAnswer> {
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const ended = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new ExchangeError(`no whole answer within ${options.timeoutMs} ms`)),
      options.timeoutMs,
    );
    const abort = () => reject(new ExchangeError('the caller aborted the exchange'));
    options.signal?.addEventListener('abort', abort, { signal: controller.signal });
  });
  try {
    // An injected fetch may ignore the signal.
    return await Promise.race([exchange(url, options, controller.signal), ended]);
  } catch (cause) {
    throw cause instanceof ExchangeError ? cause : new ExchangeError('no answer came', { cause });
  } finally {
    clearTimeout(timer);
    controller.abort();
  }
}

async function exchange(url: URL, options: BoundedExchange, signal: AbortSignal): Promise<BoundedAnswer> {
  const { fetch = globalThis.fetch, headers, body } = options;
  const response = await fetch(url.href, {
    ...(body === undefined ? {} : { method: 'POST', body }),
    headers,
    signal,
    redirect: 'error',
    credentials: 'omit',
    ...UNCACHED,
  });
  // An injected fetch may follow redirects nevertheless.
  if (response.redirected) throw new ExchangeError('the answer came after a redirect');
  return { status: response.status, bytes: await wholeBody(response, options.maximumBytes) };
}

async function wholeBody({ body }: Response, maximumBytes: number): Promise<Uint8Array> {
  if (body === null) return new Uint8Array();
  const reader = body.getReader();
  const pieces: Uint8Array[] = [];
  let length = 0;
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    length += piece.value.byteLength;
    if (length > maximumBytes) throw new ExchangeError(`the answer has over ${maximumBytes} bytes`);
    pieces.push(piece.value);
  }
  return joined(pieces, length);
}

function joined(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.byteLength;
  }
  return whole;
}
