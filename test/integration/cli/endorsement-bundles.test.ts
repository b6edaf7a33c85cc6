import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type BundleOptions,
  exportEndorsements,
  importEndorsements,
  type NamedReport,
} from '../../../src/app/commands/endorsement-bundles.js';
import { openIntel } from '../../../src/app/endorsements.js';
import { loadConfiguration } from '../../../src/config/load-configuration.js';
import { createAmdPki, createIntelPki, SnpPlatform, TdxPlatform } from '../../lab/index.js';
import { LabPcs } from '../../lab/pcs.js';
import { ManualClock } from '../../unit/endorsements/manual-clock.js';
import { RecordingLog } from '../../unit/endorsements/recording-log.js';

const NOW = new Date('2026-03-01T12:00:00Z');
const pki = createIntelPki({ at: NOW });
const platform = new TdxPlatform({ pki });

let root: string;
let pcs: LabPcs;
let lines: string[];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'veritee-bundles-'));
  pcs = await LabPcs.start({ clock: () => NOW });
  pcs.serve(platform);
  lines = [];
});

afterEach(async () => {
  await pcs.close();
  await rm(root, { recursive: true, force: true });
});

const path = (name: string) => join(root, name);

/** Reports, each under its name. */
function named(reports: Readonly<Record<string, Uint8Array>>): readonly NamedReport[] {
  return Object.entries(reports).map(([name, bytes]) => ({ name, bytes }));
}

/** A machine with folders of its own, whose clock is the lab's. */
function machine(name: string, source: string) {
  const text = JSON.stringify({
    amd: { kds: 'off', chains: path(`${name}/amd`) },
    intel: { pcs: source, collateral: path(`${name}/intel`) },
    stores: { url: `sqlite:${path(`${name}/decisions.db`)}` },
  });
  const configuration = loadConfiguration({ text, environment: {} });
  const world: BundleOptions = {
    clock: new ManualClock(NOW),
    log: new RecordingLog(),
    intelRootPins: pki.pins,
    connect: { ca: pcs.authorityPem },
    writeLine: (line) => lines.push(line),
  };
  return { configuration, world };
}

describe('exportEndorsements and importEndorsements', () => {
  it('carry the collateral of a quote to a machine without network', async () => {
    const connected = machine('connected', pcs.origin);
    const reports = named({ quote: platform.quote({ trailing: new Uint8Array(100) }) });
    const exported = await exportEndorsements(path('bundle'), reports, connected.configuration, connected.world);
    expect([exported, lines.filter((line) => line.startsWith('wrote'))]).toEqual([
      3,
      [expect.stringMatching(/^wrote tdx-/)],
    ]);
    expect(lines.filter((line) => line.includes('collateral'))).toEqual([]);

    const isolated = machine('isolated', 'off');
    lines = [];
    expect(await importEndorsements(path('bundle'), isolated.configuration, isolated.world)).toBe(0);
    expect(lines).toEqual([
      expect.stringMatching(/^imported tdx-.*: TDX collateral of FMSPC 00806f050000, platform CA/),
    ]);
    const opened = openIntel(isolated.configuration, isolated.world);
    const request = { kind: 'intel-tdx', fmspc: platform.fmspc, ca: 'platform', supplied: null } as const;
    const context = { at: NOW, historical: false, signal: new AbortController().signal };
    expect(await opened.source.find(request, context)).toMatchObject({ origin: 'store' });
    await opened.close();
  });

  it('say what is missing of a report and of a quote, each as what it is', async () => {
    const reports = named({
      report: new SnpPlatform({ pki: createAmdPki() }).report(),
      quote: platform.quote(),
    });
    const { configuration, world } = machine('offline', 'off');
    expect(await exportEndorsements(path('bundle'), reports, configuration, world)).toBe(3);
    const codes = new Set(lines.map((line) => line.split(':')[0]));
    expect(codes).toEqual(
      new Set(['missing vcek_unavailable', 'missing crl_unavailable', 'missing collateral_unavailable']),
    );
    expect(await readdir(path('bundle')).catch(() => [])).toEqual([]);
  });

  it('ask nobody for the platform of a quote that no root of Intel vouches for, and say of which one', async () => {
    const foreign = new TdxPlatform({ pki: createIntelPki({ at: NOW }) }).quote();
    const { configuration, world } = machine('connected', pcs.origin);
    expect(await exportEndorsements(path('bundle'), named({ foreign }), configuration, world)).toBe(3);
    expect(pcs.count()).toBe(0);
    const reports = named({ own: platform.quote(), foreign });
    expect(await exportEndorsements(path('bundle'), reports, configuration, world)).toBe(3);
    const said =
      'missing collateral_unavailable: foreign: the certificate chain of the quote does not verify up to a pinned root';
    expect(lines.filter((line) => line.includes('collateral'))).toEqual([said, said]);
  });

  it('ask for no key certificate of a report that no key signed, and say of which one', async () => {
    const amd = new SnpPlatform({ pki: createAmdPki() });
    const unsigned = amd.report({ fields: { keyInfo: { authorKeyEn: false, maskChipKey: false, signingKey: 7 } } });
    const { configuration, world } = machine('offline', 'off');
    const reports = named({ signed: amd.report(), unsigned });
    expect(await exportEndorsements(path('bundle'), reports, configuration, world)).toBe(3);
    expect(lines.filter((line) => line.includes('signed'))).toEqual([
      'missing vcek_unavailable: unsigned: no key signed the report, so there is no key certificate to fetch',
    ]);
    expect(lines.filter((line) => line.includes('collateral'))).toEqual([]);
  });

  it('refuse with 2 collateral that no root of Intel vouches for', async () => {
    await writeBundleFile('forged.json', '{}');
    const { configuration, world } = machine('fooled', 'off');
    expect(await importEndorsements(path('bundle'), configuration, world)).toBe(2);
    expect(lines).toEqual([expect.stringMatching(/^refused forged\.json: ./)]);
  });

  it.each([
    ['neither', new Uint8Array(100), 'snp_format'],
    ['a quote that is cut short', platform.quote().subarray(0, 600), 'tdx_format'],
  ])('refuse %s', async (_what, bytes, code) => {
    const { configuration, world } = machine('strict', 'off');
    const exporting = exportEndorsements(path('bundle'), named({ bytes }), configuration, world);
    await expect(exporting).rejects.toMatchObject({ code });
  });
});

async function writeBundleFile(name: string, content: string): Promise<void> {
  await mkdir(path('bundle'));
  await writeFile(join(path('bundle'), name), content);
}
