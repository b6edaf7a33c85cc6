import type { Socket } from 'node:net';
import type { Client, ClientConfig } from 'pg';

/** Values of a statement. An object is never sent as JSON by accident. */
export type SqlValue = string | number | bigint | boolean | Date | Uint8Array | readonly (string | null)[] | null;

/** Runs statements one after the other on one connection. */
export interface Session {
  /** Runs one statement; `$1` and so on stand for the values. */
  rows<R extends object>(text: string, values?: readonly SqlValue[]): Promise<readonly R[]>;
  /** Runs one statement, or several without values. @returns the number of rows that the last one changed */
  run(text: string, values?: readonly SqlValue[]): Promise<number>;
}

/** A connection to a server that was checked. */
export class PostgresSession implements Session {
  readonly #client: Client;
  /** Notices since the last call of `takeNotices`. */
  #notices: string[] = [];
  #hasEnded = false;

  private constructor(client: Client) {
    this.#client = client;
    client.on('notice', ({ message = 'a notice' }) => this.#notices.push(message));
    client.on('end', () => {
      this.#hasEnded = true;
    });
  }

  /**
   * @param onLost called if an idle connection was lost
   * @throws {Error} an error of the system, of TLS or of the server
   */
  static async open(config: ClientConfig, onLost: (error: Error) => void): Promise<PostgresSession> {
    const { default: pg } = await import('pg');
    const client = new pg.Client(config);
    const session = new PostgresSession(client);
    client.on('error', (error) => {
      session.#hasEnded = true;
      onLost(error);
    });
    try {
      await client.connect();
      return session;
    } catch (error) {
      session.destroy();
      throw error;
    }
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  async rows<R extends object>(text: string, values: readonly SqlValue[] = []): Promise<readonly R[]> {
    const { rows } = await this.#client.query<R>(text, [...values]);
    return rows;
  }

  async run(text: string, values: readonly SqlValue[] = []): Promise<number> {
    // Without values, pg sends a simple query, which may have several statements.
    const result = await (values.length === 0 ? this.#client.query(text) : this.#client.query(text, [...values]));
    const last = Array.isArray(result) ? result.at(-1) : result;
    return last?.rowCount ?? 0;
  }

  /** Returns the notices of the server since the last call. */
  takeNotices(): readonly string[] {
    const notices = this.#notices;
    this.#notices = [];
    return notices;
  }

  /** Ends the connection at once, even if a statement runs. The server may still finish that statement. */
  destroy(): void {
    this.#hasEnded = true;
    // Nothing waits for the end, and an error of a discarded connection is irrelevant.
    this.#client.end().catch(() => undefined);
    // A hanging server never closes the socket, which would keep a stopped process alive.
    (this.#client.connection.stream as Socket).unref();
  }
}
