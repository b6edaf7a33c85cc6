import type { ProblemCode } from '../../src/core/codes.js';

/** The text of docs/codes.md on one refusal. */
interface RefusalText {
  /** The trigger. Lower case, no period; triggers end in a semicolon. */
  readonly when: string;
  /** The remedy for the caller or the operator. One sentence. */
  readonly remedy: string;
}

const LATER = 'The caller should try again after the seconds in Retry-After';

export const REFUSAL_TEXTS: { readonly [code in ProblemCode]: RefusalText } = {
  unauthorized: {
    when: 'the call has no credential that the configuration of callers knows, or one that is no longer valid',
    remedy: 'The caller should send a valid credential, or the operator should add the caller to the configuration.',
  },
  forbidden: {
    when: 'the caller lacks the role of the call, or may not use the policy, audience or verification time that it names',
    remedy:
      'The caller should ask for what it may use, or the operator should give it the role, policy or audience that detail names.',
  },
  not_found: {
    when: 'nothing is served at the path',
    remedy: 'The caller should use a path that openapi.yaml lists.',
  },
  method_not_allowed: {
    when: 'the path is served for other methods; the request is not HTTP/1.1',
    remedy: 'The caller should use a method that openapi.yaml lists for the path, over HTTP/1.1.',
  },
  not_acceptable: {
    when: 'accept names no media type that this version answers with',
    remedy: 'The caller should accept application/json.',
  },
  evidence_not_kept: {
    when: 'a decision is to be judged again whose evidence was not kept, or that depended on the moment (deadline, internal_error)',
    remedy: 'The operator should set decisions.keepEvidence to full: decisions from then on can be judged again.',
  },
  body_too_large: {
    when: 'the body has more bytes than limits.bodyBytes',
    remedy: 'The caller should send a smaller body, or the operator should raise limits.bodyBytes.',
  },
  unsupported_media_type: {
    when: 'content-type is not application/json, or content-encoding is set',
    remedy: 'The caller should send application/json in UTF-8, not compressed.',
  },
  rate_limited: {
    when: 'the caller, or its address, made more requests than its rate allows',
    remedy: `${LATER}, or the operator should raise the limit of the caller.`,
  },
  headers_too_large: {
    when: 'the headers have too many bytes, or are too many',
    remedy: 'The caller should send fewer and shorter headers.',
  },
  overloaded: {
    when: 'as many requests are being verified as the service takes, their bodies take as much memory as they may, its event loop is late, or the challenge store is full, or a store fails',
    remedy: `${LATER}, or the operator should add capacity.`,
  },
  caller_keys_unavailable: {
    when: 'the caller sent a token of a configured issuer, and no keys of it are at hand that could verify the token',
    remedy: `${LATER}, and the operator should see why the keys of the issuer cannot be fetched.`,
  },
  clock: {
    when: 'a challenge is asked for, or a caller shows credentials that have not ended, after the clock jumped, and until it can be relied on again',
    remedy: `${LATER}, and the operator should correct the clock of this machine.`,
  },
};
