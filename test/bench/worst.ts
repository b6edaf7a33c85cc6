import { Agent, request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MeasuredProcess } from './measured-process.js';
import type { Material, WorstInput } from './protocol.js';
import { ascending, quantile } from './table.js';
import { worstInputs } from './worst-inputs.js';

/** The result of one input. */
interface Held {
  readonly name: string;
  readonly answer: string;
  /** The longest that the event loop stood still while the input was answered, each time, in ascending order. */
  readonly delaysMs: readonly number[];
}

/** How long the event loop may stand still, in milliseconds (docs/hardening.md). Nothing is asserted. */
const BOUND_MS = 25;

/** Times each input is sent before it is measured, until its code is compiled. */
const WARM_UP = 3;
const BUSY_MS = 200;

/**
 * Sends each worst input by itself, a number of times, after genuine requests. The one that holds the event loop of the
 * service the longest, in the least of all times, comes first.
 */
export async function measureWorst(
  { process, url }: { readonly process: MeasuredProcess; readonly url: string },
  material: Material,
  times: number,
): Promise<readonly Held[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const found: Held[] = [];
  try {
    for (const body of Object.values(material.bodies).flat()) {
      await send(agent, url, { name: 'genuine', path: '/verify', body });
    }
    for (const input of await worstInputs(material)) {
      for (let turn = 0; turn < WARM_UP; turn++) await send(agent, url, input);
      const delaysMs: number[] = [];
      let answer = '';
      for (let turn = 0; turn < times; turn++) {
        await process.ask({ ask: 'delay' });
        answer = await send(agent, url, input);
        delaysMs.push(await process.ask({ ask: 'delay' }));
      }
      found.push({ name: input.name, answer, delaysMs: ascending(delaysMs) });
    }
  } finally {
    agent.destroy();
  }
  return found.sort((one, other) => leastOf(other) - leastOf(one));
}

function leastOf({ delaysMs }: Held): number {
  return delaysMs[0] ?? Number.NaN;
}

/** All of them, as text. */
export function worstList(found: readonly Held[]): readonly string[] {
  const width = Math.max(...found.map(({ name }) => name.length)) + 2;
  const lines = found.map((input) => {
    const [median, least] = [quantile(input.delaysMs, 0.5), leastOf(input)];
    const figures = [median, least].map((figure) => figure.toFixed(1).padStart(8)).join('');
    return `${input.name.padEnd(width)}${input.answer.padEnd(26)}${figures}${median > BOUND_MS ? '  over the bound' : ''}`;
  });
  return [
    `${'worst input'.padEnd(width)}${'answer'.padEnd(26)}${'median'.padStart(8)}${'least'.padStart(8)}`,
    ...lines,
    '',
    `node ${process.version}; longest delay of the event loop in ms while one input is answered, of ${found[0]?.delaysMs.length} times each`,
    `bound: ${BOUND_MS} ms. A machine that does other work too makes all of them longer`,
  ];
}

/** Sends it, again where the service is busy. */
async function send(agent: Agent, service: string, input: WorstInput): Promise<string> {
  for (;;) {
    const answer = await sendOnce(agent, service, input);
    if (answer !== 'overloaded') return answer;
    await sleep(BUSY_MS);
  }
}

/** The code of the problem, or the decision, or that it was shown. */
async function sendOnce(agent: Agent, service: string, { path, body }: WorstInput): Promise<string> {
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  const answer = await new Promise<Buffer>((resolve, reject) => {
    const sent = request(new URL(path, service), { method: 'POST', agent, headers }, (response) =>
      buffer(response).then(resolve, reject),
    );
    sent.on('error', reject);
    sent.end(body);
  });
  const { code, decision, reasons } = JSON.parse(answer.toString('utf8'));
  return code ?? (decision === undefined ? 'shown' : [decision, reasons?.[0]].join(' '));
}
