import { isObject } from '../core/json.js';
import { either, optional, orNull, type Place, type Read, type Schema } from '../schema/schema.js';
import { list, object } from '../schema/structures.js';
import { choice, integer, pattern, textThat } from '../schema/values.js';
import { path } from './values.js';

/** A server whose scheme was left out: as a path it would be a file of that name. */
const HOST_AND_PORT = /^[\w.-]+:\d{1,5}$/;

const URL_FORM = /^rediss?:\/\/[^\s/?#\\]+(?:\/\d{0,3})?$/;

const redisUrl = textThat(isRedisUrl, 'a redis or rediss URL');

const longForm = object({
  /** The server; or Sentinels, or nodes of a Cluster, of which any is asked who the server is. */
  nodes: list(redisUrl, 'distinct', 'filled'),
  mode: optional(choice('single', 'sentinel', 'cluster'), 'single'),
  /** By which name the Sentinels know the server. */
  master: orNull(pattern(/^[A-Za-z0-9._-]{1,256}$/, 'a name')),
  /** File with the password. */
  passwordFile: orNull(path()),
  /** PEM file of the authorities that servers have their certificates from. */
  ca: orNull(path()),
  /** Replicas that confirm each decision. Of challenges none does. */
  replicas: optional(integer(0, 16), 0),
});
export type RedisStoreConfiguration = Read<typeof longForm>;

/** A store that may be in Redis: something else, a URL, or the long form. */
export type StoreConfiguration = string | RedisStoreConfiguration;

/** @param what what it may be, in words: the other, and `a redis or rediss URL, or its long form` */
export function orRedisStore(what: string, other: Schema<string>): Schema<StoreConfiguration> {
  const inOneWord = either(what, redisUrl, other);
  return {
    ...inOneWord,
    spelling: 'text-or-object',
    read: (raw, at) => {
      if (isObject(raw)) return longForm.read(raw, at);
      if (typeof raw !== 'string' || !HOST_AND_PORT.test(raw)) return inOneWord.read(raw, at);
      at.refuse(`is a server without a scheme: write redis://${raw}, or rediss://${raw} for TLS`);
      return undefined;
    },
  };
}

/** The long form of a store that is in Redis; null where it is not. */
export function redisStoreOf(store: StoreConfiguration | null): RedisStoreConfiguration | null {
  if (typeof store !== 'string') return store;
  if (!URL_FORM.test(store)) return null;
  return { nodes: [store], mode: 'single', master: null, passwordFile: null, ca: null, replicas: 0 };
}

/** The store of challenges that replicas share, which may be that of their decisions; null where there is none. */
export function sharedChallenges({
  challenges,
  decisions,
}: {
  readonly challenges: { readonly store: StoreConfiguration | null };
  readonly decisions: { readonly store: StoreConfiguration };
}): RedisStoreConfiguration | null {
  return redisStoreOf(challenges.store ?? decisions.store);
}

/** Where its nodes are, and how to get in. */
export interface RedisAddress {
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  readonly tls: boolean;
  readonly user: string | null;
  readonly password: string | null;
  readonly database: number;
}

const [SERVER_PORT, SENTINEL_PORT] = [6379, 26_379];

/** The content of the URLs of a store. Of common values the first one counts, since `checkRedisStore` compared them. */
export function redisAddress({ nodes, mode }: RedisStoreConfiguration): RedisAddress {
  const urls = nodes.map((node) => new URL(node));
  const defaultPort = mode === 'sentinel' ? SENTINEL_PORT : SERVER_PORT;
  const [first] = urls;
  return {
    nodes: urls.map(({ hostname, port }) => ({
      host: hostname.replace(/^\[(.*)\]$/, '$1'),
      port: port === '' ? defaultPort : Number(port),
    })),
    tls: first?.protocol === 'rediss:',
    user: decoded(first?.username),
    password: decoded(first?.password),
    database: Number(first?.pathname.slice(1) ?? 0),
  };
}

/** Refuses what is wrong between values that are right by themselves. */
export function checkRedisStore(store: RedisStoreConfiguration, at: Place): void {
  const { nodes, mode, master, passwordFile, ca } = store;
  const { tls, user, password, database } = redisAddress(store);
  if (mode === 'single' && nodes.length > 1) at.member('nodes').refuse('is one URL where the mode is single');
  if (mode === 'sentinel' && master === null) at.member('master').refuse('is missing');
  if (mode !== 'sentinel' && master !== null) at.member('master').refuse('is for the mode sentinel');
  if (mode === 'cluster' && database !== 0)
    at.member('nodes').refuse('this service uses no database but 0 of a Cluster');
  if (new Set(nodes.map(commonPart)).size > 1) {
    at.member('nodes').refuse('must differ in host and port only');
  }
  if (password !== null && passwordFile !== null) at.member('passwordFile').refuse('there is a password in nodes too');
  if (user !== null && password === null && passwordFile === null) at.refuse('names a user and no password');
  if (ca !== null && !tls) at.member('ca').refuse('is for rediss URLs');
}

/** The values that the nodes of a store must have in common. */
function commonPart(node: string): string {
  const { protocol, username, password, pathname } = new URL(node);
  return JSON.stringify([protocol, username, password, Number(pathname.slice(1))]);
}

function isRedisUrl(raw: string): boolean {
  if (!URL_FORM.test(raw) || !URL.canParse(raw)) return false;
  const { hostname, username, password } = new URL(raw);
  return hostname !== '' && [username, password].every(isDecodable);
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

function decoded(text = ''): string | null {
  return text === '' ? null : decodeURIComponent(text);
}
