/** An RSA public key by its numbers, as the JWK members of runtime claims and key sets give it. */
export interface RsaPublicKey {
  /** Modulus, big endian, first byte not zero. */
  readonly n: Uint8Array;
  readonly e: Uint8Array;
}
