import type { Configuration } from '../config/configuration.js';
import { openAttestationServices } from './attestation-services.js';
import { type EndorsementWorld, openEarly, openEndorsements } from './endorsements.js';
import { openHeldKeys } from './held-keys.js';
import type { OpenParts } from './open-parts.js';
import { openReceiptVaults, type VaultWorld } from './receipt-vaults.js';
import { ReloadedRoots } from './reload/configured-roots.js';

/** The sources of endorsements, the other verifiers, signers and vaults, and the roots that the configuration names. */
export async function openOutside(
  configuration: Configuration,
  outside: EndorsementWorld & VaultWorld,
  opened: OpenParts,
) {
  const endorsements = opened.add(openEndorsements(configuration, outside));
  await endorsements.ready;
  const early = openEarly(configuration, outside);
  if (early !== null) opened.add(early);
  const services = opened.add(await openAttestationServices(configuration, outside));
  const vaults = await openReceiptVaults(configuration, outside);
  if (vaults !== null) opened.add(vaults);
  const heldKeys = opened.add(await openHeldKeys(configuration, outside));
  const roots = await ReloadedRoots.open(configuration, outside);
  return { endorsements, early, services, vaults, heldKeys, roots };
}
