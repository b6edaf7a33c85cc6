import { clientCertificate, clusterToken } from './entra-assertion.js';
import { namedRsaKey } from './lab-keys.js';
import { maaSigner } from './maa-signer.js';
import { ITA_ALGORITHMS, TrustAuthorityPki } from './trust-authority-pki.js';

/** Makes the RSA keys that the emulators of token services have by default, so that no test waits for them. */
export function makeTokenKeys(): void {
  const [at, origin] = [new Date(), 'https://localhost'];
  for (const name of ['maa-signer-1', 'maa-signer-2', 'maa-signer-3']) maaSigner({ name, issuer: origin, at });
  namedRsaKey('maa-ephemeral', 2048);
  clientCertificate('app');
  clusterToken('pod', at);
  const pki = new TrustAuthorityPki({ keys: 'ita', at, origin });
  for (const algorithm of ITA_ALGORITHMS) pki.tokenKey(algorithm);
}
