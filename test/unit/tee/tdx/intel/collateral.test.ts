import { describe, expect, it } from 'vitest';
import type { TdxCollateral } from '../../../../../src/core/evidence.js';
import { CollateralReader, type SignedCollateral } from '../../../../../src/tee/tdx/intel/collateral.js';
import { flipBit } from '../../../../lab/byte-patch.js';
import type { CollateralOptions } from '../../../../lab/collateral-builder.js';
import { createIntelPki, type IntelAuthority } from '../../../../lab/intel-pki.js';
import { keyUsage } from '../../../../lab/pki.js';
import { TdxPlatform } from '../../../../lab/tdx-platform.js';

const pki = createIntelPki({ at: new Date('2026-03-01T12:00:00Z') });
const platform = new TdxPlatform({ pki });
const genuine = platform.collateral();
const LIST_CHAIN = 'pck_crl_issuer_chain';
const newReader = () => new CollateralReader(pki.pins);

function signedBy(reader: CollateralReader, collateral: TdxCollateral): SignedCollateral {
  const reading = reader.read(collateral);
  if (!reading.ok) throw new Error(`does not hold: ${JSON.stringify(reading.problems)}`);
  return reading.value;
}

function problemsOf(collateral: TdxCollateral, reader = newReader()): readonly (readonly [string, string])[] {
  const reading = reader.read(collateral);
  return reading.ok ? [] : reading.problems.map(({ code, member }) => [code, member] as const);
}

