/** Documents that people write: the root's, docs/, and those of deploy and clients. No decision records. */
export function isDocument(path: string): boolean {
  return (
    /^((README|CONTRIBUTING|SECURITY)\.md|docs\/[^/]+\.md|(deploy|clients)\/.*README\.md)$/.test(path) &&
    !isOutput(path)
  );
}

/** Files that a script of this project writes: those that are committed, and those that are only here. */
export function isOutput(path: string): boolean {
  return OUTPUT.test(path);
}

const OUTPUT = /^((src\/.+|docs)\/generated\/|src\/inspector\/examples\/|examples\/verify-|docs\/(claims|codes)\.md$)/;
