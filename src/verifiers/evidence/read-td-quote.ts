import { parseTdQuote, type TdQuote } from '../../formats/td-quote.js';
import { readOnce } from './read-once.js';

/** `parseTdQuote`, once for all who need it of the same evidence: its endorsements, its verification, its identity. */
export const readTdQuote: (bytes: Uint8Array) => TdQuote = readOnce(parseTdQuote);
