import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadConfiguration } from '../../src/config/load-configuration.js';
import { readProjectFile } from '../architecture/project-files.js';
import {
  CHART,
  CONFIG,
  DECIDED,
  environmentOf,
  helm,
  isWithoutHelm,
  type Manifest,
  one,
  podOf,
  refusal,
  rendered,
  SHARED,
  VALUES_TEXT,
  type Values,
} from './chart.js';
import { schemaProblems } from './kubernetes-schemas.js';

/** The chart as Helm renders it, without a cluster: nothing here says that one takes it. */

const SELECTOR = { 'app.kubernetes.io/name': 'veritee', 'app.kubernetes.io/instance': 'veritee' };
const DEFAULTS = parse(VALUES_TEXT);

const withConfig = (text: string): Values => ({ ...DECIDED, config: `${CONFIG}${text}` });
const withEgress = (egress: object): Values => ({ ...DECIDED, egress: { cidrs: [], ...egress } });

const OF_CLUSTER = withConfig(`  pods:
    kubernetes:
      issuer: https://oidc.cluster.example
      keys: https://kubernetes.default.svc/openid/v1/jwks
      ca: /var/run/secrets/kubernetes.io/serviceaccount/ca.crt
      tokenFile: /var/run/secrets/kubernetes.io/serviceaccount/token
      audience: veritee
      serviceAccounts: [gates/release]
    roles: [verify]
`);

const PROMETHEUS = [{ namespaceSelector: { matchLabels: { name: 'monitoring' } } }];

const MONITORED: Values = {
  ...DECIDED,
  networkPolicy: { metricsFrom: PROMETHEUS },
  serviceMonitor: {
    enabled: true,
    labels: { release: 'prometheus' },
    credentials: { existingSecret: 'scrape' },
    serverName: 'veritee.example',
    ca: { existingSecret: 'authority' },
  },
};

const WITH_CILIUM: Values = {
  ...DECIDED,
  ciliumNetworkPolicy: { enabled: true, hosts: ['kdsintf.amd.com', 'api.trustedservices.intel.com'] },
};

const EVERYTHING: Values = {
  ...MONITORED,
  ...WITH_CILIUM,
  config: `${SHARED['config']}azure: { thim: "http://169.254.169.254/metadata/THIM/tdx/certification/v4" }\n`,
  challengeKey: { existingSecret: 'veritee-challenges' },
  image: { repository: 'registry.example/veritee', digest: `sha256:${'0a'.repeat(32)}` },
  imagePullSecrets: [{ name: 'registry' }],
  autoscaling: { enabled: true },
  policies: { 'own.yaml': 'id: own\n' },
  secrets: { receipts: { existingSecret: 'veritee-receipts' }, store: { existingSecret: 'veritee-store' } },
  env: { NODE_EXTRA_CA_CERTS: '/etc/veritee/secrets/store/ca.pem' },
  service: { annotations: { 'example.com/internal': 'true' } },
  egress: {
    cidrs: ['0.0.0.0/0', '::/0'],
    rules: [{ to: [{ podSelector: { matchLabels: { app: 'postgres' } } }], ports: [{ port: 5432 }] }],
  },
  serviceAccount: { annotations: { 'azure.workload.identity/client-id': 'id' } },
  podLabels: { 'azure.workload.identity/use': 'true' },
  podAnnotations: { 'example.com/owner': 'trust' },
  nodeSelector: { 'kubernetes.io/os': 'linux' },
  tolerations: [{ key: 'trust', operator: 'Exists', effect: 'NoSchedule' }],
  affinity: { nodeAffinity: {} },
  priorityClassName: 'high',
  persistence: { size: '64Gi', storageClassName: 'fast' },
  topologySpreadConstraints: [
    { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: SELECTOR } },
  ],
};

