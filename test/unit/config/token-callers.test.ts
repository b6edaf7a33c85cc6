import { describe, expect, it } from 'vitest';
import { loadConfiguration } from '../../../src/config/load-configuration.js';
import { ConfigurationError } from '../../../src/core/errors.js';

const TENANT = '5F1C0C2A-7c65-4a0e-8f2b-5d3b7a1e9c04';
const ENTRA = {
  profile: 'entra',
  issuer: `https://login.microsoftonline.com/${TENANT.toLowerCase()}/v2.0`,
  keys: 'discovery',
  audience: ['api://veritee'],
  tenantId: TENANT,
  clientIds: [TENANT],
};
const OTHER_TENANT = '11111111-7c65-4a0e-8f2b-5d3b7a1e9c04';
const NOT_OF_TENANT = `callers.ci.oidc.issuer: is not the issuer of v2 tokens of tenantId, which is such as ${ENTRA.issuer}`;
const GENERIC = {
  profile: 'generic',
  issuer: 'https://token.actions.githubusercontent.com',
  keys: 'discovery',
  audience: 'veritee',
  claims: { repository: 'org/app' },
};
const CLUSTER = {
  issuer: 'https://kubernetes.default.svc.cluster.local',
  keys: 'https://kubernetes.default.svc/openid/v1/jwks',
  audience: 'veritee',
  serviceAccounts: ['gates/release'],
};

const load = (way: object, others: object = {}) =>
  loadConfiguration({
    text: JSON.stringify({ callers: { ci: { roles: ['verify'], ...way } }, ...others }),
    environment: {},
  });

function problems(way: object, others: object = {}): readonly string[] {
  try {
    load(way, others);
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems.map((text) => text.replace(/^.*?line \d+: /, ''));
    throw error;
  }
}

