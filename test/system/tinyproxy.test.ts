import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { exportEndorsements } from '../../src/app/commands/endorsement-bundles.js';
import { SYSTEM_CLOCK } from '../../src/app/system.js';
import { loadConfiguration } from '../../src/config/load-configuration.js';
import { createAmdPki } from '../lab/amd-pki.js';
import { LabKds } from '../lab/kds.js';
import { isLacking } from '../requirements.js';
import { RecordingLog } from '../unit/endorsements/recording-log.js';
import { TINYPROXY, Tinyproxy } from './tinyproxy.js';

/** The proxy alone resolves this name (RFC 6761, 6.4). */
const HOST = 'kds.invalid';
const [USER, PASSWORD] = ['veritee', 'sesame-proxy'];
const PKI = createAmdPki();

describe.skipIf(isLacking('a real proxy', [TINYPROXY]))('endorsements through tinyproxy', () => {
  let folder: string;
  let kds: LabKds;
  let proxy: Tinyproxy;
  let lines: string[];
  let log: RecordingLog;

  beforeAll(async () => {
    kds = await LabKds.start({ names: [HOST] });
    kds.serveLine(PKI, 'Milan');
    proxy = await Tinyproxy.start({ names: [HOST], user: USER, password: PASSWORD, ports: [portOf(kds.origin)] });
  });

  afterAll(() => Promise.all([kds.close(), proxy.close()]));

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'veritee-tinyproxy-test-'));
    lines = [];
    log = new RecordingLog();
    kds.received.length = 0;
    return () => rm(folder, { recursive: true, force: true });
  });

  function portOf(origin: string): number {
    return Number(new URL(origin).port);
  }

  async function exported(password: string, port = portOf(kds.origin)): Promise<readonly string[]> {
    const passwordFile = join(folder, 'password');
    await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
    const text = JSON.stringify({
      amd: { kds: `https://${HOST}:${port}`, chains: join(folder, 'amd') },
      intel: { pcs: 'off' },
      stores: { url: `sqlite:${join(folder, 'v.db')}` },
      egress: { proxy: `http://${USER}@127.0.0.1:${proxy.port}`, passwordFile },
    });
    const configuration = loadConfiguration({ text, environment: {} });
    const world = {
      clock: SYSTEM_CLOCK,
      log,
      amdRootPins: PKI.pins(['Milan']),
      amdTuning: { attemptTimeoutMs: 20_000 },
      connect: { ca: kds.authorityPem },
      writeLine: (line: string) => lines.push(line),
    };
    await exportEndorsements(join(folder, 'bundle'), [], configuration, world);
    return readdir(join(folder, 'bundle')).catch(() => []);
  }

  it('are fetched, and the password stays with the proxy', async () => {
    const files = await exported(PASSWORD);
    expect(files.filter((name) => /milan/i.test(name)).length).toBeGreaterThan(0);
    expect(kds.received.length).toBeGreaterThan(0);
    expect(JSON.stringify(kds.received.map(({ headers }) => headers))).not.toMatch(/authorization|sesame/i);
    expect(proxy.lines.join('\n')).toContain(`CONNECT ${HOST}:${portOf(kds.origin)} HTTP/1.1`);
  });

  it('are not fetched with a wrong password, and the cause is proxy_refused', async () => {
    expect(await exported('wrong')).toEqual([]);
    expect(kds.received).toEqual([]);
    expect(lines).toContainEqual(
      expect.stringMatching(/^missing .*the proxy refuses the service \(proxy_refused, status 401\)/),
    );
  });

  it('are not fetched from a port that the proxy opens no tunnel to', async () => {
    expect(await exported(PASSWORD, 1)).toEqual([]);
    expect(lines).toContainEqual(expect.stringMatching(/^missing .*the proxy opened no tunnel \(status 403\)/));
  });
});
