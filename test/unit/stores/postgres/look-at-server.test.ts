import { describe, expect, it } from 'vitest';
import { UnfitError } from '../../../../src/core/errors.js';
import { lookAtServer } from '../../../../src/stores/postgres/look-at-server.js';
import type { Session } from '../../../../src/stores/postgres/session.js';

/** Looks at a server that says that it has this version. */
function look(version: number): Promise<number> {
  const row = {
    version,
    recovering: false,
    fsync: 'on',
    full_page_writes: 'on',
    encoding: 'UTF8',
    now_ms: '1700000000000',
  };
  const session: Session = { rows: async () => [row] as never, run: async () => 0 };
  return lookAtServer(session);
}

describe('a server of PostgreSQL', () => {
  it.each([
    [130_099, 13],
    [190_000, 19],
  ])('STO-03 is refused with version %i', async (version, major) => {
    await expect(look(version)).rejects.toThrow(new UnfitError(`is PostgreSQL ${major}, and has to be 14 to 18`));
  });

  it.each([140_000, 189_999])('STO-03 twin: is looked at with version %i', async (version) => {
    expect(await look(version)).toBe(1_700_000_000_000);
  });
});
