import type { JsonObject } from '../../src/core/json.js';
import type { LabKey } from './lab-keys.js';
import { signRaw } from './td-quote-builder.js';
import { changedMembers, type MembersChange } from './token-making.js';

const DAY = 24 * 60 * 60_000;
const LIFETIME = 30 * DAY;

/**
 * How TCB info or QE identity is made otherwise than genuinely. In this order: dates and number, members, the text
 * before it is signed, the signature, the text after it was signed.
 */
export interface SignedDocumentMaking {
  /** A day before the collateral's instant if left out. */
  readonly issueDate?: Date;
  /** 30 days after the issue if left out. */
  readonly nextUpdate?: Date;
  readonly evaluationNumber?: number;
  readonly members?: MembersChange;
  readonly beforeSigning?: (text: string) => string;
  readonly afterSigning?: (text: string) => string;
  readonly signature?: (signature: Uint8Array) => Uint8Array;
  /** Another key than that of TCB signing. */
  readonly signer?: LabKey;
}

/** JSON text, byte for byte as it was signed, and r‖s. */
export interface SignedDocument {
  readonly text: string;
  readonly signature: Uint8Array;
}

export function buildSignedDocument(genuine: JsonObject, key: LabKey, making: SignedDocumentMaking): SignedDocument {
  const members = JSON.stringify(changedMembers(genuine, making.members));
  const text = making.beforeSigning?.(members) ?? members;
  const signature = signDocument(text, making.signer ?? key);
  return {
    text: making.afterSigning?.(text) ?? text,
    signature: making.signature?.(signature) ?? signature,
  };
}

/** Signs a text as Intel signs TCB info and QE identity. */
function signDocument(text: string, key: LabKey): Uint8Array {
  return signRaw(key.privateKey, Buffer.from(text));
}

/** `issueDate`, `nextUpdate`. */
export function windowOf({ issueDate, nextUpdate }: SignedDocumentMaking, at: Date): JsonObject {
  const issued = issueDate ?? new Date(at.getTime() - DAY);
  return {
    issueDate: intelDate(issued),
    nextUpdate: intelDate(nextUpdate ?? new Date(issued.getTime() + LIFETIME)),
  };
}

/** A date without fractions of a second. */
function intelDate(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, 'Z');
}
