import { describe, expect, it } from 'vitest';
import { PublishedReceiptKeys } from '../../../src/receipts/published-receipt-keys.js';
import { ReceiptKeys } from '../../../src/receipts/receipt-keys.js';
import { LocalSigningKey } from '../../../src/receipts/signing-key.js';
import { rsa, signingKey } from './keys.js';

const LIFETIME_MS = 300_000;
const AHEAD_MS = 600_000;

function clockAt(start = 1_000_000) {
  let ms = start;
  return { now: () => new Date(ms), monotonicMs: () => ms, advance: (by: number) => (ms += by) };
}

const [first, second, third] = [signingKey(), signingKey(), signingKey()];

function open(set: Partial<ConstructorParameters<typeof ReceiptKeys>[0]> = {}) {
  const clock = clockAt();
  const keys = new ReceiptKeys({ key: first, next: null, previous: [], ...set }, clock, LIFETIME_MS);
  return { clock, keys, kids: () => keys.published().map(({ kid }) => kid) };
}

describe('ReceiptKeys', () => {
  it('signs with the key at once, since there is no other', () => {
    const { keys, kids } = open();
    expect(keys.signing()).toBe(first);
    expect(kids()).toEqual([first.kid]);
  });

  it('publishes the next key at once, and signs with it from ten minutes later', () => {
    const { clock, keys, kids } = open({ next: second });
    expect(kids()).toEqual([first.kid, second.kid]);
    clock.advance(AHEAD_MS - 1);
    expect(keys.signing()).toBe(first);
    clock.advance(1);
    expect(keys.signing()).toBe(second);
    expect(kids()).toEqual([second.kid, first.kid]);
  });

  it('publishes previous keys, and never signs with them', () => {
    const { clock, keys, kids } = open({ previous: [third] });
    clock.advance(AHEAD_MS);
    expect(keys.signing()).toBe(first);
    expect(kids()).toEqual([first.kid, third.kid]);
  });

  it('a key that another file replaces signs until the new one has been published for ten minutes', () => {
    const { clock, keys, kids } = open();
    keys.exchange({ key: second, next: null, previous: [] });
    expect(keys.signing()).toBe(first);
    expect(kids()).toEqual([first.kid, second.kid]);
    clock.advance(AHEAD_MS);
    expect(keys.signing()).toBe(second);
  });

  it('a key that signed stays published until the last receipt of it has ended', () => {
    const { clock, keys, kids } = open({ next: second });
    keys.signing();
    clock.advance(AHEAD_MS - 1);
    keys.signing();
    clock.advance(1);
    keys.exchange({ key: second, next: null, previous: [] });
    expect(keys.signing()).toBe(second);
    clock.advance(LIFETIME_MS - 1);
    expect(kids()).toEqual([second.kid, first.kid]);
    clock.advance(1);
    expect(kids()).toEqual([second.kid]);
  });

  it('the next key that becomes the key signs at once, as it was published before', () => {
    const { clock, keys } = open({ next: second });
    clock.advance(AHEAD_MS);
    keys.exchange({ key: second, next: null, previous: [] });
    expect(keys.signing()).toBe(second);
  });

  it('a next key that was not published for long signs no earlier as the key', () => {
    const { clock, keys } = open({ next: second });
    clock.advance(1000);
    keys.exchange({ key: second, next: null, previous: [] });
    clock.advance(AHEAD_MS - 1001);
    expect(keys.signing()).toBe(first);
    clock.advance(1);
    expect(keys.signing()).toBe(second);
  });

  it('a key that signed is new when it comes back after its last receipt has ended', () => {
    const { clock, keys, kids } = open();
    keys.exchange({ key: second, next: null, previous: [] });
    clock.advance(AHEAD_MS);
    expect(keys.signing()).toBe(second);
    clock.advance(AHEAD_MS);
    expect(kids()).toEqual([second.kid]);
    keys.exchange({ key: first, next: null, previous: [] });
    expect(keys.signing()).toBe(second);
    clock.advance(AHEAD_MS);
    expect(keys.signing()).toBe(first);
  });

  it('a key that was gone is new when it comes back', () => {
    const { clock, keys } = open({ next: second });
    keys.exchange({ key: first, next: null, previous: [] });
    clock.advance(AHEAD_MS);
    keys.exchange({ key: first, next: second, previous: [] });
    expect(keys.signing()).toBe(first);
    clock.advance(AHEAD_MS);
    expect(keys.signing()).toBe(second);
  });
});

describe('PublishedReceiptKeys', () => {
  const { keys } = open({ next: new LocalSigningKey(rsa()) });

  it('lists the keys as a JWK Set', () => {
    expect(new PublishedReceiptKeys(keys, null).keySet()).toEqual({ keys: keys.published() });
  });

  it.each(['https://veritee.example/base', 'https://veritee.example/base/'])(
    'tells where the keys of %s are, and the algorithms of the keys that sign now or next',
    (issuer) => {
      expect(new PublishedReceiptKeys(keys, issuer).discovery()).toEqual({
        issuer,
        jwks_uri: 'https://veritee.example/base/.well-known/jwks.json',
        id_token_signing_alg_values_supported: ['ES256', 'RS256'],
        response_types_supported: ['id_token'],
        subject_types_supported: ['public'],
      });
    },
  );

  it('has no discovery without an issuer', () => {
    expect(new PublishedReceiptKeys(keys, null).discovery()).toBeNull();
  });
});
