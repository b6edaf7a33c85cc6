import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { LabPcs } from '../../lab/pcs.js';
import { TlsAuthority } from '../../lab/tls-authority.js';
import { quoteFileOf } from '../../real-tdx-evidence.js';
import { haveVectors, readVector, vectors } from '../../vectors.js';
import { CommandLine } from './command-line.js';

// Each command is a process that compiles what it loads.
vi.setConfig({ testTimeout: 120_000 });

const POLICY = JSON.stringify({
  apiVersion: 'veritee/v1',
  id: 'tds',
  version: 1,
  accepts: ['tdx'],
  minimums: 'any',
  freshness: 'none',
});

/** Only a quote that Intel's root vouches for makes a command ask anybody, and no configuration pins another one. */
describe.skipIf(!haveVectors)('veritee verify with collateral in the body', () => {
  const tls = new TlsAuthority();
  let cli: CommandLine;
  let pcs: LabPcs;
  let body: string;
  let args: readonly string[];
  let at: string;
  let environment: Readonly<Record<string, string>>;

  beforeAll(async () => {
    [cli, pcs] = [await CommandLine.create(), await LabPcs.start({ tls })];
    const entry = vectors('tdx').find(({ expect: { verdict, facts } }) => verdict === 'verifies' && !facts.debug);
    if (entry === undefined) throw new Error('no quote');
    at = String(entry.verifyAt);
    const file = readVector(`collateral/${entry.expect.facts.collateral.from}.json`);
    const collateral = JSON.parse(Buffer.from(file).toString('utf8'));
    const quote = Buffer.from(readVector(quoteFileOf(entry))).toString('base64url');
    body = JSON.stringify({ evidence: { type: 'tdx', quote, collateral } });
    const config = await cli.write('pcs.yaml', JSON.stringify({ intel: { pcs: pcs.origin } }));
    const ca = await cli.write('ca.pem', tls.pem);
    args = ['verify', '-', '--config', config, '--policy', await cli.write('tds.json', POLICY), '--json'];
    environment = { NODE_EXTRA_CA_CERTS: ca };
  });

  afterAll(async () => {
    await cli.close();
    await pcs.close();
  });

  it('TDX-25 asks Intel, and does not go by old collateral where nothing comes', async () => {
    const { exitCode, stdout } = await cli.run(args, body, environment);
    expect(exitCode).toBe(3);
    const { decision, reasons } = JSON.parse(stdout);
    expect([decision, reasons]).toEqual(['indeterminate', ['collateral_unavailable', 'collateral_stale']]);
    expect(pcs.count(/tcb\?fmspc=/)).toBe(1);
  });

  it('TDX-25 asks nobody about the past, and goes by it with a warning', async () => {
    const asked = pcs.count();
    const { stdout } = await cli.run([...args, '--at', at], body, environment);
    const { checks, historical } = JSON.parse(stdout);
    const warned = checks.filter(({ result }: { result: string }) => result === 'warn');
    expect(warned.map(({ id }: { id: string }) => id)).toContain('collateral_unconfirmed');
    expect([historical, pcs.count()]).toEqual([true, asked]);
  });
});
