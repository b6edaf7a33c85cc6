import { expect, it } from 'vitest';
import { hex } from '../../../src/core/bytes.js';
import { boundValue } from '../../../src/crypto/bound-value.js';

it('is a prefix and the SHA-256 of label, nonce and thumbprint', () => {
  const nonce = Uint8Array.from({ length: 32 }, (_, index) => index);
  // The thumbprint of RFC 7638, section 3.1. The digest was computed by another program.
  expect(hex(boundValue(nonce, 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs'))).toBe(
    '7665726974656531e0beae9c4d3ac242c39fba18795938b135f19ee7175fe403647468cef2745839',
  );
});
