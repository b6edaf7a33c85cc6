import { type LocalStore, localStores } from '../log/local-store.js';
import { judged, openLog, policy, SetClock } from '../log/recorded.js';

/** Makes logs of six decisions, one a minute, of which the last was withdrawn. For a file of tests. */
export function filledLogs() {
  const openStore = localStores();
  return async (path?: string) => {
    const store: LocalStore = openStore(path);
    const clock = new SetClock();
    const { log, chain, lines } = await openLog(store, { clock });
    const ids: string[] = [];
    for (let minute = 0; minute < 6; minute++) {
      clock.at = new Date(Date.UTC(2026, 0, 15, 12, minute));
      const decision = minute % 3 === 0 ? 'deny' : 'allow';
      const reasons = decision === 'deny' ? (['nonce_used', 'snp_tcb', 'ak_binding', 'cert_untrusted'] as const) : [];
      const policies = [policy('payments', decision), ...(minute < 2 ? [policy('baseline', decision)] : [])];
      const each = judged(
        { decidedAt: clock.at, decision, policies, reasons: reasons as never },
        { audience: 'https://gate.example', policies: ['payments'] },
        minute === 4 ? 'red' : 'default',
      );
      ids.push(each.decision.decisionId);
      await log.record(each);
    }
    await log.withdraw(ids[5] ?? '', 'late');
    return { store, log, lines, chain, ids };
  };
}
