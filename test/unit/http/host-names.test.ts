import { expect, it } from 'vitest';
import { namesLoopback } from '../../../src/http/host-names.js';

it.each(['localhost', 'LOCALHOST:8080', '127.0.0.1', '127.0.0.1:8080', '127.255.0.9:1', '[::1]', '[::1]:8080'])(
  'takes %s for this machine',
  (host) => {
    expect(namesLoopback(host)).toBe(true);
  },
);

it.each([
  undefined,
  '',
  'attacker.example',
  'localhost.attacker.example',
  'attacker.example:127.0.0.1',
  '127.0.0.1.attacker.example',
  '127.0.0.1.nip.io:8080',
  'localhost.',
  '127.1',
  '2130706433',
  '0.0.0.0',
  '[::]',
  '[::ffff:127.0.0.1]',
  '128.0.0.1',
  'localhost:8080:8080',
  'localhost ',
])('does not take %s for this machine', (host) => {
  expect(namesLoopback(host)).toBe(false);
});
