import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { checkConfiguration } from '../../src/app/check/check-configuration.js';
import { readProjectFile } from '../architecture/project-files.js';
import { TlsAuthority } from '../lab/tls-authority.js';
import { environmentOf, isWithoutHelm, type Manifest, one, podOf, rendered } from './chart.js';
import { schemaProblems } from './kubernetes-schemas.js';

const example = (name: string) => readProjectFile(`deploy/helm/veritee/examples/replicas-${name}.yaml`);

/** Where the pods have what the chart mounts. */
const MOUNTED = '/etc/veritee';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'veritee-example-'));
});

afterAll(() => rmSync(folder, { recursive: true }));

describe.skipIf(isWithoutHelm('deploy/helm/veritee/examples'))('the example of two replicas', () => {
  const values = { ...parse(example('values')), config: example('veritee') };

  it('renders two replicas that reach their store', () => {
    const documents = rendered(values);
    expect(schemaProblems(documents)).toEqual([]);
    expect(one(documents, 'StatefulSet').spec.replicas).toBe(2);
    const { egress } = one(documents, 'NetworkPolicy').spec;
    const { port } = new URL(parse(example('veritee')).stores.url);
    expect(egress.at(-1).ports).toEqual([{ protocol: 'TCP', port: Number(port) }]);
  });

  it('has a configuration that veritee check accepts, with the variables and folders of the pods', async () => {
    const documents = rendered(values);
    const here = (text: string) => text.replaceAll(MOUNTED, folder);
    for (const { mountPath } of podOf(documents).containers[0].volumeMounts.filter(
      ({ readOnly }: Manifest) => readOnly,
    ))
      mkdirSync(here(mountPath), { recursive: true });
    const { key, cert } = new TlsAuthority().issueForLoopback();
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    // A folder that the chart does not mount is not there, and this ends.
    // As the chart mounts secrets.
    for (const [name, content] of [
      ['tls/tls.crt', cert],
      ['tls/tls.key', key],
      ['challenges/key', Buffer.alloc(32, 7)],
      ['secrets/receipts/key.pem', privateKey.export({ type: 'pkcs8', format: 'pem' })],
      ['secrets/store/password', 'secret\n'],
    ] as const)
      writeFileSync(join(folder, name), content, { mode: 0o440 });
    const environment = Object.fromEntries(
      Object.entries(environmentOf(documents)).map(([name, value]) => [name, here(value)]),
    );
    const file = join(folder, 'configuration/veritee.yaml');
    writeFileSync(file, here(one(documents, 'ConfigMap', 'veritee').data['veritee.yaml']));
    const clock = { now: () => new Date('2026-06-01T00:00:00Z'), monotonicMs: () => 0 };
    expect(await checkConfiguration({ file, environment, clock })).toEqual([]);
  });
});
