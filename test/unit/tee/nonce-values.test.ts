import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../../src/core/json.js';
import type { Verification } from '../../../src/core/verification.js';
import { jwkThumbprint } from '../../../src/crypto/jwk-thumbprint.js';
import { boundValue, createSnpGuest, createVirtualMachine, flipBit } from '../../lab/index.js';
import { JWK, NONCE, OTHER_NONCE, PKI, verifyAzure, verifySnp } from './fixture.js';
import { NONCE as ITA_NONCE, tokenOf as itaTokenOf, verifyEvidence as verifyIta } from './ita/fixture.js';
import { azureVm, tokenOf as maaTokenOf, sevSnpVm, verifyMaa } from './maa/fixture.js';

const guest = createSnpGuest({ pki: PKI });
const vm = await createVirtualMachine({ pki: PKI, platform: guest.platform });

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const padded = (bytes: Uint8Array) => hex(bytes).padEnd(128, '0');

/** Result, expected and actual of each check of the nonce. */
function compared(found: Verification): readonly (readonly JsonValue[])[] {
  return found.checks
    .filter(({ id }) => id === 'nonce_mismatch')
    .map(({ about, result, expected, actual }) => [about, result, expected, actual]);
}

describe('expected and actual of the nonce', () => {
  it('are report data of a bare report, with zeros', async () => {
    const found = await verifySnp(guest.evidence({ nonce: OTHER_NONCE }), { nonce: NONCE });
    expect(compared(found)).toEqual([['/evidence/report', 'fail', padded(NONCE), padded(OTHER_NONCE)]]);
    const same = await verifySnp(guest.evidence({ nonce: NONCE, jwk: JWK }), { nonce: NONCE, jwk: JWK });
    const x = padded(boundValue(NONCE, JWK));
    expect(compared(same)).toEqual([['/evidence/report', 'pass', x, x]]);
  });

  it('are the member of runtime data, and the bound key where one is', async () => {
    const evidence = guest.evidence({ nonce: OTHER_NONCE, jwk: JWK, runtimeData: 'nonce' });
    const place = '/evidence/runtimeData';
    expect(compared(await verifySnp(evidence, { nonce: NONCE }))).toEqual([
      [place, 'fail', hex(NONCE), hex(OTHER_NONCE)],
    ]);
    const keyed = await verifySnp(evidence, { nonce: OTHER_NONCE, jwk: JWK });
    const [[, result, expected, actual] = []] = compared(keyed);
    expect(result).toBe('pass');
    expect(expected).toEqual({ nonce: hex(OTHER_NONCE), jkt: jwkThumbprint(JWK) });
    expect(actual).toEqual(expected);
  });

  it('are nothing and the nonce where runtime data has none, and a length where it is none', async () => {
    const withData = (data: object) => guest.evidence({ runtimeData: { text: JSON.stringify(data) } });
    const actualOf = async (data: object) => compared(await verifySnp(withData(data), { nonce: NONCE }))[0]?.[3];
    expect(await actualOf({})).toBeNull();
    expect(await actualOf({ nonce: Buffer.alloc(65).toString('base64url') })).toBe('65 bytes');
  });

  it('are user-data and extraData of Azure evidence', async () => {
    const evidence = vm.evidence({ nonce: OTHER_NONCE });
    expect(compared(await verifyAzure(evidence, { nonce: NONCE }))).toEqual([
      ['/evidence/hclReport', 'fail', padded(NONCE), padded(OTHER_NONCE)],
      ['/evidence/tpmQuote/message', 'fail', hex(NONCE), hex(OTHER_NONCE)],
    ]);
    expect(compared(await verifyAzure(evidence, { nonce: OTHER_NONCE }))).toEqual([
      ['/evidence/hclReport', 'pass', padded(OTHER_NONCE), padded(OTHER_NONCE)],
      ['/evidence/tpmQuote/message', 'pass', hex(OTHER_NONCE), hex(OTHER_NONCE)],
    ]);
  });

  it('are user-data of a paravisor in bare evidence, where it was never set too', async () => {
    const claims = {
      text: JSON.stringify({ keys: [{ ...vm.vtpm.publicJwk, kid: 'HCLAkPub' }], 'user-data': '0'.repeat(128) }),
    };
    const found = await verifySnp(guest.evidence({ runtimeData: claims }), { nonce: NONCE });
    expect(compared(found)).toEqual([['/evidence/runtimeData', 'fail', padded(NONCE), padded(new Uint8Array())]]);
  });

  it('are the places of a token of Azure Attestation', async () => {
    const claims = azureVm({ nonce: OTHER_NONCE, clientPayloadNonce: OTHER_NONCE });
    const [[, result, expected, actual] = []] = compared(await verifyMaa(maaTokenOf(claims), { nonce: NONCE }));
    expect([result, expected]).toEqual(['fail', hex(NONCE)]);
    expect(actual).toMatchObject({
      'maa.userData': padded(OTHER_NONCE),
      'maa.clientPayloadNonce': hex(OTHER_NONCE),
    });
    const bound = maaTokenOf(sevSnpVm({ nonce: NONCE, jwk: JWK }));
    expect(compared(await verifyMaa(bound, { nonce: NONCE, jwk: JWK }))[0]?.[2]).toMatchObject({
      value: hex(boundValue(NONCE, JWK)),
      nonce: hex(NONCE),
    });
  });

  it('are the places of a token of Intel Trust Authority', async () => {
    const held = Buffer.from(OTHER_NONCE).toString('base64');
    const long = Buffer.alloc(100).toString('base64');
    for (const [value, actual] of [
      [held, hex(OTHER_NONCE)],
      [long, '100 bytes'],
    ] as const) {
      const found = await verifyIta(itaTokenOf({ tdx: { attester_held_data: value } }), { nonce: ITA_NONCE });
      expect(compared(found)).toEqual([
        ['/evidence/token', 'fail', hex(ITA_NONCE), expect.objectContaining({ 'ita.heldData': actual })],
      ]);
    }
  });
});

