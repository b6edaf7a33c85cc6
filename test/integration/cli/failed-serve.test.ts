import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { runCommandLine } from '../../../src/app/commands/command-line.js';
// Loaded here: the time of a test is bounded.
import '../../../src/app/commands/serve-command.js';
import { StopSignals } from '../../../src/app/reload/stop-signals.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'veritee-failed-serve-'));
});

afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

/** A port at which nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

describe('veritee serve that does not start', () => {
  it('exits with 1 where a store that the configuration names is out of reach, as docs/operations.md says', async () => {
    const [config, key] = [join(folder, 'veritee.yaml'), join(folder, 'key')];
    writeFileSync(key, Buffer.alloc(32, 7));
    const url = `postgres://veritee@127.0.0.1:${await closedPort()}/veritee`;
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const signing = join(folder, 'receipts.pem');
    writeFileSync(signing, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    writeFileSync(
      config,
      [
        'listen: { port: 0 }',
        `stores: { url: "${url}" }`,
        `challenges: { key: ${key} }`,
        `receipts: { key: ${signing} }`,
        '',
      ].join('\n'),
    );
    const complaints = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    expect(await runCommandLine(['serve', '--config', config], new StopSignals())).toBe(1);
    expect(complaints.mock.calls.join('')).toMatch(/stores\.url: cannot be used: .*ECONNREFUSED/);
  });
});
