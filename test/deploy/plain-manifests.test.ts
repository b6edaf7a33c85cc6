import { describe, expect, it } from 'vitest';
import { plainManifests } from '../../scripts/manifests.js';
import { loadConfiguration } from '../../src/config/load-configuration.js';
import { readProjectFile } from '../architecture/project-files.js';
import { environmentOf, isWithoutHelm, type Manifest, manifestsIn, one, podOf } from './chart.js';
import { schemaProblems } from './kubernetes-schemas.js';

const TEXT = readProjectFile('deploy/kubernetes.yaml');
const MANIFESTS = manifestsIn(TEXT);
const CONFIGURATION = one(MANIFESTS, 'ConfigMap', 'veritee').data['veritee.yaml'];

const filledIn = (text: string) =>
  text
    .replaceAll('replace with 64 hex digits', (_: string, offset: number) => `${offset}`.padStart(64, '0'))
    .replaceAll('replace with a date, YYYY-MM-DD', '2030-01-01');

describe('deploy/kubernetes.yaml', () => {
  it.skipIf(isWithoutHelm('what deploy/kubernetes.yaml is made of'))(
    'is what the chart renders: npm run manifests makes it anew',
    () => {
      expect(TEXT).toBe(plainManifests());
    },
  );

  it('has nothing that the schemas of Kubernetes do not know, nor a trace of Helm', () => {
    expect(schemaProblems(MANIFESTS)).toEqual([]);
    expect(TEXT).not.toMatch(/helm\.sh|managed-by|checksum|# Source/i);
    expect(one(MANIFESTS, 'StatefulSet').spec.template.metadata.annotations).toBeUndefined();
  });

  it('twin: so has the pod of deploy/gates, and one with a wrong member is found', () => {
    const pod = one(manifestsIn(readProjectFile('deploy/gates/kubernetes/pod.yaml')), 'Pod');
    expect(schemaProblems([pod])).toEqual([]);
    pod.spec.initContainers[0].restart = 'Never';
    expect(schemaProblems([pod])).toEqual([expect.stringContaining(`'"restart"' does not exist`)]);
  });

  it('is for one namespace, whose rules for pods it meets', () => {
    const { metadata } = one(MANIFESTS, 'Namespace');
    expect(metadata.labels).toEqual({ 'pod-security.kubernetes.io/enforce': 'restricted' });
    const others = MANIFESTS.filter(({ kind }) => kind !== 'Namespace');
    expect(others.map((each) => each.metadata.namespace)).toEqual(others.map(() => metadata.name));
  });

  it('has a configuration that loads once an operator has filled in his own values, and not before', () => {
    const environment = environmentOf(MANIFESTS);
    const { callers, listen } = loadConfiguration({ text: filledIn(CONFIGURATION), environment });
    expect([Object.keys(callers), listen.port]).toEqual([['gate', 'prometheus'], 8443]);
    expect(() => loadConfiguration({ text: CONFIGURATION, environment })).toThrow('apiKeySha256');
  });

  it('contacts nobody before the address ranges are filled in', () => {
    const { egress } = one(MANIFESTS, 'NetworkPolicy').spec;
    const blocks = egress.flatMap(({ to }: Manifest) => to.flatMap(({ ipBlock }: Manifest) => ipBlock ?? []));
    // An address range of documentation (RFC 5737).
    expect(blocks).toEqual([{ cidr: '203.0.113.0/24' }]);
  });

  it('lets the Prometheus that its caller is for to the management port, from where its first lines name', () => {
    const { ingress } = one(MANIFESTS, 'NetworkPolicy').spec;
    const opened = ingress.filter(({ ports }: Manifest) => ports.some(({ port }: Manifest) => port === 'management'));
    const namespace = { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } };
    expect(opened.map(({ from }: Manifest) => from)).toEqual([[{ namespaceSelector: namespace }]]);
    const { callers } = loadConfiguration({ text: filledIn(CONFIGURATION), environment: environmentOf(MANIFESTS) });
    expect(callers['prometheus']?.roles).toEqual(['metrics']);
    expect(TEXT).toContain('#   - the namespace that Prometheus runs in, in place of monitoring');
  });

  it('has no date that ends it, and needs the secrets that its first lines name', () => {
    expect(TEXT).not.toMatch(/\d{4}-\d\d-\d\d/);
    const secrets = podOf(MANIFESTS).volumes.flatMap(({ secret }: Manifest) => secret?.secretName ?? []);
    expect(secrets.toSorted()).toEqual(['veritee-challenges', 'veritee-tls']);
    for (const secret of secrets) expect(TEXT).toContain(`#   - secret ${secret}`);
  });
});
