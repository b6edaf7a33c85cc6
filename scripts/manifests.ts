import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Writes deploy/kubernetes.yaml: what the Helm chart renders for deploy/helm/plain-values.yaml. Needs helm in PATH. */

const PROJECT = fileURLToPath(new URL('../', import.meta.url));

const HEADER = `# One veritee behind a Service, for callers inside of the cluster. Made from the Helm chart (deploy/helm/veritee) by npm run manifests;
# docs/deployment.md says what each part is for. Before it starts it needs
#   - an image of this repository's Dockerfile, and its name with a digest in place of the one below,
#   - secret veritee-tls (tls.crt, tls.key),
#   - secret veritee-challenges (key: 32 random bytes):
#     head -c 32 /dev/urandom > key && kubectl -n veritee create secret generic veritee-challenges --from-file=key
#   - the hash of each caller's API key in the configuration, and the day on which it ends: the log says so daily from
#     thirty days before, and the metrics always,
#   - the address ranges that it may contact, in place of 203.0.113.0/24 in the NetworkPolicy,
#   - the namespace that Prometheus runs in, in place of monitoring there. It reads /metrics at port 8081 of each pod, over TLS and with
#     the API key of the caller prometheus,
#   - a storage class for the volume of its decision log: some 7 kB for each decision of decisions.retentionDays. Once it is
#     full, no allow leaves (docs/decision-log.md, How much room it takes),
#   - for receipts and signed heads that can be checked after a restart, a key of receipts (docs/receipts.md).
# Changes of the configuration that need a restart, and when the rest is taken over: docs/configuration.md, Reloading.
apiVersion: v1
kind: Namespace
metadata:
  name: veritee
  labels:
    pod-security.kubernetes.io/enforce: restricted
`;

/** Lines that are of Helm alone: comments about its files, labels by which it knows what is its own, and the digest that it compares. */
const OF_HELM =
  /^(?:# Source: .*| *(?:app\.kubernetes\.io\/managed-by|helm\.sh\/chart|checksum\/configuration|annotations): ?.*| *# Another configuration restarts .*)\n/gm;

/** @throws {Error} with Helm's message if the chart does not render */
export function plainManifests(): string {
  const rendered = execFileSync(
    'helm',
    ['template', 'veritee', 'deploy/helm/veritee', '--namespace=veritee', '--values=deploy/helm/plain-values.yaml'],
    { cwd: PROJECT, encoding: 'utf8' },
  );
  return HEADER + rendered.replaceAll(OF_HELM, '');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(`${PROJECT}deploy/kubernetes.yaml`, plainManifests());
}
