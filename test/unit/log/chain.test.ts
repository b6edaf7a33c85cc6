import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { NO_RECORD } from '../../../src/core/decision-log.js';
import { contentDigest, recordHash } from '../../../src/log/chain.js';

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
