import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { LabService } from './lab-service.js';

/** What runs behind an open service looks at folders and ages from time to time: it is open as long as its timers run. */

const started = vi.spyOn(globalThis, 'setInterval');
const ended = vi.spyOn(globalThis, 'clearInterval');

const other = createServer();
let lab: LabService;

beforeAll(async () => {
  await once(other.listen(0, '127.0.0.1'), 'listening');
  lab = await LabService.create();
});

afterEach(() => {
  started.mockClear();
  ended.mockClear();
});

afterAll(async () => {
  vi.restoreAllMocks();
  other.close();
  await lab.close();
});

/** Whether each of the timers that were started still runs. */
function timersRun(): readonly boolean[] {
  const cleared = new Set<unknown>(ended.mock.calls.map(([timer]) => timer));
  return started.mock.results.map(({ value }) => !cleared.has(value));
}

const nowhere = join('nowhere', 'file.pem');
const takenPort = () => (other.address() as AddressInfo).port;

describe('a start that fails', () => {
  it.each<[string, () => Record<string, unknown>, object]>([
    ['the port is taken', () => ({ listen: { port: takenPort() } }), { code: 'EADDRINUSE' }],
    [
      'a certificate is missing',
      () => ({ listen: { port: 0, tls: { cert: nowhere, key: nowhere } } }),
      { problems: [`listen.tls.cert: ${nowhere} cannot be read`] },
    ],
    [
      'roots of certificates are missing',
      () => ({ tpm: { roots: [nowhere] } }),
      { problems: [`tpm.roots: ${nowhere}: cannot be read (ENOENT)`] },
    ],
    [
      'keys of an issuer are missing',
      () => ({ ita: { issuers: [{ issuer: 'own', keys: nowhere }] } }),
      { problems: ['keys of ita-token own: cannot be read (ENOENT)'] },
    ],
  ])('because %s says so, and leaves nothing open', async (title, keys, error) => {
    await expect(lab.start(keys(), {}, title.replaceAll(' ', '-'))).rejects.toMatchObject(error);
    expect(timersRun()).not.toEqual([]);
    expect(timersRun()).not.toContain(true);
  });

  it('twin: one that does not keeps its timers until it is closed', async () => {
    const service = await lab.start();
    expect(timersRun()).toContain(true);
    await service.close();
    expect(timersRun()).not.toContain(true);
  });
});
