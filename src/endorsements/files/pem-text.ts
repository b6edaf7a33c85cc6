/** Certificates as PEM text, one block after the other, in the strict form of RFC 7468. */
export function encodePem(...certificates: readonly Uint8Array[]): string {
  return certificates.map(encodeBlock).join('');
}

function encodeBlock(der: Uint8Array): string {
  const lines =
    Buffer.from(der.buffer, der.byteOffset, der.byteLength)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}
