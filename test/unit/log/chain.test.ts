import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { NO_RECORD } from '../../../src/core/decision-log.js';
import { contentDigest, isIntact, recordHash } from '../../../src/log/chain.js';

const CHAIN = '6f1c1f0e-0b0e-4a53-9d1b-5b1f0c6f2f11';
const POSITION = { chain: CHAIN, seq: 258 };
const LINKED = { previous: 'ab'.repeat(32), contentSha256: 'cd'.repeat(32) };

describe('the hash of a record', () => {
  it('is SHA-256 of domain, chain, place, hash of the record before and digest of the content', () => {
    const hashed = `${Buffer.from('veritee-log-v1').toString('hex')}00${CHAIN.replaceAll('-', '')}0000000000000102${LINKED.previous}${LINKED.contentSha256}`;
    expect(recordHash(POSITION, LINKED)).toBe(createHash('sha256').update(hashed, 'hex').digest('hex'));
  });

  it.each([
    ['another chain', { ...POSITION, chain: '6f1c1f0e-0b0e-4a53-9d1b-5b1f0c6f2f12' }, LINKED],
    ['another place', { ...POSITION, seq: 259 }, LINKED],
    ['another record before', POSITION, { ...LINKED, previous: NO_RECORD }],
    ['other content', POSITION, { ...LINKED, contentSha256: NO_RECORD }],
  ])('is another one for %s', (_, position, linked) => {
    expect(recordHash(position, linked)).not.toBe(recordHash(POSITION, LINKED));
  });

  it('of content is SHA-256 of salt and text', () => {
    const salt = new Uint8Array(32).fill(7);
    const expected = createHash('sha256')
      .update(Buffer.concat([salt, Buffer.from('{"é":1}', 'utf8')]))
      .digest('hex');
    expect(contentDigest(salt, '{"é":1}')).toBe(expected);
  });
});

describe('a record that is intact', () => {
  const content = '{"kind":"decision"}';

  /** With a salt of so many bytes, of which the rest stands before the content. */
  function recordWith(salt: Uint8Array | null, text: string | null) {
    const contentSha256 = contentDigest(new Uint8Array(32).fill(7), content);
    const linked = { previous: LINKED.previous, contentSha256 };
    return { ...POSITION, ...linked, hash: recordHash(POSITION, linked), salt, content: text };
  }

  it('has salt and content that were recorded, or neither', () => {
    expect(isIntact(recordWith(new Uint8Array(32).fill(7), content))).toBe(true);
    expect(isIntact(recordWith(null, null))).toBe(true);
  });

  it.each([
    ['the content alone', null, content],
    ['the salt alone', new Uint8Array(32).fill(7), null],
    ['another content', new Uint8Array(32).fill(7), '{"kind":"withdrawn"}'],
    ['the last byte of its salt in its content', new Uint8Array(31).fill(7), `\x07${content}`],
    [
      'the first byte of its content in its salt',
      Buffer.concat([Buffer.alloc(32, 7), Buffer.from('{')]),
      content.slice(1),
    ],
  ])('AUD-01 has not %s', (_, salt, text) => {
    expect(isIntact(recordWith(salt, text))).toBe(false);
  });

  it('AUD-01 has the hash of what it says', () => {
    expect(isIntact({ ...recordWith(null, null), hash: NO_RECORD })).toBe(false);
  });
});