describe('a caller with tokens', () => {
  it('of Entra has its ids in lower case, and members of the other profile empty', () => {
    expect(load({ oidc: ENTRA }).callers['ci']?.oidc).toEqual({
      ...ENTRA,
      tenantId: TENANT.toLowerCase(),
      clientIds: [TENANT.toLowerCase()],
      appRoles: [],
      ca: null,
      subjects: [],
      claims: {},
    });
  });

  it('of a cluster has its keys by discovery where its issuer is an https URL, and not otherwise', () => {
    expect(problems({ kubernetes: { ...CLUSTER, keys: 'discovery' } })).toEqual([]);
    expect(problems({ kubernetes: { ...CLUSTER, issuer: 'kubernetes/serviceaccount', keys: 'discovery' } })).toEqual([
      'callers.ci.kubernetes.keys: discovery needs an https URL as issuer: name the URL or the file of the keys of the cluster',
    ]);
    expect(problems({ kubernetes: { ...CLUSTER, keys: 'discovery', tokenFile: 'token' } })).toEqual([
      'callers.ci.kubernetes.tokenFile: is for keys at a URL, and not for discovery',
    ]);
  });

  it('of another issuer, and of a cluster, may have one audience as a text', () => {
    expect(load({ oidc: GENERIC }).callers['ci']?.oidc).toMatchObject({
      audience: ['veritee'],
      claims: GENERIC.claims,
    });
    expect(load({ kubernetes: CLUSTER }).callers['ci']?.kubernetes).toEqual({
      ...CLUSTER,
      audience: ['veritee'],
      ca: null,
      tokenFile: null,
    });
  });

  it.each<[object, string]>([
    [{ ...ENTRA, tenantId: null }, 'callers.ci.oidc.tenantId: is missing'],
    [
      { ...ENTRA, clientIds: [] },
      'callers.ci.oidc.clientIds: is missing: any application of a tenant can get a token for this audience',
    ],
    [{ ...ENTRA, subjects: ['a'] }, 'callers.ci.oidc.subjects: is for the profile generic alone'],
    [{ ...ENTRA, claims: { a: 'b' } }, 'callers.ci.oidc.claims: is for the profile generic alone'],
    ...[
      ...['common', 'organizations', 'consumers', 'contoso.onmicrosoft.com', OTHER_TENANT, TENANT].map(
        (tenant) => `https://login.microsoftonline.com/${tenant}/v2.0`,
      ),
      `https://sts.windows.net/${TENANT.toLowerCase()}/`,
      `${ENTRA.issuer}/`,
    ].map((issuer): [object, string] => [{ ...ENTRA, issuer }, NOT_OF_TENANT]),
    ...['common', 'organizations', 'consumers', 'Common'].map((name): [object, string] => [
      { ...ENTRA, keys: `https://login.microsoftonline.com/${name}/discovery/v2.0/keys` },
      `callers.ci.oidc.keys: has the keys of every tenant: use discovery, or those of the tenant, such as https://login.microsoftonline.com/${TENANT.toLowerCase()}/discovery/v2.0/keys`,
    ]),
    ...[{}, { aud: 'veritee' }, { iss: GENERIC.issuer, exp: '1', nbf: '1', iat: '1', jti: '1' }].map(
      (claims): [object, string] => [
        { ...GENERIC, claims },
        'callers.ci.oidc: needs subjects, or a claim that says whom a token is about (not iss, aud, exp, nbf, iat or jti): else everybody with a token of this issuer is the caller',
      ],
    ),
    ...[
      ENTRA.issuer,
      `https://sts.windows.net/${TENANT}/`,
      `https://LOGIN.microsoftonline.us/${TENANT}/v2.0`,
      `https://login.partner.microsoftonline.cn/${TENANT}/v2.0`,
      `https://sts.chinacloudapi.cn/${TENANT}/`,
      `https://${TENANT}.ciamlogin.com/${TENANT}/v2.0`,
    ].map((issuer): [object, string] => [
      { ...GENERIC, issuer, claims: { tid: TENANT } },
      'callers.ci.oidc.issuer: is of Microsoft Entra ID, and needs the profile entra with clientIds: of a tenant, any application can get a token for this audience',
    ]),
    [{ ...GENERIC, tenantId: TENANT }, 'callers.ci.oidc.tenantId: is for the profile entra alone'],
    [{ ...GENERIC, clientIds: [TENANT] }, 'callers.ci.oidc.clientIds: is for the profile entra alone'],
    [{ ...GENERIC, appRoles: ['a'] }, 'callers.ci.oidc.appRoles: is for the profile entra alone'],
    [{ ...GENERIC, audience: [] }, 'callers.ci.oidc.audience: must not be empty'],
    ...[
      'http://idp.example/keys',
      'https://user@idp.example/keys',
      'https://idp.example/keys#a',
      'https://idp.example/keys?a#b',
      'https://idp.example/keys?a b',
    ].map((keys): [object, string] => [
      { ...GENERIC, keys },
      'callers.ci.oidc.keys: must be discovery, an https URL without user and fragment, or a path',
    ]),
    [
      { ...GENERIC, issuer: 'http://idp.example' },
      'callers.ci.oidc.issuer: must be an https URL without user, query and fragment',
    ],
    [{ ...GENERIC, profile: 'okta' }, 'callers.ci.oidc.profile: must be entra or generic'],
    [{ ...GENERIC, claims: { a: 7 } }, 'callers.ci.oidc.claims.a: must be text, not empty'],
  ])('does not load with %j', (oidc, problem) => {
    expect(problems({ oidc })).toContain(problem);
  });

  it.each([
    [
      'another issuer whose name holds that of Entra',
      { ...GENERIC, issuer: 'https://login.microsoftonline.com.example' },
    ],
    ['a claim of whom it is about beside one that says nothing', { ...GENERIC, claims: { aud: 'veritee', sub: 'a' } }],
    ['a subject beside claims that say nothing', { ...GENERIC, subjects: ['a'], claims: { aud: 'veritee' } }],
    ['an issuer of Entra in another cloud', { ...ENTRA, issuer: ENTRA.issuer.replace('.com/', '.us/') }],
    ['keys of a tenant', { ...ENTRA, keys: ENTRA.issuer.replace('/v2.0', '/discovery/v2.0/keys') }],
    [
      'keys of an application of a tenant',
      { ...ENTRA, keys: `${ENTRA.issuer.replace('/v2.0', '/discovery/v2.0/keys')}?appid=${TENANT}` },
    ],
    ['a query that has a question mark', { ...GENERIC, keys: 'https://idp.example/keys?a=b?c' }],
  ])('twin: loads with %s', (_title, oidc) => {
    expect(problems({ oidc })).toEqual([]);
  });

  it.each([
    'https://sharedweu.weu.attest.azure.net',
    'https://mine.eus.attest.azure.net',
    'https://portal.trustauthority.intel.com',
    'https://own.example',
    'https://receipts.example',
  ])('does not load with %s, whose tokens say what a machine is', (issuer) => {
    const others = {
      maa: { issuers: [{ issuer: 'https://own.example', policyHash: 'any' }] },
      receipts: { issuer: 'https://receipts.example' },
    };
    const what = issuer.startsWith('https://receipts')
      ? 'issues receipts, and no tokens of callers'
      : 'issues tokens about TEEs, and none of callers';
    expect(problems({ oidc: { ...GENERIC, issuer } }, others)).toEqual([`callers.ci.oidc.issuer: ${what}`]);
    expect(problems({ kubernetes: { ...CLUSTER, issuer } }, others)).toEqual([`callers.ci.kubernetes.issuer: ${what}`]);
  });

  it.each([
    [{ serviceAccounts: ['release'] }, 'callers.ci.kubernetes.serviceAccounts[0]: must be namespace/name'],
    [{ serviceAccounts: ['*/release'] }, 'callers.ci.kubernetes.serviceAccounts[0]: must be namespace/name'],
    [{ serviceAccounts: [] }, 'callers.ci.kubernetes.serviceAccounts: must not be empty'],
    [
      { keys: 'http://api.example/jwks' },
      'callers.ci.kubernetes.keys: must be discovery, an https URL without user and fragment, or a path',
    ],
  ])('of a cluster does not load with %j', (changes, problem) => {
    expect(problems({ kubernetes: { ...CLUSTER, ...changes } })).toEqual([problem]);
  });
});
