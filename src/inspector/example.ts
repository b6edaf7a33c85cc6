import type { JsonObject } from '../core/json.js';
import type { Decision } from './service.js';

/** A request of the test lab, with the recorded answer of a service that trusts the lab's roots. */
export interface Example {
  readonly title: string;
  /** The lesson, in one sentence. */
  readonly shows: string;
  readonly recordedAt: string;
  /** Body of `POST /verify`. */
  readonly body: JsonObject;
  readonly answer: Decision;
}

/** An entry of the list of examples. */
export interface ListedExample extends Pick<Example, 'title' | 'shows'> {
  /** Path of the recording, at the service of the page. */
  readonly path: string;
}

/** The shown example. `recorded`: its answer is a recording, and no service verified it now. */
export interface ShownExample {
  readonly example: Example;
  readonly state: 'recorded' | 'judged';
}

/** A note on the significance of an example's decision. */
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
