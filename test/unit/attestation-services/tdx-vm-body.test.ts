import { expect, it } from 'vitest';
import { tdxVmBody } from '../../../src/attestation-services/tdx-vm-body.js';

const quote = Uint8Array.of(0xfb, 0xff, 0xfe, 0, 0);

it('has the quote with the zeros at its end, in base64url without padding', () => {
  const body = JSON.parse(tdxVmBody({ tee: 'tdx', quote, runtimeData: null }, 'the-nonce'));
  expect(body).toEqual({ quote: '-__-AAA', nonce: 'the-nonce' });
});

it.each([
  ['{"keys":[]}', 'JSON'],
  ['{"a":1,"a":2}', 'Binary'],
])('has runtime data as what they are: %s is %s', (text, dataType) => {
  const runtimeData = Buffer.from(text);
  const body = JSON.parse(tdxVmBody({ tee: 'tdx', quote, runtimeData }, 'n'));
  expect(body.runtimeData).toEqual({ data: runtimeData.toString('base64url'), dataType });
});
