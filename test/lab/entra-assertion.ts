import { createHash, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { decodeProtectedHeader, jwtVerify } from 'jose';
import { namedRsaKey } from './lab-keys.js';
import { ATTRIBUTE, buildCertificate, nameOf, pemOf } from './pki.js';
import { makeToken, registeredClaims } from './token-making.js';

const DAY_MS = 24 * 60 * 60_000;

/** Issuer of the tokens that a cluster of the lab projects into its pods. */
export const LAB_CLUSTER_ISSUER = 'https://oidc.lab.example/cluster/';
/** The tolerance of Entra for clocks of its clients: the client library rounds to the nearest second, half of the time up. */
const SKEW_SECONDS = 300;
const TOKEN_EXCHANGE = 'api://AzureADTokenExchange';

/** How a client shows who it is, other than by a secret. */
export interface AssertingClient {
  readonly clientId: string;
  /** PEM certificates whose keys may sign assertions. */
  readonly certificates?: readonly string[];
  /** `sub` of the cluster's tokens that stand for the client (workload identity federation). */
  readonly federatedSubject?: string;
}

/** Key and self-signed certificate of a client. `pem` holds both, as a certificate credential reads it from a file. */
export function clientCertificate(name: string): { readonly pem: string; readonly certificatePem: string } {
  const key = namedRsaKey(`client-${name}`, 2048);
  const subject = nameOf([[ATTRIBUTE.commonName, name]]);
  const certificatePem = pemOf(
    buildCertificate({
      serial: 1,
      issuer: subject,
      subject,
      spki: key.spki,
      notBefore: new Date(Date.now() - DAY_MS),
      notAfter: new Date(Date.now() + 30 * DAY_MS),
      extensions: null,
      signer: key,
      algorithm: { scheme: 'pkcs1', hash: 'sha256' },
    }),
  );
  const keyPem = key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { pem: keyPem + certificatePem, certificatePem };
}

/** A token as the cluster projects it, good for an hour. */
export function clusterToken(subject: string, at: Date): string {
  const claims = { ...registeredClaims(LAB_CLUSTER_ISSUER, at, 3600), aud: [TOKEN_EXCHANGE], sub: subject };
  return makeToken({ header: { kid: 'cluster', typ: 'JWT' }, claims, key: clusterKey(), algorithm: 'RS256' });
}

export type AssertionKind = 'certificate' | 'federated';

/**
 * Verifies a client assertion (RFC 7523 section 3): signed with a certificate that its header names by thumbprint, or a
 * token of the cluster.
 *
 * @param audiences what an assertion of a certificate may be for
 * @throws if it does not verify, with the message of the library
 */
export async function verifyAssertion(
  assertion: string,
  client: AssertingClient,
  { audiences, at }: { readonly audiences: readonly string[]; readonly at: Date },
): Promise<AssertionKind> {
  const { 'x5t#S256': sha256, x5t: sha1 } = decodeProtectedHeader(assertion);
  const named = sha256 ?? sha1;
  const clock = { currentDate: at, clockTolerance: SKEW_SECONDS };
  if (typeof named !== 'string') {
    await jwtVerify(assertion, createPublicKey(clusterKey()), {
      algorithms: ['RS256'],
      issuer: LAB_CLUSTER_ISSUER,
      subject: client.federatedSubject ?? '',
      audience: TOKEN_EXCHANGE,
      ...clock,
    });
    return 'federated';
  }
  await jwtVerify(assertion, certifiedKey(client, named, sha256 === undefined ? 'sha1' : 'sha256'), {
    algorithms: ['PS256', 'RS256'],
    issuer: client.clientId,
    subject: client.clientId,
    audience: [...audiences],
    ...clock,
  });
  return 'certificate';
}

function certifiedKey({ certificates = [] }: AssertingClient, thumbprint: string, hash: 'sha1' | 'sha256'): KeyObject {
  const known = certificates.map((pem) => new X509Certificate(pem));
  const found = known.find(({ raw }) => createHash(hash).update(raw).digest('base64url') === thumbprint);
  if (found === undefined) throw new Error('no certificate of the client has this thumbprint');
  return found.publicKey;
}

function clusterKey(): KeyObject {
  return namedRsaKey('entra-cluster', 2048).privateKey;
}
