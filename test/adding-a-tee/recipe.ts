/**
 * docs/adding-a-tee.md, followed for a made-up TEE: what goes into files that there are. The files that are new stand
 * under `new`, each at its path, as text: here they would not compile.
 */

/** Lines that go in before a line which the file has once. */
export interface Addition {
  readonly file: string;
  readonly before: string;
  readonly text: string;
}

const OPENAPI = 'openapi.yaml';

const SCHEMA: readonly Addition[] = [
  {
    file: OPENAPI,
    before:
      "          maa-token: '#/components/schemas/MaaTokenEvidence'\n          ita-token: '#/components/schemas/ItaTokenEvidence'\n      oneOf:\n        - $ref: '#/components/schemas/SnpEvidence'",
    text: "          toy: '#/components/schemas/ToyEvidence'\n",
  },
  {
    file: OPENAPI,
    before: "        - $ref: '#/components/schemas/SnpEvidence'",
    text: "        - $ref: '#/components/schemas/ToyEvidence'\n",
  },
  {
    file: OPENAPI,
    before: '    SnpEvidence:',
    text: `    ToyEvidence:
      type: object
      additionalProperties: false
      required: [type, report]
      description: A report of the toy TEE.
      properties:
        type: { type: string, const: toy }
        report:
          description: 64 bytes and the signature over them.
          $ref: '#/components/schemas/Bytes'
`,
  },
  { file: OPENAPI, before: 'snp, tdx, az-snp-vtpm, az-tdx-vtpm, tpm, maa-token, ita-token]', text: 'toy, ' },
  {
    file: OPENAPI,
    before: '    TokenClaims:',
    text: `        toy: { $ref: '#/components/schemas/ToyClaims' }
    ToyClaims:
      type: object
      additionalProperties: false
      required: [measurement, debug]
      properties:
        measurement: { type: string }
        debug: { type: boolean }
`,
  },
  { file: OPENAPI, before: '        - hardware_missing', text: '        - toy_signature\n        - toy_debug\n' },
  { file: OPENAPI, before: '        - hcl_format', text: '        - toy_format\n' },
  { file: OPENAPI, before: '              - runtimeData.nonce', text: '              - toy.reportData\n' },
];

/** The type by itself: what the compiler asks the rest of the recipe for. */
export const BARE_TYPE: readonly Addition[] = [
  {
    file: 'src/core/evidence.ts',
    before: '/** Evidence that this build can verify. */',
    text: `export interface ToyEvidence {
  readonly type: 'toy';
  /** 64 bytes and the signature over them. */
  readonly report: Uint8Array;
}

`,
  },
  { file: 'src/core/evidence.ts', before: '  | MaaTokenEvidence', text: '  | ToyEvidence\n' },
];

/** What core has of it, with its check rows. */
export const MODEL: readonly Addition[] = [
  ...BARE_TYPE,
  {
    file: 'src/tee/catalogue.ts',
    before: "import { TPM_CHECKS } from './tpm/checks/rows.js';",
    text: "import { TOY_CHECKS } from './toy/checks/rows.js';\n",
  },
  {
    file: 'src/tee/catalogue.ts',
    before: "  { name: 'Azure paravisor', class: 'deny', rows: AZURE_CHECKS },",
    text: "  { name: 'Toy', class: 'deny', rows: TOY_CHECKS },\n",
  },
  {
    file: 'src/core/malformed-codes.ts',
    before: "  'hcl_format',",
    text: "  'toy_format',\n",
  },
  { file: 'src/core/claims.ts', before: '  readonly hcl?: HclClaims;', text: '  readonly toy?: ToyClaims;\n' },
  {
    file: 'src/core/claims.ts',
    before: "/** The content of another verifier's token, under its issuer's names. */",
    text: `export interface ToyClaims {
  readonly measurement: string;
  readonly debug: boolean;
}

`,
  },
  {
    file: 'src/log/recorded-claims.ts',
    before: '  maa: membersBy(TOKEN),',
    text: '  toy: membersBy({ measurement: kept, debug: kept }),\n',
  },
  {
    file: 'src/core/evidence-traits.ts',
    before: "  'az-snp-vtpm': {",
    text: `  toy: {
    kind: 'hardware',
    tee: 'toy',
    paravisor: false,
    vtpm: false,
    tokenRoute: null,
    hasTeeTopics: false,
    noncePlaces: ['toy.reportData'],
    longestNonce: { bytes: 40, holder: 'a toy report' },
    always: ['toy'],
    possible: ['toy'],
    places: { toy: 'report' },
    schema: 'ToyEvidence',
    members: { report: { structure: 'toy report' } },
  },
`,
  },
];

