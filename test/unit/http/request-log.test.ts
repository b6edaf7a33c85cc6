import type { IncomingMessage } from 'node:http';
import { expect, it } from 'vitest';
import { requestIdOf } from '../../../src/http/request-log.js';

function withId(id: string | undefined): IncomingMessage {
  return { headers: { 'x-request-id': id } } as unknown as IncomingMessage;
}

const GENERATED = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

it.each(['a', 'Job_17-b', 'x'.repeat(64)])('keeps the id %s of a client', (id) => {
  expect(requestIdOf(withId(id))).toBe(id);
});

it.each([
  ['nothing', undefined],
  ['an empty text', ''],
  ['a line break', 'a\r\nb'],
  ['an escape sequence', '\u001b[31mred'],
  ['ten KiB', 'x'.repeat(10_240)],
  ['65 characters', 'x'.repeat(65)],
  ['a blank', 'a b'],
  ['a line break at the end', 'a\n'],
  ['other letters', 'ä'],
])('REQ-18 makes an id where the client sent %s', (_title, id) => {
  expect(requestIdOf(withId(id))).toMatch(GENERATED);
});
