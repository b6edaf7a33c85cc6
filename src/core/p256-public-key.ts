/** A public key on the curve P-256. */
export interface P256PublicKey {
  /** X‖Y, 64 bytes, a point on the curve. */
  readonly point: Uint8Array;
}
