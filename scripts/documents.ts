import { mkdirSync, writeFileSync } from 'node:fs';
import { claimsText } from './claims.js';
import { codesText } from './codes.js';
import { recordAnswers } from './examples.js';
import { explanationsText } from './explanations.js';
import { DOCUMENT_PATH, documentText } from './generate.js';
import { recordAnswers as recordInspectorAnswers } from './inspector-examples.js';
import { messagesText } from './messages.js';
import { hardeningText } from './outgoing-addresses.js';
import { receiptVectorsText } from './receipt-vectors.js';
import { coverageText } from './threat-coverage.js';

/** Writes what is made from sources and tests, once types and schemas are there (scripts/generate.ts). Run from the root. */
const DOCUMENTS = new Map<string, () => string | Promise<string>>([
  ['docs/claims.md', claimsText],
  ['docs/codes.md', codesText],
  ['docs/hardening.md', hardeningText],
  ['docs/receipt-vectors.json', receiptVectorsText],
  // For readers, and not committed.
  ['docs/generated/explanations.md', explanationsText],
  ['docs/generated/messages.md', messagesText],
  ['docs/generated/threat-coverage.md', () => coverageText()],
]);

await recordAnswers();
await recordInspectorAnswers();
// Holds the answers that were just recorded.
writeFileSync(DOCUMENT_PATH, documentText());
mkdirSync('docs/generated', { recursive: true });
for (const [path, text] of DOCUMENTS) writeFileSync(path, await text());
