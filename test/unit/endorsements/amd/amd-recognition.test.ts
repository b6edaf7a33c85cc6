import { describe, expect, it } from 'vitest';
import type { SnpProduct } from '../../../../src/core/claims.js';
import { recogniseAmdMaterial } from '../../../../src/endorsements/amd/amd-recognition.js';
import type { NamedFile } from '../../../../src/endorsements/files/material-files.js';
import { newestChains } from '../../../../src/tee/snp/amd/chain.js';
import type { AmdRootPins } from '../../../../src/tee/snp/amd/roots.js';
import { AmdPki } from '../../../lab/amd-pki.js';
import { basicConstraints, keyUsage, pemOf } from '../../../lab/pki.js';
import { haveVectors, readVector } from '../../../vectors.js';

const NOW = new Date('2026-03-01T12:00:00Z');
const pki = new AmdPki({ at: NOW });
const CHIP = Uint8Array.from({ length: 64 }, (_, index) => index + 1);
const TCB = { bootloader: 4, tee: 0, snp: 24, microcode: 219 };
const PINS = pki.pins(['Milan', 'Genoa']);

const file = (name: string, content: string | Uint8Array): NamedFile => ({ name, bytes: Buffer.from(content) });

function recognise(files: readonly NamedFile[], pins: AmdRootPins = PINS) {
  const { arks, chains, veks, crls, refused } = recogniseAmdMaterial(files, pins);
  return {
    arks: arks.map(({ item }) => item.product),
    chains: chains.map(({ item }) => `${item.product} ${item.signingKey}`),
    veks: veks.map(({ item }) => `${item.product} ${item.signingKey}${item.verified ? '' : ' unverified'}`),
    crls: crls.map(({ item }) => `${item.product}${item.verified ? '' : ' unverified'}`),
    refused,
  };
}

const NOTHING = { arks: [], chains: [], veks: [], crls: [], refused: [] };
const vcek = pki.issueVcek({ product: 'Milan', chipId: CHIP, tcb: TCB });
const vlek = pki.issueVlek({ product: 'Milan', tcb: TCB });

