import { Agent, request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MeasuredProcess } from './measured-process.js';
import type { Material, WorstInput } from './protocol.js';
import { worstInputs } from './worst-inputs.js';

/** What one input came to. Milliseconds. */
interface Held {
  readonly name: string;
  readonly answer: string;
  /** The longest that the event loop stood still while the input was answered: in the median, and the least, of all times. */
  readonly median: number;
  readonly least: number;
}

/** How long the aim is, in milliseconds. Nothing is asserted. */
const AIM_MS = 25;

/** Times each input is sent before it is measured, until its code is compiled. */
const WARM_UP = 3;
const BUSY_MS = 200;

/**
 * Sends each worst input by itself, a number of times, and prints how long the event loop of the service stood still.
 * The service has answered genuine requests before.
 */
export async function measureWorst(
  worker: MeasuredProcess,
  service: string,
  material: Material,
  times: number,
): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const found: Held[] = [];
  try {
    for (const body of Object.values(material.bodies).flat()) {
      await send(agent, service, { name: 'genuine', path: '/verify', body });
    }
    for (const input of await worstInputs(material)) {
      for (let turn = 0; turn < WARM_UP; turn++) await send(agent, service, input);
      const delays: number[] = [];
      let answer = '';
      for (let turn = 0; turn < times; turn++) {
        await worker.ask({ ask: 'delay' });
        answer = await send(agent, service, input);
        delays.push(await worker.ask({ ask: 'delay' }));
      }
      delays.sort((a, b) => a - b);
      const [median = Number.NaN, least = Number.NaN] = [delays[Math.floor(times / 2)], delays[0]];
      found.push({ name: input.name, answer, median, least });
    }
  } finally {
    agent.destroy();
  }
  print(found, times);
}

function print(found: readonly Held[], times: number): void {
  const width = Math.max(...found.map(({ name }) => name.length)) + 2;
  const lines = found.map(({ name, answer, median, least }) => {
    const figures = [median, least].map((figure) => figure.toFixed(1).padStart(8)).join('');
    return `${name.padEnd(width)}${answer.padEnd(26)}${figures}${median > AIM_MS ? '  over the aim' : ''}`;
  });
  const heading = `${'worst input'.padEnd(width)}${'answer'.padEnd(26)}${'median'.padStart(8)}${'least'.padStart(8)}`;
  const most = Math.max(...found.map(({ median }) => median));
  const conditions = [
    `node ${process.version}; longest delay of the event loop in ms while one input is answered, of ${times} times each`,
    `aim: under ${AIM_MS} ms; most: ${most.toFixed(1)} ms. A machine that does other work too makes all of them longer`,
  ];
  process.stdout.write(`${[heading, ...lines, '', ...conditions].join('\n')}\n`);
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
