import { posix } from 'node:path';
import type { Source } from './source.js';

/** Rooms, and the rooms that each imports. */
export type Arrows = ReadonlySet<string>;

/** `FROM TO` of each pair of rooms of which the first imports the second. */
export function arrowsOf(sources: readonly Source[]): Arrows {
  return new Set(
    sources.flatMap(({ path, room, imports }) =>
      imports
        .filter((target) => target.startsWith('.'))
        .map((target) => posix.join(posix.dirname(path), target).split('/')[1] ?? '')
        .filter((target) => target !== room && !target.endsWith('.js'))
        .map((target) => `${room} ${target}`),
    ),
  );
}

/** Groups of rooms that import one another, by way of others or directly. */
export function circlesOf(arrows: Arrows): readonly (readonly string[])[] {
  const pairs = [...arrows].map((arrow) => arrow.split(' ') as [string, string]);
  const rooms = [...new Set(pairs.flat())].sort();
  const reached = new Map(rooms.map((room) => [room, reachedFrom(room, pairs)]));
  const inCircles = rooms.filter((room) => reached.get(room)?.has(room) === true);
  const circles = inCircles.map((room) =>
    inCircles.filter((other) => reached.get(room)?.has(other) === true && reached.get(other)?.has(room) === true),
  );
  return [...new Map(circles.map((circle) => [circle.join(' '), circle])).values()];
}

function reachedFrom(start: string, pairs: readonly (readonly [string, string])[]): ReadonlySet<string> {
  const reached = new Set<string>();
  const waiting = [start];
  for (let room = waiting.pop(); room !== undefined; room = waiting.pop()) {
    for (const [from, to] of pairs) {
      if (from !== room || reached.has(to)) continue;
      reached.add(to);
      waiting.push(to);
    }
  }
  return reached;
}
