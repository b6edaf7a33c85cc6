import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import type { Configuration } from '../../config/configuration.js';
import { allOrProblems, ConfigurationError } from '../../core/errors.js';
import type { JsonObject } from '../../core/json.js';
import { vaultKeyId } from '../../core/key-vault-key.js';
import type { KeyPath } from '../../core/places.js';
import type { Clock, Log } from '../../core/ports.js';
import type { PartOutcome } from '../../core/reload.js';
import { readConfiguredText } from '../../files/configured-text.js';
import type { ReadBytes } from '../../files/whole-files.js';
import type { HeadSigner } from '../../log/heads.js';
import { type ReceiptKeySet, ReceiptKeys } from '../../receipts/receipt-keys.js';
import { LocalSigningKey, type SigningKey, UnusableKeyError } from '../../receipts/signing-key.js';
import { type PublishedKey, parsePublishedKey, parseSigningKey } from '../../receipts/signing-key-file.js';
import type { KeyVaults } from '../../release/vault/open-key-vaults.js';
import { readPublishedKeyOfVault, readSigningKeyOfVault } from '../receipt-vaults.js';

/** The expiry of a signing key in its vault. */
export interface EndingReceiptKey {
  /** The configuration key that names it. */
  readonly key: string;
  /** Its URL. */
  readonly vaultKey: string;
  readonly expires: string;
}

export interface ReceiptKeyOptions {
  /** Null: all keys are files. */
  readonly vaults: KeyVaults | null;
  /** Reads files; defaults to reading from disk. */
  readonly readBytes?: ReadBytes | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** The name of this part in reloads. */
const PART = 'receipt keys';

/**
 * Receipt keys from the last valid read of their files and vaults. A reload replaces all of them, and only if every one
 * is valid.
 */
export class ReloadedReceiptKeys {
  readonly keys: ReceiptKeys;
  readonly #configuration: Configuration;
  readonly #ephemeral: SigningKey;
  readonly #options: ReceiptKeyOptions;
  #endings: readonly EndingReceiptKey[];

  private constructor(configuration: Configuration, ephemeral: SigningKey, read: ReadKeys, options: ReceiptKeyOptions) {
    this.#configuration = configuration;
    this.#ephemeral = ephemeral;
    this.#options = options;
    this.#endings = read.endings;
    this.keys = new ReceiptKeys(read.set, options.clock, configuration.receipts.lifetimeSeconds * 1000);
  }

  /** @throws {ConfigurationError} if a key cannot be read, or cannot sign receipts */
  static async open(configuration: Configuration, options: ReceiptKeyOptions): Promise<ReloadedReceiptKeys> {
    const ephemeral = new LocalSigningKey(createPrivateKey(makeEphemeralKey()));
    const read = await readReceiptKeys(configuration, ephemeral, options);
    if (read.set.key === ephemeral) options.log.warn({ kid: ephemeral.kid }, EPHEMERAL);
    return new ReloadedReceiptKeys(configuration, ephemeral, read, options);
  }

  /** Signs heads of the decision log. Does not use an ephemeral key, which nobody can verify with later. */
  get headSigner(): HeadSigner {
    const { keys } = this;
    const { kid: ephemeral } = this.#ephemeral;
    return {
      sign: async (header, payload) => {
        const key = keys.signing();
        return key.kid === ephemeral
          ? null
          : key.sign(header, payload, { signal: AbortSignal.timeout(HEAD_SIGNING_MS) });
      },
      keys: () => keys.published().filter(({ kid }) => kid !== ephemeral),
    };
  }

  /** Signing keys whose vaults state an expiry. */
  get endings(): readonly EndingReceiptKey[] {
    return this.#endings;
  }

