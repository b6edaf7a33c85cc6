import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

type Instruction = readonly [keyword: string, rest: string];

/** Instructions of a Dockerfile, lines that are continued put together. */
function instructions(folder: string): readonly Instruction[] {
  const text = readFileSync(join(folder, 'Dockerfile'), 'utf8').replaceAll(/\\\n/g, ' ');
  return text.split('\n').flatMap((line) => {
    const [, keyword, rest] = /^([A-Z]+) (.+)$/.exec(line) ?? [];
    return keyword === undefined || rest === undefined ? [] : [[keyword, rest] as const];
  });
}

/** Arguments: root, volume or nothing, working directory, group, user, and the command. */
const ENTER = `
volume=$1 workdir=$2 group=$3 user=$4
shift 4
mount --bind "$0" "$0"
mount --bind /proc "$0/proc"
mount -o remount,bind,ro "$0"
test -z "$volume" || mount --bind "$volume" "$0$workdir"
exec setpriv --no-new-privs unshare --root="$0" --wd="$workdir" --setgid "$group" --setuid "$user" "$@"
`;

/** The instructions that describe how the image runs, and make nothing. */
const SAYS = new Set(['ARG', 'ENV', 'USER', 'VOLUME', 'EXPOSE', 'HEALTHCHECK', 'ENTRYPOINT', 'CMD']);

/** Where the image has its runtime, and where the lab's image has it: at the place of the one that runs the tests. */
const RUNTIME = '/usr/local/bin/node';
const OWN_RUNTIME = realpathSync(process.execPath);

/** A stage of the Dockerfile: a folder that stands for its root. What its base image has is that of this machine. */
interface Stage {
  readonly root: string;
  workdir: string;
}

/**
 * The image of the Dockerfile without a container runtime: its steps are run in order, each stage in a folder. The folder of the
 * last one becomes the root of the process, read-only, in a mount namespace of its own.
 */
export class Image {
  readonly root: string;
  readonly #folder: string;
  readonly #context: string;
  readonly #instructions: readonly Instruction[];
  readonly #stages = new Map<string, Stage>();

  /** @param context the project, as an engine gets it, with its packages installed */
  constructor(context: string) {
    this.#context = context;
    this.#folder = mkdtempSync(join(tmpdir(), 'veritee-image-'));
    this.#instructions = instructions(context);
    let stage = this.#stage('');
    for (const [keyword, rest] of this.#instructions) {
      if (keyword === 'FROM') stage = this.#stage(/ AS (\w+)$/.exec(rest)?.[1] ?? '');
      else if (!SAYS.has(keyword)) this.#step(stage, keyword, rest);
    }
    this.root = stage.root;
    for (const name of ['proc', 'etc/veritee']) mkdirSync(join(this.root, name), { recursive: true });
  }

