import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The calls of a process to a disk, and its messages. `sync` counts from its end for calls before its beginning. */
export type DiskEvent =
  | {
      readonly kind: 'write';
      readonly at: number;
      readonly path: string;
      readonly offset: number;
      readonly bytes: Buffer;
    }
  | { readonly kind: 'truncate'; readonly at: number; readonly path: string; readonly length: number }
  | { readonly kind: 'name'; readonly at: number; readonly path: string }
  | { readonly kind: 'unname'; readonly at: number; readonly path: string }
  | { readonly kind: 'sync'; readonly at: number; readonly began: number; readonly path: string }
  | { readonly kind: 'line'; readonly at: number; readonly text: string };

/** The tracer: one file for each thread, times, names of files, and all bytes. */
export const TRACER = [
  'strace',
  ...['-ff', '-ttt', '-T', '-y', '-xx', '-s', '100000'],
  ...['-e', 'trace=write,pwrite64,ftruncate,fsync,fdatasync,openat,unlink,mkdir,rename'],
];

const CALL = /^(\d+\.\d+) (\w+)\((.*)\) += (-?\d+)(?:<[^>]*>)?.* <(\d+\.\d+)>$/s;

/** Reads what it wrote, in the order in which it happened. */
export function readTrace(folder: string, prefix: string): readonly DiskEvent[] {
  const files = readdirSync(folder).filter((name) => name.startsWith(`${prefix}.`));
  const events = files.flatMap((name) => readFileSync(join(folder, name), 'latin1').split('\n').flatMap(eventsIn));
  return events.sort((one, other) => one.at - other.at);
}

function eventsIn(line: string): readonly DiskEvent[] {
  const [, time, call, args = '', result, took] = CALL.exec(line) ?? [];
  if (Number(result) < 0 || call === undefined) return [];
  const [at, strings] = [
    Number(time),
    [...args.matchAll(/[<"]((?:\\x[0-9a-f]{2})*)[">]/g)].map(([, hex = '']) => bytesOf(hex)),
  ];
  const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = strings;
  const path = first.toString();
  switch (call) {
    case 'write':
      return args.startsWith('1<') ? [{ kind: 'line', at, text: second.toString().trimEnd() }] : [];
    case 'pwrite64':
      return [{ kind: 'write', at, path, offset: Number(args.split(', ').at(-1)), bytes: second }];
    case 'ftruncate':
      return [{ kind: 'truncate', at, path, length: Number(args.split(', ').at(-1)) }];
    case 'fsync':
    case 'fdatasync':
      return [{ kind: 'sync', at: at + Number(took), began: at, path }];
    case 'openat':
      return args.includes('O_CREAT') ? [{ kind: 'name', at, path: second.toString() }] : [];
    case 'mkdir':
      return [{ kind: 'name', at, path }];
    case 'unlink':
      return [{ kind: 'unname', at, path }];
    case 'rename':
      throw new Error('what a rename does to a disk is not known here');
    default:
      return [];
  }
}

function bytesOf(hex: string): Buffer {
  return Buffer.from(hex.replaceAll('\\x', ''), 'hex');
}