describe('recogniseAmdMaterial', () => {
  it('recognises everything by content, in PEM and DER, whatever the names and the order', () => {
    const found = recognise([
      file('1.crl', vcek.der),
      file('2.pem', pki.issueCrl({ product: 'Milan' })),
      file('3.der', pki.chainPem('Milan')),
      file('4.pem', vlek.pem),
      file('5.pem', pki.intermediate('Milan', 'vlek').der),
    ]);
    expect(found).toEqual({
      arks: ['Milan'],
      chains: ['Milan vcek', 'Milan vlek'],
      veks: ['Milan vcek', 'Milan vlek'],
      crls: ['Milan'],
      refused: [],
    });
  });

  it('takes several certificates of one PEM file each by itself', () => {
    const mixed = pemOf(pki.ark('Milan').der, vcek.der, pki.ark('Turin').der, pki.intermediate('Milan', 'vcek').der);
    const found = recognise([file('all.pem', mixed)]);
    expect(found).toMatchObject({ arks: ['Milan'], chains: ['Milan vcek'], veks: ['Milan vcek'] });
    expect(found.refused).toEqual([{ name: 'all.pem', why: 'root is not pinned' }]);
  });

  it('holds keys and lists unverified where nothing that vouches for them is at hand', () => {
    expect(recognise([file('a', vcek.der), file('b', pki.issueCrl({ product: 'Milan' }))])).toEqual({
      ...NOTHING,
      veks: ['Milan vcek unverified'],
      crls: ['Milan unverified'],
    });
  });

  it('CRT-08 takes no root that is not pinned, whatever its name, and nothing below it', () => {
    const other = new AmdPki({ at: NOW, keys: 'amd-stranger' });
    const found = recognise([file('chain.pem', other.chainPem('Milan'))]);
    expect(found).toMatchObject({ arks: [], chains: [] });
    expect(found.refused.map(({ why }) => why)).toEqual([
      'root is not pinned',
      'no pinned root for this certificate is available',
    ]);
    expect(recognise([file('chain.pem', other.chainPem('Milan'))], other.pins(['Milan'])).chains).toEqual([
      'Milan vcek',
    ]);
  });

  it('takes no root that did not sign itself', () => {
    const root = pki.issueRoot('Milan', {
      signature: (signature) => signature.map((byte, i) => (i === 9 ? byte ^ 1 : byte)),
    });
    expect(recognise([file('ark', root.der)])).toEqual({
      ...NOTHING,
      refused: [{ name: 'ark', why: 'signature does not verify' }],
    });
  });

  it.each([
    ['signed by another root', { signer: pki.ark('Genoa').key }, 'signature does not verify'],
    [
      'named as of another line',
      { subject: pki.intermediate('Genoa', 'vcek').name },
      'certificate is not an intermediate of Milan',
    ],
    [
      'signed with another algorithm',
      { algorithm: { scheme: 'pkcs1', hash: 'sha384' } as const },
      'key or signature algorithm is not one that AMD uses',
    ],
    ['with the serial number 0', { serial: 0 }, 'serial number is zero'],
  ])('takes no intermediate that is %s', (_what, overrides, why) => {
    const { der } = pki.issueIntermediate('Milan', 'vcek', overrides);
    const found = recognise([file('ark', pki.ark('Milan').der), file('ask', der)]);
    expect(found).toEqual({ ...NOTHING, arks: ['Milan'], refused: [{ name: 'ask', why }] });
  });

  it.each([
    [
      'signed by another authority',
      pki.issueVcek({ product: 'Milan', chipId: CHIP, tcb: TCB, overrides: { signer: pki.ark('Milan').key } }).der,
    ],
    [
      'below an ASVK although it has a chip id',
      pki.issueVcek({ product: 'Milan', chipId: CHIP, tcb: TCB, issuer: pki.intermediate('Milan', 'vlek') }).der,
    ],
    ['without AMD extensions', pki.issueVcek({ product: 'Milan', chipId: CHIP, tcb: TCB, extensions: () => [] }).der],
    [
      'of a name that AMD does not use',
      pki.issueVcek({ product: 'Milan', chipId: CHIP, tcb: TCB, issuer: pki.ark('Milan') }).der,
    ],
  ])('takes no key certificate that is %s', (_what, der) => {
    const found = recognise([
      file('chain', pki.chainPem('Milan')),
      file('asvk', pki.intermediate('Milan', 'vlek').der),
      file('vek', der),
    ]);
    expect(found.veks).toEqual([]);
    expect(found.refused.map(({ name }) => name)).toEqual(['vek']);
  });

  it('takes no CRL of a stranger', () => {
    const asStranger = pki.issueCrl({ product: 'Milan', issuer: pki.intermediate('Milan', 'vcek') });
    const forged = pki.issueCrl({ product: 'Milan', overrides: { signer: pki.ark('Genoa').key } });
    const found = recognise([file('chain', pki.chainPem('Milan')), file('a', asStranger), file('b', forged)]);
    expect(found.crls).toEqual([]);
    expect(found.refused).toEqual([
      { name: 'a', why: 'CRL is not from an AMD root' },
      { name: 'b', why: 'signature does not verify' },
    ]);
  });

  it('takes no CRL whose entries are malformed, once there is a root to verify it by', () => {
    const list = file('list', pki.issueCrl({ product: 'Milan', revoked: [{ serial: -1 }] }));
    expect(recognise([list]).crls).toEqual(['Milan unverified']);
    expect(recognise([list, file('chain', pki.chainPem('Milan'))])).toMatchObject({
      crls: [],
      refused: [{ name: 'list', why: 'serial number is negative' }],
    });
  });

  it('uses chains and roots that are at hand elsewhere', () => {
    const [chain] = recogniseAmdMaterial([file('chain', pki.chainPem('Milan'))], PINS).chains;
    if (chain === undefined) throw new Error('no chain');
    const known = {
      ark: (product: SnpProduct) => (product === 'Milan' ? chain.item.ark : null),
      chain: () => chain.item,
    };
    const files = [
      file('a', vcek.der),
      file('b', pki.issueCrl({ product: 'Milan' })),
      file('c', pki.intermediate('Milan', 'vlek').der),
    ];
    const found = recogniseAmdMaterial(files, PINS, known);
    expect(found.veks.map(({ item }) => item.verified)).toEqual([true]);
    expect(found.crls.map(({ item }) => item.verified)).toEqual([true]);
    expect(found.chains.map(({ item }) => item.signingKey)).toEqual(['vlek']);
    expect(found.refused).toEqual([]);
  });

  it('does not let a CA be no CA', () => {
    const { der } = pki.issueIntermediate('Milan', 'vcek', {
      extensions: [basicConstraints({ ca: false }), keyUsage(['keyCertSign'])],
    });
    expect(recognise([file('a', pki.ark('Milan').der), file('b', der)])).toMatchObject({ chains: [], veks: [] });
  });

  it('says why bytes are neither certificate nor list', () => {
    const [refused] = recognise([file('a', 'nothing of the kind')]).refused;
    expect(refused?.why).toMatch(/^not a certificate \(.+\) and not a CRL: /);
  });
});

