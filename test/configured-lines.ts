import { servedLines, servedPins } from '../src/app/amd-lines.js';
import type { Configuration } from '../src/config/configuration.js';
import { loadConfiguration } from '../src/config/load-configuration.js';
import type { AmdLines } from '../src/core/amd-lines.js';
import type { AmdRootPins } from '../src/tee/snp/amd/roots.js';
import { type AmdPki, type ConfigurableProduct, lineConfiguration } from './lab/index.js';

/** Product lines of the lab that are not built in, as a configuration adds them. */

/** `amd.products` with the roots of a PKI. */
export function productsOf(pki: AmdPki, ...products: readonly ConfigurableProduct[]) {
  return Object.fromEntries(
    products.map((product) => [product, lineConfiguration(product, pki.pins([product]).get(product) ?? [])]),
  );
}

export function configurationWith(products: object): Configuration {
  return loadConfiguration({ text: JSON.stringify({ amd: { products } }), environment: {} });
}

/** The options of a service with these lines in its configuration, and the lab's roots in the place of AMD's. */
export function servedWith(
  pki: AmdPki,
  ...products: readonly ConfigurableProduct[]
): { readonly lines: AmdLines; readonly pins: AmdRootPins } {
  const configuration = configurationWith(productsOf(pki, ...products));
  return { lines: servedLines(configuration), pins: servedPins(configuration, pki.pins()) };
}
