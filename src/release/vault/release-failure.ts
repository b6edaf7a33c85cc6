import { type ReleaseAsk, ReleaseRefusedError, ReleaseUnavailableError } from '../../core/key-release.js';
import { boundedSeconds, type FetchError } from '../../outside/fetch-error.js';
import { type VaultReason, VaultRefusal } from './vault-refusal.js';

/** Statuses below 500 without an answer to the call: the server was too slow to read it, or is overloaded. */
const NO_ANSWER: ReadonlySet<number> = new Set([408, 429]);

/**
 * Converts a failed release call to an error of the use case. A vault that answers no has refused. Any other answer,
 * such as a redirect or a web page, is no refusal.
 */
export function releaseFailure(error: FetchError, ask: ReleaseAsk): ReleaseRefusedError | ReleaseUnavailableError {
  const { fault, status } = error;
  const isNo = fault === 'status' && status !== null && status < 500 && !NO_ANSWER.has(status);
  return isNo ? refused(error, ask, status) : unavailable(error);
}

/** The detail of a refusal, after "the vault", and its remedy. */
interface FailureText {
  readonly detail: string;
  readonly remedy: string;
}

function refused(error: FetchError, ask: ReleaseAsk, status: number): ReleaseRefusedError {
  const reason = error instanceof VaultRefusal ? error.reason : null;
  const { detail, remedy } = (reason && BY_REASON[reason](ask)) ?? BY_STATUS.get(status)?.(ask) ?? UNKNOWN;
  const code = typeof error.cause === 'string' ? ` ${error.cause}` : '';
  return new ReleaseRefusedError(`the vault ${detail} (${status}${code})`, { remedy, cause: error });
}

const BY_REASON: { readonly [reason in VaultReason]: (ask: ReleaseAsk) => FailureText } = {
  no_permission: (ask) => ({
    detail: 'does not let the identity of this service release the key',
    remedy: `The operator should give the identity ${permissionFor(ask)}.`,
  }),
  token_not_verified: () => ({
    detail: 'cannot verify the token',
    remedy:
      "The operator should see that the token's issuer is an authority of the key's release policy, by the same URL; the caller should send a token that has not expired.",
  }),
  policy_not_met: () => ({
    detail: 'finds that the token does not meet the release policy of the key',
    remedy:
      "The operator should try the key's release policy on the claims of the token (POST /policies:evaluate), which names the conditions that are not met.",
  }),
  no_release_policy: () => ({
    detail: 'has no release policy for the key',
    remedy:
      'The operator should make the key exportable and give it a release policy; a key gets them when it is made.',
  }),
};

const BY_STATUS: ReadonlyMap<number, (ask: ReleaseAsk) => FailureText> = new Map<
  number,
  (ask: ReleaseAsk) => FailureText
>([
  [
    400,
    ({ enc }) => ({
      detail: 'takes the call for malformed',
      remedy: `The operator should see that the key is exportable and has a valid release policy, and that key release and ${enc} exist in the cloud of the vault; the caller should send the token whole.`,
    }),
  ],
  [
    401,
    () => ({
      detail: 'takes no access token of this service',
      remedy: 'The operator should see that the identity of this service is one of the tenant of the vault.',
    }),
  ],
  [
    403,
    (ask) => ({
      detail: 'refuses to release the key',
      remedy: `The operator should see that the identity of this service has ${permissionFor(ask)}, that the network of the vault lets it in, that the key is enabled, and that the claims of the token meet its release policy.`,
    }),
  ],
  [
    404,
    ({ key: { version } }) => ({
      detail: version === null ? 'has no such key' : 'has no such key, or not this version of it',
      remedy: `The operator should compare the name${version === null ? '' : ' and version'} of the key in the configuration with the vault.`,
    }),
  ],
]);

const UNKNOWN: FailureText = {
  detail: 'does not release the key',
  remedy: "The operator should look up the status in Key Vault's documentation of REST errors.",
};

/** Azure's name of the role that permits an identity to release keys. */
function permissionFor({ key: { host } }: ReleaseAsk): string {
  return /^[^.]+\.managedhsm\./.test(host)
    ? 'the role Managed HSM Crypto Service Release User'
    : 'the role Key Vault Crypto Service Release User, or release in the access policy of the vault';
}

function unavailable(error: FetchError): ReleaseUnavailableError {
  const { retryAfterMs } = error;
  return new ReleaseUnavailableError(`the vault did not release the key: ${error.message}`, {
    remedy: remedyOf(error),
    retryAfterSeconds: retryAfterMs === null ? null : boundedSeconds(retryAfterMs),
    cause: error,
  });
}

const LATER = 'The caller should try again later, with a new challenge and a new token';

function remedyOf({ fault, status }: FetchError): string {
  switch (fault) {
    case 'redirect':
    case 'content_type':
    case 'too_large':
      return 'The operator should find out what answers in the place of the vault: a vault answers a release with JSON, and never with a redirect.';
    case 'busy':
    case 'waiting':
      return `${LATER}; a vault has a limit of releases for a time.`;
    default:
      return status === 429 ? `${LATER}; a vault has a limit of releases for a time.` : `${LATER}.`;
  }
}
