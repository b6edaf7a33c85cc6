import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../src/core/json.js';
import { parseCertificate } from '../../../../src/formats/x509-certificate.js';
import { publicRoots } from '../../../../src/release/vault/public-roots.js';
import type { ReleaseQuestion } from '../../../../src/release/vault/release-answer.js';
import { newEcKey } from '../../../lab/lab-keys.js';
import { basicConstraints, type CertificateOptions, extendedKeyUsage, keyUsage } from '../../../lab/pki.js';
import {
  dnsNamesExtension,
  leafExtensions,
  SERVER_PURPOSES,
  serviceNames,
  VaultAnswerPki,
} from '../../../lab/vault-answer-pki.js';
import { AT, answer, answerOf, KID, pki, problemOf, QUESTION, stranger } from './answer-fixture.js';

const NAMES = serviceNames('vault.azure.net');
const DAY_MS = 24 * 60 * 60_000;
const EC = newEcKey('prime256v1');
const [leaf, issuing, root] = [pki.leafCertificate(), pki.issuingCertificate(), pki.rootCertificate()];

const leafWith = (overrides: Partial<CertificateOptions>) => answerOf(pki.leafCertificate(overrides), issuing, root);
const named = (...names: readonly string[]) => leafWith({ extensions: leafExtensions(names) });
const issuingWith = (overrides: Partial<CertificateOptions>) => answerOf(leaf, pki.issuingCertificate(overrides), root);
const CA = [basicConstraints({ pathLength: 0 }), keyUsage(['keyCertSign'])];

describe('the certificate of an answer', () => {
  it.each<[string, string]>([
    ['with its root', answerOf(leaf, issuing, root)],
    ['without its root', answerOf(leaf, issuing)],
    ['with a root that a stranger signed again', answerOf(leaf, issuing, crossSigned())],
    ['with what a stranger put above the root', answerOf(leaf, issuing, crossSigned(), stranger.rootCertificate())],
    ['for the domain alone', named('vault.azure.net')],
    ['for the names below the domain', named('*.vault.azure.net')],
    ['for the vault alone', named('lab.vault.azure.net')],
    ['for names in capitals', named('*.VAULT.Azure.net')],
    ['whose issuer has no purposes', issuingWith({ extensions: CA })],
  ])('%s is one of the service', async (_what, value) => {
    expect(await problemOf(value)).toBeNull();
  });

  it.each([
    ['lab.vault.azure.cn', 'vault.azure.cn'],
    ['lab.vault.usgovcloudapi.net', 'vault.usgovcloudapi.net'],
    ['lab.managedhsm.azure.net', 'managedhsm.azure.net'],
  ])('of %s is one of its own domain', async (host, domain) => {
    const key = { ...QUESTION.key, host };
    const described = { kid: KID.replace('lab.vault.azure.net', host) };
    const extensions = leafExtensions(serviceNames(domain));
    const chain = [pki.leafCertificate({ extensions }), issuing];
    expect(await problemOf(answer({ described, chain }), { key })).toBeNull();
    expect(await problemOf(answer({ described }), { key })).toBe(
      'the certificate that signed it is not one of the domain of the vault',
    );
  });

  function crossSigned(): Uint8Array {
    return pki.rootCertificate({
      signer: stranger.root,
      issuer: parseCertificate(stranger.issuingCertificate()).subject.der,
      notAfter: new Date(AT.getTime() - DAY_MS),
    });
  }
});

