import type { Configuration } from '../config/configuration.js';
import { configuredLines } from '../config/product-lines.js';
import { AMD_LINES, type AmdLine, type AmdLines } from '../core/amd-lines.js';
import { AMD_ROOT_PINS, type AmdRootPins } from '../tee/snp/amd/roots.js';

/** The product lines of a configuration: the built-in lines and its own. */
export function servedLines(configuration: Configuration): AmdLines {
  return new Map([...AMD_LINES, ...addedLines(configuration).map((line) => [line.product, line] as const)]);
}

/**
 * The trust anchors of the product lines of a configuration.
 * @param builtIn those of the built-in lines; only a lab passes others than AMD's, and no configuration does
 */
export function servedPins(configuration: Configuration, builtIn: AmdRootPins = AMD_ROOT_PINS): AmdRootPins {
  const added = addedLines(configuration).map(({ product, arkSpki }) => [product, arkSpki] as const);
  return new Map([...builtIn, ...added]);
}

/** Lines that replace no built-in line. A record of an earlier version may name a line that is built in now. */
function addedLines({ amd }: Configuration): readonly AmdLine[] {
  return configuredLines(amd).filter(({ product }) => !AMD_LINES.has(product));
}
