import type { JsonObject } from '../model/json.js';
import { azureGuestHint } from './dialects/azure-guest.js';
import { trusteeHint } from './dialects/trustee.js';

/** How evidence that a guest made is sent, where an object looks like such evidence as it is; null where it does not. */
export function guestHint(object: JsonObject): string | null {
  return trusteeHint(object) ?? azureGuestHint(object);
}
