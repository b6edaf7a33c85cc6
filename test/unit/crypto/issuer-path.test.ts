import { describe, expect, it } from 'vitest';
import { verifyIssuerPath } from '../../../src/crypto/certificate-path.js';
import { parseCertificate } from '../../../src/formats/x509-certificate.js';
import { intelSgxProfile } from '../../../src/tee/tdx/intel/roots.js';
import { createIntelPki, type IntelAuthority } from '../../lab/intel-pki.js';
import { basicConstraints, keyUsage } from '../../lab/pki.js';

const pki = createIntelPki({ at: new Date('2026-03-01T12:00:00Z') });
const ca = pki.pckCa('platform');
const problemsOf = (path: readonly IntelAuthority[], pins = pki.pins) =>
  verifyIssuerPath(
    path.map(({ der }) => parseCertificate(der)),
    intelSgxProfile(pins),
  ).map(({ code, index }) => [code, index]);
const caWith = (...extensions: Parameters<typeof basicConstraints>) =>
  pki.issuePckCa('platform', { extensions: [keyUsage(['keyCertSign', 'crlSign']), basicConstraints(...extensions)] });

describe('verifyIssuerPath', () => {
  it('holds for a CA below a pinned root, also for one that has no CA below it', () => {
    expect(problemsOf([ca, pki.root])).toEqual([]);
    expect(problemsOf([caWith({ pathLength: 0 }), pki.root])).toEqual([]);
  });

  it.each<readonly [string, readonly IntelAuthority[], readonly (readonly [string, number])[]]>([
    ['a first certificate that is no CA', [pki.tcbSigning, pki.root], [['cert_not_ca', 0]]],
    ['a CA that says so without weight', [caWith({ critical: false }), pki.root], [['cert_not_ca', 0]]],
    ['a root that allows no CA below it', [ca, pki.issueRoot({ extensions: rootExtensions(0) })], [['cert_path', 1]]],
    ['a signature of another key', [pki.issuePckCa('platform', { signer: ca.key }), pki.root], [['cert_signature', 0]]],
    ['a root alone', [pki.root], [['cert_path', 0]]],
    [
      'a CA below itself',
      [ca, ca, pki.root],
      [
        ['cert_path', 1],
        ['cert_untrusted', 0],
        ['cert_path', 1],
        ['cert_path', 2],
      ],
    ],
  ])('tells of %s', (_what, path, problems) => {
    expect(problemsOf(path)).toEqual(problems);
  });

  it('CRT-08 tells of a root that is not pinned', () => {
    expect(problemsOf([ca, pki.root], new Set())).toEqual([['cert_untrusted', 1]]);
  });
});

function rootExtensions(pathLength: number) {
  return [keyUsage(['keyCertSign', 'crlSign']), basicConstraints({ pathLength })];
}
