import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Sourced, TokenKeySet, Unavailable } from '../../../src/core/endorsement.js';
import {
  type OpenTokenKeys,
  openTokenKeys,
  type TokenKeysOptions,
} from '../../../src/endorsements/token-keys/open-token-keys.js';
import type { TokenIssuer } from '../../../src/endorsements/token-keys/token-issuer.js';
import { type LabAnswer, type LabRequest, LabServer } from '../../lab/lab-server.js';
import { ManualClock } from '../../unit/endorsements/manual-clock.js';
import { RecordingLog } from '../../unit/endorsements/recording-log.js';
import { jwkOf, keySetOf, TOKEN_KEYS } from '../../unit/token-jwk.js';
import { labLookup } from '../lab-lookup.js';

export const NOW = new Date('2026-03-01T12:00:00Z');
export const COOLDOWN_MS = 30_000;
export const REFRESH_MS = 10 * 60_000;
export const DAY_MS = 24 * 60 * 60_000;

/** How long a test waits for what happens in the background. It is over long before, or something is broken. */
export const PATIENT = { timeout: 20_000 };

/** An issuer that publishes its keys at `/certs`. */
class KeySetServer extends LabServer {
  readonly #answers = new Map<string, LabAnswer>();

  static async start(): Promise<KeySetServer> {
    const server = new KeySetServer({}, 'https');
    await server.listen();
    return server;
  }

  serve(path: string, body: Uint8Array | null, contentType = 'application/json; charset=utf-8'): void {
    if (body === null) this.#answers.delete(path);
    else this.#answers.set(path, { contentType, body });
  }

  protected override respond({ url }: LabRequest): LabAnswer {
    return this.#answers.get(url) ?? { status: 404, contentType: 'text/plain', body: 'not found' };
  }
}

interface Asked {
  readonly historical?: boolean;
  readonly signal?: AbortSignal;
  readonly issuer?: string;
}

/** An issuer on loopback with one key, a clock, a folder, and key sources on them. */
export class KeySetLab {
  readonly server: KeySetServer;
  readonly clock = new ManualClock(NOW);
  readonly log = new RecordingLog();
  /** Whether names resolve. */
  resolves = true;
  readonly #folder: string;
  readonly #opened: OpenTokenKeys[] = [];

  private constructor(server: KeySetServer, folder: string) {
    this.server = server;
    this.#folder = folder;
  }

  static async start(): Promise<KeySetLab> {
    const folder = await mkdtemp(join(tmpdir(), 'veritee-token-keys-'));
    const lab = new KeySetLab(await KeySetServer.start(), folder);
    lab.publish('a');
    return lab;
  }

  get issuer(): string {
    return this.server.origin;
  }

  /** Publishes a key of the lab under each of these names. */
  publish(...kids: readonly string[]): void {
    this.server.serve('/certs', keySetOf(...kids.map((kid) => jwkOf(TOKEN_KEYS.a, kid))));
  }

  /** Writes a file and tells its path. */
  async write(name: string, content: string | Uint8Array): Promise<string> {
    const path = join(this.#folder, name);
    await writeFile(path, content);
    return path;
  }

  open(changes: Partial<TokenIssuer> = {}, options: Partial<TokenKeysOptions> = {}): OpenTokenKeys {
    const issuer = {
      type: 'maa-token',
      issuer: this.issuer,
      keys: { url: `${this.issuer}/certs` },
      roots: null,
    } as const;
    const opened = openTokenKeys({
      issuers: [{ ...issuer, ...changes }],
      clock: this.clock,
      log: this.log,
      connect: { ca: this.server.authorityPem, lookup: this.#lookup },
      pauses: { attemptTimeoutMs: 60_000 },
      ...options,
    });
    this.#opened.push(opened);
    return opened;
  }

  find(opened: OpenTokenKeys, kid: string, asked: Asked = {}): Promise<Sourced<TokenKeySet> | Unavailable> {
    const { historical = false, signal = new AbortController().signal, issuer = this.issuer } = asked;
    const request = { kind: 'token-keys', type: 'maa-token', issuer, kid } as const;
    return opened.source.find(request, { at: this.clock.now(), historical, signal });
  }

  /** Origin and kids of what is found, or the code of the problem. */
  async told(opened: OpenTokenKeys, kid: string, asked?: Asked): Promise<readonly string[] | string> {
    const found = await this.find(opened, kid, asked);
    return 'code' in found ? found.code : [found.origin, ...found.value.keys.keys()];
  }

  async close(): Promise<void> {
    for (const opened of this.#opened) await opened.close();
    await this.server.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  readonly #lookup = labLookup(() => this.resolves);
}
