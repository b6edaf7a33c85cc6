import { PostgresServer } from '../../src/stores/postgres/connection.ts';
import { PostgresChallengeStore } from '../../src/stores/postgres/postgres-challenge-store.ts';
import { requireSchema } from '../../src/stores/postgres/schema.ts';

/**
 * A replica that consumes challenges, as it was compiled. Arguments: options of its store as JSON. Over IPC it is told an
 * id and how often to consume it, all at once, and answers how often it came to what.
 */
const { settings, key, scope } = JSON.parse(process.argv[2] ?? '');
const silent = { info() {}, warn() {}, error() {}, debug() {} };
const clock = { now: () => new Date(), monotonicMs: () => performance.now() };
const server = await PostgresServer.open({
  settings: { ...settings, password: null },
  connections: 16,
  admit: requireSchema,
  clock,
  log: silent,
});
const store = await PostgresChallengeStore.open({
  server,
  key: Buffer.from(key, 'hex'),
  clock,
  lifetimeMs: 300_000,
  timeoutMs: 60_000,
});
process.on('message', async ({ id, count }) => {
  const consumed = Array.from({ length: count }, () => store.consume(id, scope));
  const tally = {};
  for (const outcome of await Promise.allSettled(consumed)) {
    const what = outcome.status === 'fulfilled' ? outcome.value.state : outcome.reason.message;
    tally[what] = (tally[what] ?? 0) + 1;
  }
  process.send(tally);
});
process.on('disconnect', () => server.close());
process.send('ready');
