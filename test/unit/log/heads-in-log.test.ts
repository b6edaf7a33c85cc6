import { describe, expect, it } from 'vitest';
import { headsInLine } from '../../../src/log/heads-in-log.js';

const HEAD = { level: 'info', chain: 'c', head: 'eyJ.eyJ.c2ln', msg: 'decision log head' };
const LINE = JSON.stringify(HEAD);
const FORGED = JSON.stringify({ msg: 'decision log head', head: 'a.b.c' });

const wrapped = (value: unknown, times: number): string =>
  times === 0 ? JSON.stringify(value) : wrapped({ log: JSON.stringify(value) }, times - 1);

describe('signed heads in a line', () => {
  it.each([
    ['a line of the service', LINE],
    ['with its end', `${LINE}\r`],
    ['with text before it', `2026-01-15T12:00:00Z stdout F ${LINE}`],
    ['in a text', JSON.stringify({ log: `${LINE}\n`, stream: 'stdout' })],
    ['in a text with text before it', JSON.stringify({ MESSAGE: `veritee[1]: ${LINE}` })],
    ['in a text in a text', wrapped(HEAD, 2)],
    ['in a text named as messages are', JSON.stringify({ msg: LINE })],
    ['in an object', JSON.stringify({ jsonPayload: HEAD, severity: 'INFO' })],
    ['in a list', JSON.stringify({ events: [1, null, { message: LINE }] })],
    ['with members beside it', JSON.stringify({ ...HEAD, log: LINE, kubernetes: {} })],
    ['alone', ' eyJ.eyJ.c2ln '],
    ['of an export', JSON.stringify({ chain: '019bc186-de00-77ff-b48c-aa1296a94251', seq: 3, head: 'eyJ.eyJ.c2ln' })],
  ])('are found: %s', (_, line) => {
    expect(headsInLine(line)).toEqual(['eyJ.eyJ.c2ln']);
  });

  it.each([
    ['of another message', JSON.stringify({ ...HEAD, msg: 'request' })],
    ['of no message', JSON.stringify({ head: 'a.b.c' })],
    ['that is no text', JSON.stringify({ ...HEAD, head: 1 })],
    ['in the text of a caller', JSON.stringify({ msg: 'request', audience: 'x","head":"a.b.c' })],
    ['in a line that a caller wrote', JSON.stringify({ msg: 'request', audience: FORGED })],
    ['the same, wrapped', wrapped({ msg: 'request', audience: FORGED }, 2)],
    ['in an object of a line of the service', JSON.stringify({ msg: 'request', asked: JSON.parse(FORGED) })],
    ['in the content of a record', JSON.stringify({ contentSha256: 'ab', content: FORGED })],
    ['the same, wrapped', wrapped({ contentSha256: 'ab', content: FORGED }, 1)],
    ['in text that is no JSON', `GET /?${FORGED} 404`],
    ['in JSON that is cut', LINE.slice(0, -1)],
    ['too deep', wrapped(HEAD, 3)],
    ['in a number', '1'],
  ])('are none: %s', (_, line) => {
    expect(headsInLine(line)).toEqual([]);
  });
});
