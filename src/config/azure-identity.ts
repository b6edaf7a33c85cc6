import type { AzureIdentity } from '../model/azure-identity.js';
import type { Setting } from './setting.js';
import { kinds, object, orNull } from './setting.js';
import { choice, path, pattern } from './values.js';

type OfKind<K extends AzureIdentity['kind']> = Extract<AzureIdentity, { kind: K }>;

export const uuid = pattern(/^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/, 'a UUID');
const tenant = pattern(/^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})$/, 'the id or the domain of a tenant');
/** The library speaks to https only, and to no path. */
const authority = pattern(/^https:\/\/[A-Za-z0-9.-]+(?::\d{1,5})?$/, 'an https URL without path');

/** An identity of this service, as the configuration writes it. */
export function azureIdentity(): Setting<AzureIdentity> {
  return kinds<AzureIdentity>(
    new Map<AzureIdentity['kind'], Setting<AzureIdentity>>([
      [
        'workload-identity',
        object<OfKind<'workload-identity'>>({
          kind: choice('workload-identity'),
          tenantId: orNull(tenant),
          clientId: orNull(uuid),
          tokenFile: orNull(path()),
          authority: orNull(authority),
        }),
      ],
      [
        'managed-identity',
        object<OfKind<'managed-identity'>>({
          kind: choice('managed-identity'),
          clientId: orNull(uuid),
        }),
      ],
      [
        'client-secret',
        object<OfKind<'client-secret'>>({
          kind: choice('client-secret'),
          tenantId: tenant,
          clientId: uuid,
          secretFile: path(),
          authority: orNull(authority),
        }),
      ],
      [
        'client-certificate',
        object<OfKind<'client-certificate'>>({
          kind: choice('client-certificate'),
          tenantId: tenant,
          clientId: uuid,
          certificateFile: path(),
          authority: orNull(authority),
        }),
      ],
    ]),
  );
}
