import { randomBytes } from 'node:crypto';

/** The scope and owner of an access token. */
export interface BearerGrant {
  /** Without the slash and `.default` of a scope, as `https://attest.azure.net`. */
  readonly resource: string;
  readonly clientId: string;
  readonly lifetimeSeconds: number;
}

/** Access tokens that the lab's Entra and managed identities issue: opaque texts, which their audience looks up here. */
export class BearerTokens {
  readonly #clock: () => Date;
  readonly #issued = new Map<string, { readonly resource: string; readonly expires: number }>();

  constructor(clock: () => Date = () => new Date()) {
    this.#clock = clock;
  }

  issue({ resource, clientId, lifetimeSeconds }: BearerGrant): string {
    const token = `lab.${Buffer.from(clientId).toString('base64url')}.${randomBytes(24).toString('base64url')}`;
    const expires = this.#clock().getTime() + lifetimeSeconds * 1000;
    this.#issued.set(token, { resource: withoutSlash(resource), expires });
    return token;
  }

  /** Whether a token was issued for this resource, and is neither revoked nor expired. */
  accepts(token: string, resource: string): boolean {
    const grant = this.#issued.get(token);
    return grant !== undefined && grant.resource === resource && this.#clock().getTime() < grant.expires;
  }

  /** Makes every token that was issued so far worthless. */
  revokeAll(): void {
    this.#issued.clear();
  }
}

function withoutSlash(resource: string): string {
  return resource.endsWith('/') ? resource.slice(0, -1) : resource;
}
