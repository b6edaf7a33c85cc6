/** Documents that people write: the root's, docs/, and those of deploy and clients. No decision records. */
export function isDocument(path: string): boolean {
  return (
    /^((README|CONTRIBUTING|SECURITY)\.md|docs\/[^/]+\.md|(deploy|clients)\/.*README\.md)$/.test(path) &&
    !isOutput(path)
  );
}

/** Files that a script of this project writes and that are committed. */
export function isOutput(path: string): boolean {
  return OUTPUT.test(path);
}

const OUTPUT =
  /^(src\/[^/]+\/generated\/|src\/inspector\/examples\/|examples\/|docs\/(claims|codes)\.md$|docs\/receipt-vectors\.json$)/;
