import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../../src/core/errors.js';
import { writeBundle } from '../../../src/endorsements/amd/export-bundle.js';
import type { OpenAmdEndorsements } from '../../../src/endorsements/amd/open-amd-endorsements.js';
import { parseCrl } from '../../../src/formats/x509-crl.js';
import { AmdLab, CHIP, DAY_MS, exported, find, issueCrl, pki, requestFor, summary, TCB, VCEK } from './amd-lab.js';

const MILAN = { product: 'Milan', signingKey: 'vcek' } as const;
const CRL = pki.issueCrl({ product: 'Milan' });

let lab: AmdLab;

beforeEach(async () => {
  lab = await AmdLab.start();
});

afterEach(async () => {
  await lab.close();
});

const anyTime = () => new AbortController().signal;

/** A machine without network, with folders of its own. */
function offline(name = 'offline'): OpenAmdEndorsements & { readonly folder: string } {
  const folder = lab.path(`${name}-chains`);
  return { ...lab.open({ kds: null, folder, cacheFolder: lab.path(`${name}-cache`) }), folder };
}

async function bundleOf(files: { readonly [name: string]: string | Uint8Array }): Promise<string> {
  const folder = lab.path(`bundle-${Object.keys(files).join('-')}`);
  await lab.fill(files, folder);
  return folder;
}

describe('exportBundle and importBundle', () => {
  it('carry what a report needs to a machine without network', async () => {
    const bundle = await lab.open().exportBundle({ lines: [], requests: [requestFor()] }, anyTime());
    expect(bundle.missing).toEqual([]);
    await writeBundle(lab.path('bundle'), bundle);
    const machine = offline();
    const { taken, refused } = await machine.importBundle(lab.path('bundle'));
    expect(refused).toEqual([]);
    expect(taken.map(({ what }) => what)).toEqual([
      'certificate chain of Milan for VCEKs',
      `VCEK of Milan of chip 0102030405060708…`,
      'CRL 1 of Milan for VCEKs, valid until 2027-03-01T12:00:00.000Z',
    ]);
    expect(summary(await find(machine))).toEqual({ vek: 'store', chain: 'store', crl: 'store' });
  });

  it('make a folder that can be the operator folder itself', async () => {
    const bundle = await lab.open().exportBundle({ lines: [], requests: [requestFor()] }, anyTime());
    await writeBundle(lab.path('bundle'), bundle);
    const machine = lab.open({ kds: null, folder: lab.path('bundle'), cacheFolder: null });
    expect(summary(await find(machine))).toEqual({ vek: 'store', chain: 'store', crl: 'store' });
  });

  it('hold chain and list of a line by itself, each file once', async () => {
    const selection = {
      lines: [MILAN, { ...MILAN, signingKey: 'vlek' as const }],
      requests: [requestFor(), requestFor()],
    };
    const { files, missing } = await lab.open().exportBundle(selection, anyTime());
    const names = files.map(({ name }) => name);
    expect(names.filter((name) => name.endsWith('.pem'))).toEqual(['chain-milan-vcek.pem', 'chain-milan-vlek.pem']);
    expect(names.filter((name) => name.endsWith('.der'))).toHaveLength(1);
    expect(new Set(names).size).toBe(names.length);
    expect(missing).toEqual([]);
  });

  it('SNP-28 keep the series of each list, and hold every list that is at hand', async () => {
    lab.kds.serveCrl('Milan', 'vlek', issueCrl(9, -1, 60));
    const vlek = { ...MILAN, signingKey: 'vlek' as const };
    const connected = lab.open();
    const both = await connected.exportBundle({ lines: [MILAN, vlek], requests: [] }, anyTime());
    const lists = both.files.map(({ name }) => name).filter((name) => name.endsWith('.crl'));
    expect(lists.map((name) => name.replace(/-[0-9a-f]{16}/, '')).toSorted()).toEqual([
      'crl-milan-vcek.crl',
      'crl-milan-vlek.crl',
    ]);
    const again = await connected.exportBundle({ lines: [MILAN], requests: [] }, anyTime());
    expect(again.files.map(({ name }) => name)).toEqual(expect.arrayContaining(lists));
    await writeBundle(lab.path('bundle'), both);
    const machine = offline();
    await machine.importBundle(lab.path('bundle'));
    const { crls } = await find(machine);
    expect(parseCrl(crls.get('Milan')?.value.der ?? new Uint8Array()).crlNumber).toBe(1n);
  });

  it('say what could not be had, and hold the rest', async () => {
    lab.kds.fail(/crl/, { status: 503 });
    const unknown = requestFor({ chipId: CHIP.map((byte) => byte ^ 1) });
    const { files, missing } = await lab.open().exportBundle({ lines: [], requests: [unknown] }, anyTime());
    expect(files.map(({ name }) => name)).toEqual(['chain-milan-vcek.pem']);
    expect(missing.map(({ code }) => code)).toEqual(['vcek_unavailable', 'crl_unavailable']);
  });
});