describe('REL-02 nothing of an answer is handed out whose certificate', () => {
  const NOT_OF_DOMAIN = 'the certificate that signed it is not one of the domain of the vault';
  const NOT_FOR_SERVERS = 'certificates: not for servers (certificate 1 of the chain)';
  const NO_LIST = 'its header has no list of one to 5 certificates (x5c)';
  const NO_ISSUER = 'certificates: neither what came with it nor a root is the issuer of the first';
  const UNREAD = 'a certificate of its header cannot be read (x5c)';
  const withX5c = (x5c: JsonObject[string]) => answer({ header: (genuine) => ({ ...genuine, x5c }) });
  const of = (der: Uint8Array) => Buffer.from(der).toString('base64');

  it.each<[string, string, string]>([
    ['is missing', answer({ header: ({ x5c: _, ...rest }) => rest }), NO_LIST],
    ['is in no list', withX5c(of(leaf)), NO_LIST],
    ['is in an empty list', withX5c([]), NO_LIST],
    ['is one of six', withX5c(Array.from({ length: 6 }, () => of(leaf))), NO_LIST],
    ['is a number', withX5c([7]), UNREAD],
    ['is in base64url', withX5c([Buffer.from(leaf).toString('base64url')]), UNREAD],
    ['is not DER', withX5c([of(leaf.subarray(1))]), UNREAD],
    ['has a chain that is not DER', withX5c([of(leaf), 'AAAA']), UNREAD],
    [
      'has another SHA-256',
      answer({ header: { 'x5t#S256': 'AAAA' } }),
      'its header names another certificate than the one that signed it (x5t#S256)',
    ],
    [
      'has another SHA-1',
      answer({ header: { x5t: null } }),
      'its header names another certificate than the one that signed it (x5t)',
    ],
    ['is for another domain', named('*.managedhsm.azure.net'), NOT_OF_DOMAIN],
    ['is for another vault', named('other.vault.azure.net'), NOT_OF_DOMAIN],
    ['is for the domain above', named('azure.net', '*.azure.net'), NOT_OF_DOMAIN],
    ['is for a name with the domain in it', named('vault.azure.net.example', 'evilvault.azure.net'), NOT_OF_DOMAIN],
    ['has the name with a NUL', named('vault.azure.net\0'), NOT_OF_DOMAIN],
    [
      'has names that are not DER',
      leafWith({
        extensions: [...leafExtensions([]).slice(0, 3), { ...dnsNamesExtension(NAMES), value: Buffer.from([0x30]) }],
      }),
      NOT_OF_DOMAIN,
    ],
    [
      'has its names twice',
      leafWith({ extensions: [...leafExtensions(NAMES), dnsNamesExtension(NAMES)] }),
      'certificates: extension 2.5.29.17 appears twice (certificate 1 of the chain)',
    ],
    ['has no names', leafWith({ extensions: leafExtensions(NAMES).slice(0, 3) }), NOT_OF_DOMAIN],
    ['is for clients', leafWith({ extensions: leafExtensions(NAMES, [SERVER_PURPOSES[1]]) }), NOT_FOR_SERVERS],
    ['is for anything', leafWith({ extensions: leafExtensions(NAMES, ['2.5.29.37.0']) }), NOT_FOR_SERVERS],
    ['does not say what it is for', leafWith({ extensions: [dnsNamesExtension(NAMES)] }), NOT_FOR_SERVERS],
    [
      'has purposes that are not DER',
      leafWith({ extensions: [dnsNamesExtension(NAMES), { ...extendedKeyUsage([]), value: Buffer.from([5, 0]) }] }),
      NOT_FOR_SERVERS,
    ],
    [
      'is from an issuer for clients',
      issuingWith({ extensions: [...CA, extendedKeyUsage([SERVER_PURPOSES[1]])] }),
      'certificates: not for servers (certificate 2 of the chain)',
    ],
    [
      'may not sign',
      leafWith({ extensions: [keyUsage(['keyEncipherment']), ...leafExtensions(NAMES).slice(2)] }),
      'certificates: leaf may not sign data (certificate 1 of the chain)',
    ],
    [
      'is a CA',
      leafWith({ extensions: [basicConstraints(), ...leafExtensions(NAMES).slice(1)] }),
      'certificates: leaf is a CA (certificate 1 of the chain)',
    ],
    ['has another key', leafWith({ spki: stranger.leaf.spki }), 'its signature does not verify'],
    [
      'has an EC key',
      leafWith({ spki: EC.spki }),
      'certificates: key is of a kind or size that is not allowed (certificate 1 of the chain)',
    ],
    [
      'is signed with SHA-1',
      leafWith({ algorithm: { scheme: 'pkcs1', hash: 'sha1' } }),
      'certificates: signature algorithm is not allowed (certificate 1 of the chain)',
    ],
    [
      'was changed',
      leafWith({
        afterSigning: (tbs) =>
          Buffer.from(Buffer.from(tbs).toString('latin1').replace('vault.azure.net', 'vauLt.azure.net'), 'latin1'),
      }),
      'certificates: signature does not verify (certificate 1 of the chain)',
    ],
    [
      'is from no CA',
      issuingWith({ extensions: [keyUsage(['keyCertSign'])] }),
      'certificates: issuer is not a CA (certificate 2 of the chain)',
    ],
    [
      'is from a CA that may not issue',
      issuingWith({ extensions: [basicConstraints()] }),
      'certificates: issuer may not sign certificates (certificate 2 of the chain)',
    ],
    [
      'is a root of its own',
      answerOf(pki.leafCertificate({ signer: pki.leaf, issuer: parseCertificate(leaf).subject.der })),
      NO_ISSUER,
    ],
    ['comes without its issuer', answerOf(leaf), NO_ISSUER],
    ['is below the wrong issuer', answerOf(leaf, root), NO_ISSUER],
    ['is the issuer of the vaults', answerOf(issuing, root), 'certificates: leaf is a CA (certificate 1 of the chain)'],
  ])('%s', async (_what, value, problem) => {
    expect(await problemOf(value)).toBe(problem);
  });

  it('comes from a chain to no root', async () => {
    const making = { chain: stranger.chain(), key: stranger.leaf.privateKey };
    const problem = 'certificates: chain does not end at a pinned key (certificate 3 of the chain)';
    expect(await problemOf(answer(making))).toBe(problem);
    expect(await problemOf(answer(), { roots: publicRoots() })).toBe(problem);
    expect(await problemOf(answer(), { roots: [] })).toBe(problem);
  });

  it('has more issuers below it than its issuer may have', async () => {
    const below = new VaultAnswerPki('vault.azure.net', () => AT, 'strangers-answers');
    const second = below.issuingCertificate({
      signer: pki.issuing,
      issuer: parseCertificate(issuing).subject.der,
      subject: parseCertificate(stranger.leafCertificate()).subject.der,
    });
    const last = below.leafCertificate({ issuer: parseCertificate(stranger.leafCertificate()).subject.der });
    const value = answer({ chain: [last, second, issuing, root], key: below.leaf.privateKey });
    expect(await problemOf(value)).toBe('certificates: 1 CAs below, 0 allowed (certificate 3 of the chain)');
  });

  it.each<[string, Partial<ReleaseQuestion>, string]>([
    ['has ended', { at: new Date(AT.getTime() + 271 * DAY_MS) }, 'was valid until 2027-02-26T12:00:00.000Z'],
    ['has not begun', { at: new Date(AT.getTime() - 91 * DAY_MS) }, 'is valid from 2026-03-03T12:00:00.000Z on'],
  ])('%s', async (_what, question, problem) => {
    expect(await problemOf(answer(), question)).toMatch(
      new RegExp(`^certificates: vault\\.azure\\.net, serial 03, ${problem} \\(certificate 1 of the chain\\)$`),
    );
  });
});
