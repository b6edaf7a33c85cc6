import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JsonObject } from '../../src/model/json.js';
import {
  createAmdPki,
  createIntelPki,
  createSnpGuest,
  createTdxGuest,
  createVirtualMachine,
  LabMaa,
  SnpPlatform,
  TdxPlatform,
  wireCollateral,
} from '../lab/index.js';
import type { IntelMaterial, Material } from './protocol.js';

/** Requests of each kind. Nothing is gained by answering one twice: each has a nonce of its own. */
const REQUESTS = 64;

const SNP_POLICY = `apiVersion: veritee/v1
id: snp
version: 1
accepts: [snp]
minimums: { snp: { Milan: { snp: 24, microcode: 219 } } }
`;

const TDX_POLICY = `apiVersion: veritee/v1
id: tdx
version: 1
accepts: [tdx]
minimums: { tdx: { acceptedStatuses: [UpToDate] } }
`;

/** Guests of the lab and what they send, and the folders that a service has to know. */
export async function makeMaterial(folder: string): Promise<Material> {
  const pki = createAmdPki();
  const platform = new SnpPlatform({ pki });
  const tdxPlatform = new TdxPlatform({ pki: createIntelPki() });
  const intel = intelMaterial(tdxPlatform);
  await writeFolders(folder, platform, intel);
  const guest = createSnpGuest({ pki, platform });
  const td = createTdxGuest({ platform: tdxPlatform });
  const machine = await createVirtualMachine({ pki, platform });
  const [intermediate, root] = pki.chainDer(platform.product);
  // Chain and list are the service's: what a request brings is the certificate of its key.
  const endorsements = { chain: null, crls: [] };
  const maa = await LabMaa.start({ pki });
  const keySet = JSON.stringify(maa.keySet());
  await writeFile(join(folder, 'maa.jwks.json'), keySet);
  const material: Material = {
    folder,
    product: platform.product,
    pins: [...pki.pins([platform.product])].map(([product, pins]) => [product, [...pins]] as const),
    vek: base64(platform.vek.der),
    chain: [base64(intermediate), base64(root)],
    crl: base64(platform.crl),
    intel,
    bodies: {
      snp: bodies('snp', (nonce) => guest.wireEvidence({ nonce, endorsements })),
      'az-snp-vtpm': bodies('azure-cvm-baseline', (nonce) => machine.wireEvidence({ nonce, endorsements })),
      tdx: bodies('tdx', (nonce) => td.wireEvidence({ nonce, collateral: null })),
      'maa-token': bodies('azure-maa-baseline', (nonce) => ({
        type: 'maa-token',
        token: maa.issueAzureVm({ hclReport: machine.hclReport({ nonce }), clientPayloadNonce: nonce }),
      })),
    },
    issuer: maa.issuer,
    keySet,
  };
  await maa.close();
  return material;
}

function intelMaterial(platform: TdxPlatform): IntelMaterial {
  const { pki } = platform;
  const collateral = JSON.stringify(wireCollateral(platform.collateral()));
  return { pins: [...pki.pins], root: base64(pki.root.der), collateral };
}

async function writeFolders(folder: string, platform: SnpPlatform, { collateral }: IntelMaterial): Promise<void> {
  const [chains, intel, policies] = [join(folder, 'chains'), join(folder, 'intel'), join(folder, 'policies')];
  await Promise.all([mkdir(chains), mkdir(intel), mkdir(policies, { mode: 0o700 })]);
  await Promise.all([
    writeFile(join(chains, 'chain.pem'), platform.chain),
    writeFile(join(chains, 'list.crl'), platform.crl),
    writeFile(join(intel, 'collateral.json'), collateral),
    writeFile(join(policies, 'snp.yaml'), SNP_POLICY, { mode: 0o600 }),
    writeFile(join(policies, 'tdx.yaml'), TDX_POLICY, { mode: 0o600 }),
  ]);
}

function bodies(policy: string, evidence: (nonce: Uint8Array) => JsonObject): readonly string[] {
  return Array.from({ length: REQUESTS }, () => {
    const nonce = randomBytes(32);
    return JSON.stringify({ evidence: evidence(nonce), nonce: nonce.toString('base64url'), policy });
  });
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
