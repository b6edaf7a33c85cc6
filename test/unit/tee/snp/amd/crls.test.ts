import { expect, it } from 'vitest';
import { hashed } from '../../../../../src/crypto/digest.js';
import { RevocationLists } from '../../../../../src/tee/snp/amd/crls.js';
import { VekPaths } from '../../../../../src/tee/snp/amd/vek-path.js';
import { AMD_SERIALS, createSnpGuest } from '../../../../lab/index.js';
import { FOREIGN_PKI, PKI } from '../../fixture.js';

const { platform } = createSnpGuest({ pki: PKI });
const [intermediate, root] = PKI.chainDer('Milan');
const paths = new VekPaths(PKI.pins());
const path = paths.verify(paths.readVek(hashed(platform.vek.der)), [hashed(intermediate), hashed(root)]);
const der = PKI.issueCrl({ product: 'Milan', revoked: [{ serial: AMD_SERIALS.Milan.asvk }] });

it('REQ-20 keeps copies of CRLs: nothing of the request stays with them', () => {
  const request = Buffer.concat([new Uint8Array(9000), der]);
  const reading = new RevocationLists().read(hashed(request.subarray(9000)), path);
  if (!reading.ok) throw new Error(reading.problem.detail);
  const { list } = reading;
  const [entry] = list.entries;
  for (const part of [list.der, list.tbs, list.signature, list.issuer.der, entry?.serial]) {
    expect(part?.buffer.byteLength).toBe(der.byteLength);
  }
});

it('keeps a list that verifies by its contents, and none that does not', () => {
  const lists = new RevocationLists();
  expect(lists.read(hashed(Uint8Array.from(der)), path)).toBe(lists.read(hashed(der), path));
  const foreign = FOREIGN_PKI.issueCrl({ product: 'Milan' });
  expect(lists.read(hashed(foreign), path)).not.toBe(lists.read(hashed(foreign), path));
});
