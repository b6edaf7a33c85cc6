import { CARRIED_CERTIFICATES } from '../../src/tee/snp/amd/roots.js';
import {
  type AmdPki,
  type AzureAkPki,
  createAmdPki,
  createAzureAkPki,
  createIntelPki,
  createSnpGuest,
  createTdxGuest,
  createTdxVirtualMachine,
  createVirtualMachine,
  type IntelPki,
  LabMaa,
  LabTrustAuthority,
  labCcelEvents,
  type SnpGuest,
  type TdxGuest,
  TdxPlatform,
  type TdxVirtualMachine,
  TlsAuthority,
  type VirtualMachine,
} from '../lab/index.js';
import type { RootPairs } from './service.js';
import { LAB_ITA, type LabTrust } from './setting.js';

/** The instant around which the lab issues everything but what `now` is about. */
export const LAB_AT = new Date('2026-01-15T12:00:00Z');
export const LAB_NONCE = Uint8Array.from({ length: 32 }, (_, index) => 0x40 + index);

export const OTHER_NONCE = new Uint8Array(32).fill(0x77);
/** Public key that guests bind. */
export const JWK = {
  kty: 'EC',
  crv: 'P-256',
  x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
  y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
};
export const DAY = 24 * 60 * 60 * 1000;

/** A machine of each kind, and the services that issue tokens about them. */
export interface Lab {
  readonly amd: AmdPki;
  readonly intel: IntelPki;
  readonly akPki: AzureAkPki;
  readonly guest: SnpGuest;
  readonly td: TdxGuest;
  readonly vm: VirtualMachine;
  readonly tdVm: TdxVirtualMachine;
  /** As `vm`, on a platform whose endorsements are of today. */
  readonly vmNow: VirtualMachine;
  readonly maa: LabMaa;
  readonly ita: LabTrustAuthority;
}

export async function createLab(): Promise<Lab> {
  const amd = createAmdPki({ at: LAB_AT });
  const intel = createIntelPki({ at: LAB_AT });
  const options = { tls: new TlsAuthority(), clock: () => LAB_AT };
  const vm = await createVirtualMachine({ pki: amd });
  const platform = new TdxPlatform({ pki: intel });
  return {
    amd,
    intel,
    akPki: createAzureAkPki({ at: LAB_AT }),
    vm,
    vmNow: await createVirtualMachine({ pki: createAmdPki(), vtpm: vm.vtpm }),
    guest: createSnpGuest({ pki: amd }),
    td: createTdxGuest({ platform, ccel: labCcelEvents() }),
    tdVm: await createTdxVirtualMachine({ platform, vtpm: vm.vtpm, nonPersistedTpm: true }),
    maa: await LabMaa.start({ pki: amd, ...options }),
    ita: await LabTrustAuthority.start({ issuer: LAB_ITA, ...options }),
  };
}

export function trustIn({ maa, ita, akPki }: Lab): LabTrust {
  return {
    maaKeys: maa.keySet(),
    itaKeys: ita.keySet(),
    itaRootPem: ita.pki.rootPem(),
    akRootPem: akPki.authority('root').pem,
  };
}

/** The servers are not needed any more once all tokens are issued. */
export async function closeLab({ maa, ita }: Lab): Promise<void> {
  await Promise.all([maa.close(), ita.close()]);
}

/** Digests of the vendors' root keys, and certificates that the product carries, each with the one of the lab in its place. */
export function rootPairs({ amd, intel, akPki }: Lab): RootPairs {
  const pins = amd.pins();
  const only = (digests: ReadonlySet<string> | undefined) => [...(digests ?? [])][0] ?? '';
  return [
    [AMD_ROOTS.Milan, only(pins.get('Milan'))],
    [AMD_ROOTS.Genoa, only(pins.get('Genoa'))],
    [AMD_ROOTS.Turin, only(pins.get('Turin'))],
    [INTEL_ROOT, only(intel.pins)],
    [AZURE_ROOT, only(akPki.pins)],
    ...carriedPairs(amd),
  ];
}

function carriedPairs(amd: AmdPki): RootPairs {
  return [...CARRIED_CERTIFICATES].flatMap(([product, { ark, ask, asvk }]) => [
    [ark.trim(), amd.ark(product).pem.trim()],
    [ask.trim(), amd.intermediate(product, 'vcek').pem.trim()],
    [asvk.trim(), amd.intermediate(product, 'vlek').pem.trim()],
  ]);
}

/** SHA-256 of the SubjectPublicKeyInfo of the vendors' roots. */
const AMD_ROOTS = {
  Milan: '9f056bee44377e29308cb5ffa895bdfb62d18881fa6bed8d6f075b0204089cb9',
  Genoa: '429a69c9422aa258ee4d8db5fcda9c6470ef15f8cd5a9cebd6cbc7d90b863831',
  Turin: '4f125410563a2ab9a50356f9243f6fe0b6f73de98603f53f90339c70e9d7ad08',
};
const INTEL_ROOT = 'a0af031289f5d5d4132f9186068a7fc13628633ba235777472e29b6b6c67a49e';
const AZURE_ROOT = '5cbc52672ae101263c2976736044a964c1182ce9412c39937183baddcccb8cdf';
