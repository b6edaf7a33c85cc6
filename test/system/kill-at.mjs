import { ServerResponse } from 'node:http';
import { ResetTracking } from '../../dist/judge/reset-tracking.js';
import { DecisionLog } from '../../dist/log/decision-log.js';
import { Receipts } from '../../dist/receipts/receipts.js';
import { PostgresChallengeStore } from '../../dist/stores/postgres/postgres-challenge-store.js';
import { SqliteChallengeStore } from '../../dist/stores/sqlite/sqlite-challenge-store.js';

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
