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
    file: 'src/crypto/bound-value.ts',
    why: 'an empty name of an encoding means UTF-8, and the text is ASCII',
    changes: {
      "const BOUND_PREFIX = Buffer.from('veritee1', 'ascii');": [`const BOUND_PREFIX = Buffer.from('veritee1', "");`],
      "const BIND_LABEL = Buffer.from('veritee-bind-v1\\0', 'ascii');": [
        `const BIND_LABEL = Buffer.from('veritee-bind-v1\\0', "");`,
      ],
    },
  },
  {
    file: 'src/crypto/digest.ts',
    why: 'the same digest, in half the time',
    changes: {
      "if (parts.length === 1 && first !== undefined) return new Uint8Array(hashAtOnce(algorithm, first, 'buffer'));": [
        "if (false) return new Uint8Array(hashAtOnce(algorithm, first, 'buffer'));",
        "if (parts.length === 1 && true) return new Uint8Array(hashAtOnce(algorithm, first, 'buffer'));",
        "if (parts.length === 1 && first === undefined) return new Uint8Array(hashAtOnce(algorithm, first, 'buffer'));",
      ],
    },
  },
  {
    file: 'src/crypto/ecdsa.ts',
    why: 'P-256 is verified in the thread pool, with the same outcome',
    changes: {
      "if (curve === 'P-256') return verifyP256(hash, data, rawRS, key);": [
        'if (false) return verifyP256(hash, data, rawRS, key);',
        'if (curve === "") return verifyP256(hash, data, rawRS, key);',
      ],
    },
  },
  {
    file: 'src/crypto/ecdsa.ts',
    why: 'OpenSSL checks r and s as well: the check is there for a library that does not',
    changes: {
      'const isInRange = (value: Uint8Array) => Buffer.compare(value, zero) > 0 && Buffer.compare(value, order) < 0;': [
        'const isInRange = (value: Uint8Array) => true;',
        'const isInRange = (value: Uint8Array) => Buffer.compare(value, zero) > 0 || Buffer.compare(value, order) < 0;',
        'const isInRange = (value: Uint8Array) => true && Buffer.compare(value, order) < 0;',
        'const isInRange = (value: Uint8Array) => Buffer.compare(value, zero) >= 0 && Buffer.compare(value, order) < 0;',
        'const isInRange = (value: Uint8Array) => Buffer.compare(value, zero) > 0 && true;',
        'const isInRange = (value: Uint8Array) => Buffer.compare(value, zero) > 0 && Buffer.compare(value, order) <= 0;',
      ],
      'return isInRange(rawRS.subarray(0, octets)) && isInRange(rawRS.subarray(octets));': [
        'return true;',
        'return isInRange(rawRS.subarray(0, octets)) || isInRange(rawRS.subarray(octets));',
      ],
    },
  },
  {
    file: 'src/crypto/ecdsa.ts',
    why: 'OpenSSL compares the length with the curve of the key',
    changes: {
      'if (key.asymmetricKeyDetails?.namedCurve !== CURVE_NAMES[curve] || rawRS.byteLength !== 2 * octets) return false;':
        [
          'if (key.asymmetricKeyDetails?.namedCurve !== CURVE_NAMES[curve] && rawRS.byteLength !== 2 * octets) return false;',
        ],
    },
  },
  {
    file: 'src/crypto/path-building.ts',
    why: 'the same path, found with more work',
    changes: {
      'if (isPinned(sent, profile)) return sent;': ['if (false) return sent;'],
      'if (issuers.length === 0) yield path;': ['if (true) yield path;'],
    },
  },
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
