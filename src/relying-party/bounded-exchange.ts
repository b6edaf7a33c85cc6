export interface BoundedExchange {
  /** Left out: the platform's. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** For the whole exchange, the body included. */
  readonly timeoutMs: number;
  /** Of the answer's body. */
  readonly maximumBytes: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Left out: a GET. */
  readonly body?: string | undefined;
  /** Ends the exchange early. */
  readonly signal?: AbortSignal | undefined;
}

export interface BoundedAnswer {
  readonly status: number;
  readonly bytes: Uint8Array;
}

/** A browser's cache would repeat an insufficient answer. Types of Node do not have the member, which Node ignores. */
const UNCACHED = { cache: 'no-store' } as const;

/** Why there is no answer. */
class ExchangeError extends Error {
  override readonly name = 'ExchangeError';
}

/**
 * One request, and the whole of its answer.
 *
 * @throws {ExchangeError} where the answer is a redirect, too large or too late, or does not come, or the caller aborts
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
    // A fetch that was injected may pay no heed to the signal.
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
  // A fetch that was injected may follow redirects nevertheless.
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
