import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { receiptVectors } from '../test/receipts/vectors.js';
import { claimsText } from './claims.js';
import { codesText } from './codes.js';
import { explanationsText } from './explanations.js';
import { messagesText } from './messages.js';
import { hardeningText } from './outgoing-addresses.js';
import { answerTo, CLOCK_OF_EXAMPLES, startDefaultService } from './pages/default-service.js';
import { coverageText } from './threat-coverage.js';

const VERIFY_REQUEST = 'examples/verify-request.json';

/** What is made from sources and tests, by path from the root of the project. */
const COMMITTED = new Map<string, () => string | Promise<string>>([
  ['docs/claims.md', claimsText],
  ['docs/codes.md', codesText],
  ['docs/hardening.md', hardeningText],
  ['examples/verify-answer.json', verifyAnswerText],
]);

/** For readers, and for the files of a release. */
const RELEASED = new Map<string, () => string | Promise<string>>([
  ['docs/generated/explanations.md', explanationsText],
  ['docs/generated/messages.md', messagesText],
  ['docs/generated/receipt-vectors.json', () => jsonText(receiptVectors())],
  ['docs/generated/threat-coverage.md', () => coverageText()],
]);

/** Paths of what is written, and whether it is committed. */
export const DOCUMENTS = { committed: [...COMMITTED.keys()], released: [...RELEASED.keys()] } as const;

/** Run from the root. */
export async function writeDocuments(): Promise<void> {
  for (const [path, text] of [...COMMITTED, ...RELEASED]) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, await text());
  }
}

/** The answer of a service of today to the verify request of the examples. */
export async function verifyAnswerText(): Promise<string> {
  const service = await startDefaultService(CLOCK_OF_EXAMPLES);
  try {
    return jsonText(await answerTo(service, '/verify', JSON.parse(readFileSync(VERIFY_REQUEST, 'utf8'))));
  } finally {
    await service.close();
  }
}

const jsonText = (value: object) => `${JSON.stringify(value, null, 2)}\n`;
