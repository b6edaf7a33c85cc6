import { ServerResponse } from 'node:http';
import { ResetTracking } from '../../src/judge/reset-tracking.ts';
import { DecisionLog } from '../../src/log/decision-log.ts';
import { Receipts } from '../../src/receipts/receipts.ts';
import { PostgresChallengeStore } from '../../src/stores/postgres/postgres-challenge-store.ts';
import { SqliteChallengeStore } from '../../src/stores/sqlite/sqlite-challenge-store.ts';

/**
 * Loaded before a service as it was compiled: kills its process immediately before or after a step of a request. `KILL_AT` has
 * both, such as `before consume`.
 */
const STEPS = {
  consume: [
    [SqliteChallengeStore, 'consume'],
    [PostgresChallengeStore, 'consume'],
  ],
  advance: [[ResetTracking, 'advance']],
  sign: [[Receipts, 'issue']],
  record: [[DecisionLog, 'record']],
};

const [when, step] = (process.env.KILL_AT ?? '').split(' ');
const kill = () => process.kill(process.pid, 'SIGKILL');

if (step === 'answer') killAfterAnswer();
else for (const [owner, method] of STEPS[step]) killAround(owner, method);

function killAround(owner, method) {
  const genuine = owner.prototype[method];
  owner.prototype[method] = async function (...given) {
    if (when === 'before') kill();
    const outcome = await genuine.apply(this, given);
    kill();
    return outcome;
  };
}

/** Once the system has all bytes of the answer to a verification. */
function killAfterAnswer() {
  const genuine = ServerResponse.prototype.end;
  ServerResponse.prototype.end = function (...given) {
    if (this.req.url.startsWith('/verify')) this.once('finish', kill);
    return genuine.apply(this, given);
  };
}
