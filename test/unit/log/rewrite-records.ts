import engine from 'libsql';
import { contentDigest, recordHash } from '../../../src/log/chain.js';

interface Row {
  readonly chain: string;
  readonly seq: number;
  readonly previous: string;
  /** As the engine gives bytes. */
  readonly salt: ArrayBuffer | Uint8Array;
  readonly content: string;
}

/**
 * Changes what is recorded of decisions in a file, with its digest and hash: each record holds by itself, and the chain is broken.
 * @param change of the content of a record, which it may return as it is
 */
export function rewriteRecords(path: string, change: (content: string, seq: number) => string): void {
  const file = new engine(path);
  const rows = file.prepare('SELECT * FROM records WHERE content IS NOT NULL').all() as readonly Row[];
  const update = file.prepare(
    'UPDATE records SET content = ?, content_sha256 = ?, hash = ? WHERE chain = ? AND seq = ?',
  );
  for (const row of rows) {
    const content = change(row.content, row.seq);
    const contentSha256 = contentDigest(new Uint8Array(row.salt), content);
    const hash = recordHash(row, { previous: row.previous, contentSha256 });
    update.run(content, contentSha256, hash, row.chain, row.seq);
  }
  file.close();
}
