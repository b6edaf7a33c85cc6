import type { Span, Tracer } from '../../core/traces.js';
import { FetchError } from '../../outside/fetch-error.js';
import type { OriginObserver } from '../../outside/outages.js';

const [HTTP_PORT, HTTPS_PORT] = [80, 443];

/**
 * An observer that also makes a span of each attempt. The request stays unchanged, without `traceparent`: AMD, Intel, Azure and
 * issuers of tokens are outside of the operator's traces, and must not get their ids.
 */
export function tracedOrigins(observer: OriginObserver, tracer: Tracer): OriginObserver {
  return {
    register: (origin) => observer.register(origin),
    answered: (origin) => observer.answered(origin),
    refused: (origin) => observer.refused(origin),
    failed: (origin, error) => observer.failed(origin, error),
    around: (origin, attempt) =>
      tracer.span('outgoing exchange', async (span) => {
        const { hostname, port, protocol } = new URL(origin);
        const usualPort = protocol === 'http:' ? HTTP_PORT : HTTPS_PORT;
        span.set({ 'server.address': hostname, 'server.port': port === '' ? usualPort : Number(port) });
        try {
          const answer = await attempt();
          setStatus(span, answer.status);
          return answer;
        } catch (error) {
          if (error instanceof FetchError) setStatus(span, error.status);
          throw error;
        }
      }),
  };
}

function setStatus(span: Span, status: number | null): void {
  if (status !== null) span.set({ 'http.response.status_code': status });
}