describe('CollateralReader', () => {
  it('gives each part with the certificates of its signer, the signer first', () => {
    const { tcbInfo, qeIdentity, pckCrl, rootCrl } = signedBy(newReader(), genuine);
    const names = [tcbInfo, qeIdentity, pckCrl, rootCrl].map(({ chain }) =>
      chain.map(({ subject }) => subject.commonName),
    );
    const signer = ['Intel SGX TCB Signing', 'Intel SGX Root CA'];
    expect(names).toEqual([signer, signer, ['Intel SGX PCK Platform CA', 'Intel SGX Root CA'], ['Intel SGX Root CA']]);
  });

  it('REQ-20 keeps copies of CRLs: nothing of the request stays with them', () => {
    const within = (der: Uint8Array) => Buffer.concat([new Uint8Array(9000), der]).subarray(9000);
    const { pckCrl, rootCaCrl } = platform.collateral({ pckCrl: { revoked: [{ serial: 5 }] } });
    const collateral = { ...genuine, pckCrl: within(pckCrl), rootCaCrl: within(rootCaCrl) };
    const signed = signedBy(newReader(), collateral);
    for (const [{ value: list }, der] of [[signed.pckCrl, pckCrl] as const, [signed.rootCrl, rootCaCrl] as const]) {
      const serials = list.entries.map(({ serial }) => serial);
      for (const part of [list.der, list.tbs, list.signature, list.issuer.der, ...serials]) {
        expect(part.buffer.byteLength).toBe(der.byteLength);
      }
    }
  });

  it('names the certificate of a chain that does not hold', () => {
    const foreign = new TdxPlatform({ pki: createIntelPki({ at: new Date('2026-03-01T12:00:00Z') }) }).collateral();
    const reading = newReader().read(foreign);
    const detail = 'chain does not end at a pinned key (certificate 2 of the chain, Intel SGX root CA)';
    expect(reading.ok ? [] : new Set(reading.problems.map((problem) => problem.detail))).toEqual(new Set([detail]));
    const unfit = chainOf(pki.issuePckCa('platform', { extensions: [keyUsage(['crlSign'])] }));
    const listed = newReader().read(platform.collateral({ overrides: { pckCrlIssuerChain: unfit } }));
    expect(listed.ok ? [] : listed.problems.map((problem) => problem.detail)).toContain(
      'issuer is not a CA (certificate 1 of the chain, PCK CA)',
    );
  });

  it.each<readonly [string, CollateralOptions, readonly (readonly [string, string])[]]>([
    ['a TCB info that was changed', { tcbInfo: { afterSigning: spaced } }, [['tdx_tcb_info', 'tcb_info']]],
    ['a QE identity that was changed', { qeIdentity: { afterSigning: spaced } }, [['tdx_qe_identity', 'qe_identity']]],
    ['a list of another signer', { pckCrl: { overrides: { signer: pki.root.key } } }, [['crl_invalid', 'pck_crl']]],
    [
      'a root list of another signer',
      { rootCrl: { overrides: { signer: pki.tcbSigning.key } } },
      [['crl_invalid', 'root_ca_crl']],
    ],
    ['a list chain that is short', { overrides: { pckCrlIssuerChain: pki.root.pem } }, [['crl_invalid', LIST_CHAIN]]],
    [
      'a list chain that begins with what may sign no lists',
      { overrides: { pckCrlIssuerChain: pki.tcbIssuerChain() } },
      [['crl_invalid', LIST_CHAIN]],
    ],
    [
      'a list chain that begins with no CA, although it may sign lists',
      {
        overrides: { pckCrlIssuerChain: chainOf(pki.issuePckCa('platform', { extensions: [keyUsage(['crlSign'])] })) },
      },
      [['cert_not_ca', LIST_CHAIN]],
    ],
    [
      'a signer of another name',
      { tcbSigning: pki.issueTcbSigning({ subject: pki.pckCa('platform').name }) },
      [
        ['cert_role', 'tcb_info_issuer_chain'],
        ['cert_role', 'qe_identity_issuer_chain'],
      ],
    ],
    [
      'a signer that may not sign data, once for each chain whatever its name',
      { tcbSigning: pki.issueTcbSigning({ subject: pki.pckCa('platform').name, extensions: [keyUsage(['crlSign'])] }) },
      [
        ['cert_role', 'tcb_info_issuer_chain'],
        ['cert_role', 'qe_identity_issuer_chain'],
      ],
    ],
  ])('tells of %s', (_what, options, problems) => {
    expect(problemsOf(platform.collateral(options))).toEqual(problems);
  });

  it('tells of every part at once', () => {
    const tcbInfoSignature = flipBit(genuine.tcbInfoSignature, 3);
    const qeIdentitySignature = flipBit(genuine.qeIdentitySignature, 3);
    expect(problemsOf({ ...genuine, tcbInfoSignature, qeIdentitySignature })).toEqual([
      ['tdx_tcb_info', 'tcb_info'],
      ['tdx_qe_identity', 'qe_identity'],
    ]);
  });

  it('reads each part once for its content, whatever it comes with', () => {
    const reader = newReader();
    const first = signedBy(reader, genuine);
    const second = signedBy(reader, { ...genuine, pckCrl: platform.collateral({ pckCrl: { number: 2 } }).pckCrl });
    expect(second.tcbInfo).toBe(first.tcbInfo);
    expect(second.qeIdentity).toBe(first.qeIdentity);
    expect(second.rootCrl).toBe(first.rootCrl);
    expect(second.pckCrl).not.toBe(first.pckCrl);
  });

  it('takes no chain for a list because it is known to hold for a text', () => {
    const reader = newReader();
    const signer = pki.issueTcbSigning({ extensions: [keyUsage(['digitalSignature', 'crlSign'])] });
    const { tcbInfoIssuerChain, ...known } = platform.collateral({ tcbSigning: signer });
    signedBy(reader, { ...known, tcbInfoIssuerChain });
    const swapped = { ...known, tcbInfoIssuerChain, pckCrlIssuerChain: tcbInfoIssuerChain };
    expect(problemsOf(swapped, reader)).toEqual([['cert_not_ca', LIST_CHAIN]]);
  });

  it('takes no chain for a text because it is known to hold for a list', () => {
    const reader = newReader();
    signedBy(reader, genuine);
    const swapped = { ...genuine, tcbInfoIssuerChain: genuine.pckCrlIssuerChain };
    expect(problemsOf(swapped, reader)).toEqual([['cert_role', 'tcb_info_issuer_chain']]);
  });

  it('TDX-09 takes no signature because the text is known under another', () => {
    const reader = newReader();
    signedBy(reader, genuine);
    const changed = { ...genuine, tcbInfoSignature: flipBit(genuine.tcbInfoSignature, 3) };
    expect(problemsOf(changed, reader)).toEqual([['tdx_tcb_info', 'tcb_info']]);
  });
});

function spaced(text: string): string {
  return `${text} `;
}

function chainOf(ca: IntelAuthority): string {
  return `${ca.pem}${pki.root.pem}`;
}
