import { describe, expect, it } from 'vitest';
import type { EndorsementSet } from '../../../../../src/core/endorsement.js';
import type { AkCertificateInput } from '../../../../../src/core/evidence.js';
import type { Verification } from '../../../../../src/core/verification.js';
import { hashed } from '../../../../../src/crypto/digest.js';
import { REMEDIES } from '../../../../../src/tee/remedies.js';
import {
  basicConstraints,
  createVirtualMachine,
  keyUsage,
  type LabAuthority,
  type VirtualTpm,
} from '../../../../lab/index.js';
import { TDX_VM, verifyAzureTdx } from '../../azure/tdx-fixture.js';
import { AT, expectFailed, expectVerified, NONCE, PKI, verifyAzure } from '../../fixture.js';
import { AK_PKI, AZURE_ROOTS, FOREIGN_AK_PKI, MACHINE, verifyTpm } from '../../tpm/tpm-fixture.js';

/** Chains of AK certificates that are completed from the operator's folder, for every evidence that has one. */

const snpVm = await createVirtualMachine({ pki: PKI });
const akRoots = AZURE_ROOTS;
const DAY = 24 * 60 * 60_000;

function endorsing(authorities: readonly { readonly der: Uint8Array }[]): EndorsementSet {
  return { snp: null, akIssuers: authorities.map(({ der }) => ({ value: hashed(der), origin: 'store' })) };
}

type Judge = (ak: AkCertificateInput, held: readonly { readonly der: Uint8Array }[]) => Promise<Verification>;

const TYPES: readonly (readonly [type: string, vtpm: VirtualTpm, judge: Judge])[] = [
  [
    'tpm',
    MACHINE.vtpm,
    (ak, held) => verifyTpm(MACHINE.evidence({ nonce: NONCE, ak }), { nonce: NONCE, endorsements: endorsing(held) }),
  ],
  [
    'az-snp-vtpm',
    snpVm.vtpm,
    (ak, held) =>
      verifyAzure(snpVm.evidence({ nonce: NONCE, ak }), { nonce: NONCE, akRoots, endorsements: endorsing(held) }),
  ],
  [
    'az-tdx-vtpm',
    TDX_VM.vtpm,
    (ak, held) => {
      const evidence = TDX_VM.evidence({ nonce: NONCE, ak });
      const tdx = evidence.collateral === null ? null : { value: evidence.collateral, origin: 'evidence' as const };
      return verifyAzureTdx(evidence, { nonce: NONCE, akRoots, endorsements: { ...endorsing(held), tdx } });
    },
  ],
];

const NAMES = ['ca24', 'ca2025', 'root'] as const;
const [ca24, ca2025, root] = NAMES.map((name) => AK_PKI.authority(name)) as [LabAuthority, LabAuthority, LabAuthority];
const lookAlikes = NAMES.map((name) => FOREIGN_AK_PKI.authority(name));

describe.each(TYPES)('the chain of an AK certificate in %s', (_type, vtpm, judge) => {
  const sent = (chain: string | null, of = AK_PKI) => of.certificate({ key: vtpm.publicJwk, chain });
  const remedyOf = ({ checks }: Verification) => {
    const found = checks.find(({ id }) => id === 'ak_cert_untrusted');
    return found === undefined ? null : REMEDIES.ak_cert_untrusted(found);
  };

  it.each<[string, string | null, readonly LabAuthority[]]>([
    ['nothing', null, [ca24, ca2025, root]],
    ['nothing, in another order', null, [root, ca24, ca2025]],
    ['the issuer alone', ca24.pem, [ca2025, root]],
    ['all but the root', ca24.pem + ca2025.pem, [root]],
    ['nothing, beside issuers of the same names', null, [...lookAlikes, ca24, ca2025, root]],
  ])('is completed where the request brings %s', async (_, chain, held) => {
    const found = await judge(sent(chain), held);
    expectVerified(found);
    const sources = found.endorsements.filter(({ kind }) => kind.startsWith('ak')).map(({ source }) => source);
    const brought = 1 + (chain?.match(/BEGIN/g)?.length ?? 0);
    expect(sources).toEqual([...Array(brought).fill('evidence'), ...Array(4 - brought).fill('store')]);
  });

  it.each<[string, AkCertificateInput, readonly { readonly der: Uint8Array }[]]>([
    ['nothing in the folder', sent(null), []],
    ['issuers of the same names', sent(null), lookAlikes],
    ['issuers of others, for a certificate of theirs', sent(null, FOREIGN_AK_PKI), lookAlikes],
    ['no root', sent(null), [ca24, ca2025]],
    ['no intermediate', sent(null), [root]],
    ['a gap in what the request brings', sent(ca24.pem + root.pem), [ca2025]],
    ['a root of others in what the request brings', sent(ca24.pem + (lookAlikes[2]?.pem ?? '')), [ca2025, root]],
    ['what is no certificate', sent(null), [{ der: Uint8Array.of(0x30, 0) }]],
    [
      'an intermediate that is no CA',
      sent(null),
      [
        AK_PKI.issueAuthority('ca24', {
          extensions: [basicConstraints({ ca: false }), keyUsage(['digitalSignature', 'keyCertSign'])],
        }),
        ca2025,
        root,
      ],
    ],
  ])('HCL-14 is denied with %s', async (_, ak, held) => {
    expectFailed(await judge(ak, held), 'ak_cert_untrusted');
  });

  it('HCL-14 is denied with an intermediate that has ended, with cert_validity', async () => {
    const ended = AK_PKI.issueAuthority('ca24', { notAfter: new Date(AT.getTime() - DAY) });
    expectFailed(await judge(sent(null), [ended, ca2025, root]), 'cert_validity');
    expectVerified(await judge(sent(null), [ended, ca2025, root, ca24]));
  });

  it('ends where what was taken from the folder ends', async () => {
    const notAfter = new Date(AT.getTime() + 60_000);
    const sooner = AK_PKI.issueAuthority('ca24', { notAfter });
    expect((await judge(sent(null), [sooner, ca2025, root])).validUntil).toEqual(notAfter);
  });

  it('names the issuer that is missing, and where to put it', async () => {
    const old = AK_PKI.certificate({ key: vtpm.publicJwk, shape: '2025', chain: null });
    const said = 'the certificate of the issuer "Global Virtual TPM CA - 03" is missing';
    expect(remedyOf(await judge(old, []))).toContain(said);
    expect(remedyOf(await judge(old, []))).toContain('tpm.intermediates');
    expect(remedyOf(await judge(sent(ca24.pem + root.pem), []))).toContain('"Azure Cloud Virtual TPM CA 2025"');
    expect(remedyOf(await judge(sent(null), [ca24, ca2025]))).toContain(
      '"Azure Virtual TPM Root Certificate Authority 2023"',
    );
    // A chain that is whole ends at a root that nobody pins: nothing is missing.
    const foreign = FOREIGN_AK_PKI.certificate({ key: vtpm.publicJwk });
    expect(remedyOf(await judge(foreign, []))).toContain('tpm.roots');
    const { expected, actual } = (await judge(old, [])).checks.find(({ id }) => id === 'ak_cert_untrusted') ?? {};
    expect([expected, actual]).toEqual([null, null]);
  });
});
