import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { parse } from 'yaml';
import { PROJECT, readProjectFile } from '../../architecture/project-files.js';

/** Runs what the YAML of deploy/gates says as its platform would, with the inputs of a test in place of those of the example. */

/** The request of a gate in a test, and its command. */
export interface GateSetting {
  /** A folder of its own. */
  readonly folder: string;
  readonly url: string;
  readonly issuer: string;
  readonly audience: string;
  readonly policy: { readonly id: string; readonly sha256: string };
  readonly evidenceType: string;
  readonly apiKey: string;
  /** A program that prints a body for VERITEE_NONCE. */
  readonly collect: string;
  /** The source of evidence for `?nonce=`. */
  readonly evidenceUrl: string;
  readonly timeoutSeconds: number;
  /** The program that lets the key go. */
  readonly release: string;
  /** A veritee that is installed. */
  readonly program: string;
}

export interface Ended {
  readonly exitCode: number | null;
  readonly output: string;
  /** Whether what the platform would do next was reached: the next step, job or container. */
  readonly wentOn: boolean;
}

type Environment = Readonly<Record<string, string>>;

/** Runs a program with nothing of this process's environment but where programs are. */
export async function run(
  command: readonly string[],
  cwd: string,
  environment: Environment,
): Promise<Omit<Ended, 'wentOn'>> {
  const [program = '', ...args] = command;
  const { PATH = '' } = process.env;
  const child = spawn(program, args, {
    cwd,
    env: { PATH, HOME: cwd, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, [exitCode]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { exitCode, output: stdout + stderr };
}

const policyOf = ({ policy }: GateSetting) => `${policy.id}@sha256:${policy.sha256}`;

/** A text of GitHub or Azure with its `${{ … }}` filled in. */
function filled(value: string, place: string, members: Environment): string {
  return value.replaceAll(/\$\{\{ (\w+)\.([\w-]+) \}\}/g, (_, from, name) => {
    const member = members[name];
    if (from !== place || member === undefined) throw new Error(`nothing is known of ${from}.${name}`);
    return member;
  });
}

function filledEach(values: Environment, place: string, members: Environment): Environment {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, filled(value, place, members)]));
}

/** Steps as platforms run them: the next one only where the one before ended with 0. */
async function inTurn(gate: () => Promise<Omit<Ended, 'wentOn'>>, next: readonly unknown[]): Promise<Ended> {
  const ended = await gate();
  return { ...ended, wentOn: ended.exitCode === 0 && next.length > 0 };
}

/** The step of the workflow that is the action, and its composite steps. docs.github.com: `bash --noprofile --norc -eo pipefail`. */
export async function onGitHub(setting: GateSetting, others: Environment = {}): Promise<Ended> {
  const action = parse(readProjectFile('deploy/gates/github-action/action.yml'));
  const { steps } = parse(readProjectFile('deploy/gates/github-action/workflow.yml')).jobs.release;
  const index = steps.findIndex(({ uses = '' }) => /\/deploy\/gates\/github-action@[0-9a-f]{40}$/.test(uses));
  const given = {
    ...steps[index].with,
    url: setting.url,
    audience: setting.audience,
    policy: policyOf(setting),
    'evidence-type': setting.evidenceType,
    'api-key': setting.apiKey,
    issuer: setting.issuer,
    collect: setting.collect,
    exec: setting.release,
    timeout: String(setting.timeoutSeconds),
    program: setting.program,
    ...others,
  };
  const inputs: Record<string, string> = {};
  for (const [name, input] of Object.entries<{ required?: boolean; default?: string }>(action.inputs)) {
    if (input.required === true && given[name] === undefined) throw new Error(`${name} is not given`);
    inputs[name] = given[name] ?? input.default;
  }
  const unknown = Object.keys(given).filter((name) => !(name in inputs));
  if (unknown.length > 0) throw new Error(`the action has no ${unknown}`);
  const [step, ...more] = action.runs.steps;
  if (more.length > 0 || step.shell !== 'bash') throw new Error('other steps than one of bash');
  const script = join(setting.folder, 'step.sh');
  await writeFile(script, step.run);
  const environment = {
    ...filledEach(step.env, 'inputs', inputs),
    GITHUB_ACTION_PATH: join(PROJECT, 'deploy/gates/github-action'),
  };
  return inTurn(
    () => run(['bash', '--noprofile', '--norc', '-eo', 'pipefail', script], setting.folder, environment),
    steps.slice(index + 1),
  );
}