describe.skipIf(isWithoutHelm('deploy/helm'))('the chart', () => {
  it.each([
    ['one replica', DECIDED],
    ['replicas that share a store', { ...SHARED, replicas: 3 }],
    ['a mesh that ends TLS', { ...DECIDED, tls: { terminatedElsewhere: true } }],
    ['callers of the cluster', OF_CLUSTER],
    ['metrics for Prometheus', MONITORED],
    ['a policy of Cilium', WITH_CILIUM],
    ['no network policy', { ...DECIDED, networkPolicy: { enabled: false } }],
    ['no DNS, and nobody who calls', { ...DECIDED, networkPolicy: { dns: [], from: [] } }],
    ['every value', EVERYTHING],
  ])('has nothing that Helm or the schemas of Kubernetes object to, with %s', (_, values) => {
    const { status, stdout } = helm(['lint', '--strict', CHART], values);
    expect([status, stdout]).toEqual([0, expect.stringContaining('0 chart(s) failed')]);
    expect(schemaProblems(rendered(values))).toEqual([]);
  });

  it('twin: a member that Kubernetes does not know is found at any depth, and a value that it does not take', () => {
    const manifests = rendered(DECIDED);
    podOf(manifests).containers[0].readinessProbe.httpGet.uri = '/readyz';
    expect(schemaProblems(manifests)).toEqual([expect.stringContaining(`'"uri"' does not exist`)]);
    const typed = rendered(DECIDED);
    podOf(typed).terminationGracePeriodSeconds = '30';
    expect(schemaProblems(typed).join()).toContain('terminationGracePeriodSeconds');
    expect(schemaProblems([{ apiVersion: 'apps/v1', kind: 'StatefulSets', metadata: {} }])).not.toEqual([]);
  });

  it.each<[string, Values, string]>([
    ['no image', { ...DECIDED, image: {} }, 'image.repository is empty'],
    ['no callers', { ...DECIDED, config: 'log: { level: warn }' }, 'config has no callers'],
    ['no configuration', { ...DECIDED, config: '' }, 'config has no callers'],
    ['a configuration that is no mapping', { ...DECIDED, config: '- callers' }, 'config is no YAML with keys'],
    ['callers as a list', { ...DECIDED, config: 'callers: [gate]\n' }, 'config has callers without keys below it'],
    ['a caller that is empty', withConfig('  other:\n'), 'config has callers.other without keys below it'],
    [
      'a caller of the cluster that is a word',
      withConfig('  other: { kubernetes: gates/release }\n'),
      'config has callers.other.kubernetes without keys below it',
    ],
    ...['azure', 'challenges', 'decisions', 'listen', 'policies', 'receipts'].map(
      (section): [string, Values, string] => [
        `${section} that is empty`,
        withConfig(`${section}:\n`),
        `config has ${section} without keys below it: indent what belongs to it, or take it out`,
      ],
    ),
    ['neither TLS nor who ends it', { ...DECIDED, tls: {} }, 'tls.existingSecret is empty'],
    ['both', { ...DECIDED, tls: { existingSecret: 'a', terminatedElsewhere: true } }, 'exclude each other'],
    [
      'a tag in the repository',
      { ...DECIDED, image: { repository: 'registry.example:5000/veritee:1.0' } },
      'put the tag, which follows the colon, into image.tag',
    ],
    [
      'a digest in the repository',
      { ...DECIDED, image: { repository: `registry.example/veritee@sha256:${'0a'.repeat(32)}` } },
      'put what follows the @ into image.digest',
    ],
    ...['0a'.repeat(32), 'sha256:00', `sha256:${'0A'.repeat(32)}`].map((digest): [string, Values, string] => [
      `the digest ${digest}`,
      { ...DECIDED, image: { repository: 'registry.example/veritee', digest } },
      `image.digest is ${digest}: write sha256: and 64 hex digits`,
    ]),
    ...['203.0.113.1', '203.0.113.0/33', 'kdsintf.amd.com', 'fe80::/10', 'fc00::/6'].map(
      (range): [string, Values, string] => [
        `the range ${range}`,
        { ...DECIDED, egress: { cidrs: [range] } },
        `egress.cidrs has ${range}: write address ranges with their length`,
      ],
    ),
    [
      'a range without length, also where no policy has it',
      { ...DECIDED, egress: { cidrs: ['203.0.113.1'] }, networkPolicy: { enabled: false } },
      'egress.cidrs has 203.0.113.1',
    ],
    ['no word on outgoing', { ...DECIDED, egress: {} }, 'egress.cidrs is not set'],
    ['replicas that share nothing', { ...DECIDED, replicas: 2 }, 'each would accept a challenge once more'],
    ['more replicas under load', { ...DECIDED, autoscaling: { enabled: true } }, 'accept a challenge once more'],
    [
      'replicas with a file each',
      {
        ...SHARED,
        config: String(SHARED['config']).replace(/^stores:.*$/m, 'stores: { url: "sqlite:/var/lib/veritee/v.db" }'),
        replicas: 2,
      },
      'set stores.url of config to a database that they share',
    ],
    [
      'replicas without a key of challenges',
      { ...SHARED, replicas: 2, challengeKey: {} },
      'challengeKey.existingSecret is empty',
    ],
    [
      'replicas under load without one',
      { ...SHARED, autoscaling: { enabled: true }, challengeKey: {} },
      'challengeKey.existingSecret is empty',
    ],
    [
      'replicas without a key of receipts',
      { ...SHARED, replicas: 2, config: String(SHARED['config']).replace(/^receipts:.*\n/m, '') },
      'config has no receipts.key',
    ],
    [
      'replicas that sign by keys of their own',
      {
        ...SHARED,
        replicas: 2,
        config: String(SHARED['config']).replace(/^receipts:.*$/m, 'receipts: { key: ephemeral }'),
      },
      'config has no receipts.key',
    ],
    [
      'replicas whose key of receipts is null',
      { ...SHARED, replicas: 2, config: String(SHARED['config']).replace(/^receipts:.*$/m, 'receipts: { key: null }') },
      'config has no receipts.key',
    ],
    [
      'a file below a folder that is not mounted',
      { ...SHARED, secrets: { receipts: { existingSecret: 'veritee-receipts' } } },
      'a file below /etc/veritee/secrets/store, which is not mounted: name its Secret in secrets.store.existingSecret',
    ],
    [
      'such a file in a variable',
      { ...DECIDED, env: { NODE_EXTRA_CA_CERTS: '/etc/veritee/secrets/extra/ca.pem' } },
      'name its Secret in secrets.extra.existingSecret',
    ],
    [
      'two keys of challenges',
      { ...withConfig('challenges: { key: /etc/key }\n'), challengeKey: { existingSecret: 'a' } },
      'config has challenges.key, which the chart sets',
    ],
    ['a grace period that is too short', { ...DECIDED, terminationGracePeriodSeconds: 24 }, 'would be cut off'],
    ['a policy of Cilium without hosts', { ...DECIDED, ciliumNetworkPolicy: { enabled: true } }, 'hosts is empty'],
    [
      'a scrape that knows no name',
      { ...MONITORED, serviceMonitor: { enabled: true, credentials: { existingSecret: 'a' } } },
      'serviceMonitor.serverName is empty',
    ],
    [
      'a scrape that nobody is',
      { ...MONITORED, serviceMonitor: { enabled: true, serverName: 'a' } },
      'credentials.existingSecret is empty',
    ],
    [
      'a scrape that the network policy keeps out',
      { ...MONITORED, networkPolicy: {} },
      'networkPolicy.metricsFrom is empty, so the NetworkPolicy keeps out the Prometheus',
    ],
    ['a variable that the chart sets', { ...DECIDED, env: { VERITEE__LISTEN__PORT: '1' } }, 'which the chart sets'],
  ])('does not render with %s, and says what to do', (_, values, message) => {
    expect(refusal(values)).toContain(message);
  });

  it.each([
    'listen: { host: "::" }',
    'listen: { port: 1 }',
    'listen: { tls: { cert: a } }',
    'listen: { tls: { key: a } }',
  ])('does not render with %s in the configuration, which a variable would silently win over', (text) => {
    expect(refusal(withConfig(`${text}\n`))).toContain('which the chart sets: take it out');
  });

  it.each(['listen: { management: { port: 1 } }', 'policies: { directory: /etc }'])(
    'does not render with %s in it either',
    (text) => {
      expect(refusal(withConfig(`${text}\n`))).toContain('which the chart sets: take it out');
    },
  );

  it.each<[string, object]>([
    ['replica', { replica: 2 }],
    ['image.tags', { image: { repository: 'a', tags: 'b' } }],
    ['tls.secret', { tls: { existingSecret: 'a', secret: 'b' } }],
    ['secrets.a.value', { secrets: { a: { existingSecret: 'b', value: 'secret' } } }],
    ['serviceMonitor.ca.value', { serviceMonitor: { ca: { value: 'secret' } } }],
  ])('refuses %s, which is no value of it', (_, values) => {
    expect(refusal({ ...DECIDED, ...values })).toMatch(/additional properties '\w+' not allowed/);
  });

  it.each<[string, object]>([
    ['a secret in place of its name', { challengeKey: { existingSecret: 'A secret' } }],
    ['no memory limit', { resources: { limits: null } }],
    ['a name that is no policy file', { policies: { '../own.yaml': '' } }],
  ])('refuses %s', (_, values) => {
    expect(refusal({ ...DECIDED, ...values })).toContain("don't meet the specifications of the schema");
  });

  it('renders with what docs/deployment.md writes down', () => {
    const guide = readProjectFile('docs/deployment.md');
    const [, values = ''] = /^```\n# values\.yaml\n([\s\S]*?)^```$/m.exec(guide) ?? [];
    const [, config = ''] = /^```yaml\n([\s\S]*?)^```$/m.exec(guide.slice(guide.indexOf('## Helm'))) ?? [];
    const documents = rendered({ ...parse(values), config });
    const environment = environmentOf(documents);
    expect(Object.keys(loadConfiguration({ text: config, environment }).callers)).toEqual(['gate']);
    expect(podOf(documents).containers[0].image).toMatch(/^registry\.example\/veritee@sha256:/);
  });

  it('has a schema for each value, and uses each', () => {
    const schema = JSON.parse(readProjectFile('deploy/helm/veritee/values.schema.json'));
    const templates = readdirSync(join(CHART, 'templates'))
      .map((name) => readProjectFile(`deploy/helm/veritee/templates/${name}`))
      .join('\n');
    const { global: _, ...properties } = schema.properties;
    expect(Object.keys(properties).toSorted()).toEqual(Object.keys(DEFAULTS).toSorted());
    for (const [name, value] of Object.entries<Manifest>(DEFAULTS)) {
      expect(templates).toContain(`.Values.${name}`);
      const members = properties[name].properties;
      if (members === undefined || name === 'resources') continue;
      expect([name, Object.keys(members).toSorted()]).toEqual([name, Object.keys(value).toSorted()]);
      expect(properties[name].additionalProperties).toBe(false);
    }
  });
});

