export const JSON_TYPE = 'application/json; charset=utf-8';
/** Of a receipt alone: EAT over JWT (RFC 9782). */
export const RECEIPT_TYPE = 'application/eat+jwt';
