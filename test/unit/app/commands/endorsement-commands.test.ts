import { describe, expect, it } from 'vitest';
import { reportOf } from '../../../../src/app/commands/endorsement-commands.js';
import { createAmdPki, SnpPlatform } from '../../../lab/index.js';

const REPORT = new SnpPlatform({ pki: createAmdPki() }).report();

const bodyOf = (members: object) => ({
  name: 'body.json',
  bytes: Buffer.from(JSON.stringify({ type: 'bytes', ...members })),
});
const value = Buffer.from(REPORT).toString('base64url');

describe('a report in a body of type bytes', () => {
  it('is the report, whether the body says so or not', () => {
    for (const members of [{ value }, { value, as: 'snp-report' }]) {
      expect(Buffer.from(reportOf(bodyOf(members)).bytes).equals(REPORT)).toBe(true);
    }
  });

  it('is none where the body says that it is something else', () => {
    expect(() => reportOf(bodyOf({ value, as: 'td-quote' }))).toThrow('body.json: type_mismatch');
  });

  it('is none where the bytes are another structure', () => {
    const token = Buffer.from('aa.bb.cc').toString('base64url');
    expect(() => reportOf(bodyOf({ value: token }))).toThrow('body.json: is a token');
  });
});