describe.skipIf(isWithoutHelm('the pod of deploy/helm'))('a pod of the chart', () => {
  it('runs as nobody, without a capability, on a root that it cannot write to, under a filter', () => {
    const pod = podOf(rendered(DECIDED));
    expect(pod.securityContext).toEqual({
      runAsNonRoot: true,
      runAsUser: 65532,
      runAsGroup: 65532,
      fsGroup: 65532,
      fsGroupChangePolicy: 'OnRootMismatch',
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(pod.containers).toHaveLength(1);
    expect(pod.initContainers).toBeUndefined();
    expect(pod.containers[0].securityContext).toEqual({
      allowPrivilegeEscalation: false,
      privileged: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(pod.containers[0].resources.limits.memory).toBe('512Mi');
    expect(pod.automountServiceAccountToken).toBe(false);
    expect(one(rendered(DECIDED), 'ServiceAccount').automountServiceAccountToken).toBe(false);
  });

  it('is the user of the image', () => {
    const [, user, group] = /^USER (\d+):(\d+)$/m.exec(readProjectFile('Dockerfile')) ?? [];
    const { runAsUser, runAsGroup } = podOf(rendered(DECIDED)).securityContext;
    expect([runAsUser, runAsGroup]).toEqual([Number(user), Number(group)]);
  });

  it('gets no variables of Services, since the service does not start with a VERITEE__ name that it does not know', () => {
    expect(podOf(rendered(DECIDED)).enableServiceLinks).toBe(false);
    // As a Service `veritee--cache` of the namespace would be linked.
    const environment = { VERITEE__CACHE_SERVICE_HOST: '10.0.0.1' };
    expect(() => loadConfiguration({ text: CONFIG, environment })).toThrow('VERITEE__CACHE_SERVICE_HOST');
  });

  it('is asked on the management port whether it lives and is ready', () => {
    const { containers } = podOf(rendered({ ...DECIDED, management: { port: 9443 } }));
    const [{ startupProbe, livenessProbe, readinessProbe, ports }] = containers;
    const at = (path: string) => ({ path, port: 'management', scheme: 'HTTPS' });
    expect([startupProbe.httpGet, livenessProbe.httpGet, readinessProbe.httpGet]).toEqual([
      at('/livez'),
      at('/livez'),
      at('/readyz'),
    ]);
    expect(ports).toContainEqual({ name: 'management', containerPort: 9443 });
    const plain = podOf(rendered({ ...DECIDED, tls: { terminatedElsewhere: true } }));
    expect(plain.containers[0].readinessProbe.httpGet.scheme).toBe('HTTP');
  });

  it('has secrets as files that its group may read, by the name of a Secret, and none as a variable', () => {
    const documents = rendered(EVERYTHING);
    expect(documents.filter(({ kind }) => kind === 'Secret')).toEqual([]);
    const secrets = podOf(documents).volumes.filter(({ secret }: Manifest) => secret !== undefined);
    expect(secrets.map(({ secret }: Manifest) => [secret.secretName, secret.defaultMode])).toEqual([
      ['veritee-tls', 0o440],
      ['veritee-challenges', 0o440],
      ['veritee-receipts', 0o440],
      ['veritee-store', 0o440],
    ]);
    const { env, envFrom } = podOf(documents).containers[0];
    expect([envFrom, env.filter(({ valueFrom }: Manifest) => valueFrom !== undefined)]).toEqual([undefined, []]);
  });

  it('mounts each volume once, all but its own to be read, and none by subPath', () => {
    const { volumes, containers } = podOf(rendered(EVERYTHING));
    const mounts = containers[0].volumeMounts;
    const { volumeClaimTemplates } = one(rendered(EVERYTHING), 'StatefulSet').spec;
    const names = [
      ...volumeClaimTemplates.map(({ metadata }: Manifest) => metadata.name),
      ...volumes.map(({ name }: Manifest) => name),
    ];
    expect(mounts.map(({ name }: Manifest) => name).toSorted()).toEqual(names.toSorted());
    expect(mounts.filter(({ readOnly }: Manifest) => readOnly !== true)).toEqual([
      { name: 'state', mountPath: '/var/lib/veritee' },
    ]);
    expect(mounts.filter((mount: Manifest) => 'subPath' in mount)).toEqual([]);
  });

  it('gets a token of its account only where callers are recognised by keys of the cluster', () => {
    expect(podOf(rendered(DECIDED)).volumes.filter(({ projected }: Manifest) => projected)).toEqual([]);
    const { volumes, automountServiceAccountToken, containers } = podOf(rendered(OF_CLUSTER));
    expect(automountServiceAccountToken).toBe(false);
    const [{ name, projected }] = volumes.filter((volume: Manifest) => volume.projected);
    expect(projected.sources).toEqual([
      { serviceAccountToken: { path: 'token', expirationSeconds: 3600 } },
      { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
    ]);
    expect(containers[0].volumeMounts).toContainEqual({
      name,
      mountPath: '/var/run/secrets/kubernetes.io/serviceaccount',
      readOnly: true,
    });
  });

  it('has more time to stop than the service takes at most, its pause before that included', () => {
    const source = readProjectFile('src/http/server.ts');
    const milliseconds = (name: string) =>
      Number(
        new RegExp(`\\b${name}(?::| =) ([\\d_]+)`, 'g')
          .exec(source.slice(source.indexOf('const ACCEPT_MS')))?.[1]
          ?.replaceAll('_', ''),
      );
    const longest =
      milliseconds('noticeMs') + milliseconds('ACCEPT_MS') + milliseconds('SETTLE_MS') + milliseconds('drainMs');
    // The limit in docs and values.yaml.
    expect(longest).toBeLessThanOrEqual(18_000);
    const { terminationGracePeriodSeconds, containers } = podOf(rendered(DECIDED));
    const pause = containers[0].lifecycle.preStop.sleep.seconds;
    expect(terminationGracePeriodSeconds).toBeGreaterThanOrEqual(pause + 20);
  });

  it('is replaced where its configuration changes, and not where policies do', () => {
    const annotations = (values: Values) => one(rendered(values), 'StatefulSet').spec.template.metadata.annotations;
    const before = annotations(DECIDED);
    expect(annotations(withConfig('log: { level: warn }\n'))).not.toEqual(before);
    expect(annotations({ ...DECIDED, policies: { 'own.yaml': 'id: own\n' } })).toEqual(before);
  });

  it('is named by a digest where there is one', () => {
    const image = (values: Values) => podOf(rendered(values)).containers[0].image;
    const atPort = { repository: 'registry.example:5000/veritee', tag: '1.0' };
    expect(image({ ...DECIDED, image: atPort })).toBe('registry.example:5000/veritee:1.0');
    expect(image(EVERYTHING)).toBe(`registry.example/veritee@sha256:${'0a'.repeat(32)}`);
    expect(image(DECIDED)).toBe(
      `registry.example/veritee:${parse(readProjectFile('deploy/helm/veritee/Chart.yaml')).appVersion}`,
    );
  });
});

describe.skipIf(isWithoutHelm('the replicas of deploy/helm'))('replicas of the chart', () => {
  it('have each a volume of its own, which outlives them', () => {
    const { spec } = one(rendered({ ...SHARED, replicas: 3 }), 'StatefulSet');
    expect([spec.replicas, spec.podManagementPolicy]).toEqual([3, 'Parallel']);
    expect(spec.persistentVolumeClaimRetentionPolicy).toEqual({ whenDeleted: 'Retain', whenScaled: 'Retain' });
    const [claim, ...others] = spec.volumeClaimTemplates;
    expect([claim.metadata.name, claim.spec.accessModes, others]).toEqual(['state', ['ReadWriteOnce'], []]);
    const { spec: service } = one(rendered(DECIDED), 'Service', spec.serviceName);
    expect(service.clusterIP).toBe('None');
  });

  it('end before an upgrade by the commands of docs/deployment.md, which docs/operations.md leads to', () => {
    const guide = readProjectFile('docs/deployment.md');
    const [, commands = ''] = /^\*\*Upgrade\.\*\*[\s\S]*?^```sh\n([\s\S]*?)^```$/m.exec(guide) ?? [];
    const [, ended, upgraded] =
      /delete statefulset (\S+) --cascade=foreground\nhelm upgrade (\S+) /.exec(commands) ?? [];
    const { metadata, spec } = one(rendered({ ...SHARED, replicas: 2 }, upgraded), 'StatefulSet');
    expect(metadata.name).toBe(ended);
    // Without them the replicas would forget the newest CRLs and collateral.
    expect(spec.persistentVolumeClaimRetentionPolicy.whenDeleted).toBe('Retain');
    expect(readProjectFile('docs/operations.md')).toContain('[deployment.md](deployment.md#helm) (Upgrade)');
  });

  it('are taken away one at a time, and a single one whenever a node has to go', () => {
    const budgets = (values: Values) => rendered(values).filter(({ kind }) => kind === 'PodDisruptionBudget');
    expect(budgets(DECIDED)).toEqual([]);
    expect(budgets({ ...SHARED, replicas: 2 })[0].spec).toEqual({
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
      selector: { matchLabels: SELECTOR },
    });
  });

  it('render where a file of config is the key of challenges, and where a comment names a file that is nowhere', () => {
    const secrets = { ...(SHARED['secrets'] as object), key: { existingSecret: 'veritee-challenges' } };
    const own = `${SHARED['config']}# /etc/veritee/secrets/nowhere/file\nchallenges: { key: /etc/veritee/secrets/key/key }\n`;
    const documents = rendered({ ...SHARED, config: own, challengeKey: {}, secrets, replicas: 2 });
    expect(one(documents, 'StatefulSet').spec.replicas).toBe(2);
  });

  it('render where variables name the keys of challenges and receipts', () => {
    const config = String(SHARED['config']).replace(/^receipts:.*\n/m, '');
    const folder = '/etc/veritee/secrets/receipts';
    const env = { VERITEE__CHALLENGES__KEY: `${folder}/challenges`, VERITEE__RECEIPTS__KEY: `${folder}/key.pem` };
    const documents = rendered({ ...SHARED, config, challengeKey: {}, env, replicas: 2 });
    expect(one(documents, 'StatefulSet').spec.replicas).toBe(2);
  });

  it('share a database that a variable names as well', () => {
    const config = String(SHARED['config']).replace(/^stores:.*\n/m, '');
    const env = { VERITEE__STORES__URL: 'postgres://veritee_service@db.example/attestation' };
    expect(one(rendered({ ...SHARED, config, env, replicas: 2 }), 'StatefulSet').spec.replicas).toBe(2);
  });

  it('are as many as the load needs, where that is wanted', () => {
    const documents = rendered({ ...SHARED, autoscaling: { enabled: true, maxReplicas: 4 } });
    expect(one(documents, 'StatefulSet').spec.replicas).toBeUndefined();
    const { scaleTargetRef, minReplicas, maxReplicas } = one(documents, 'HorizontalPodAutoscaler').spec;
    expect([scaleTargetRef, minReplicas, maxReplicas]).toEqual([
      { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'veritee' },
      2,
      4,
    ]);
  });

  it('are all found by the same two labels', () => {
    const documents = rendered({ ...EVERYTHING, topologySpreadConstraints: [] });
    const set = one(documents, 'StatefulSet').spec;
    expect(set.template.metadata.labels).toMatchObject(SELECTOR);
    const selectors = [
      set.selector.matchLabels,
      ...documents.filter(({ kind }) => kind === 'Service').map(({ spec }) => spec.selector),
      ...set.template.spec.topologySpreadConstraints.map(({ labelSelector }: Manifest) => labelSelector.matchLabels),
      one(documents, 'NetworkPolicy').spec.podSelector.matchLabels,
      one(documents, 'CiliumNetworkPolicy').spec.endpointSelector.matchLabels,
      one(documents, 'PodDisruptionBudget').spec.selector.matchLabels,
    ];
    expect(selectors).toEqual(selectors.map(() => SELECTOR));
  });
});

describe.skipIf(isWithoutHelm('the configuration of deploy/helm'))('the configuration of the chart', () => {
  it('is the text that was given, and loads with the variables beside it', () => {
    const documents = rendered(EVERYTHING);
    const text = one(documents, 'ConfigMap', 'veritee').data['veritee.yaml'];
    expect(text.trim()).toBe(String(EVERYTHING['config']).trim());
    const configuration = loadConfiguration({ text, environment: environmentOf(documents) });
    const files = { cert: '/etc/veritee/tls/tls.crt', key: '/etc/veritee/tls/tls.key' };
    expect(configuration.listen).toMatchObject({
      host: '0.0.0.0',
      port: 8443,
      tls: files,
      management: { host: '0.0.0.0', port: 8081, tls: files, metrics: 'callers' },
    });
    expect(configuration.policies.directory).toBe('/etc/veritee/policies');
    expect(configuration.challenges.key).toBe('/etc/veritee/challenges/key');
  });

  it('has no TLS where something in the pod ends it', () => {
    const documents = rendered({ ...DECIDED, tls: { terminatedElsewhere: true } });
    const { listen } = loadConfiguration({ text: CONFIG, environment: environmentOf(documents) });
    expect(listen).toMatchObject({ tls: { cert: null, key: null }, management: { tls: null } });
    expect(podOf(documents).volumes.map(({ name }: Manifest) => name)).toEqual(['configuration', 'policies']);
  });

  it('names files below folders that are mounted', () => {
    const documents = rendered(EVERYTHING);
    const folders = podOf(documents).containers[0].volumeMounts.map(({ mountPath }: Manifest) => `${mountPath}/`);
    const named = Object.values(environmentOf(documents)).flatMap(
      (value) => value.match(/\/etc\/veritee\/[a-z./-]+/g) ?? [],
    );
    expect(named.filter((path) => !folders.some((folder: string) => `${path}/`.startsWith(folder)))).toEqual([]);
    const [, , file] = podOf(documents).containers[0].args;
    expect(folders.some((folder: string) => file.startsWith(folder))).toBe(true);
  });
});

describe.skipIf(isWithoutHelm('the network policies of deploy/helm'))('the network policy of the chart', () => {
  const policyOf = (values: Values) => one(rendered(values), 'NetworkPolicy').spec;
  const blocks = (values: Values) =>
    policyOf(values).egress.flatMap(({ to = [] }: Manifest) => to.flatMap(({ ipBlock }: Manifest) => ipBlock ?? []));

  it('lets everybody in the cluster ask, nobody read metrics, and nothing out but questions to DNS', () => {
    expect(policyOf(DECIDED)).toEqual({
      podSelector: { matchLabels: SELECTOR },
      policyTypes: ['Ingress', 'Egress'],
      ingress: [{ ports: [{ protocol: 'TCP', port: 'api' }], from: [{ namespaceSelector: {} }] }],
      egress: [
        {
          ports: [
            { protocol: 'UDP', port: 53 },
            { protocol: 'TCP', port: 53 },
          ],
          to: [
            {
              namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } },
              podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
            },
          ],
        },
      ],
    });
  });

  const LINK_LOCAL = '169.254.0.0/16';
  const OF_AZURE = '168.63.129.16/32';

  it.each([
    ['0.0.0.0/0', [OF_AZURE, LINK_LOCAL]],
    ['128.0.0.0/1', [OF_AZURE, LINK_LOCAL]],
    ['168.0.0.0/7', [OF_AZURE, LINK_LOCAL]],
    ['169.0.0.0/8', [LINK_LOCAL]],
    ['169.254.0.0/15', [LINK_LOCAL]],
    ['168.63.0.0/16', [OF_AZURE]],
    ['1.2.3.4/0', [OF_AZURE, LINK_LOCAL]],
    ['::/0', ['fe80::/10']],
    ['0.0.0.0/1', undefined],
    ['169.255.0.0/16', undefined],
    ['168.62.0.0/16', undefined],
    ['203.0.113.7/32', undefined],
    ['2001:db8::/32', undefined],
    ['fd00::/8', undefined],
  ])('keeps the host and the platform closed in %s', (cidr, except) => {
    const [block] = blocks(withEgress({ cidrs: [cidr] }));
    expect([block.cidr, block.except]).toEqual([cidr, except]);
  });

  it.each(['169.254.0.0/16', '169.254.169.254/32', '169.254.128.0/17', '168.63.129.16/32', '168.63.128.0/17'])(
    'does not render with %s, which would open them',
    (cidr) => {
      expect(refusal(withEgress({ cidrs: [cidr] }))).toContain('only egress.metadataService and azure.thim open');
    },
  );

  it.each<[string, Values, boolean]>([
    ['closed', DECIDED, false],
    ['open for a managed identity', withEgress({ metadataService: true }), true],
    ['open for THIM there', withConfig('azure: { thim: "http://169.254.169.254/metadata/THIM" }\n'), true],
    ['closed for THIM elsewhere', withConfig('azure: { thim: "https://global.acccache.azure.net" }\n'), false],
    ['closed where THIM is off', withConfig('azure: { thim: "off" }\n'), false],
    ['closed where THIM is off, in the word of an older YAML', withConfig('azure: { thim: off }\n'), false],
  ])('has the metadata service %s', (_, values, open) => {
    expect(blocks(values)).toEqual(open ? [{ cidr: '169.254.169.254/32' }] : []);
  });

  it('opens the ports that are named, and what rules of the operator open', () => {
    const rule = {
      to: [{ podSelector: { matchLabels: { app: 'postgres' } } }],
      ports: [{ protocol: 'TCP', port: 5432 }],
    };
    const { egress } = policyOf(withEgress({ cidrs: ['203.0.113.0/24'], ports: [443, 8081], rules: [rule] }));
    expect(egress.slice(1)).toEqual([
      {
        ports: [
          { protocol: 'TCP', port: 443 },
          { protocol: 'TCP', port: 8081 },
        ],
        to: [{ ipBlock: { cidr: '203.0.113.0/24' } }],
      },
      rule,
    ]);
  });

  it('of Cilium opens hosts by name, and asks for those names alone', () => {
    const { apiVersion, spec } = one(rendered(WITH_CILIUM), 'CiliumNetworkPolicy');
    const names = [{ matchName: 'kdsintf.amd.com' }, { matchName: 'api.trustedservices.intel.com' }];
    expect(apiVersion).toBe('cilium.io/v2');
    expect(spec).toEqual({
      endpointSelector: { matchLabels: SELECTOR },
      egress: [
        {
          toEndpoints: [
            { matchLabels: { 'k8s:io.kubernetes.pod.namespace': 'kube-system', 'k8s:k8s-app': 'kube-dns' } },
          ],
          toPorts: [{ ports: [{ port: '53', protocol: 'ANY' }], rules: { dns: names } }],
        },
        { toFQDNs: names, toPorts: [{ ports: [{ port: '443', protocol: 'TCP' }] }] },
      ],
    });
  });
});

describe.skipIf(isWithoutHelm('the metrics of deploy/helm'))('the ServiceMonitor of the chart', () => {
  it('reads the metrics of each replica on the management port, as a caller, over TLS', () => {
    const documents = rendered(MONITORED);
    const { metadata, spec } = one(documents, 'ServiceMonitor');
    expect(metadata.labels).toMatchObject({ release: 'prometheus' });
    expect(spec.endpoints).toEqual([
      {
        port: 'management',
        path: '/metrics',
        interval: '30s',
        scheme: 'https',
        authorization: { type: 'Bearer', credentials: { name: 'scrape', key: 'api-key' } },
        tlsConfig: { serverName: 'veritee.example', ca: { secret: { name: 'authority', key: 'ca.crt' } } },
      },
    ]);
    const found = documents.filter(
      ({ kind, metadata: { labels } }) =>
        kind === 'Service' &&
        Object.entries(spec.selector.matchLabels).every(([name, value]) => labels[name] === value),
    );
    expect(found.map((service) => service.metadata.name)).toEqual(['veritee-replicas']);
    expect(found[0].spec.ports).toEqual([{ name: 'management', port: 8081, targetPort: 'management' }]);
  });

  it('gets to that port, which is closed to all others', () => {
    expect(one(rendered(MONITORED), 'NetworkPolicy').spec.ingress).toContainEqual({
      ports: [{ protocol: 'TCP', port: 'management' }],
      from: PROMETHEUS,
    });
  });

  it('needs no such word where there is no network policy', () => {
    const documents = rendered({ ...MONITORED, networkPolicy: { enabled: false } });
    expect(one(documents, 'ServiceMonitor').spec.endpoints).toHaveLength(1);
  });

  it('renders with what docs/deployment.md writes down', () => {
    const guide = readProjectFile('docs/deployment.md');
    const [, values = ''] = /^```\n# metrics\.yaml\n([\s\S]*?)^```$/m.exec(guide) ?? [];
    const [from] = one(rendered({ ...DECIDED, ...parse(values) }), 'NetworkPolicy').spec.ingress.slice(1);
    expect(from.from[0].namespaceSelector.matchLabels).toEqual({ 'kubernetes.io/metadata.name': 'monitoring' });
  });

  it.each(['veritee', 'other'])('has the job that the alerts and the dashboard select, as release %s', (release) => {
    const documents = rendered(MONITORED, release);
    const { jobLabel } = one(documents, 'ServiceMonitor').spec;
    const { name, labels } = one(documents, 'Service', `${release}-replicas`).metadata;
    // As the operator does: the value of that label of the Service, else the name of the Service.
    const job = labels[jobLabel] ?? name;
    for (const selecting of ['prometheus-rules.yaml', 'grafana-dashboard.json']) {
      const text = readProjectFile(`deploy/monitoring/${selecting}`);
      const selected = [...text.matchAll(/\bjob=~?\\?"([^"\\]*)\\?"/g)].map(([, each]) => each);
      expect([selecting, ...new Set(selected)]).toEqual([selecting, job]);
    }
  });

  it('is not there unless it is wanted, since a cluster may not know its kind', () => {
    expect(rendered(DECIDED).filter(({ kind }) => kind === 'ServiceMonitor')).toEqual([]);
  });
});