describe('newestChains', () => {
  it('keeps of each line the chain whose intermediate was issued last', () => {
    const older = pki.issueIntermediate('Milan', 'vcek', { notBefore: new Date('2020-10-22T00:00:00Z') });
    const files = [
      file('a', pki.chainPem('Milan')),
      file('b', older.der),
      file('c', pki.intermediate('Milan', 'vlek').der),
    ];
    const chains = recogniseAmdMaterial(files, PINS).chains.map(({ item }) => item);
    expect(chains).toHaveLength(3);
    const newest = newestChains(chains);
    expect([...newest.keys()].toSorted()).toEqual(['milan-vcek', 'milan-vlek']);
    expect(Buffer.from(newest.get('milan-vcek')?.intermediate.der ?? [])).toEqual(
      Buffer.from(pki.intermediate('Milan', 'vcek').der),
    );
  });
});

const AMD_PINS: AmdRootPins = new Map([
  ['Milan', new Set(['9f056bee44377e29308cb5ffa895bdfb62d18881fa6bed8d6f075b0204089cb9'])],
  ['Genoa', new Set(['429a69c9422aa258ee4d8db5fcda9c6470ef15f8cd5a9cebd6cbc7d90b863831'])],
  ['Turin', new Set(['4f125410563a2ab9a50356f9243f6fe0b6f73de98603f53f90339c70e9d7ad08'])],
]);

describe.skipIf(!haveVectors)('recogniseAmdMaterial: what AMD really issues', () => {
  const lines = ['milan', 'genoa', 'turin'].flatMap((line) => [`${line}-vcek`, `${line}-vlek`]);

  it('recognises the chains of Milan, Genoa and Turin, and a VCEK of Turin', () => {
    const files = [
      ...lines.map((line) => file(line, readVector(`roots/amd-${line}.pem`))),
      file('vcek', readVector('roots/vcek-turin-sample.der')),
    ];
    expect(recognise(files, AMD_PINS)).toEqual({
      arks: expect.arrayContaining(['Milan', 'Genoa', 'Turin']),
      chains: ['Milan vcek', 'Milan vlek', 'Genoa vcek', 'Genoa vlek', 'Turin vcek', 'Turin vlek'],
      veks: ['Turin vcek'],
      crls: [],
      refused: [],
    });
  });
});

