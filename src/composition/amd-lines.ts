import type { Configuration } from '../config/configuration.js';
import { configuredLines } from '../config/product-lines.js';
import { AMD_LINES, type AmdLines } from '../model/amd-lines.js';
import { AMD_ROOT_PINS, type AmdRootPins } from '../vendors/amd/roots.js';

/** The product lines that a configuration serves: those that are built in, and its own. */
export function servedLines({ amd }: Configuration): AmdLines {
  return new Map([...AMD_LINES, ...configuredLines(amd).map((line) => [line.product, line] as const)]);
}

/**
 * The trust anchors of the product lines that a configuration serves.
 * @param builtIn those of the built-in lines: others than AMD's own only for a lab, never from a configuration
 */
export function servedPins({ amd }: Configuration, builtIn: AmdRootPins = AMD_ROOT_PINS): AmdRootPins {
  return new Map([...builtIn, ...configuredLines(amd).map(({ product, arkSpki }) => [product, arkSpki] as const)]);
}
