/**
 * The answers of the service while one dependency fails, and nothing else does: for each dependency, and each state of its cache,
 * one outcome for each fault. A dash is a cell that cannot be; NO_CELLS says why.
 *
 * These are expectations, written by hand. Nothing computes them.
 */
export const EXPECTED_OUTCOMES = `
dependency, and what is held        DNS    conn   TLS    half   drip   429+   429    500    503    404    type   garb   over   redir  stale  futur
AMD KDS certificates: nothing       vcek   vcek   vcek   vcek   vcek   vcek   vcek   vcek   vcek   vcek   vcek   vcek   vcek   vcek   vcek   vcek
AMD KDS certificates: the VCEK      allow  allow  allow  allow  allow  allow  allow  allow  allow  allow  allow  allow  allow  allow  allow  allow
AMD CRL: nothing                    crl    crl    crl    crl    crl    crl    crl    crl    crl    crl    crl    crl    crl    crl    crl~   crl
AMD CRL: a current list             allow  allow  allow  allow  allow  allow  allow  allow  allow  allow  allow  allow  allow  allow  allow  allow
AMD CRL: a list that has ended      crl~   crl~   crl~   crl~   crl~   crl~   crl~   crl~   crl~   crl~   crl~   crl~   crl~   crl~   crl~   crl~
Intel PCS: nothing                  coll   coll   coll   coll   coll   coll   coll   coll   coll   coll   coll   coll   coll   coll   coll~  coll
Intel PCS: current collateral       allow  allow  allow  allow  allow  allow  allow  allow  allow  allow  allow  allow  allow  allow  allow  allow
Intel PCS: collateral that ended    coll~  coll~  coll~  coll~  coll~  coll~  coll~  coll~  coll~  coll~  coll~  coll~  coll~  coll~  coll~  coll~
Azure THIM: nothing                 coll   coll   coll   coll   coll   coll   coll   coll   coll   coll   coll   coll   coll   coll   coll~  coll
Azure THIM: current collateral      allow  allow  allow  allow  allow  allow  allow  allow  allow  allow  allow  allow  allow  allow  allow  allow
Azure THIM: collateral that ended   coll~  coll~  coll~  coll~  coll~  coll~  coll~  coll~  coll~  coll~  coll~  coll~  coll~  coll~  coll~  coll~
Azure Attestation keys: nothing     jwks   jwks   jwks   jwks   jwks   jwks   jwks   jwks   jwks   jwks   jwks!  jwks!  jwks!  jwks   key!   cert!
Azure Attestation keys: a key set   allow  allow  allow  allow  allow  allow  allow  allow  allow  allow  allow  allow  allow  allow  key!   cert!
Azure Attestation keys: a day old   jwks~  jwks~  jwks~  jwks~  jwks~  jwks~  jwks~  jwks~  jwks~  jwks~  jwks~  jwks~  jwks~  jwks~  key!   cert!
Trust Authority keys: nothing       jwks   jwks   jwks   jwks   jwks   jwks   jwks   jwks   jwks   jwks   jwks!  jwks!  jwks!  jwks   key!   -
Trust Authority keys: a key set     allow  allow  allow  allow  allow  allow  allow  allow  allow  allow  allow  allow  allow  allow  key!   -
Trust Authority keys: a day old     jwks~  jwks~  jwks~  jwks~  jwks~  jwks~  jwks~  jwks~  jwks~  jwks~  jwks~  jwks~  jwks~  jwks~  key!   -
Entra, keys of callers: nothing     503    503    503    503    503    503    503    503    503    503    503    503    503    503    401    -
Entra, keys of callers: a key set   allow  allow  allow  allow  allow  allow  allow  allow  allow  allow  allow  allow  allow  allow  401    -
Entra, keys of callers: a day old   503    503    503    503    503    503    503    503    503    503    503    503    503    503    401    -
Entra, token for a vault: none      rel    rel    rel    rel    rel    rel    rel    rel    rel    rel    rel    rel    rel    rel    rel    -
Entra, token for a vault: a token   allow  allow  allow  allow  allow  allow  allow  allow  allow  allow  allow  allow  allow  allow  allow  -
Entra, token for a vault: ended     rel    rel    rel    rel    rel    rel    rel    rel    rel    rel    rel    rel    rel    rel    rel    -
Key Vault, a key: asked each time   rel    rel    rel    rel    rel    rel    rel    rel    rel    rel!   rel    rel    rel    rel    rel!   rel!
Nonce store: asked each time        nonce  nonce  nonce  nonce  nonce  -      -      -      -      -      -      nonce  nonce  -      nonce  -
`;

/**
 * The same for the clock of the service, against monotonic time: what it answers at once, and ten seconds before and after the time
 * at which it may judge again. Written by hand as well.
 */
export const EXPECTED_CLOCK_OUTCOMES = `
wall time                           /livez /readyz POST /verify         POST /challenges  judges again
59 s ahead                          200    200     allow                200               -
59 s back                           200    200     allow                200               -
61 s on, monotonic time as well     200    200     allow                200               -
61 s ahead                          200    503     indeterminate clock  503 clock         after 60 s
a day ahead                         200    503     indeterminate clock  503 clock         after 60 s
61 s back                           200    503     indeterminate clock  503 clock         after 61 s
6 h back                            200    503     indeterminate clock  503 clock         after 21600 s
6 h back, and put right             200    503     indeterminate clock  503 clock         after 0 s
`;

/** The words of the table. The code of a problem document stands behind its status, that of a decision behind the decision. */
export const WORDS: ReadonlyMap<string, string> = new Map([
  ['allow', 'allow'],
  ['vcek', 'indeterminate vcek_unavailable'],
  ['crl', 'indeterminate crl_unavailable'],
  ['crl~', 'indeterminate crl_stale'],
  ['coll', 'indeterminate collateral_unavailable'],
  ['coll~', 'indeterminate collateral_stale'],
  ['jwks', 'indeterminate jwks_unavailable'],
  ['jwks!', 'indeterminate jwks_invalid'],
  ['jwks~', 'indeterminate jwks_stale'],
  ['key!', 'deny token_key'],
  ['cert!', 'deny cert_validity'],
  ['503', '503 caller_keys_unavailable'],
  ['401', '401 unauthorized'],
  ['rel', 'indeterminate release_unavailable'],
  ['rel!', 'deny release_refused'],
  ['nonce', 'indeterminate nonce_store'],
]);

/** The faults, by the heads of their columns. */
export const FAULTS = {
  DNS: 'the name does not resolve',
  conn: 'nobody answers the attempt to connect',
  TLS: 'the certificate is a stranger’s',
  half: 'the request is taken, and never answered',
  drip: 'one byte a second',
  '429+': '429 with Retry-After',
  '429': '429 without Retry-After',
  '500': '500',
  '503': '503',
  '404': '404',
  type: 'the right bytes as another content type',
  garb: 'bytes that mean nothing',
  over: 'an answer without an end',
  redir: 'a redirect',
  stale:
    'what was right once: a VCEK of another TCB, a list or collateral that has ended, a key set without the key, an access token that has ended, the release of another request, a replica',
  futur: 'what will be right tomorrow: a certificate, a list, collateral',
} as const;
export type Fault = keyof typeof FAULTS;

/** Why cells cannot be. */
export const NO_CELLS: readonly string[] = [
  'futur, Trust Authority keys and keys of callers: a key set has no dates, and no root is configured that certificates in it would have to chain to.',
  'futur, token for a vault: an access token is for the vault to judge, and says nothing to this service.',
  '429 to 404, type and redir, nonce store: the store does not speak HTTP. futur: what it holds is written by this service.',
];
