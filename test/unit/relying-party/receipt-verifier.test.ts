import { describe, expect, it } from 'vitest';
import type { ReceiptVerifierOptions } from '../../../src/relying-party/options.js';
import { createReceiptVerifier } from '../../../src/relying-party/receipt-verifier.js';
import {
  AUDIENCE,
  BOUND_JKT,
  CLAIMS,
  HEADER,
  ISSUER,
  KEY_SET,
  NONCE,
  NOW,
  OPTIONS,
  OTHER_KEY,
  OTHER_NONCE,
  receiptWith,
  SHA256,
} from './sample-receipt.js';

const VALID = receiptWith();
const DEMAND = { nonce: NONCE };

/** Options without some, or with others. */
const options = (members: object) => ({ ...OPTIONS, ...members }) as ReceiptVerifierOptions;
const verifier = (members: object = {}) => createReceiptVerifier(options(members));
/** Calls as JavaScript makes them, where no compiler objects. */
const verify = (receipt: unknown, demand: unknown, members: object = {}) =>
  verifier(members).verify(receipt as string, demand as typeof DEMAND);

interface Misuse {
  readonly what: string;
  /** What is made, and then called. */
  readonly use: () => unknown;
  readonly error: object;
}

const made = (what: string, members: object, message: string): Misuse => ({
  what: `made with ${what}`,
  use: () => verifier(members),
  error: { name: 'TypeError', message: expect.stringContaining(message) },
});

const called = (what: string, use: () => Promise<unknown>, error: object): Misuse => ({
  what: `called with ${what}`,
  use,
  error,
});
const wrongCall = (message: string) => ({ name: 'TypeError', message: expect.stringContaining(message) });
const refused = (code: string) => ({ name: 'ReceiptError', code });

