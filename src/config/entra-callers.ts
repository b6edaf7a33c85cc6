import type { Place } from '../schema/schema.js';

/** Hosts of Entra's issuers, of version 1 or 2, in the clouds of Azure: public, US government, China. */
const HOSTS: readonly string[] = [
  'login.microsoftonline.com',
  'login.microsoft.com',
  'login.windows.net',
  'sts.windows.net',
  'login.microsoftonline.us',
  'login.partner.microsoftonline.cn',
  'login.chinacloudapi.cn',
  'sts.chinacloudapi.cn',
];

/** Each tenant of Entra External ID has its own host. */
const OF_EXTERNAL_ID = '.ciamlogin.com';

/** Paths for many tenants: their keys also sign for tenants of others. */
const OF_MANY_TENANTS = /^https:\/\/[^/]+\/(?:common|organizations|consumers)\//i;

/** The members of a caller that select its tokens of Entra. */
interface EntraWay {
  readonly issuer: string;
  readonly keys: string;
  readonly tenantId: string | null;
  readonly clientIds: readonly string[];
}

/** Whether the name of an issuer is Entra's. */
export function isEntraIssuer(issuer: string): boolean {
  if (!URL.canParse(issuer)) return false;
  const { hostname } = new URL(issuer);
  return HOSTS.includes(hostname) || hostname.endsWith(OF_EXTERNAL_ID);
}

/** Rejects settings that no v2 token of one tenant meets, or that tokens of other tenants also meet. */
export function checkEntra({ tenantId, clientIds, issuer, keys }: EntraWay, at: Place): void {
  if (tenantId === null) at.member('tenantId').refuse('is missing');
  if (clientIds.length === 0) {
    at.member('clientIds').refuse('is missing: any application of a tenant can get a token for this audience');
  }
  // The host belongs to the cloud; the path always has the tenant.
  if (tenantId !== null && !issuer.endsWith(`/${tenantId}/v2.0`)) {
    const form = `https://login.microsoftonline.com/${tenantId}/v2.0`;
    at.member('issuer').refuse(`is not the issuer of v2 tokens of tenantId, which is such as ${form}`);
  }
  if (OF_MANY_TENANTS.test(keys)) {
    const form = `https://login.microsoftonline.com/${tenantId ?? 'TENANT'}/discovery/v2.0/keys`;
    at.member('keys').refuse(`has the keys of every tenant: use discovery, or those of the tenant, such as ${form}`);
  }
}