  #step(stage: Stage, keyword: string, rest: string): void {
    if (keyword === 'WORKDIR') this.#enter(stage, rest);
    else if (keyword === 'COPY') this.#copy(stage, rest.split(' '));
    else if (keyword === 'RUN') this.#run(stage, rest);
    else throw new Error(`${keyword} of the Dockerfile is not known here`);
  }

  #stage(name: string): Stage {
    const root = join(this.#folder, name === '' ? 'root' : name);
    mkdirSync(root, { recursive: true, mode: 0o755 });
    const stage = { root, workdir: '/' };
    this.#stages.set(name, stage);
    return stage;
  }

  #enter(stage: Stage, workdir: string): void {
    stage.workdir = workdir;
    mkdirSync(join(stage.root, workdir), { recursive: true });
  }

  #copy(stage: Stage, words: readonly string[]): void {
    const from = /^--from=(\w+)$/.exec(words[0] ?? '')?.[1];
    const sources = words.slice(from === undefined ? 0 : 1, -1);
    const named = words.at(-1) ?? '';
    const target = join(stage.root, resolve(stage.workdir, named));
    for (const source of sources) {
      const path = from === undefined ? this.#ofContext(source) : this.#ofStage(from, source);
      // Owners and modes are kept. A folder is copied by what is in it. What a stage has made does not change any more.
      const what = statSync(path).isFile() ? path : `${path}/.`;
      mkdirSync(what === path ? dirname(target) : target, { recursive: true });
      execFileSync('cp', ['--archive', ...(from === undefined ? [] : ['--link']), what, target]);
    }
  }

  /** The build context of an engine: .dockerignore leaves out everything else. */
  #ofContext(source: string): string {
    const given = readFileSync(join(this.#context, '.dockerignore'), 'utf8').split('\n');
    if (given[0] !== '*' || !given.includes(`!${source}`))
      throw new Error(`.dockerignore keeps ${source} from the engine`);
    return join(this.#context, source);
  }

  #ofStage(name: string, source: string): string {
    const stage = this.#stages.get(name);
    if (stage === undefined) throw new Error(`the Dockerfile has no stage ${name}`);
    return join(stage.root, source);
  }

  /** Packages from a registry are those that are installed here. Folders outside of the working directory are those of the stage. */
  #run(stage: Stage, command: string): void {
    const cwd = join(stage.root, stage.workdir);
    const [install] = /\bnpm ci\b[^&|]*/.exec(command) ?? [];
    if (install?.includes('--omit=dev')) copyPackages(this.#context, cwd);
    else if (install !== undefined)
      symlinkSync(realpathSync(join(this.#context, 'node_modules')), join(cwd, 'node_modules'));
    const here = command
      .replace(install ?? /^(?!)/, 'true ')
      .replaceAll('/root-fs', join(stage.root, 'root-fs'))
      .replaceAll(RUNTIME, OWN_RUNTIME);
    execFileSync('sh', ['-ec', here], { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
  }

  /**
   * The command that the image runs, as the user and in the folder that it names.
   * @param state folder that becomes the volume; null: there is none, and nothing at all can be written
   * @param args what stands behind the name of the image; left out: what the image has for that
   */
  command(state: string | null, args: readonly string[] = JSON.parse(this.#last('CMD'))): readonly string[] {
    const workdir = this.#last('WORKDIR');
    const [user = '', group = ''] = this.#last('USER').split(':');
    const entry = [...JSON.parse(this.#last('ENTRYPOINT')), ...args];
    const own = entry.map((argument) => (argument === RUNTIME ? OWN_RUNTIME : argument));
    const shell = ['sh', '-ec', ENTER, this.root, state ?? '', workdir, group, user, ...own];
    return ['unshare', '--mount', '--propagation', 'private', ...shell];
  }

  /** The command by which an engine asks whether the container is healthy, in the root of the image. */
  get healthcheck(): readonly string[] {
    const [, command = '[]'] = / CMD (\[.*\])$/.exec(this.#last('HEALTHCHECK')) ?? [];
    const own = JSON.parse(command).map((argument: string) => (argument === RUNTIME ? OWN_RUNTIME : argument));
    const enter = 'mount --bind /proc "$0/proc" && exec unshare --root="$0" --wd=/ --setgid 65532 --setuid 65532 "$@"';
    return ['unshare', '--mount', '--propagation', 'private', 'sh', '-ec', enter, this.root, ...own];
  }

  get environment(): Readonly<Record<string, string>> {
    return Object.fromEntries([this.#last('ENV').split('=')]);
  }

  get user(): number {
    return Number(this.#last('USER').split(':')[0]);
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true });
  }

  /** The instruction of that keyword which holds for the image: of its last stage, the only one that has it or the last. */
  #last(keyword: string): string {
    const found = this.#instructions.findLast(([own]) => own === keyword);
    if (found === undefined) throw new Error(`the Dockerfile has no ${keyword}`);
    return found[1];
  }
}

/** The packages of `npm ci --omit=dev`, from those that are installed: all of the lockfile that is not for developing alone. */
function copyPackages(installation: string, program: string): void {
  const lockfile = JSON.parse(readFileSync(join(installation, 'package-lock.json'), 'utf8'));
  const packages = Object.entries<{ readonly dev?: boolean }>(lockfile.packages);
  for (const [path, { dev }] of packages) {
    const installed = join(installation, path);
    // An optional package of another platform is in the lockfile, and not here.
    if (path === '' || dev === true || !existsSync(installed)) continue;
    cpSync(realpathSync(installed), join(program, path), { recursive: true });
  }
}
