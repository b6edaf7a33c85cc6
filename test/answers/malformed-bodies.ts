import type { Body } from './body.js';
import { LAB_NONCE } from './lab.js';

/** Texts that are no request, or are none for a reason that comes before the evidence. */

const EVIDENCE = { type: 'snp', report: 'AAAA' };
const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;
const json = (value: unknown) => JSON.stringify(value);
const about = (members: object) => json({ evidence: EVIDENCE, ...members });

const TEXTS: readonly (readonly [name: string, text: string])[] = [
  ['nothing', ''],
  ['no JSON', 'not JSON'],
  ['null', 'null'],
  ['a list', '[]'],
  ['a number', '1'],
  ['an empty object', '{}'],
  ['a byte order mark', `\ufeff${about({})}`],
  ['something after the end', `${about({})} {}`],
  ['a member twice', '{"evidence":{},"evidence":{}}'],
  ['__proto__', '{"__proto__":{}}'],
  ['a lone surrogate', '{"evidence":"\\ud800"}'],
  ['a number beyond all', '{"evidence":1e999}'],
  ['many levels', deep(40)],
  ['many levels in a member', `{"evidence":${deep(40)}}`],
  ['many items', json({ evidence: Array(10_001).fill(0) })],
  ['a long name', json({ ['n'.repeat(300)]: 0 })],
  ['a long text', json({ evidence: { type: 'snp', report: 'A'.repeat(1_500_000) } })],
  ['no type', json({ evidence: {} })],
  ['a type that is no text', json({ evidence: { type: 1 } })],
  ['an unknown dialect', json({ evidence: { type: 'snp', dialect: 'nobody', value: {} } })],
  ['report of three bytes', about({})],
  ['no base64', json({ evidence: { type: 'snp', report: 'AA*A' } })],
  ['both alphabets', json({ evidence: { type: 'snp', report: 'A-A/' } })],
  ['bits in the padding', json({ evidence: { type: 'snp', report: 'AB==' } })],
  ['a nonce that is no base64', about({ nonce: '*' })],
  ['a long nonce', about({ nonce: Buffer.alloc(65).toString('base64url') })],
  ['a reserved nonce', about({ nonce: Buffer.from('veritee1veritee1').toString('base64url') })],
  ['a key without nonce', about({ binding: { jwk: { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' } } })],
  [
    'a private key',
    about({
      nonce: Buffer.from(LAB_NONCE).toString('base64url'),
      binding: { jwk: { kty: 'OKP', crv: 'Ed25519', x: 'AA', d: 'AA' } },
    }),
  ],
  [
    'an unknown kind of key',
    about({ nonce: Buffer.from(LAB_NONCE).toString('base64url'), binding: { jwk: { kty: 'oct', k: 'AA' } } }),
  ],
  ['no policies', about({ policy: [] })],
  ['nine policies', about({ policy: Array.from({ length: 9 }, (_, index) => `p${index}`) })],
  ['a policy that is no id', about({ policy: '../etc' })],
  ['an instant that is no date', about({ at: '2026-02-30T00:00:00Z' })],
  ['an instant elsewhere', about({ at: '2026-01-01T00:00:00+01:00' })],
  ['results that are no list', about({ attestationResults: {} })],
  ['results of hardware', about({ attestationResults: [{ type: 'snp', token: 'x' }] })],
  ['evidence with a PEM that is none', json({ evidence: { ...EVIDENCE, endorsements: { vek: '-----BEGIN' } } })],
];

export function malformedBodies(): readonly Body[] {
  return TEXTS.flatMap(([name, text]) =>
    ['/verify', '/inspect'].map((target): Body => {
      const common = { kind: 'malformed', service: 'lab', atInstant: false } as const;
      return { ...common, name: `malformed: ${name} to ${target}`, target, text: () => text };
    }),
  );
}