describe('importBundle', () => {
  it('refuses what no pinned root vouches for, and takes nothing of it', async () => {
    const machine = offline();
    const path = await bundleOf({ 'v.der': VCEK, 'c.crl': CRL, 'genoa.pem': pki.chainPem('Genoa') });
    const { taken, refused } = await machine.importBundle(path);
    expect(taken.map(({ name }) => name)).toEqual(['genoa.pem']);
    expect(refused).toEqual([
      { name: 'v.der', why: 'no certificate chain of milan-vcek is available' },
      { name: 'c.crl', why: 'no root of Milan is available' },
    ]);
    expect(await readdir(machine.folder)).toEqual(['chain-genoa-vcek.pem']);
  });

  it('verifies by the chain that the folder holds already', async () => {
    const machine = offline();
    await machine.importBundle(await bundleOf({ 'chain.pem': pki.chainPem('Milan') }));
    const { taken, refused } = await machine.importBundle(await bundleOf({ 'v.der': VCEK, 'c.crl': CRL }));
    expect(taken.map(({ name }) => name)).toEqual(['v.der', 'c.crl']);
    expect(refused).toEqual([]);
  });

  it.each([
    [
      'another signature',
      pki.issueVcek({ product: 'Milan', chipId: CHIP, tcb: TCB, overrides: { signer: pki.ark('Milan').key } }).der,
    ],
    ['no certificate', Buffer.from('no certificate')],
  ])('refuses a key certificate with %s', async (_what, der) => {
    const path = await bundleOf({ 'chain.pem': pki.chainPem('Milan'), 'v.der': der });
    const { taken, refused } = await offline().importBundle(path);
    expect(taken.map(({ name }) => name)).toEqual(['chain.pem']);
    expect(refused.map(({ name }) => name)).toEqual(['v.der']);
  });

  it.each([
    [
      'signed by another key',
      pki.issueCrl({ product: 'Milan', overrides: { signer: pki.ark('Genoa').key } }),
      'signature does not verify',
    ],
    ['that has ended', issueCrl(3, -10, -1), 'it is past its next update'],
    ['from the future', issueCrl(3, 1, 10), 'it is from the future'],
  ])('CRT-09 refuses a CRL %s', async (_what, der, why) => {
    const path = await bundleOf({ 'chain.pem': pki.chainPem('Milan'), 'c.crl': der });
    const { refused } = await offline().importBundle(path);
    expect(refused).toEqual([{ name: 'c.crl', why }]);
  });

  it('CRT-09 refuses a CRL that is older than one it took before, also after a restart', async () => {
    const first = await bundleOf({ 'chain.pem': pki.chainPem('Milan'), ...exported(issueCrl(9, -5, 60)) });
    await offline().importBundle(first);
    const [eight, ten] = [exported(issueCrl(8, -4, 90)), exported(issueCrl(10, -3, 90))];
    const { taken, refused } = await offline().importBundle(await bundleOf({ ...eight, ...ten }));
    const [name = ''] = Object.keys(eight);
    expect(refused).toEqual([{ name, why: 'it is older than one that was relied on before' }]);
    expect(taken.map((file) => file.name)).toEqual(Object.keys(ten));
  });

  it('CRT-09 refuses a CRL whose mark is damaged, however new it is', async () => {
    const nine = exported(issueCrl(9, -5, 60));
    await offline().importBundle(await bundleOf({ 'chain.pem': pki.chainPem('Milan'), ...nine }));
    await writeFile(join(lab.path('offline-cache'), 'crl-highest-milan-vcek'), 'spoilt');
    const ten = exported(issueCrl(10, -3, 90));
    const { taken, refused } = await offline().importBundle(await bundleOf(ten));
    const why = 'whether it is older than one that was relied on before is not known: the rollback mark is damaged';
    const [name = ''] = Object.keys(ten);
    expect([taken, refused.filter((one) => one.name === name)]).toEqual([[], [{ name, why }]]);
  });

  it('SNP-28 takes a list that may be of the other series, whatever the numbers of one series are', async () => {
    const first = { 'chain.pem': pki.chainPem('Milan'), ...exported(issueCrl(9, -5, 60), 'vlek') };
    await offline().importBundle(await bundleOf(first));
    const second = { ...exported(issueCrl(1, -5, 60), 'vcek'), 'two.crl': issueCrl(2, -5, 60) };
    const { refused } = await offline().importBundle(await bundleOf(second));
    expect(refused).toEqual([]);
  });

  it('CRT-09 refuses a list of an unknown series where it is older than those of both', async () => {
    const both = { ...exported(issueCrl(9, -5, 60), 'vlek'), ...exported(issueCrl(4, -5, 60), 'vcek') };
    await offline().importBundle(await bundleOf({ 'chain.pem': pki.chainPem('Milan'), ...both }));
    const path = await bundleOf({ 'three.crl': issueCrl(3, -6, 60), 'five.crl': issueCrl(5, -6, 60) });
    const { taken, refused } = await offline().importBundle(path);
    expect(taken.map(({ name }) => name)).toEqual(['five.crl']);
    expect(refused.map(({ name }) => name)).toEqual(['three.crl']);
  });

  it('counts what was imported as relied on', async () => {
    const machine = offline();
    await machine.importBundle(await bundleOf({ 'chain.pem': pki.chainPem('Milan'), ...exported(issueCrl(9, -5, 1)) }));
    lab.clock.advance(2 * DAY_MS);
    await lab.fill({ 'eight.crl': issueCrl(8, -4, 90) }, machine.folder);
    await machine.reload();
    const { crlProblems } = await find(machine, requestFor(), { at: lab.clock.now() });
    expect(crlProblems.get('Milan')?.code).toBe('crl_rollback');
  });

  it('does not put an older chain in the place of a newer one', async () => {
    const machine = offline();
    await machine.importBundle(await bundleOf({ 'new.pem': pki.chainPem('Milan') }));
    const older = pki.issueIntermediate('Milan', 'vcek', { notBefore: new Date('2020-10-22T00:00:00Z') }).pem;
    const path = await bundleOf({ 'old.pem': older + pki.ark('Milan').pem });
    const { taken, refused } = await machine.importBundle(path);
    expect(taken).toEqual([]);
    expect(refused).toEqual([
      { name: 'old.pem', why: 'a newer certificate chain of Milan for VCEKs is already available' },
    ]);
    expect(await readFile(join(machine.folder, 'chain-milan-vcek.pem'), 'latin1')).toBe(pki.chainPem('Milan'));
  });

  it("takes AMD's own two chain files of a line, whose root is the same, and refuses nothing", async () => {
    const path = await bundleOf({
      'vcek_cert_chain.pem': pki.chainPem('Milan', 'vcek'),
      'vlek_cert_chain.pem': pki.chainPem('Milan', 'vlek'),
    });
    const { taken, refused } = await offline().importBundle(path);
    expect(refused).toEqual([]);
    expect(taken.map(({ what }) => what)).toEqual([
      'certificate chain of Milan for VCEKs',
      'certificate chain of Milan for VLEKs',
    ]);
  });

  it('says that a root alone is of no use', async () => {
    const { refused } = await offline().importBundle(await bundleOf({ 'ark.pem': pki.ark('Milan').pem }));
    expect(refused).toEqual([{ name: 'ark.pem', why: 'root without an intermediate below it' }]);
  });

  it('changes nothing when the same bundle comes twice', async () => {
    const machine = offline();
    const path = await bundleOf({ 'chain.pem': pki.chainPem('Milan'), 'v.der': VCEK, 'c.crl': CRL });
    const first = await machine.importBundle(path);
    const names = await readdir(machine.folder);
    expect(await machine.importBundle(path)).toEqual(first);
    expect(await readdir(machine.folder)).toEqual(names);
  });

  it('does not take a folder that is not there for an empty bundle of AMD', async () => {
    const nowhere = lab.path('nowhere');
    await expect(offline().importBundle(nowhere)).rejects.toMatchObject({
      name: ConfigurationError.name,
      problems: [`${nowhere}: no such folder`],
    });
  });
});