/** Remedies, and what docs/codes.md says of the codes. */
const CODES: readonly Addition[] = [
  {
    file: 'src/tee/remedies.ts',
    before: "import { TPM_REMEDIES } from './tpm/checks/remedies.js';",
    text: "import { TOY_REMEDIES } from './toy/checks/remedies.js';\n",
  },
  { file: 'src/tee/remedies.ts', before: '  ...AZURE_REMEDIES,', text: '  ...TOY_REMEDIES,\n' },
  {
    file: 'scripts/codes/malformed-texts.ts',
    before: '  hcl_format: {',
    text: `  toy_format: {
    meaning: 'the bytes are no toy report',
    remedy: 'The caller should send the report cut at its own length.',
  },
`,
  },
  {
    file: 'scripts/codes/check-triggers.ts',
    before: '  hcl_binding: null,',
    text: '  toy_signature: null,\n  toy_debug: null,\n',
  },
];

/** The one line, and its import. */
const REGISTRY: readonly Addition[] = [
  {
    file: 'src/tee/registry.ts',
    before: "import { TPM } from './tpm/tee.js';",
    text: "import { TOY } from './toy/tee.js';\n",
  },
  { file: 'src/tee/registry.ts', before: "  'az-snp-vtpm': AZ_SNP_VTPM,", text: '  toy: TOY,\n' },
];

/** The errors of the compiler for the inspector. */
const INSPECTOR: readonly Addition[] = [
  {
    file: 'src/inspector/chain-of-trust.ts',
    before: "  [/^release_/, 'release'],",
    text: "  [/^toy_/, 'report'],\n",
  },
  {
    file: 'src/inspector/chain-of-trust.ts',
    before: "  snp: [...HARDWARE, 'fresh'],",
    text: "  toy: ['report', 'fresh'],\n",
  },
  { file: 'src/inspector/verdict.ts', before: "  snp: 'SEV-SNP evidence',", text: "  toy: 'toy evidence',\n" },
  {
    file: 'src/inspector/limits.ts',
    before: '    snp: [',
    text: "    toy: ['Whose toy it is: anybody can own one.'],\n",
  },
  {
    file: 'src/inspector/questions.ts',
    before: "      'snp.measurement',",
    text: "      'toy.measurement',\n",
  },
  { file: 'src/inspector/questions.ts', before: "      'snp.firmware',", text: "      'toy.debug',\n" },
  {
    file: 'docs/what-an-allow-proves.md',
    before: '## Intel TDX (`tdx`)',
    text: `## Toy (\`toy\`)

Proves:

* the vendor signed the report, and the host may not read the guest.

Does not prove:

* whose toy it is: anybody can own one.

`,
  },
];

export const RECIPE: readonly Addition[] = [...SCHEMA, ...MODEL, ...CODES, ...REGISTRY, ...INSPECTOR];

/** @throws {Error} if the file has not, or has more than once, what the text goes before */
export function added({ file, before, text }: Addition, to: string): string {
  const at = to.indexOf(before);
  if (at < 0 || to.indexOf(before, at + 1) >= 0) throw new Error(`${file} has not exactly one ${before}`);
  return to.slice(0, at) + text + to.slice(at);
}
