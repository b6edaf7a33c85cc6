/** An RSA public key by its numbers, as in JWK members of runtime claims and key sets. */
export interface RsaPublicKey {
  /** Modulus, big endian, first byte not zero. */
  readonly n: Uint8Array;
  readonly e: Uint8Array;
}
