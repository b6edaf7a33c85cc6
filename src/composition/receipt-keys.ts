import { generateKeyPairSync } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Configuration } from '../config/configuration.js';
import type { HeadSigner } from '../decision-log/heads.js';
import { allOrProblems, ConfigurationError } from '../model/errors.js';
import { fileProblem } from '../model/file-problem.js';
import type { KeyPath } from '../model/places.js';
import type { Clock, Log } from '../model/ports.js';
import { type ReceiptKeySet, ReceiptKeys } from '../results/receipt-keys.js';
import { LocalSigningKey, type SigningKey, UnusableKeyError } from '../results/signing-key.js';
import { type PublishedKey, parsePublishedKey, parseSigningKey } from '../results/signing-key-file.js';

/** Receipt keys as their files last held them. They are exchanged as a whole, and only where every file is right. */
export class ReloadedReceiptKeys {
  readonly keys: ReceiptKeys;
  readonly #configuration: Configuration;
  readonly #ephemeral: SigningKey;
  readonly #log: Log;

  private constructor(configuration: Configuration, ephemeral: SigningKey, keys: ReceiptKeys, log: Log) {
    this.#configuration = configuration;
    this.#ephemeral = ephemeral;
    this.keys = keys;
    this.#log = log;
  }

  /** @throws {ConfigurationError} where a file cannot be read, or is no key that signs receipts */
  static async open(configuration: Configuration, clock: Clock, log: Log): Promise<ReloadedReceiptKeys> {
    const ephemeral = ephemeralKey();
    const set = await readReceiptKeys(configuration, ephemeral);
    const keys = new ReceiptKeys(set, clock, configuration.receipts.lifetimeSeconds * 1000);
    if (set.key === ephemeral) log.warn({ kid: ephemeral.kid }, EPHEMERAL);
    return new ReloadedReceiptKeys(configuration, ephemeral, keys, log);
  }

  /** Signs heads of the decision log: not with a key of this process, which nobody has later. */
  get headSigner(): HeadSigner {
    const { keys } = this;
    const { kid: ephemeral } = this.#ephemeral;
    return {
      sign: async (header, payload) => {
        const key = keys.signing();
        return key.kid === ephemeral ? null : key.sign(header, payload);
      },
      keys: () => keys.published().filter(({ kid }) => kid !== ephemeral),
    };
  }

  /** Reads the files again. @returns whether what they hold is in force; if not, why is in the log */
  async reload(): Promise<boolean> {
    try {
      this.keys.exchange(await readReceiptKeys(this.#configuration, this.#ephemeral));
      return true;
    } catch (error) {
      const fields = error instanceof ConfigurationError ? { problems: error.problems } : { err: error };
      this.#log.error(fields, 'receipt keys not reloaded: the previous ones stay in force');
      return false;
    }
  }
}

const EPHEMERAL =
  'receipts are signed with a key of this process: after a restart nobody can verify those that it signed (receipts.key names one that stays)';

/** Where the three kinds of keys are named. */
const [KEY, NEXT, PREVIOUS] = [
  ['receipts', 'key'],
  ['receipts', 'next'],
  ['receipts', 'previous'],
] as const;

/** @throws {ConfigurationError} where a file cannot be read, or is no key that signs receipts */
export async function readReceiptKeys(
  { receipts }: Configuration,
  ephemeral: SigningKey = ephemeralKey(),
): Promise<ReceiptKeySet> {
  const key = receipts.key === 'ephemeral' ? Promise.resolve(ephemeral) : readKey(KEY, receipts.key, parseSigningKey);
  const next = receipts.next === null ? Promise.resolve(null) : readKey(NEXT, receipts.next, parseSigningKey);
  const previous = allOrProblems<PublishedKey>(
    receipts.previous.map((file, index) => readKey([...PREVIOUS, index], file, parsePublishedKey)),
  );
  await allOrProblems<unknown>([key, next, previous]);
  return { key: await key, next: await next, previous: await previous };
}

function ephemeralKey(): SigningKey {
  return new LocalSigningKey(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
}

async function readKey<T>(path: KeyPath, file: string, parse: (text: string) => T): Promise<T> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new ConfigurationError([{ path, what: `${file}: ${fileProblem(cause)}` }], { cause });
  });
  try {
    return parse(text);
  } catch (cause) {
    if (!(cause instanceof UnusableKeyError)) throw cause;
    throw new ConfigurationError([{ path, what: `${file}: ${cause.message}` }], { cause });
  }
}