  /** Reads files and vaults again. Never rejects: errors are logged. */
  async reload(): Promise<PartOutcome> {
    const { log } = this.#options;
    try {
      const { set, endings } = await readReceiptKeys(this.#configuration, this.#ephemeral, this.#options);
      this.keys.exchange(set);
      this.#endings = endings;
      return { name: PART, isTaken: true };
    } catch (error) {
      const fields = error instanceof ConfigurationError ? { problems: error.problems } : { err: error };
      log.error(fields, 'receipt keys not reloaded: the previous ones stay in force');
      return { name: PART, isTaken: false };
    }
  }
}

/** Longest time for signing a head. No request waits for it. */
const HEAD_SIGNING_MS = 5000;

const EPHEMERAL =
  'receipts are signed with a key of this process: after a restart nobody can verify those that it signed (receipts.key names one that stays)';

/** The configuration keys of the three kinds of receipt keys. */
const [KEY, NEXT, PREVIOUS] = [
  ['receipts', 'key'],
  ['receipts', 'next'],
  ['receipts', 'previous'],
] as const;

/** The sources of keys. */
type KeySources = Pick<ReceiptKeyOptions, 'vaults' | 'readBytes'>;

interface ReadKeys {
  readonly set: ReceiptKeySet;
  readonly endings: readonly EndingReceiptKey[];
}

interface ReadKey {
  readonly key: SigningKey;
  readonly endings: readonly EndingReceiptKey[];
}

/** @throws {ConfigurationError} if a key cannot be read, or cannot sign receipts */
async function readReceiptKeys(
  { receipts }: Configuration,
  ephemeral: SigningKey,
  from: KeySources,
): Promise<ReadKeys> {
  const key =
    receipts.key === 'ephemeral'
      ? Promise.resolve({ key: ephemeral, endings: [] })
      : readSigningKey(KEY, receipts.key, from);
  const next = receipts.next === null ? Promise.resolve(null) : readSigningKey(NEXT, receipts.next, from);
  const previous = allOrProblems<PublishedKey>(
    receipts.previous.map((where, index) => readPublishedKey([...PREVIOUS, index], where, from)),
  );
  await allOrProblems<unknown>([key, next, previous]);
  const [signs, follows] = [await key, await next];
  return {
    set: { key: signs.key, next: follows?.key ?? null, previous: await previous },
    endings: [...signs.endings, ...(follows?.endings ?? [])],
  };
}

/**
 * Public keys of the configured receipt keys as JWK: present and former signing keys.
 *
 * @returns null if the signing key is ephemeral
 * @throws {ConfigurationError} if a key cannot be read
 */
export async function configuredReceiptKeys(
  { receipts }: Configuration,
  vaults: KeyVaults | null,
): Promise<readonly JsonObject[] | null> {
  const { key, next, previous } = receipts;
  if (key === 'ephemeral') return null;
  const from = { vaults };
  const keys = await allOrProblems<PublishedKey>([
    readPublishedKey(KEY, key, from),
    ...(next === null ? [] : [readPublishedKey(NEXT, next, from)]),
    ...previous.map((where, index) => readPublishedKey([...PREVIOUS, index], where, from)),
  ]);
  return keys.map(({ jwk }) => jwk);
}

/**
 * Reads the keys in files. Contacts no vault.
 * @throws {ConfigurationError} if a key cannot be read, or cannot sign receipts
 */
export async function checkReceiptKeyFiles({ receipts }: Configuration): Promise<void> {
  const { key, next, previous } = receipts;
  const isFile = (where: string | null): where is string => where !== null && vaultKeyId(where) === null;
  await allOrProblems<unknown>([
    ...(isFile(key) && key !== 'ephemeral' ? [readKey(KEY, key, parseSigningKey)] : []),
    ...(isFile(next) ? [readKey(NEXT, next, parseSigningKey)] : []),
    ...previous.flatMap((where, index) =>
      isFile(where) ? [readKey([...PREVIOUS, index], where, parsePublishedKey)] : [],
    ),
  ]);
}

/** PEM of PKCS#8. */
function makeEphemeralKey(): string {
  // Exports text: Node 20 keeps the job that made a key object, and collecting it during an export of this key never
  // ends.
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  return privateKey;
}

async function readSigningKey(path: KeyPath, where: string, { vaults, readBytes }: KeySources): Promise<ReadKey> {
  const id = vaultKeyId(where);
  if (id === null || vaults === null)
    return { key: await readKey(path, where, parseSigningKey, readBytes), endings: [] };
  const { key, ends } = await readSigningKeyOfVault(path, id, vaults);
  const ending = (expires: Date) => ({ key: path.join('.'), vaultKey: where, expires: expires.toISOString() });
  return { key, endings: ends === null ? [] : [ending(ends)] };
}

async function readPublishedKey(
  path: KeyPath,
  where: string,
  { vaults, readBytes }: KeySources,
): Promise<PublishedKey> {
  const id = vaultKeyId(where);
  return id === null || vaults === null
    ? readKey(path, where, parsePublishedKey, readBytes)
    : readPublishedKeyOfVault(path, id, vaults);
}

async function readKey<T>(path: KeyPath, file: string, parse: (text: string) => T, readBytes?: ReadBytes): Promise<T> {
  const text = await readConfiguredText(path, file, readBytes);
  try {
    return parse(text);
  } catch (cause) {
    if (!(cause instanceof UnusableKeyError)) throw cause;
    throw new ConfigurationError([{ path, what: `${file}: ${cause.message}` }], { cause });
  }
}
