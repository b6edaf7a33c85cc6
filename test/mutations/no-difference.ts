/** Rooms whose changes a test has to notice: they decide an allow, or say why. */
export const ROOMS = ['formats', 'crypto', 'boot', 'tee', 'policy', 'judge', 'receipts', 'release', 'log'] as const;

/** A change of the source: whole lines, before and after. */
export interface Change {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

interface Reason {
  readonly file: string;
  readonly why: string;
  /** Lines, each with what it may become. */
  readonly changes: Readonly<Record<string, readonly string[]>>;
}

const REASONS: readonly Reason[] = [
  {
    file: 'src/receipts/gates/dpop-proof.ts',
    why: 'the compiler asks for a value; the next call refuses any other type, or cannot get one',
    changes: {
      "if (typeof alg !== 'string' || algorithms?.includes(alg) !== true) {": [
        'if (false || algorithms?.includes(alg) !== true) {',
      ],
      "const [, base = '', sent = '/'] = parts;": [`const [, base = "Stryker was here!", sent = '/'] = parts;`],
    },
  },
  {
    file: 'src/receipts/gates/dpop-proof.ts',
    why: 'the key was imported for this algorithm, and the header names it',
    changes: {
      'await compactVerify(proof, publicKey, { algorithms: [alg] });': ['await compactVerify(proof, publicKey, {});'],
    },
  },
  {
    file: 'src/receipts/gates/gates.ts',
    why: 'two checks in a row refuse a receipt without a key, with the same code',
    changes: {
      "if (boundKey === null) throw new GateRefusal('receipt_binding', 'the receipt names no bound key');": [
        `if (boundKey === null) throw new GateRefusal("", 'the receipt names no bound key');`,
        "if (false) throw new GateRefusal('receipt_binding', 'the receipt names no bound key');",
      ],
    },
  },
  {
    file: 'src/receipts/gates/gates.ts',
    why: 'what is null fails the next check too, with the same code',
    changes: {
      'if (decisionId === null || !UUID.test(decisionId)) {': ['if (false || !UUID.test(decisionId)) {'],
    },
  },
];

/** Changes that no test can notice. */
export const NO_DIFFERENCE: readonly Change[] = REASONS.flatMap(({ file, changes }) =>
  Object.entries(changes).flatMap(([from, each]) => each.map((to) => ({ file, from, to }))),
);
