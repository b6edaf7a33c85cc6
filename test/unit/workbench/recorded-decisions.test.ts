import { describe, expect, it, vi } from 'vitest';
import { type FoundDecision, type RecordedDecision, StoreUnavailableError } from '../../../src/core/decision-log.js';
import { RecordedDecisions } from '../../../src/workbench/recorded-decisions.js';

const FILTER = { policy: null, decision: null, since: null, cursor: null };
const CALLER = { tenant: 'default' };

const found = (count: number): FoundDecision[] =>
  Array.from({ length: count }, (_, index) => ({ decisionId: `id-${index}`, summary: '{}', withdrawn: false }));

const recorded = (tenant: string) => ({ tenant, withdrawn: false, record: {} }) as unknown as RecordedDecision;

function storeOf(store: { list?: readonly FoundDecision[] | Error; find?: RecordedDecision | null | Error }) {
  const answer = (value: unknown) => (value instanceof Error ? Promise.reject(value) : Promise.resolve(value));
  return { list: vi.fn(() => answer(store.list)), find: vi.fn(() => answer(store.find)) } as never;
}

describe('the list of decisions', () => {
  it('is that of the tenant, and says what comes next', async () => {
    const store = storeOf({ list: found(51) });
    const page = await new RecordedDecisions(store).list({ ...FILTER, policy: 'payments' }, CALLER);
    expect(page.decisions).toHaveLength(50);
    expect(page.next).toBe('id-49');
    expect((store as { list: unknown }).list).toHaveBeenCalledWith({
      ...FILTER,
      policy: 'payments',
      tenant: 'default',
      limit: 51,
    });
  });

  it('says that nothing comes next where it is whole', async () => {
    expect(await new RecordedDecisions(storeOf({ list: found(50) })).list(FILTER, CALLER)).toMatchObject({
      next: null,
    });
    expect(await new RecordedDecisions(storeOf({ list: [] })).list(FILTER, CALLER)).toEqual({
      decisions: [],
      next: null,
    });
  });

  it('is not there where decisions are not stored, or their store is out of reach', async () => {
    await expect(new RecordedDecisions(null).list(FILTER, CALLER)).rejects.toMatchObject({ code: 'not_found' });
    const gone = storeOf({ list: new StoreUnavailableError('gone') });
    await expect(new RecordedDecisions(gone).list(FILTER, CALLER)).rejects.toMatchObject({
      code: 'overloaded',
      message: 'the decision store fails',
    });
    const broken = storeOf({ list: new Error('a fault of ours') });
    await expect(new RecordedDecisions(broken).list(FILTER, CALLER)).rejects.toThrow('a fault of ours');
  });
});

describe('one decision', () => {
  it('is shown to its tenant', async () => {
    expect(await new RecordedDecisions(storeOf({ find: recorded('default') })).get('id', CALLER)).toMatchObject({
      tenant: 'default',
    });
  });

  it('is not found where there is none, or it is another tenant’s', async () => {
    for (const find of [null, recorded('other')]) {
      await expect(new RecordedDecisions(storeOf({ find })).get('id', CALLER)).rejects.toMatchObject({
        code: 'not_found',
      });
    }
  });
});
