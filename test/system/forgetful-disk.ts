import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { DiskEvent } from './disk-trace.js';

type Change = Exclude<DiskEvent, { readonly kind: 'sync' | 'line' }>;

/** Whether a change that was never synced is on the disk all the same, as its cache may have written it. */
export type Luck = (change: Change) => boolean;

/**
 * A disk that keeps what was synced, and forgets the rest or some of it once the power is gone: contents of files, and names in
 * folders.
 */
export class ForgetfulDisk {
  readonly #kept = new Files();
  #pending: Change[] = [];

  /** Takes what a process did next. */
  take(event: DiskEvent): void {
    if (event.kind === 'line') return;
    if (event.kind !== 'sync') {
      this.#pending.push(event);
      return;
    }
    const isSynced = (change: Change) => change.at < event.began && syncedBy(change) === event.path;
    for (const change of this.#pending) if (isSynced(change)) this.#kept.apply(change);
    this.#pending = this.#pending.filter((change) => !isSynced(change));
  }

  /** Writes what is found in a folder once the power is back. */
  powerOff(of: string, folder: string, luck: Luck): void {
    const found = this.#kept.clone();
    for (const change of this.#pending.filter(luck)) found.apply(change);
    mkdirSync(folder, { recursive: true });
    for (const [path, bytes] of found.list()) {
      // Shared memory is made again.
      if (dirname(path) === of && !path.endsWith('-shm')) writeFileSync(join(folder, basename(path)), bytes);
    }
  }
}

/** Contents are synced by their file, names by their folder. */
function syncedBy({ kind, path }: Change): string {
  return kind === 'name' || kind === 'unname' ? dirname(path) : path;
}

class Files {
  readonly #names = new Set<string>();
  readonly #contents = new Map<string, Content>();

  clone(): Files {
    const files = new Files();
    for (const name of this.#names) files.#names.add(name);
    for (const [path, content] of this.#contents) files.#contents.set(path, content.clone());
    return files;
  }

  /** Files that have a name, with what is in them. */
  list(): readonly (readonly [string, Uint8Array])[] {
    return [...this.#names].map((path) => [path, this.#contents.get(path)?.bytes ?? Buffer.alloc(0)]);
  }

  apply(change: Change): void {
    const { path } = change;
    if (change.kind === 'name') this.#names.add(path);
    else if (change.kind === 'unname') {
      this.#names.delete(path);
      this.#contents.delete(path);
    } else {
      const content = this.#contents.get(path) ?? new Content();
      this.#contents.set(path, content);
      if (change.kind === 'truncate') content.truncate(change.length);
      else content.write(change.offset, change.bytes);
    }
  }
}

class Content {
  #room = Buffer.alloc(0);
  #length = 0;

  get bytes(): Uint8Array {
    return this.#room.subarray(0, this.#length);
  }

  clone(): Content {
    const content = new Content();
    content.#room = Buffer.from(this.bytes);
    content.#length = this.#length;
    return content;
  }

  truncate(length: number): void {
    this.#reserve(length);
    this.#room.fill(0, Math.min(length, this.#length));
    this.#length = length;
  }

  write(offset: number, bytes: Buffer): void {
    const end = offset + bytes.length;
    this.#reserve(end);
    bytes.copy(this.#room, offset);
    this.#length = Math.max(this.#length, end);
  }

  #reserve(length: number): void {
    if (length <= this.#room.length) return;
    const room = Buffer.alloc(2 * length);
    this.#room.copy(room, 0, 0, this.#length);
    this.#room = room;
  }
}
