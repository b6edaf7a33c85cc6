import { describe, expect, it } from 'vitest';
import { requestLimits } from '../../../src/wire/read-body.js';
import { readVerifyRequest } from '../../../src/wire/read-requests.js';
import { formatErrorOf } from '../../format-error-of.js';
import { bodyOf, tdxEvidence } from './sample-bodies.js';

const MIB = 2 ** 20;

function body(ccel: string) {
  return bodyOf({ evidence: { ...tdxEvidence(), ccel } });
}

describe('limits of a request', () => {
  it.each([MIB, 1_572_864, 5 * MIB + 1])(
    'REQ-08 let an event log of %i bytes pass, with and without padding',
    (bytes) => {
      const log = Buffer.alloc(bytes, 1);
      for (const text of [log.toString('base64'), log.toString('base64url')]) {
        const { evidence } = readVerifyRequest(body(text), requestLimits(bytes));
        expect(evidence.type === 'tdx' && evidence.ccel !== null && log.equals(evidence.ccel)).toBe(true);
      }
    },
  );

  it('REQ-08 refuse a longer text', () => {
    const text = Buffer.alloc(MIB + 3, 1).toString('base64');
    expect(formatErrorOf(() => readVerifyRequest(body(text), requestLimits(MIB)))).toEqual({
      code: 'too_complex',
      pointer: '/evidence/ccel',
    });
  });

  it('leave room for everything else where little is allowed for logs', () => {
    const text = Buffer.alloc(MIB / 2, 1).toString('base64');
    expect(readVerifyRequest(body(text), requestLimits(1024)).evidence.type).toBe('tdx');
  });
});
