import { verifyLog } from '../../src/log/verify-log.js';
import { type LocalStore, openLocalStore } from '../unit/log/local-store.js';

/** The promises of a store that a process has reported (decide-main.mjs). */
export class Promised {
  isReady = false;
  readonly heads: string[] = [];
  readonly used: string[] = [];
  readonly told: string[] = [];
  readonly errors: string[] = [];

  take(line: string): void {
    const [what, value = ''] = line.split(' ');
    switch (what) {
      case 'ready':
        this.isReady = true;
        return;
      case 'head':
        this.heads.push(value);
        return;
      case 'used':
        this.used.push(value);
        return;
      case 'told':
        this.told.push(value);
        return;
      default:
        this.errors.push(line);
    }
  }
}

/** The lost and wrong entries of a store. */
export async function problemsOf(path: string, promised: Promised): Promise<readonly string[]> {
  const store = openLocalStore(path);
  try {
    const { problems } = await verifyLog(store, { keptHeads: promised.heads, keys: null });
    return [
      ...promised.errors,
      ...problems.map(({ code, detail, seq }) => `${code} ${seq} ${detail}`),
      ...lost(store, 'decisions WHERE decision_id', promised.told).map((id) => `decision ${id} is gone`),
      ...lost(store, 'challenges WHERE used = 1 AND id', promised.used).map(
        (id) => `challenge ${id} can be used again`,
      ),
    ];
  } finally {
    store.file.close();
  }
}

function lost({ file }: LocalStore, where: string, ids: readonly string[]): readonly string[] {
  return ids.filter((id) => file.row(`SELECT 1 FROM ${where} = ?`, [id]) === undefined);
}
