import { createPublicKey } from 'node:crypto';
import { compactVerify, decodeProtectedHeader } from 'jose';
import { describe, expect, it } from 'vitest';
import type { Decision } from '../../../src/core/decision.js';
import { ReceiptUnavailableError } from '../../../src/core/receipt.js';
import { receiptClaims } from '../../../src/receipts/receipt-claims.js';
import { Receipts } from '../../../src/receipts/receipts.js';
import { LocalSigningKey } from '../../../src/receipts/signing-key.js';
import { DECISION } from '../wire/sample-decision.js';
import { p256 } from './keys.js';

const ALLOW: Decision = { ...DECISION, decision: 'allow' };
const NAME = { issuer: 'https://veritee.example', build: '1' };
const TIME = { signal: new AbortController().signal };
const REQUEST = { audience: 'https://gate.example', tenant: 'default', nonce: null, bindingJwk: null };

describe('Receipts', () => {
  it('signs the claims with the key that signs now', async () => {
    const privateKey = p256();
    const key = new LocalSigningKey(privateKey);
    const token = await new Receipts({ signing: () => key }, () => NAME).issue(ALLOW, REQUEST, TIME);
    const { payload } = await compactVerify(token ?? '', createPublicKey(privateKey));
    expect(JSON.parse(Buffer.from(payload).toString())).toEqual(receiptClaims(ALLOW, REQUEST, NAME));
    expect(decodeProtectedHeader(token ?? '')).toEqual({ alg: 'ES256', kid: key.kid, typ: 'eat+jwt' });
  });

  it('signs nothing where the decision has no receipt', async () => {
    const signing = () => {
      throw new Error('must not be asked');
    };
    const receipts = new Receipts({ signing }, () => NAME);
    expect(await receipts.issue(ALLOW, { ...REQUEST, audience: null }, TIME)).toBeNull();
  });

  it('is unavailable as long as the service has no name', async () => {
    const key = new LocalSigningKey(p256());
    const issued = new Receipts({ signing: () => key }, () => null).issue(ALLOW, REQUEST, TIME);
    await expect(issued).rejects.toThrow(ReceiptUnavailableError);
    await expect(issued).rejects.toThrow('the service has no name before it listens');
  });

  it.each([
    [
      'what the key throws of its own',
      new ReceiptUnavailableError('the vault is out of reach'),
      'the vault is out of reach',
    ],
    ['any other error of the key', new Error('x'), 'the receipt could not be signed'],
  ])('%s is that the receipt is unavailable', async (_title, error, message) => {
    const key = Object.assign(new LocalSigningKey(p256()), { sign: () => Promise.reject(error) });
    const issued = new Receipts({ signing: () => key }, () => NAME).issue(ALLOW, REQUEST, TIME);
    await expect(issued).rejects.toThrow(ReceiptUnavailableError);
    await expect(issued).rejects.toThrow(message);
  });
});
