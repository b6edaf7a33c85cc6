/** Where the parts of a quote begin, as offsets in it: what a test wants to change by its place. */
export interface TdQuoteLayout {
  readonly body: number;
  readonly bodyLength: number;
  /** The four bytes that say how long the authentication data is. */
  readonly authDataLength: number;
  readonly signature: number;
  readonly attestationKey: number;
  /** Type, then length, of the certification data of type 6. */
  readonly outerType: number;
  readonly qeReport: number;
  readonly qeReportSignature: number;
  readonly qeAuthDataLength: number;
  readonly qeAuthData: number;
  /** Type, then length, of the certification data of type 5. */
  readonly innerType: number;
  readonly certificationData: number;
  /** Where the authentication data ends: trailing bytes begin here. */
  readonly end: number;
}

/** Reads the layout of a genuine quote of version 4 or 5. */
export function tdQuoteLayout(quote: Uint8Array): TdQuoteLayout {
  const view = new DataView(quote.buffer, quote.byteOffset, quote.byteLength);
  const isVersion4 = view.getUint16(0, true) === 4;
  const body = isVersion4 ? 48 : 54;
  const bodyLength = isVersion4 ? 584 : view.getUint32(50, true);
  const authDataLength = body + bodyLength;
  const signature = authDataLength + 4;
  const attestationKey = signature + 64;
  const outerType = attestationKey + 64;
  const qeReport = outerType + 6;
  const qeReportSignature = qeReport + 384;
  const qeAuthDataLength = qeReportSignature + 64;
  const qeAuthData = qeAuthDataLength + 2;
  const innerType = qeAuthData + view.getUint16(qeAuthDataLength, true);
  return {
    body,
    bodyLength,
    authDataLength,
    signature,
    attestationKey,
    outerType,
    qeReport,
    qeReportSignature,
    qeAuthDataLength,
    qeAuthData,
    innerType,
    certificationData: innerType + 6,
    end: signature + view.getUint32(authDataLength, true),
  };
}
