import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { request } from 'undici';
import { Client } from './client.js';
import { AT_A_TIME, type Material } from './protocol.js';
import { ascending, quantile } from './table.js';
import { worstInputs } from './worst-inputs.js';

/** As `npm start` runs it, with the roots of the lab. */
const COMMAND = ['--max-semi-space-size=64', fileURLToPath(new URL('../system/lab-main.mjs', import.meta.url))];

const [CONNECTIONS, MANY] = [64, 256];
const REQUESTS = 1_500;
/** One of so many requests is the worst accepted input. */
const WORST_SHARE = 100;

/** A service of so many workers, as a process. */
class ScaledService {
  readonly #child: ReturnType<typeof spawn>;
  readonly url: string;
  readonly management: string;

  private constructor(child: ReturnType<typeof spawn>, url: string, management: string) {
    this.#child = child;
    this.url = url;
    this.management = management;
  }

  static async start(material: Material, workers: number): Promise<ScaledService> {
    const { folder, amdPins, intelPins } = material.service;
    const home = join(folder, `workers-${workers}`);
    await mkdir(home);
    const configuration = {
      workers,
      listen: { port: 0, management: { port: 0, metrics: 'open' } },
      log: { level: 'warn' },
      amd: { kds: 'off', chains: join(folder, 'chains') },
      policies: { directory: join(folder, 'policies') },
    };
    await writeFile(join(home, 'veritee.json'), JSON.stringify(configuration));
    await writeFile(join(home, 'pins.json'), JSON.stringify({ amd: amdPins, intel: intelPins }));
    const args = [...COMMAND, join(home, 'veritee.json'), join(home, 'pins.json')];
    const child = spawn(process.execPath, args, { cwd: home, stdio: ['ignore', 'pipe', 'inherit'] });
    for await (const line of createInterface({ input: child.stdout })) {
      const { msg, url, management } = JSON.parse(line);
      if (msg !== 'listening') continue;
      child.stdout.resume();
      return new ScaledService(child, url, management);
    }
    throw new Error('the service did not start');
  }

  /** The highest 99th percentile of the delay of the event loop among the workers since this was last asked, milliseconds. */
  async lagMs(): Promise<number> {
    const text = await (await request(`${this.management}/metrics`)).body.text();
    const lags = [...text.matchAll(/^nodejs_eventloop_lag_p99_seconds\S* (\S+)$/gm)].map(([, value]) => Number(value));
    return Math.max(...lags) * 1000;
  }

  close(): void {
    this.#child.kill('SIGTERM');
  }
}

/** Requests a second of one and of two workers, measured in turn, and how even the answers of two are. */
export async function measureScaling(material: Material, rounds: number): Promise<readonly string[]> {
  const [one, two] = [await ScaledService.start(material, 1), await ScaledService.start(material, 2)];
  const clients: Client[] = [];
  const clientOf = ({ url }: ScaledService, connections: number) => {
    const client = new Client(`${url}/verify`, material.bodies.snp, connections);
    clients.push(client);
    return client;
  };
  try {
    const [ofOne, ofTwo] = [clientOf(one, CONNECTIONS), clientOf(two, CONNECTIONS)];
    for (const client of [ofOne, ofTwo]) await client.verify(REQUESTS);
    const rates: { one: number; two: number }[] = [];
    for (let round = 0; round < rounds; round++) {
      rates.push({ one: await rateOf(ofOne), two: await rateOf(ofTwo) });
    }
    const many = clientOf(two, MANY);
    // The first requests open the connections.
    await many.verify(REQUESTS);
    const even = ascending(await many.verify(4 * REQUESTS));
    const lagMs = await lagWithWorst(one, clientOf(one, AT_A_TIME), material);
    return lines(rates, even, lagMs);
  } finally {
    await Promise.all(clients.map((client) => client.close()));
    for (const service of [one, two]) service.close();
  }
}

async function rateOf(client: Client): Promise<number> {
  const begun = performance.now();
  await client.verify(REQUESTS);
  return REQUESTS / ((performance.now() - begun) / 1000);
}

/** Under ordinary load, with one of the worst inputs that are judged after the other beside it. */
async function lagWithWorst(service: ScaledService, client: Client, material: Material): Promise<number> {
  const inputs = (await worstInputs(material)).filter(({ path }) => path === '/verify');
  await service.lagMs();
  const headers = { 'content-type': 'application/json' };
  const sendWorst = async () => {
    for (let index = 0; index < REQUESTS / WORST_SHARE; index++) {
      const { path = '', body = '' } = inputs[index % inputs.length] ?? {};
      const answer = await request(service.url + path, { method: 'POST', headers, body });
      await answer.body.dump();
    }
  };
  await Promise.all([client.verify(REQUESTS), sendWorst()]);
  return service.lagMs();
}

function lines(
  rates: readonly { readonly one: number; readonly two: number }[],
  even: readonly number[],
  lagMs: number,
): readonly string[] {
  const median = (values: readonly number[]) => quantile(ascending(values), 0.5);
  const cores = cpus().length;
  const [p50, p99] = [quantile(even, 0.5), quantile(even, 0.99)];
  return [
    `requests a second, one worker   ${median(rates.map(({ one }) => one)).toFixed(0)}`,
    `requests a second, two workers  ${median(rates.map(({ two }) => two)).toFixed(0)}`,
    `two over one                    ${median(rates.map(({ one, two }) => two / one)).toFixed(2)}  (aim: 1.9)`,
    `p99 / p50 at ${MANY} connections   ${(p99 / p50).toFixed(2)}  (aim: at most 4)`,
    `p99 of the event-loop delay     ${lagMs.toFixed(1)} ms, at ${AT_A_TIME} connections, with the worst accepted inputs beside them  (aim: 10)`,
    '',
    `node ${process.version}, ${cores} cores; ${rates.length} rounds of ${REQUESTS} requests each, ${CONNECTIONS} connections`,
    cores > 3
      ? 'the client has a core of its own'
      : 'the client and the process that watches the workers have no core of their own: two workers cannot be twice as fast here',
  ];
}
