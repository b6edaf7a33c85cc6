import { hex } from '../../core/bytes.js';
import type { Checks } from '../../core/check.js';
import type { TpmClaims } from '../../core/claims.js';
import { FormatError, within } from '../../core/errors.js';
import type { CertifiedKeyInput, TpmQuoteInput } from '../../core/evidence.js';
import { registerNames } from '../../core/register-names.js';
import type { ExpectedBinding } from '../../core/verification.js';
import type { Verified } from '../../core/verified.js';
import { equalInConstantTime } from '../../crypto/constant-time.js';
import { digest } from '../../crypto/digest.js';
import { checksAt } from '../catalogue.js';
import { heldHex } from '../shared/binding/held-value.js';
import { withNonce } from '../shared/binding/report-data-binding.js';
import { markVerified } from '../shared/evidence/mark-verified.js';
import type {
  OpenedCertifiedKey,
  OpenedTpmQuote,
  QuotedState,
  QuoteKey,
  StatedPublic,
  TpmQuoteVerification,
  TpmQuoteVerifier,
} from '../shared/evidence/parts.js';
import { HASH_LENGTH, modulusLength, type StrongHash, verifyAttestSignature, word } from './attest-signature.js';
import { openCertifiedKey } from './certified-key.js';
import {
  parseTpmsAttestHeader,
  parseTpmsQuote,
  TPM_GENERATED_VALUE,
  TPM_ST_ATTEST_QUOTE,
  type TpmsQuote,
} from './format/tpms-attest.js';
import { parseTpm2bPublic, type TpmtPublic } from './format/tpmt-public.js';
import { parseTpmSignature } from './format/tpmt-signature.js';

/** Checks that must have an outcome for every quote, in the order in which they run. */
const TPM_QUOTE_CHECKS = [
  'tpm_weak_signature',
  'tpm_signature',
  'tpm_magic',
  'tpm_not_quote',
  'tpm_weak_bank',
  'tpm_pcr_selection',
  'tpm_pcr_digest',
  'tpm_pcr',
] as const;

/** PCRs that firmware always extends. A value of zero means that nothing was measured. */
const ALWAYS_EXTENDED = [0, 7] as const;

/**
 * Verifies vTPM quotes (TPM 2.0 part 3, TPM2_Quote).
 * Does not verify that the key is an attestation key: the caller does.
 */
export class Tpm2QuoteVerifier implements TpmQuoteVerifier {
  readonly required = TPM_QUOTE_CHECKS;

  open(input: TpmQuoteInput, about: string): OpenedTpmQuote {
    const quote = { ...input, structure: within(`${about}/message`, () => readStructure(input)) };
    requireValueLengths(input, about);
    return { said: quote.structure.quote, verify: (key, binding) => verify(checksAt(about), quote, key, binding) };
  }

  openCertifiedKey(input: CertifiedKeyInput, about: string): OpenedCertifiedKey {
    return openCertifiedKey(input, about);
  }

  readPublic(area: Uint8Array): StatedPublic {
    const { key, attributes } = parseTpm2bPublic(area);
    return {
      key: key.kind === 'ec' ? key : { kind: 'rsa', modulus: key.n, exponent: key.e },
      isRestrictedSigningKey: isRestrictedSigningKey(attributes),
    };
  }
}

function isRestrictedSigningKey(attributes: TpmtPublic['attributes']): boolean {
  const { fixedTpm, fixedParent, sensitiveDataOrigin, restricted, sign, decrypt } = attributes;
  return fixedTpm && fixedParent && sensitiveDataOrigin && restricted && sign && !decrypt;
}

/** A parsed quote, and the PCR values that were sent for it. */
type QuoteWithValues = TpmsQuote & QuotedState;

/** A parsed TPMS_ATTEST. Only magic and type are read if it is not a quote. */
type Structure = ReturnType<typeof parseTpmsAttestHeader> & { readonly quote: QuoteWithValues | null };

interface ParsedInput extends TpmQuoteInput {
  readonly structure: Structure;
}

function readStructure({ message, pcrs }: TpmQuoteInput): Structure {
  const header = parseTpmsAttestHeader(message);
  if (!isQuote(header)) return { ...header, quote: null };
  const quote = parseTpmsQuote(message);
  const selectedPcrs = quote.selections.flatMap(({ bank, indices }) => (bank === 'sha256' ? indices : []));
  return { ...header, quote: { ...quote, values: selectedValues(quote, pcrs), selectedPcrs } };
}

