import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { PROJECT, readProjectFile } from '../architecture/project-files.js';
import { isLacking } from '../requirements.js';

// biome-ignore lint/suspicious/noExplicitAny: a document of somebody else's schema
export type Manifest = any;

/** Values of the chart, as `--values` takes them. */
export type Values = Readonly<Record<string, unknown>>;

export const CHART = join(PROJECT, 'deploy/helm/veritee');

const REQUIREMENTS = [{ what: 'helm (.ci/helm FOLDER gets it)', command: ['helm', 'version'] }];

/** @param suite what is left out without Helm; in CI that is a failure */
export const isWithoutHelm = (suite: string): boolean => isLacking(suite, REQUIREMENTS);

/** Documents of Kubernetes, in the version of YAML that it reads: numbers that begin with 0 are octal. */
export function manifestsIn(text: string): readonly Manifest[] {
  return parseAllDocuments(text, { version: '1.1' })
    .map((document) => document.toJS())
    .filter((document) => document !== null);
}

export const CONFIG = `callers:
  gate: { apiKeySha256: "${'1a'.repeat(32)}", expires: 2030-01-31, roles: [verify] }
`;

/** All that an operator has to decide. */
export const DECIDED: Values = {
  image: { repository: 'registry.example/veritee' },
  config: CONFIG,
  tls: { existingSecret: 'veritee-tls' },
  egress: { cidrs: [] },
};

const REPLICAS = `${CONFIG}stores: { url: "postgres://veritee_service@db.example/attestation", passwordFile: /etc/veritee/secrets/store/password }
receipts: { key: /etc/veritee/secrets/receipts/key.pem }
`;

/** Values that replicas share. */
export const SHARED: Values = {
  ...DECIDED,
  config: REPLICAS,
  challengeKey: { existingSecret: 'veritee-challenges' },
  secrets: { receipts: { existingSecret: 'veritee-receipts' }, store: { existingSecret: 'veritee-store' } },
};

/** How Helm ended. */
interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs Helm over the chart with these values, in folders of its own. */
export function helm(command: readonly string[], values: Values): Ended {
  const folder = mkdtempSync(join(tmpdir(), 'veritee-helm-'));
  try {
    const file = join(folder, 'values.json');
    writeFileSync(file, JSON.stringify(values));
    const env = { PATH: process.env['PATH'] ?? '', HOME: folder };
    return spawnSync('helm', [...command, '--values', file], { encoding: 'utf8', env });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const template = (values: Values, release: string) =>
  helm(['template', release, CHART, '--namespace', 'trust'], values);

/** @throws {Error} with what Helm says */
export function rendered(values: Values, release = 'veritee'): readonly Manifest[] {
  const { status, stdout, stderr } = template(values, release);
  if (status !== 0) throw new Error(stderr);
  return manifestsIn(stdout);
}

/** The message of Helm in place of manifests. */
export function refusal(values: Values): string {
  const { status, stdout, stderr } = template(values, 'veritee');
  return status === 0 ? `rendered: ${stdout}` : stderr;
}

/** The only document of that kind and, where it is given, name. */
export function one(documents: readonly Manifest[], kind: string, name?: string): Manifest {
  const found = documents.filter((each) => each.kind === kind && (name === undefined || each.metadata.name === name));
  if (found.length !== 1) throw new Error(`${found.length} documents of kind ${kind}`);
  return found[0];
}

export const podOf = (documents: readonly Manifest[]): Manifest => one(documents, 'StatefulSet').spec.template.spec;

/** Variables of the container, by name. */
export function environmentOf(documents: readonly Manifest[]): Readonly<Record<string, string>> {
  const { env } = podOf(documents).containers[0];
  return Object.fromEntries(env.map(({ name, value }: Manifest) => [name, value]));
}

export const VALUES_TEXT = readProjectFile('deploy/helm/veritee/values.yaml');