/** The first step of the pipeline is the template; its parameters and variables are filled in. Azure runs `bash FILE`. */
export async function onAzure(setting: GateSetting): Promise<Ended> {
  const template = parse(readProjectFile('deploy/gates/azure-devops/veritee-gate.yml'));
  const { steps } = parse(readProjectFile('deploy/gates/azure-devops/azure-pipelines.yml'));
  const given = {
    ...steps[0].parameters,
    url: setting.url,
    audience: setting.audience,
    policy: policyOf(setting),
    evidenceType: setting.evidenceType,
    issuer: setting.issuer,
    collect: setting.collect,
    exec: setting.release,
    timeout: String(setting.timeoutSeconds),
    program: setting.program,
  };
  const parameters: Record<string, string> = {};
  for (const { name, default: value } of template.parameters) {
    parameters[name] = given[name] ?? value;
    if (parameters[name] === undefined) throw new Error(`${name} is not given`);
  }
  const [step] = template.steps;
  const environment = Object.fromEntries(
    Object.entries(filledEach(step.env, 'parameters', parameters)).map(([name, value]) => [
      name,
      value.replace(/^\$\(VERITEE_API_KEY\)$/, () => setting.apiKey),
    ]),
  );
  return inTurn(() => inCheckout(setting, step.bash, environment), steps.slice(1));
}

/** The script of the hidden job, with the variables of both. */
export async function onGitLab(setting: GateSetting): Promise<Ended> {
  const hidden = parse(readProjectFile('deploy/gates/gitlab/veritee-gate.yml'))['.veritee-gate'];
  const { deploy, 'veritee-gate': job } = parse(readProjectFile('deploy/gates/gitlab/gitlab-ci.yml'));
  if (job.extends !== '.veritee-gate' || hidden.allow_failure !== false) throw new Error('the job is no gate');
  const environment = {
    ...hidden.variables,
    ...job.variables,
    VERITEE_GATE_URL: setting.url,
    VERITEE_GATE_AUDIENCE: setting.audience,
    VERITEE_GATE_POLICY: policyOf(setting),
    VERITEE_GATE_EVIDENCE_TYPE: setting.evidenceType,
    VERITEE_GATE_ISSUER: setting.issuer,
    VERITEE_GATE_COLLECT: setting.collect,
    VERITEE_GATE_EXEC: setting.release,
    VERITEE_GATE_TIMEOUT: String(setting.timeoutSeconds),
    VERITEE_GATE_PROGRAM: setting.program,
    VERITEE_API_KEY: setting.apiKey,
  };
  const script = `set -eo pipefail\n${hidden.script.join('\n')}\n`;
  return inTurn(() => inCheckout(setting, script, environment), deploy.needs);
}

/** A job's folder that has deploy/gates checked out in it. */
async function inCheckout({ folder }: GateSetting, script: string, environment: Environment) {
  await cp(join(PROJECT, 'deploy/gates'), join(folder, 'deploy/gates'), { recursive: true });
  await writeFile(join(folder, 'step.sh'), script);
  return run(['bash', '--noprofile', '--norc', join(folder, 'step.sh')], folder, environment);
}

