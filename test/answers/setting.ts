import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JsonValue } from '../../src/core/json.js';
import { AZURE_MRTD } from '../lab/index.js';
import { haveVectors, readVector, vector, vectors } from '../vectors.js';
import type { ServiceName } from './body.js';
import { policyFiles } from './policies.js';

/** Additions of the lab: key sets of its token issuers, and the root of its AK certificates. */
export interface LabTrust {
  readonly maaKeys: JsonValue;
  readonly itaKeys: JsonValue;
  readonly itaRootPem: string;
  readonly akRootPem: string;
}

export const LAB_MAA = 'https://lab.weu.attest.azure.net';
/** Its policy is not pinned. */
export const OPEN_MAA = 'https://open.weu.attest.azure.net';
export const LAB_ITA = 'Lab Trust Authority';
/** The same keys, which have to chain to a root whose CRLs nobody serves. */
export const ROOTED_ITA = 'Rooted Trust Authority';

const REAL_MAA = 'maa-azurevm-snp-weu-2022';
const REAL_MAA_KEYS = `maa-jwt/${REAL_MAA}.jwks.json`;
const REAL_ITA_KEYS = 'ita-jwt/ita-sgx-dev-2023.jwks.json';
const ITA_PORTALS = ['https://portal.trustauthority.intel.com', 'https://portal.eu.trustauthority.intel.com'];

/** Writes policies, endorsements, keys and a configuration for each service into a folder. */
export async function writeSetting(root: string, lab: LabTrust, labPolicyHash: string): Promise<void> {
  for (const folder of ['policies', 'amd', 'intel', 'empty']) await mkdir(join(root, folder));
  for (const [name, text] of policyFiles()) await writeFile(join(root, 'policies', name), text);
  await writeFile(join(root, 'lab-maa.json'), JSON.stringify(lab.maaKeys));
  await writeFile(join(root, 'lab-ita.json'), JSON.stringify(lab.itaKeys));
  await writeFile(join(root, 'lab-ita.pem'), lab.itaRootPem);
  await writeFile(join(root, 'lab-ak.pem'), lab.akRootPem);
  for (const [file, vectorFile] of haveVectors ? vectorFiles() : []) {
    await writeFile(join(root, file), readVector(vectorFile));
  }
  const configurations = {
    lab: labConfiguration(root, labPolicyHash),
    ...(haveVectors ? realConfigurations(root) : {}),
  };
  for (const [name, configuration] of Object.entries(configurations)) {
    await writeFile(configurationFile(root, name as ServiceName), JSON.stringify(configuration));
  }
}

/** Real evidence needs the vectors. */
export const SERVICES: readonly ServiceName[] = haveVectors ? ['real', 'bare', 'lab'] : ['lab'];

export function configurationFile(root: string, service: ServiceName): string {
  return join(root, `${service}.yaml`);
}

function vectorFiles(): readonly (readonly [file: string, vectorFile: string])[] {
  const lines = ['milan', 'genoa', 'turin'].flatMap((line) => [`${line}-vcek`, `${line}-vlek`]);
  const collateral = vectors('collateral').flatMap(({ files }) => files);
  return [
    ...lines.map((line) => [`amd/${line}.pem`, `roots/amd-${line}.pem`] as const),
    ...['milan-6.crl', 'genoa-4.crl'].map((name) => [`amd/${name}`, `amd-crl/${name}`] as const),
    ...collateral.map((file, index) => [`intel/${index}.json`, file] as const),
    ['real-maa.json', REAL_MAA_KEYS],
    ['real-ita.json', REAL_ITA_KEYS],
  ];
}

/** Reaches nobody: no address of a vendor is left in it. */
function offline(root: string, amd: object, collateral: string, maaIssuers: readonly object[], itaKeys: string) {
  return {
    listen: { host: '127.0.0.1', port: 0 },
    policies: { directory: join(root, 'policies') },
    historical: true,
    // A slow machine is no difference.
    deadlineSeconds: 120,
    amd: { kds: 'off', ...amd },
    intel: { pcs: 'off', collateral: join(root, collateral) },
    maa: { shared: false, issuers: maaIssuers },
    ita: {
      issuers: [...ITA_PORTALS, 'Intel Trust Authority'].map((issuer) => ({ issuer, keys: join(root, itaKeys) })),
    },
    log: { level: 'fatal' },
  };
}

function labConfiguration(root: string, policyHash: string): object {
  const keys = join(root, 'lab-maa.json');
  const issuers = [
    { issuer: LAB_MAA, keys, policyHash: [policyHash] },
    { issuer: OPEN_MAA, keys, policyHash: 'any', teeSigner: 'required' },
  ];
  const base = offline(root, { chains: join(root, 'empty') }, 'empty', issuers, 'lab-ita.json');
  const itaKeys = join(root, 'lab-ita.json');
  const ita = [
    { issuer: LAB_ITA, keys: itaKeys },
    { issuer: ROOTED_ITA, keys: itaKeys, roots: join(root, 'lab-ita.pem') },
  ];
  return {
    ...base,
    azure: { paravisors: { mrtds: [AZURE_MRTD] } },
    tpm: { roots: [join(root, 'lab-ak.pem')] },
    ita: { issuers: [...base.ita.issuers, ...ita] },
  };
}

function realConfigurations(root: string): { readonly [service in 'real' | 'bare']: object } {
  const mrtd: string = vector('az-tdx-v4-nonpersisted').expect.facts.tdx.mrTd;
  return {
    real: {
      ...offline(root, { chains: join(root, 'amd') }, 'intel', realMaaIssuers(root, 'real-maa.json'), 'real-ita.json'),
      azure: { paravisors: { mrtds: [mrtd], akCertificates: '2025-10-01' } },
    },
    bare: {
      ...offline(
        root,
        { chains: join(root, 'empty'), refuseProducts: ['Genoa'] },
        'empty',
        realMaaIssuers(root, 'real-ita.json'),
        'real-ita.json',
      ),
      time: { tokenLeewaySeconds: 0 },
    },
  };
}

function realMaaIssuers(root: string, keys: string): readonly object[] {
  const tokens = vectors('maa-jwt').filter(({ expect }) => typeof expect.facts.iss === 'string');
  const issuers = new Set<string>(tokens.map(({ expect }) => expect.facts.iss));
  return [...issuers].map((issuer) => ({ issuer, keys: join(root, keys), policyHash: 'any' }));
}