const MISUSES: readonly Misuse[] = [
  {
    what: 'made with nothing',
    use: () => createReceiptVerifier(undefined as never),
    error: wrongCall('options: expected'),
  },
  made('no issuer', { issuer: undefined }, 'issuer is missing'),
  made('an empty issuer', { issuer: '' }, 'issuer is missing'),
  made(
    'an issuer to fetch keys from over plain http',
    { issuer: 'http://a.example', keys: undefined },
    'not an https URL',
  ),
  made('no audience', { audience: undefined }, 'audience is missing'),
  made('a list of audiences', { audience: [AUDIENCE] }, 'audience is missing'),
  made('a blank after the audience', { audience: `${AUDIENCE} ` }, 'audience is missing'),
  made('the audience of a deny', { audience: 'urn:veritee:not-allowed' }, 'audience begins with urn:veritee:'),
  made('a name of the service in capitals', { audience: 'URN:Veritee:x' }, 'audience begins with urn:veritee:'),
  made('no policies', { policies: undefined }, 'policies is no list'),
  made('an empty list of policies', { policies: [] }, 'policies is no list'),
  made('nine policies', { policies: Array.from({ length: 9 }, (_, at) => ({ id: `p${at}` })) }, 'policies is no list'),
  made('a policy by its name alone', { policies: ['payments'] }, 'policies: expected an object'),
  made('a gap among the policies', { policies: new Array(1) }, 'policies: expected an object'),
  made('a policy without an id', { policies: [{ sha256: SHA256 }] }, 'id is not the id of a policy'),
  made('a policy twice', { policies: [{ id: 'a' }, { id: 'a', sha256: SHA256 }] }, 'names an id twice'),
  made('a digest that is not set', { policies: [{ id: 'payments', sha256: undefined }] }, 'sha256 is not 64 digits'),
  made(
    'a digest in capitals',
    { policies: [{ id: 'payments', sha256: SHA256.toUpperCase() }] },
    'sha256 is not 64 digits',
  ),
  made('a digest under another name', { policies: [{ id: 'payments', digest: SHA256 }] }, '"digest" is not known'),
  made('no types of evidence', { evidenceTypes: undefined }, 'evidenceTypes is no list'),
  made('an empty list of types', { evidenceTypes: [] }, 'evidenceTypes is no list'),
  made('a text of types', { evidenceTypes: 'az-snp-vtpm' }, 'evidenceTypes is no list'),
  made('neither tenant nor subject', { tenant: undefined }, 'pass one of the two'),
  made('both tenant and subject', { subject: 'default:payments' }, 'pass one of the two'),
  made('the subject of another policy', { tenant: undefined, subject: 'default:lenient' }, 'subject does not fit'),
  made('a subject without a tenant', { tenant: undefined, subject: ':payments' }, 'subject does not fit'),
  made('an option that is not known', { evidenceType: 'az-snp-vtpm' }, '"evidenceType" is not known'),
  made('keys that are no key set', { keys: 'https://veritee.example' }, 'this is no JWK Set'),
  made('an empty key set', { keys: { keys: [] } }, 'this JWK Set has no key'),
  made('a clock that is none', { clock: NOW }, 'clock is no function'),
  made('a fetch that is none', { fetch: 'fetch' }, 'fetch is no function'),

  called('no receipt', () => verify(undefined, DEMAND), refused('receipt_form')),
  called('the receipt of a decision without one', () => verify(null, DEMAND), refused('receipt_form')),
  called('the whole answer', () => verify({ decision: 'allow', receipt: VALID }, DEMAND), refused('receipt_form')),
  called('true', () => verify(true, DEMAND), refused('receipt_form')),
  called('the header Authorization', () => verify(`Bearer ${VALID}`, DEMAND), refused('receipt_form')),
  called('no demand', () => verify(VALID, undefined), wrongCall('the second argument: expected an object')),
  called('the nonce alone', () => verify(VALID, NONCE), wrongCall('the second argument: expected an object')),
  called('no nonce', () => verify(VALID, {}), wrongCall('nonce is missing')),
  called('an empty nonce', () => verify(VALID, { nonce: '' }), wrongCall('nonce is missing')),
  called(
    'a nonce in bytes',
    () => verify(VALID, { nonce: Buffer.from(NONCE, 'base64url') }),
    wrongCall('nonce is missing'),
  ),
  called('a nonce with padding', () => verify(VALID, { nonce: `${NONCE}=` }), wrongCall('nonce is not base64url')),
  called('a nonce of seven bytes', () => verify(VALID, { nonce: 'AAAAAAAAAA' }), wrongCall('nonce is not base64url')),
  called('a nonce of 65 bytes', () => verify(VALID, { nonce: 'A'.repeat(87) }), wrongCall('nonce is not base64url')),
  called(
    'a receipt without a nonce, and none expected',
    () => verify(receiptWith({ eat_nonce: undefined }), { nonce: undefined }),
    wrongCall('nonce is missing'),
  ),
  called(
    'the nonce that the receipt names',
    () => verify(receiptWith({ eat_nonce: '' }), { nonce: '' }),
    wrongCall('nonce is missing'),
  ),
  called(
    'a bound key that is not set',
    () => verify(VALID, { nonce: NONCE, boundKey: undefined }),
    wrongCall('boundKey'),
  ),
  called('a bound key that is true', () => verify(VALID, { nonce: NONCE, boundKey: true }), wrongCall('boundKey')),
  called(
    'a thumbprint in hex',
    () => verify(VALID, { nonce: NONCE, boundKey: { jkt: SHA256 } }),
    wrongCall('jkt is not an RFC 7638'),
  ),
  called(
    'a demand that is not known',
    () => verify(VALID, { nonce: NONCE, boundkey: 'required' }),
    wrongCall('"boundkey"'),
  ),
  called('a clock that tells nothing', () => verify(VALID, DEMAND, { clock: () => undefined }), { name: 'TypeError' }),
  called('no action', () => verifier().whenAllowed(VALID, DEMAND, undefined as never), wrongCall('action is missing')),
  called(
    'an action that is none',
    () => verifier().whenAllowed(VALID, DEMAND, 'open' as never),
    wrongCall('action is no'),
  ),
];

describe('a receipt verifier that is used wrongly', () => {
  it('is so in more than 25 ways', () => {
    expect(MISUSES.length).toBeGreaterThan(25);
  });

  it.each(MISUSES)('GAT-01 is $what: throws, and is never truthy', async ({ use, error }) => {
    let outcome: unknown = 'nothing';
    await expect(
      (async () => {
        outcome = await use();
      })(),
    ).rejects.toMatchObject(error);
    expect(outcome).toBe('nothing');
  });
});

