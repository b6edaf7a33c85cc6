/** Where a server listens. */
export interface RedisNode {
  /** A name or an address, without brackets. */
  readonly host: string;
  readonly port: number;
}

/** What leads to a Redis or Valkey server that several processes share. */
export interface RedisSettings {
  /** `single`: the one node is the server. `sentinel`: nodes know who it is. `cluster`: nodes know who has which slot. */
  readonly mode: 'single' | 'sentinel' | 'cluster';
  readonly nodes: readonly RedisNode[];
  /** The name by which Sentinels know the server; null in the other modes. */
  readonly master: string | null;
  readonly tls: boolean;
  /** PEM file of the authorities that servers have their certificates from; null: those that Node knows. */
  readonly ca: string | null;
  /** Null: the default user. */
  readonly user: string | null;
  readonly password: string | null;
  /** File with the password, read for each connection. */
  readonly passwordFile: string | null;
  readonly database: number;
}

/** As people write it. */
export function nameOfNode({ host, port }: RedisNode): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
