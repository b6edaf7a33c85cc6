import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { onServerCpu } from './pinning.js';

const SOURCES = join(dirname(fileURLToPath(import.meta.url)), 'peers');
/** Where Debian's packages of Go libraries put their sources, and which of them are needed. */
const GOPATH = '/usr/share/gocode';
const GOOGLE = join(GOPATH, 'src/github.com/google');
const [SEV_GUEST, TDX_GUEST] = [join(GOOGLE, 'go-sev-guest'), join(GOOGLE, 'go-tdx-guest')];

/** The libraries embed these files, and Debian's packages leave them out. */
const VENDOR_ROOTS = [
  ...['milan', 'milan_vlek', 'genoa', 'genoa_vlek', 'turin_vcek', 'turin_vlek'].map((name) =>
    join(SEV_GUEST, `verify/trust/ask_ark_${name}.pem`),
  ),
  join(TDX_GUEST, 'verify/trusted_root.pem'),
];

/** Packages that the build of the Go verifiers needs. */
export function missingPackages(): readonly string[] {
  const hasGo = spawnSync('go', ['version'], { stdio: 'ignore' }).status === 0;
  return [
    ...(hasGo ? [] : ['golang-go']),
    ...(existsSync(SEV_GUEST) ? [] : ['golang-github-google-go-sev-guest-dev']),
    ...(existsSync(TDX_GUEST) ? [] : ['golang-github-google-go-tdx-guest-dev']),
  ];
}

/** @returns path of the executable */
export function buildPeers(folder: string): string {
  const [executable, overlay] = [join(folder, 'peers'), join(folder, 'overlay.json')];
  // Any certificates will do in place of the vendors': the verifiers are given the lab's roots.
  const replaced = Object.fromEntries(VENDOR_ROOTS.map((file) => [file, join(folder, 'chains/chain.pem')]));
  writeFileSync(overlay, JSON.stringify({ Replace: replaced }));
  const { status } = spawnSync('go', ['build', '-overlay', overlay, '-o', executable, '.'], {
    cwd: SOURCES,
    env: { ...process.env, GOPATH, GO111MODULE: 'off' },
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error('the Go verifiers do not build');
  return executable;
}

type GoProcess = ChildProcessByStdio<Writable, Readable, null>;

/** The Go verifiers in a process of their own. */
export class Peers {
  /** Of the two servers: revocation checked, and not. */
  readonly withCrl: string;
  readonly withoutCrl: string;
  readonly #child: GoProcess;
  readonly #lines: Interface;

  private constructor(url: string, child: GoProcess, lines: Interface) {
    this.withCrl = `${url}/with-crl`;
    this.withoutCrl = `${url}/without-crl`;
    this.#child = child;
    this.#lines = lines;
  }

  /** @param answerBytes how long the answer of the service to an SEV-SNP report is */
  static async start(executable: string, folder: string, answerBytes: number): Promise<Peers> {
    const [command, args] = onServerCpu(executable, [folder, String(answerBytes)]);
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface(child.stdout);
    return new Peers(await nextLine(lines), child, lines);
  }

  async cpuSeconds(): Promise<number> {
    return Number(await this.#ask('cpu'));
  }

  async verifyTdx(times: number): Promise<void> {
    await this.#ask(`tdx ${times}`);
  }

  kill(): void {
    this.#child.stdin.end();
  }

  async #ask(line: string): Promise<string> {
    const answered = nextLine(this.#lines);
    this.#child.stdin.write(`${line}\n`);
    return answered;
  }
}

async function nextLine(lines: Interface): Promise<string> {
  const ended = new AbortController();
  const answered = once(lines, 'line', ended).then(([line]) => String(line));
  const closed = once(lines, 'close', ended).then(() => Promise.reject(new Error('the Go verifiers have ended')));
  try {
    return await Promise.race([answered, closed]);
  } finally {
    ended.abort();
    await Promise.allSettled([answered, closed]);
  }
}
