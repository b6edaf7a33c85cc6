import type { Configuration } from '../config/configuration.js';
import { configuredLines } from '../config/product-lines.js';
import { AMD_LINES, type AmdLine, type AmdLines } from '../core/amd-lines.js';
import { AMD_ROOT_PINS, type AmdRootPins } from '../tee/snp/amd/roots.js';

/** The product lines that a configuration serves: those that are built in, and its own. */
export function servedLines(configuration: Configuration): AmdLines {
  return new Map([...AMD_LINES, ...addedLines(configuration).map((line) => [line.product, line] as const)]);
}

/**
 * The trust anchors of the product lines that a configuration serves.
 * @param builtIn those of the built-in lines: others than AMD's own only for a lab, never from a configuration
 */
export function servedPins(configuration: Configuration, builtIn: AmdRootPins = AMD_ROOT_PINS): AmdRootPins {
  const added = addedLines(configuration).map(({ product, arkSpki }) => [product, arkSpki] as const);
  return new Map([...builtIn, ...added]);
}

/** None replaces a built-in line: a record of an earlier version may name one that is built in by now. */
function addedLines({ amd }: Configuration): readonly AmdLine[] {
  return configuredLines(amd).filter(({ product }) => !AMD_LINES.has(product));
}
