import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import dcapQvl from '@phala/dcap-qvl';
import { initSync, js_verify } from '@phala/dcap-qvl-web';
import type { TdxCollateral } from '../src/core/evidence.js';
import { wireCollateral } from './lab/wire-evidence.js';

/**
 * Other people's verifiers of TD quotes, asked as oracles. Both answer with one status, in which those of platform,
 * module and quoting enclave are merged, and with the advisories; what they refuse they refuse with a text.
 */

export type OracleVerdict =
  | { readonly accepted: true; readonly status: string; readonly advisories: readonly string[] }
  | { readonly accepted: false; readonly because: string };

/** A quote, the collateral for it, and the instant that it is verified at. */
export interface Asked {
  readonly quote: Uint8Array;
  readonly collateral: TdxCollateral;
  readonly at: Date;
}

type DcapCollateral = Parameters<typeof dcapQvl.verify>[1];

/** Collateral as both packages want it: the same members as in a request. */
function dcapCollateral(collateral: TdxCollateral): DcapCollateral {
  return wireCollateral(collateral) as unknown as DcapCollateral;
}

/**
 * The package in JavaScript.
 *
 * @param root DER of another root than Intel's
 */
export function askPackage({ quote, collateral, at }: Asked, root?: Uint8Array): OracleVerdict {
  const verifier =
    root === undefined
      ? dcapQvl.QuoteVerifier.newProd()
      : dcapQvl.QuoteVerifier.newWithRootCa(Buffer.from(root.buffer, root.byteOffset, root.byteLength));
  return verdictOf(() => verifier.verify(quote, dcapCollateral(collateral), at.getTime() / 1000));
}

/** The package in WebAssembly, which is Rust. It knows Intel's root alone. */
export function askWebAssembly({ quote, collateral, at }: Asked): OracleVerdict {
  load();
  return verdictOf(() => js_verify(quote, dcapCollateral(collateral), BigInt(Math.floor(at.getTime() / 1000))));
}

let loaded = false;

function load(): void {
  if (loaded) return;
  const file = createRequire(import.meta.url).resolve('@phala/dcap-qvl-web/dcap-qvl-web_bg.wasm');
  initSync({ module: readFileSync(file) });
  loaded = true;
}

interface Report {
  readonly status: string;
  readonly advisory_ids: readonly string[];
}

/** One throws errors, the other texts. */
function verdictOf(verify: () => Report): OracleVerdict {
  try {
    const { status, advisory_ids: advisories } = verify();
    return { accepted: true, status, advisories: [...advisories] };
  } catch (error) {
    return { accepted: false, because: error instanceof Error ? error.message : String(error) };
  }
}
