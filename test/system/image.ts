import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Instructions of a Dockerfile, lines that are continued put together. */
function instructions(folder: string): readonly (readonly [string, string])[] {
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

/** Where the image has its runtime, and where the lab's image has it: at the place of the one that runs the tests. */
const RUNTIME = '/usr/local/bin/node';
const OWN_RUNTIME = realpathSync(process.execPath);

/**
 * The image of the Dockerfile without a container runtime: its root is a folder that is made by the same commands, and
 * becomes the root of the process, read-only, in a mount namespace of its own.
 */
export class Image {
  readonly root: string;
  readonly #instructions: readonly (readonly [string, string])[];

  /** @param installation a compiled copy of the project */
  constructor(installation: string) {
    this.root = mkdtempSync(join(tmpdir(), 'veritee-image-'));
    chmodSync(this.root, 0o755);
    this.#instructions = instructions(installation);
    const [recipe] = this.#instructions.filter(([keyword, rest]) => keyword === 'RUN' && rest.includes('/root-fs'));
    if (recipe === undefined) throw new Error('the Dockerfile makes no root');
    const commands = recipe[1].replaceAll('/root-fs', this.root).replaceAll(RUNTIME, OWN_RUNTIME);
    execFileSync('sh', ['-ec', commands], { cwd: installation, stdio: ['ignore', 'ignore', 'inherit'] });
    const program = join(this.root, 'opt/veritee');
    for (const name of ['dist', 'package.json', 'openapi.yaml', 'examples', 'LICENSE']) {
      cpSync(join(installation, name), join(program, name), { recursive: true });
    }
    copyPackages(installation, program);
    for (const name of ['proc', 'etc/veritee']) mkdirSync(join(this.root, name));
  }

  /**
   * The command that the image runs, as the user and in the folder that it names.
   * @param state folder that becomes the volume; null: there is none, and nothing at all can be written
   */
  command(state: string | null): readonly string[] {
    const workdir = this.#last('WORKDIR');
    const [user = '', group = ''] = this.#last('USER').split(':');
    const entry = [...JSON.parse(this.#last('ENTRYPOINT')), ...JSON.parse(this.#last('CMD'))];
    const own = entry.map((argument) => (argument === RUNTIME ? OWN_RUNTIME : argument));
    const shell = ['sh', '-ec', ENTER, this.root, state ?? '', workdir, group, user, ...own];
    return ['unshare', '--mount', '--propagation', 'private', ...shell];
  }

  get environment(): Readonly<Record<string, string>> {
    return Object.fromEntries([this.#last('ENV').split('=')]);
  }

  get user(): number {
    return Number(this.#last('USER').split(':')[0]);
  }

  remove(): void {
    rmSync(this.root, { recursive: true });
  }

  /** The instruction of that keyword which holds for the image: of its last stage, the only one that has it or the last. */
  #last(keyword: string): string {
    const found = this.#instructions.findLast(([own]) => own === keyword);
    if (found === undefined) throw new Error(`the Dockerfile has no ${keyword}`);
    return found[1];
  }
}

/** What `npm ci --omit=dev` would install, from what is installed: all of the lockfile that is not for developing alone. */
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