describe('createReceiptVerifier', () => {
  it('verifies what says allow', async () => {
    const verified = await verifier().verify(VALID, DEMAND);
    expect(verified).toMatchObject({ decision: 'allow', decisionId: CLAIMS.jti, nonce: NONCE });
    expect(Object.isFrozen(verified)).toBe(true);
  });

  it.each([
    ['of somebody else', receiptWith({ aud: 'https://other.example' }), 'receipt_audience'],
    ['of another nonce', receiptWith({ eat_nonce: OTHER_NONCE }), 'receipt_nonce'],
    ['of yesterday', receiptWith({ exp: CLAIMS.exp - 86_400 }), 'receipt_time'],
    ['of another policy', receiptWith({ sub: 'default:lenient' }), 'receipt_policy'],
    ['of another key', receiptWith({}, HEADER, OTHER_KEY), 'receipt_signature'],
    ['of a deny', receiptWith({ aud: 'urn:veritee:not-allowed', decision: 'deny' }), 'receipt_audience'],
  ])('DEC-07 refuses a receipt %s, and does not act on it', async (_what, receipt, code) => {
    let acted = false;
    const action = () => {
      acted = true;
    };
    await expect(verifier().whenAllowed(receipt, DEMAND, action)).rejects.toMatchObject({ name: 'ReceiptError', code });
    expect(acted).toBe(false);
  });

  it('acts on what it verified, and answers what the action answers', async () => {
    const act = verifier().whenAllowed(VALID, DEMAND, async ({ evidence }) => evidence.type);
    expect(await act).toBe('az-snp-vtpm');
  });

  it('DEC-07 accepts one nonce once', async () => {
    const once = verifier();
    await once.verify(VALID, DEMAND);
    await expect(once.verify(VALID, DEMAND)).rejects.toMatchObject({ code: 'receipt_nonce' });
    const another = receiptWith({ jti: '019bc1f0-5a3c-7b52-9d9f-3a0e8d0f5c12' });
    await expect(once.verify(another, DEMAND)).rejects.toMatchObject({ code: 'receipt_nonce' });
  });

  it('DEC-07 accepts one nonce once where several come at the same time', async () => {
    const once = verifier();
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => once.verify(VALID, DEMAND)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBe(1);
  });

  it('does not count a nonce whose receipt was refused', async () => {
    const once = verifier();
    await expect(once.verify(receiptWith({ decision: 'deny' }), DEMAND)).rejects.toMatchObject({
      code: 'receipt_decision',
    });
    expect((await once.verify(VALID, DEMAND)).decision).toBe('allow');
  });

  it('refuses a receipt that ends while its key is waited for', async () => {
    let now = NOW;
    const slow = {
      find: async () => {
        now = new Date(CLAIMS.exp * 1000);
        return KEY_SET.keys;
      },
    };
    await expect(verifier({ keys: slow, clock: () => now }).verify(VALID, DEMAND)).rejects.toMatchObject({
      code: 'receipt_time',
      message: 'The receipt ended while it was verified.',
    });
  });

  it('demands a bound key where one is needed', async () => {
    const accepted = verifier().verify(VALID, { nonce: NONCE, boundKey: { jkt: BOUND_JKT } });
    expect((await accepted).boundKey?.jkt).toBe(BOUND_JKT);
    const without = verifier().verify(receiptWith({ cnf: undefined }), { nonce: NONCE, boundKey: 'required' });
    await expect(without).rejects.toMatchObject({ code: 'receipt_binding' });
  });

  it('does not change with the options that it was made with', async () => {
    const evidenceTypes = ['tdx'];
    const policies = [{ id: 'payments', sha256: SHA256 }];
    const fixed = verifier({ evidenceTypes, policies });
    evidenceTypes.push('az-snp-vtpm');
    policies.pop();
    await expect(fixed.verify(VALID, DEMAND)).rejects.toMatchObject({ code: 'receipt_evidence_type' });
  });

  it('takes the subject of a tenant', async () => {
    const red = verifier({ tenant: undefined, subject: 'red:payments' });
    expect((await red.verify(receiptWith({ sub: 'red:payments' }), DEMAND)).subject).toBe('red:payments');
  });

  it('fetches the key set of the issuer, and uses the machine’s clock, unless it is told otherwise', async () => {
    const asked: string[] = [];
    const fetch = async (url: unknown) => {
      asked.push(String(url));
      return new Response(JSON.stringify(KEY_SET));
    };
    const fetching = verifier({ keys: undefined, clock: undefined, fetch });
    await expect(fetching.verify(VALID, DEMAND)).rejects.toMatchObject({ code: 'receipt_time' });
    expect(asked).toEqual([`${ISSUER}/.well-known/jwks.json`]);
  });
});
