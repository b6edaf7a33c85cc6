import { join } from 'node:path';
import * as serviceMonitors from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1';
import * as apps from 'kubernetes-models/apps/v1';
import * as autoscaling from 'kubernetes-models/autoscaling/v2';
import * as networking from 'kubernetes-models/networking.k8s.io/v1';
import * as policy from 'kubernetes-models/policy/v1';
import * as core from 'kubernetes-models/v1';
import ts from 'typescript';
import { PROJECT } from '../architecture/project-files.js';
import type { Manifest } from './chart.js';

/** Manifests against the schemas of Kubernetes and the Prometheus Operator. A cluster drops a member that it does not know, or refuses it. */

interface Validated {
  /** @throws {Error} */
  validate(): void;
}

type Models = Readonly<Record<string, unknown>>;

/** Where the models of a version are, by what a manifest calls it. */
const MODELS: Readonly<Record<string, { readonly from: string; readonly models: Models }>> = {
  v1: { from: 'kubernetes-models/v1', models: core },
  'apps/v1': { from: 'kubernetes-models/apps/v1', models: apps },
  'autoscaling/v2': { from: 'kubernetes-models/autoscaling/v2', models: autoscaling },
  'networking.k8s.io/v1': { from: 'kubernetes-models/networking.k8s.io/v1', models: networking },
  'policy/v1': { from: 'kubernetes-models/policy/v1', models: policy },
  'monitoring.coreos.com/v1': {
    from: '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1',
    models: serviceMonitors,
  },
};

/** Its schema is in no package: a test reads its members one by one. */
const WITHOUT_SCHEMA = new Set(['cilium.io/v2 CiliumNetworkPolicy']);

/** Whether a manifest has a schema here. One of an unknown kind is a problem. */
const hasSchema = ({ apiVersion, kind }: Manifest): boolean => !WITHOUT_SCHEMA.has(`${apiVersion} ${kind}`);

/** Types, required members and forms of values. */
function wrongValues(manifest: Manifest): readonly string[] {
  const { apiVersion, kind } = manifest;
  const model = MODELS[apiVersion]?.models[kind] as (new (data: unknown) => Validated) | undefined;
  if (model === undefined) return [`${apiVersion} ${kind} is no kind that is known here`];
  try {
    new model(manifest).validate();
    return [];
  } catch (error) {
    return [`${kind} ${manifest.metadata?.name}: ${error instanceof Error ? error.message : error}`];
  }
}

const FILE = join(PROJECT, 'test/deploy/manifests-as-types.ts');

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  types: [],
};

/** Declarations, which are the same each time. */
const PARSED = new Map<string, ts.SourceFile | undefined>();

const parsed = (path: string, text: string) => ts.createSourceFile(path, text, ts.ScriptTarget.ES2022);

function parsedFile(path: string): ts.SourceFile | undefined {
  if (!PARSED.has(path)) {
    const text = ts.sys.readFile(path);
    PARSED.set(path, text === undefined ? undefined : parsed(path, text));
  }
  return PARSED.get(path);
}

/** Unknown members, at any depth: the compiler refuses one in an object that is written down where a type is expected. */
function unknownMembers(manifests: readonly Manifest[]): readonly string[] {
  const known = manifests.filter(({ apiVersion }) => MODELS[apiVersion] !== undefined);
  const source = known.map((manifest, index) => {
    const { from } = MODELS[manifest.apiVersion] ?? { from: '' };
    return `export const m${index}: import('${from}').I${manifest.kind} = ${JSON.stringify(manifest)};`;
  });
  const host = ts.createCompilerHost(OPTIONS);
  const { fileExists } = host;
  host.fileExists = (path) => path === FILE || fileExists(path);
  host.getSourceFile = (path) => (path === FILE ? parsed(path, source.join('\n')) : parsedFile(path));
  const program = ts.createProgram([FILE], OPTIONS, host);
  return ts.getPreEmitDiagnostics(program).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '));
}

/** All that is wrong with manifests by their schemas. */
export function schemaProblems(manifests: readonly Manifest[]): readonly string[] {
  const checked = manifests.filter(hasSchema);
  return [...checked.flatMap(wrongValues), ...unknownMembers(checked)];
}
