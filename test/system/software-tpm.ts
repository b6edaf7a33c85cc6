import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { JsonObject } from '../../src/core/json.js';

const START_LIMIT_MS = 10_000;
const AK_ATTRIBUTES = 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|sign';

/** A TPM of swtpm, in a process and a folder of its own, on sockets in that folder. */
export class SoftwareTpm {
  readonly #folder: string;
  #process: ChildProcess | null = null;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async start(): Promise<SoftwareTpm> {
    const tpm = new SoftwareTpm(await mkdtemp(join(tmpdir(), 'veritee-tpm-')));
    await mkdir(join(tpm.#folder, 'state'));
    await tpm.power();
    return tpm;
  }

  /** The environment by which tpm2-tools reach this TPM. */
  get environment(): { readonly TPM2TOOLS_TCTI: string } {
    return { TPM2TOOLS_TCTI: `swtpm:path=${this.#socket}` };
  }

  get #socket(): string {
    return join(this.#folder, 'tpm.sock');
  }

  /** Starts the TPM with what it holds. */
  async power(): Promise<void> {
    const args = ['socket', '--tpm2', '--tpmstate', `dir=${join(this.#folder, 'state')}`];
    const sockets = ['--server', `type=unixio,path=${this.#socket}`, '--ctrl', `type=unixio,path=${this.#socket}.ctrl`];
    this.#process = spawn('swtpm', [...args, ...sockets, '--flags', 'not-need-init,startup-clear'], {
      stdio: 'ignore',
    });
    const deadline = Date.now() + START_LIMIT_MS;
    while (!(await isThere(this.#socket)) || !(await isThere(`${this.#socket}.ctrl`))) {
      if (Date.now() > deadline || this.#process.exitCode !== null) throw new Error('swtpm did not start');
      await sleep(20);
    }
  }

  /** Runs one of tpm2-tools in the folder of the TPM, and returns what it writes. */
  async tool(program: string, ...args: readonly string[]): Promise<Buffer> {
    const { PATH = '' } = process.env;
    const env = { PATH, LC_ALL: 'C', ...this.environment };
    const options = { cwd: this.#folder, env, encoding: 'buffer', timeout: 30_000 } as const;
    return (await promisify(execFile)(program, [...args], options)).stdout;
  }

  /** Makes the key that Azure makes at boot, as it does, and returns its public JWK. */
  async createAttestationKey(): Promise<JsonObject> {
    await this.tool('tpm2_createprimary', '-Q', '-C', 'o', '-G', 'rsa2048', '-c', 'primary.ctx');
    const files = ['-u', 'ak.pub', '-r', 'ak.priv'];
    await this.tool(
      'tpm2_create',
      '-Q',
      '-C',
      'primary.ctx',
      '-G',
      'rsa2048:rsassa:null',
      '-a',
      AK_ATTRIBUTES,
      ...files,
    );
    await this.tool('tpm2_flushcontext', '-t');
    await this.tool('tpm2_load', '-Q', '-C', 'primary.ctx', ...files, '-c', 'ak.ctx');
    await this.tool('tpm2_evictcontrol', '-Q', '-C', 'o', '-c', 'ak.ctx', '0x81000003');
    await this.tool('tpm2_flushcontext', '-t');
    await this.tool('tpm2_readpublic', '-Q', '-c', '0x81000003', '-f', 'pem', '-o', 'ak.pem');
    const {
      kty = '',
      n = '',
      e = '',
    } = createPublicKey(await readFile(join(this.#folder, 'ak.pem'))).export({ format: 'jwk' });
    return { kty, n, e };
  }

  async removeAttestationKey(): Promise<void> {
    await this.tool('tpm2_evictcontrol', '-Q', '-C', 'o', '-c', '0x81000003');
  }

  /** Extends PCRs of the SHA-256 bank. */
  async extend(...indices: readonly number[]): Promise<void> {
    const digest = '7a'.repeat(32);
    await this.tool('tpm2_pcrextend', ...indices.map((index) => `${index}:sha256=${digest}`));
  }

  async define(index: string, size: number): Promise<void> {
    await this.tool('tpm2_nvdefine', '-C', 'o', '-s', String(size), '-a', 'ownerread|ownerwrite', index);
  }

  async write(index: string, bytes: Uint8Array): Promise<void> {
    await writeFile(join(this.#folder, 'nv.bin'), bytes);
    await this.tool('tpm2_nvwrite', '-C', 'o', '-i', 'nv.bin', index);
  }

  read(index: string): Promise<Buffer> {
    return this.tool('tpm2_nvread', '-C', 'o', index);
  }

  /** Indices that are defined, as tpm2_nvreadpublic lists them. */
  async indices(): Promise<readonly string[]> {
    const listed = (await this.tool('tpm2_nvreadpublic')).toString('utf8');
    return [...listed.matchAll(/^(0x[0-9a-f]+):$/gm)].map(([, index = '']) => index);
  }

  async close(): Promise<void> {
    if (this.#process !== null && this.#process.exitCode === null) {
      this.#process.kill('SIGKILL');
      await once(this.#process, 'exit');
    }
    await rm(this.#folder, { recursive: true });
  }
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
