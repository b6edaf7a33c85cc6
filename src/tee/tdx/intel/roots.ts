import type { PathProfile } from '../../../crypto/path-profile.js';
import type { SignatureAlgorithm } from '../../../formats/signature-algorithm.js';

/**
 * SHA-256 of the SubjectPublicKeyInfo of the Intel SGX Root CA, the trust anchor of SGX and TDX. Any certificate with
 * this key is trusted. The verifiers of Google and of the dcap-qvl project pin the same key.
 */
export const INTEL_SGX_ROOT_PINS: ReadonlySet<string> = new Set([
  'a0af031289f5d5d4132f9186068a7fc13628633ba235777472e29b6b6c67a49e',
]);

/**
 * The public certificate of the Intel SGX Root CA, PEM, serial number 22650CD65A9D3489F383B49552BF501B392706AC. Quotes
 * and collateral contain it. The web page uses this copy to complete a chain without it.
 */
export const INTEL_SGX_ROOT = `\
-----BEGIN CERTIFICATE-----
MIICjzCCAjSgAwIBAgIUImUM1lqdNInzg7SVUr9QGzknBqwwCgYIKoZIzj0EAwIw
aDEaMBgGA1UEAwwRSW50ZWwgU0dYIFJvb3QgQ0ExGjAYBgNVBAoMEUludGVsIENv
cnBvcmF0aW9uMRQwEgYDVQQHDAtTYW50YSBDbGFyYTELMAkGA1UECAwCQ0ExCzAJ
BgNVBAYTAlVTMB4XDTE4MDUyMTEwNDUxMFoXDTQ5MTIzMTIzNTk1OVowaDEaMBgG
A1UEAwwRSW50ZWwgU0dYIFJvb3QgQ0ExGjAYBgNVBAoMEUludGVsIENvcnBvcmF0
aW9uMRQwEgYDVQQHDAtTYW50YSBDbGFyYTELMAkGA1UECAwCQ0ExCzAJBgNVBAYT
AlVTMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEC6nEwMDIYZOj/iPWsCzaEKi7
1OiOSLRFhWGjbnBVJfVnkY4u3IjkDYYL0MxO4mqsyYjlBalTVYxFP2sJBK5zlKOB
uzCBuDAfBgNVHSMEGDAWgBQiZQzWWp00ifODtJVSv1AbOScGrDBSBgNVHR8ESzBJ
MEegRaBDhkFodHRwczovL2NlcnRpZmljYXRlcy50cnVzdGVkc2VydmljZXMuaW50
ZWwuY29tL0ludGVsU0dYUm9vdENBLmRlcjAdBgNVHQ4EFgQUImUM1lqdNInzg7SV
Ur9QGzknBqwwDgYDVR0PAQH/BAQDAgEGMBIGA1UdEwEB/wQIMAYBAf8CAQEwCgYI
KoZIzj0EAwIDSQAwRgIhAOW/5QkR+S9CiSDcNoowLuPRLsWGf/Yi7GSX94BgwTwg
AiEA4J0lrHoMs+Xo5o/sX6O9QWxHRAvZUGOdRQ7cvqRXaqI=
-----END CERTIFICATE-----
`;

/**
 * The profile of Intel's paths for SGX and TDX: PCK, Platform or Processor CA, root; and TCB signing, root.
 *
 * @param anchors SHA-256 of the SubjectPublicKeyInfo of each root that is trusted, lower-case hex
 */
export function intelSgxProfile(anchors: ReadonlySet<string>): PathProfile {
  return {
    anchors,
    signatureAlgorithms: new Set<SignatureAlgorithm>(['ecdsa-sha256']),
    issuerKeys: [{ kind: 'ec', curve: 'P-256' }],
    leafKeys: [{ kind: 'ec', curve: 'P-256' }],
  };
}