/** The values in the order of the selections, then by ascending index; empty if a value was not sent. */
function selectedValues({ selections }: TpmsQuote, pcrs: TpmQuoteInput['pcrs']): readonly Uint8Array[] {
  return selections.flatMap(({ bank, indices }) =>
    indices.map((index) => (bank === null ? new Uint8Array() : (pcrs.get(bank)?.get(index) ?? new Uint8Array()))),
  );
}

function requireValueLengths({ pcrs }: TpmQuoteInput, about: string): void {
  for (const [bank, values] of pcrs) {
    for (const [index, { byteLength }] of values) {
      if (byteLength === HASH_LENGTH[bank]) continue;
      const message = `a ${bank} PCR value is ${byteLength} bytes, expected ${HASH_LENGTH[bank]}`;
      throw new FormatError('tpm_format', message, { pointer: `${about}/pcrs/${bank}/${index}` });
    }
  }
}

/** Runs steps 2 to 10 of README.md in this folder. `open` runs step 1. */
function verify(
  checks: Checks,
  quote: ParsedInput,
  key: Verified<QuoteKey>,
  binding: ExpectedBinding | null,
): TpmQuoteVerification {
  // 2 and 3. The signature.
  const signature = within(`${checks.about}/signature`, () => parseTpmSignature(quote.signature, modulusLength(key)));
  const hash = verifyAttestSignature(
    checks.inside('/signature'),
    { message: quote.message, signature, name: 'quote' },
    key,
  );

  // 4 and 5. A TPM made it, and it is a quote.
  const message = checks.inside('/message');
  const attest = hash === null ? null : verifyKind(message, quote.structure);
  if (hash === null || attest === null) {
    checks.skipRest(withNonce(TPM_QUOTE_CHECKS, binding), 'the quote is not signed by this vTPM');
    return { checks: checks.all, claims: null, selectedPcrs: null, bound: false };
  }

  // 6. The nonce.
  const bound = verifyExtraData(message, attest, binding);

  // 7 to 10. The PCR values.
  const covered = verifyPcrs(checks.inside('/pcrs'), attest, quote, hash);
  const claims = markVerified(tpmClaims(attest, covered ? quote : null));
  return { checks: checks.all, claims, selectedPcrs: attest.selectedPcrs, bound };
}

function isQuote(header: { readonly magic: number; readonly type: number }): boolean {
  return header.magic === TPM_GENERATED_VALUE && header.type === TPM_ST_ATTEST_QUOTE;
}

/**
 * Verifies magic and type. Without the check of the magic, a key that is not restricted could sign forged quotes.
 * Structures of other types contain no PCRs.
 */
function verifyKind(checks: Checks, { magic, type, quote }: Structure): QuoteWithValues | null {
  const own = checks.require(magic === TPM_GENERATED_VALUE, 'tpm_magic', {
    expected: word(TPM_GENERATED_VALUE),
    actual: word(magic),
  });
  if (!own) return null;
  checks.require(type === TPM_ST_ATTEST_QUOTE, 'tpm_not_quote', {
    expected: word(TPM_ST_ATTEST_QUOTE),
    actual: word(type),
  });
  return quote;
}

/** Requires that extraData is exactly X. The field has its own size, so no padding may follow. */
function verifyExtraData(checks: Checks, attest: TpmsQuote, binding: ExpectedBinding | null): boolean {
  if (binding === null) return false;
  return checks.require(equalInConstantTime(attest.extraData, binding.value), 'nonce_mismatch', {
    expected: hex(binding.value),
    actual: heldHex(attest.extraData),
    detail: 'extraData of the quote is exactly the expected value',
    otherwise: 'extraData of the quote is another value: the quote is for another nonce or key',
  });
}

/**
 * Requires exactly the PCR values in the signed selection, and that they hash to the signed digest. They are hashed in
 * the order of the selections, then by ascending index (TPM 2.0 part 1, 22.5). An index comes from the selection,
 * never from a position in a list.
 */