/** The init container, with its volumes as folders: its arguments behind the entry point of the image. */
export async function onKubernetes(setting: GateSetting): Promise<Ended> {
  const { spec } = parse(readProjectFile('deploy/gates/kubernetes/pod.yaml'));
  const [gate] = spec.initContainers;
  const { configMapGenerator } = parse(readProjectFile('deploy/gates/kubernetes/kustomization.yaml'));
  const volume = (name: string) => join(setting.folder, name);
  for (const { name } of spec.volumes) await mkdir(volume(name));
  for (const file of configMapGenerator[0].files) {
    // The image has node in one place, and this machine may have it in another.
    const script = readProjectFile(`deploy/gates/kubernetes/${file}`);
    if (!script.startsWith('#!/usr/local/bin/node\n')) throw new Error(`${file} is not run by the node of the image`);
    await writeFile(join(volume('gate'), file), script.replace('/usr/local/bin/node', process.execPath));
    await chmod(join(volume('gate'), file), 0o555);
  }
  await writeFile(join(volume('api-key'), 'api-key'), `${setting.apiKey}\n`);
  const given: Environment = {
    '--url': setting.url,
    '--audience': setting.audience,
    '--policy': policyOf(setting),
    '--evidence-type': setting.evidenceType,
    '--timeout': String(setting.timeoutSeconds),
  };
  const mounted = (text: string): string => {
    for (const { name, mountPath } of gate.volumeMounts) {
      const at = text.indexOf(`${mountPath}/`);
      if (at === 0 || text[at - 1] === '=') return text.slice(0, at) + volume(name) + text.slice(at + mountPath.length);
    }
    return text;
  };
  const args = gate.args.map((arg: string) => {
    const [option = '', value] = arg.split('=', 2);
    return value !== undefined && option in given ? `${option}=${given[option]}` : mounted(arg);
  });
  const [command, ...rest] = args;
  const environment = { [gate.env[0].name]: setting.evidenceUrl };
  const all = [setting.program, command, `--issuer=${setting.issuer}`, ...rest];
  return inTurn(() => run(all, setting.folder, environment), spec.containers);
}

/** The example of the shell recipes, with one of them and a command. */
export function inShell(recipe: 'gate-tls.sh' | 'gate-receipt.sh'): (setting: GateSetting) => Promise<Ended> {
  return async (setting) => {
    const { folder } = setting;
    await cp(join(PROJECT, 'deploy/gates/shell'), folder, {
      recursive: true,
      filter: (file) => !/collect\.sh$/.test(file),
    });
    await writeFile(join(folder, 'api-key'), `${setting.apiKey}\n`);
    const { VERITEE_TIMEOUT = '', ...values }: Record<string, string> = shellEnvironment(setting);
    const text = readProjectFile('deploy/gates/shell/example.sh').replaceAll(/^export (\w+)=.*$/gm, (_, name) => {
      const value = values[name];
      delete values[name];
      return `export ${name}='${value}'`;
    });
    if (Object.keys(values).length > 0) throw new Error(`the example does not set ${Object.keys(values)}`);
    const example = text.replace(/^bash gate-receipt\.sh \S+$/m, () => `bash ${recipe} '${setting.release}'`);
    await writeFile(join(folder, 'example.sh'), example);
    return inTurn(() => run(['bash', 'example.sh'], folder, { VERITEE_TIMEOUT }), ['what follows']);
  };
}

export function shellEnvironment(setting: GateSetting): Environment {
  return {
    VERITEE_URL: setting.url,
    VERITEE_AUDIENCE: setting.audience,
    VERITEE_ISSUER: setting.issuer,
    VERITEE_POLICY: setting.policy.id,
    VERITEE_POLICY_SHA256: setting.policy.sha256,
    VERITEE_EVIDENCE_TYPE: setting.evidenceType,
    VERITEE_COLLECT: setting.collect,
    VERITEE_TIMEOUT: String(setting.timeoutSeconds),
    VERITEE_API_KEY_FILE: join(setting.folder, 'api-key'),
  };
}

/** The command by itself. */
export async function byCommand(setting: GateSetting): Promise<Ended> {
  const args = [
    setting.program,
    'gate',
    ...['--url', setting.url, '--audience', setting.audience, '--policy', policyOf(setting)],
    ...['--evidence-type', setting.evidenceType, '--issuer', setting.issuer, '--collect', setting.collect],
    ...['--timeout', String(setting.timeoutSeconds), '--exec', '--', setting.release],
  ];
  return inTurn(() => run(args, setting.folder, { VERITEE_API_KEY: setting.apiKey }), ['what follows']);
}