describe('bytes that nothing has verified are not shown', () => {
  const shown = (found: Verification) => JSON.stringify(found.checks);

  it('of a quote that another key signed', async () => {
    const genuine = vm.evidence({ nonce: NONCE, quote: { extraData: OTHER_NONCE } });
    const signature = flipBit(genuine.tpmQuote.signature, 40);
    const found = await verifyAzure({ ...genuine, tpmQuote: { ...genuine.tpmQuote, signature } }, { nonce: NONCE });
    expect(compared(found)).toContainEqual(['/evidence/tpmQuote', 'skipped', null, null]);
    expect(shown(found)).not.toContain(hex(OTHER_NONCE));
  });

  it('of a report that no chip signed', async () => {
    const genuine = guest.evidence({ nonce: OTHER_NONCE });
    const found = await verifySnp({ ...genuine, report: flipBit(genuine.report, 0x90) }, { nonce: NONCE });
    expect(compared(found)).toEqual([['/evidence/report', 'skipped', null, null]]);
    expect(shown(found)).not.toContain(hex(OTHER_NONCE));
  });

  it('of runtime data that is not that of the report', async () => {
    const genuine = guest.evidence({ nonce: OTHER_NONCE, runtimeData: 'nonce' });
    const runtimeData = Buffer.concat([genuine.runtimeData ?? new Uint8Array(), Buffer.from(' ')]);
    const found = await verifySnp({ ...genuine, runtimeData }, { nonce: NONCE });
    expect(compared(found)).toEqual([['/evidence/runtimeData', 'skipped', null, null]]);
    expect(shown(found)).not.toContain(hex(OTHER_NONCE));
  });

  it('of a token whose key is unknown', async () => {
    const claims = azureVm({ nonce: OTHER_NONCE });
    const token = maaTokenOf(claims, { header: (header) => ({ ...header, kid: 'unknown' }) });
    const found = await verifyMaa(token, { nonce: NONCE });
    expect(compared(found)).toEqual([['/evidence/token', 'skipped', null, null]]);
  });
});
