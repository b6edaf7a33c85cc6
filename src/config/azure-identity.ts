import type { AzureIdentity } from '../core/azure-identity.js';
import { isObject } from '../core/json.js';
import { orNull, type Schema, whole } from '../schema/schema.js';
import { object, variants } from '../schema/structures.js';
import { choice, pattern, uuid } from '../schema/values.js';
import { path } from './values.js';

const tenant = pattern(/^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})$/, 'the id or the domain of a tenant');
/** The library only supports https, without a path. */
const authority = pattern(/^https:\/\/[A-Za-z0-9.-]+(?::\d{1,5})?$/, 'an https URL without path');

const identities = variants('kind', [
  object({
    kind: choice('workload-identity'),
    tenantId: orNull(tenant),
    clientId: orNull(uuid),
    tokenFile: orNull(path()),
    authority: orNull(authority),
  }),
  object({ kind: choice('managed-identity'), clientId: orNull(uuid) }),
  object({
    kind: choice('client-secret'),
    tenantId: tenant,
    clientId: uuid,
    secretFile: path(),
    authority: orNull(authority),
  }),
  object({
    kind: choice('client-certificate'),
    tenantId: tenant,
    clientId: uuid,
    certificateFile: path(),
    authority: orNull(authority),
  }),
]);

/** An identity of this service. A single word selects that kind with its defaults. */
export const azureIdentity: Schema<AzureIdentity> = {
  ...whole(identities),
  read(raw, at) {
    if (typeof raw === 'string') return identities.read({ kind: raw }, at);
    return isObject(raw) ? identities.read(raw, at) : at.refuse('must be an object, or the name of its kind');
  },
};
