import type { Configuration } from '../config/configuration.js';
import { openAttestationServices } from './attestation-services.js';
import { type EndorsementOptions, openEarly, openEndorsements } from './endorsements.js';
import { openHeldKeys } from './held-keys.js';
import type { OpenParts } from './open-parts.js';
import { openReceiptVaults, type VaultOptions } from './receipt-vaults.js';
import { ReloadedRoots } from './reload/configured-roots.js';
import { ReloadedReceiptKeys } from './reload/receipt-keys.js';

/** The dependencies of everything that contacts other services. */
export type OutsideOptions = EndorsementOptions & VaultOptions;

/** Opens the sources of endorsements, other verifiers, keys and vaults, and reads the configured roots. */
export async function openOutside(configuration: Configuration, outside: OutsideOptions, opened: OpenParts) {
  const endorsements = opened.add(openEndorsements(configuration, outside));
  await endorsements.ready;
  const early = openEarly(configuration, outside);
  if (early !== null) opened.add(early);
  const services = opened.add(await openAttestationServices(configuration, outside));
  const vaults = await openReceiptVaults(configuration, outside);
  if (vaults !== null) opened.add(vaults);
  const heldKeys = opened.add(await openHeldKeys(configuration, outside));
  const roots = await ReloadedRoots.open(configuration, outside);
  const receiptKeys = await ReloadedReceiptKeys.open(configuration, { ...outside, vaults });
  return { endorsements, early, services, heldKeys, roots, receiptKeys };
}