describe('recogniseAmdMaterial with a product line of the configuration', () => {
  const SERVED = new Map([...PINS, ...pki.pins(['Venice'])]);
  const venice = pki.ark('Venice');
  const veniceVcek = pki.issueVcek({ product: 'Venice', chipId: CHIP, tcb: { ...TCB, fmc: 1 } });
  const MILAN = [file('milan.pem', pki.chainPem('Milan')), file('milan.crl', pki.issueCrl({ product: 'Milan' }))];
  /** Everything about the built-in line, as where nothing else is there. */
  const MILAN_ALONE = { chains: ['Milan vcek'], crls: ['Milan'] };

  it('recognises its chains, keys and CRLs', () => {
    const files = [
      file('a', pki.chainPem('Venice')),
      file('b', pki.chainPem('Venice', 'vlek')),
      file('c', veniceVcek.der),
      file('d', pki.issueCrl({ product: 'Venice' })),
    ];
    expect(recognise(files, SERVED)).toEqual({
      arks: ['Venice', 'Venice'],
      chains: ['Venice vcek', 'Venice vlek'],
      veks: ['Venice vcek'],
      crls: ['Venice'],
      refused: [],
    });
  });

  it('SNP-25 takes nothing of it where the line is not configured', () => {
    const files = [
      file('a', pki.chainPem('Venice')),
      file('b', veniceVcek.der),
      file('c', pki.issueCrl({ product: 'Venice' })),
    ];
    const { refused, ...taken } = recognise(files);
    expect(taken).toEqual({ arks: [], chains: [], veks: [], crls: [] });
    expect(refused.map(({ why }) => why)).toEqual([
      'certificate is not a VCEK or VLEK of AMD',
      'root is not pinned',
      'no pinned root for this certificate is available',
      'CRL is not from an AMD root',
    ]);
  });

  it('SNP-25 takes no intermediate of a built-in line that its root signed', () => {
    const issued = pki.issueIntermediate('Milan', 'vcek', { signer: venice.key, issuer: venice.name });
    const found = recognise([...MILAN, file('forged.pem', issued.pem + venice.pem)], SERVED);
    expect(found).toMatchObject({ ...MILAN_ALONE, arks: ['Milan', 'Venice'] });
    expect(found.refused).toEqual([{ name: 'forged.pem', why: 'certificate is not an intermediate of Venice' }]);
  });

  it('SNP-25 takes no root with its key and the name of a built-in root, which then stands in nobody’s way', () => {
    const name = pki.ark('Milan').name;
    const named = pki.issueRoot('Venice', { issuer: name, subject: name });
    const found = recognise([file('0.pem', named.pem), ...MILAN], SERVED);
    expect(found).toMatchObject({ ...MILAN_ALONE, arks: ['Milan'] });
    expect(found.refused).toEqual([{ name: '0.pem', why: 'root is not named as that of Venice' }]);
  });

  it('SNP-27 takes no CRL of its root in the name of a built-in one', () => {
    const issuer = { ...venice, name: pki.ark('Milan').name };
    const forged = pki.issueCrl({ product: 'Milan', number: 99, issuer });
    const found = recognise([...MILAN, file('forged.crl', forged)], SERVED);
    expect(found).toMatchObject(MILAN_ALONE);
    expect(found.refused).toMatchObject([{ name: 'forged.crl' }]);
  });

  it('SNP-31 takes no VCEK of a built-in line below its chain', () => {
    const issuer = { ...pki.intermediate('Venice', 'vcek'), name: pki.intermediate('Milan', 'vcek').name };
    const forged = pki.issueVcek({ product: 'Milan', chipId: CHIP, tcb: TCB, issuer });
    const found = recognise([...MILAN, file('v.pem', pki.chainPem('Venice')), file('forged.der', forged.der)], SERVED);
    expect(found.veks).toEqual([]);
    expect(found.refused).toMatchObject([{ name: 'forged.der' }]);
  });
});
