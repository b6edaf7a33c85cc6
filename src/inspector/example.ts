import type { JsonObject } from '../core/json.js';
import type { Decision } from './service.js';

/** A request of the test lab, with the answer of a service that trusted its roots. */
export interface Example {
  readonly title: string;
  /** The lesson, in one sentence. */
  readonly shows: string;
  readonly recordedAt: string;
  /** Of `POST /verify`. */
  readonly body: JsonObject;
  readonly answer: Decision;
}

/** One that can be picked. */
export interface ListedExample extends Pick<Example, 'title' | 'shows'> {
  /** Of the recording, at the service that the page came from. */
  readonly path: string;
}

/** The example that is shown. `recorded`: its answer is the recorded one, and no service judged it now. */
export interface ShownExample {
  readonly example: Example;
  readonly state: 'recorded' | 'judged';
}

/** The worth of the shown decision, for an example. */
export function noteOn(
  { example, state }: ShownExample,
  decision: Pick<Decision, 'decision' | 'reasons'> | null,
): string {
  if (state === 'recorded') {
    return `Recorded at ${example.recordedAt} with the test lab's roots, which no service trusts; not judged now.`;
  }
  const then = [example.answer.decision, ...example.answer.reasons].join(' ');
  const recorded = `With the lab's roots it was recorded as: ${then}.`;
  if (decision?.reasons.includes('cert_untrusted') === true) {
    return `Judged by this service now. It is right to refuse the example (cert_untrusted): its certificates end at the root of the test lab, which anybody can make, and not at one of AMD or Intel. ${recorded}`;
  }
  return `Judged by this service now, which does not trust the roots of the test lab. ${recorded}`;
}
