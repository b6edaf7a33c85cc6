import { cpus } from 'node:os';
import { request } from 'undici';
import { BuiltService } from './built-service.js';
import { Client } from './client.js';
import { AT_A_TIME, type Material } from './protocol.js';
import { ascending, quantile } from './table.js';
import { worstInputs } from './worst-inputs.js';

const [CONNECTIONS, MANY] = [64, 256];
const REQUESTS = 1_500;
/** One of so many requests is the worst accepted input. */
const WORST_SHARE = 100;

/** Requests a second of one and of two workers, measured in turn, and how even the answers of two are. */
export async function measureScaling(material: Material, rounds: number): Promise<readonly string[]> {
  const [one, two] = [await BuiltService.start(material, 1), await BuiltService.start(material, 2)];
  const clients: Client[] = [];
  const clientOf = ({ url }: BuiltService, connections: number) => {
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
async function lagWithWorst(service: BuiltService, client: Client, material: Material): Promise<number> {
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
