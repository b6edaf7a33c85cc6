import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inject } from 'vitest';
import { type LabService, PKI } from '../integration/service/lab-service.js';

export interface LabProcessOptions {
  /** The authority of the servers that the service asks, PEM. */
  readonly ca: string;
  /** Of vaults, which the configuration names by host alone. */
  readonly vaultPort?: number;
  /** SHA-256 of the SubjectPublicKeyInfo of each root of TDX that is trusted, hex. */
  readonly intelPins?: ReadonlySet<string>;
  /** How long a store may take; defaults to the limit of a service. */
  readonly storeTimeoutMs?: number;
  /** Options of node. */
  readonly node?: readonly string[];
}

/**
 * The command of a service as a process that asks the servers of a lab.
 *
 * @param keys of its configuration, beside those of the lab
 */
export async function labProcess(
  lab: LabService,
  keys: { readonly [key: string]: unknown },
  { ca, vaultPort, storeTimeoutMs, intelPins = new Set(), node = [] }: LabProcessOptions,
): Promise<readonly string[]> {
  const file = (name: string) => join(lab.root, name);
  const configuration = {
    listen: { port: 0 },
    policies: { directory: lab.policyFolder },
    amd: { kds: lab.kds.origin, chains: lab.chainFolder },
    stores: { url: `sqlite:${file('data/veritee.db')}` },
    ...keys,
  };
  const amd = [...PKI.pins(['Milan'])].map(([product, digests]) => [product, [...digests]]);
  await writeFile(file('veritee.json'), JSON.stringify(configuration));
  await writeFile(file('pins.json'), JSON.stringify({ amd, intel: [...intelPins] }));
  await writeFile(file('servers.json'), JSON.stringify({ ca, vaultPort, storeTimeoutMs }));
  const main = join(inject('installation'), 'dist/lab-main.js');
  return [
    process.execPath,
    '--max-semi-space-size=64',
    ...node,
    main,
    ...['veritee.json', 'pins.json', 'servers.json'].map(file),
  ];
}