function verifyPcrs(checks: Checks, attest: QuoteWithValues, quote: TpmQuoteInput, hash: StrongHash): boolean {
  const selected = attest.selections.flatMap(({ bank, indices }) =>
    indices.map((index) => `${bank ?? 'other'}:${index}`),
  );
  const chosen = verifySelection(checks, selected, quote);
  const strong = selected.length === 0 || verifyBank(checks, selected);
  if (!chosen || !strong) {
    checks.skipRest(TPM_QUOTE_CHECKS, 'the PCR values are not those of the quote');
    return false;
  }
  return verifyDigest(checks, attest, hash) && verifyMeasured(checks, quote);
}

/** Compares bank and index of each value in the signed selection with the values that were sent. */
function verifySelection(checks: Checks, selected: readonly string[], quote: TpmQuoteInput): boolean {
  const sent = [...quote.pcrs].flatMap(([bank, values]) => [...values.keys()].map((index) => `${bank}:${index}`));
  const names = new Set(selected);
  // Sent names are unique, so an index selected twice fails.
  const exact = selected.length > 0 && sent.length === selected.length && sent.every((name) => names.has(name));
  const differences = exact ? [] : differencesOf(selected, sent);
  return checks.require(exact, 'tpm_pcr_selection', {
    expected: selected,
    actual: sent,
    otherwise: `the PCR values sent are not exactly those that the signed selection names${differences.map((one) => `; ${one}`).join('')}`,
    faults: differences,
  });
}

function verifyBank(checks: Checks, selected: readonly string[]): boolean {
  const quoted = selected.some((name) => name.startsWith('sha256:'));
  return checks.require(quoted, 'tpm_weak_bank', {
    expected: 'sha256',
    actual: selected,
  });
}

function verifyDigest(checks: Checks, attest: QuoteWithValues, hash: StrongHash): boolean {
  const actual = digest(hash, attest.values);
  const holds = checks.require(equalInConstantTime(actual, attest.pcrDigest), 'tpm_pcr_digest', {
    expected: hex(attest.pcrDigest),
    actual: hex(actual),
  });
  if (!holds) checks.skip(['tpm_pcr'], 'the PCR values are not those of the quote');
  return holds;
}

/** Rejects a quoted PCR 0 or 7 of zero, with which firmware measured nothing and the quote does not show the boot. */
function verifyMeasured(checks: Checks, quote: TpmQuoteInput): boolean {
  const values = quote.pcrs.get('sha256') ?? new Map<number, Uint8Array>();
  const empty = ALWAYS_EXTENDED.filter((index) => values.get(index)?.every((byte) => byte === 0) === true);
  return checks.require(empty.length === 0, 'tpm_pcr', {
    expected: 'PCR 0 and 7, where quoted, are not zero',
    actual: empty,
    detail: 'firmware measured into the PCRs that it always extends',
    otherwise: 'a PCR that firmware always extends is zero: nothing was measured',
  });
}

/** Lists the missing and the excess values, and indices that are selected more than once. */
function differencesOf(selected: readonly string[], sent: readonly string[]): readonly string[] {
  const missing = selected.filter((name) => !sent.includes(name));
  const surplus = sent.filter((name) => !selected.includes(name));
  const repeated = [...new Set(selected.filter((name, position) => selected.includes(name, position + 1)))];
  return [
    ...(missing.length === 0 ? [] : [`not sent: ${pcrsByBank(missing)}`]),
    ...(surplus.length === 0 ? [] : [`not quoted: ${pcrsByBank(surplus)}`]),
    ...(repeated.length === 0 ? [] : [`selected more than once: ${pcrsByBank(repeated)}`]),
  ];
}

function pcrsByBank(names: readonly string[]): string {
  const byBank = new Map<string, number[]>();
  for (const [bank = '', index] of names.map((name) => name.split(':'))) {
    byBank.set(bank, [...(byBank.get(bank) ?? []), Number(index)]);
  }
  return [...byBank].map(([bank, indices]) => `${registerNames('PCR', indices)} (${bank})`).join(', ');
}

/** Builds the claims from SHA-256 values only. SHA-1 is never a claim, and the contract has no other banks. */
function tpmClaims(attest: TpmsQuote, quote: TpmQuoteInput | null): TpmClaims {
  const values = [...(quote?.pcrs.get('sha256') ?? [])];
  return {
    pcrs: { sha256: Object.fromEntries(values.map(([index, value]) => [index, hex(value)])) },
    firmwareVersion: attest.firmwareVersion.toString(16).padStart(16, '0'),
    clock: { resetCount: attest.resetCount, restartCount: attest.restartCount, safe: attest.safe },
  };
}
