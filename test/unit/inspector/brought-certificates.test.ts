import { describe, expect, it } from 'vitest';
import { fromLatin1, hex } from '../../../src/core/bytes.js';
import { parsePemCertificates } from '../../../src/formats/pem.js';
import { certificatesIn } from '../../../src/inspector/brought-certificates.js';
import { type FoundBytes, readBytes } from '../../../src/inspector/structures.js';
import { buildCertificateTable, createAmdPki, joinBytes, SnpPlatform } from '../../lab/index.js';

const pki = createAmdPki();
const platform = new SnpPlatform({ pki });
const chain = pki.chainPem('Milan');
const [ask = new Uint8Array(), ark = new Uint8Array()] = parsePemCertificates(chain, 'cert_format');
const vcek = platform.vek.der;
const table = buildCertificateTable([
  ['vcek', vcek],
  ['ask', ask],
  ['ark', ark],
]);

function read(bytes: Uint8Array): FoundBytes {
  const found = readBytes(bytes);
  if (found === null) throw new Error('not recognised');
  return found;
}

const kept = (found: readonly FoundBytes[]) => certificatesIn(found).map(({ der }) => hex(der));

describe('the certificates that came with evidence', () => {
  it.each([
    ['certificate', vcek, [vcek]],
    ['certificate', joinBytes(vcek, new Uint8Array(64)), [vcek]],
    ['pem', fromLatin1(chain), [ask, ark]],
    ['snp-certificate-table', table, [vcek, ask, ark]],
    ['snp-extended-report', joinBytes(platform.report(), table), [vcek, ask, ark]],
  ])('are read from a %s', (kind, bytes, expected) => {
    expect(read(bytes).kind).toBe(kind);
    expect(kept([read(bytes)])).toEqual(expected.map(hex));
  });

  it('are none in a report', () => {
    expect(kept([read(platform.report())])).toEqual([]);
  });

  it('are in the order in which they came, those that cannot be read left out', () => {
    const broken: FoundBytes = { ...read(ask), bytes: ask.subarray(0, 100) };
    const cut: FoundBytes = { ...read(table), bytes: table.subarray(0, 30) };
    expect(kept([read(ark), broken, cut, read(vcek)])).toEqual([ark, vcek].map(hex));
  });
});
