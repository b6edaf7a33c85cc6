import { randomInt } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LabService } from '../integration/service/lab-service.js';
import { ModelledService } from './modelled-service.js';
import {
  type ModelEvidence,
  type ModelPolicy,
  type ModelRequest,
  ServiceModel,
  type Verdict,
  verdictOf,
} from './service-model.js';
import { Draw, type Drawn, drawnStep, type Kind, kindOf } from './steps.js';

const STEPS = 1_000;
const SEEDS = Number(process.env['VERITEE_MODEL_SEEDS'] ?? 10);
const FIRST_SEED = Number(process.env['VERITEE_MODEL_SEED'] ?? randomInt(2 ** 31 - SEEDS));
/** Longer than three advances, shorter than four. 450 s remain for slow machines. */
const LIFETIME_SECONDS = 3_150;
const ADVANCE_SECONDS = 900;

const OWN = '5a'.repeat(48);
const OTHER = 'a5'.repeat(48);

/** What all seeds together have reached. */
const reached = new Map<string, number>();
let runs = 0;

const LENIENT: ModelPolicy = {
  accepts: ['snp', 'az-snp-vtpm'],
  nonce: 'any',
  freshness: 'required',
  binding: 'optional',
  allowDebug: false,
  microcode: 0,
  measurements: [],
};

const POLICIES: Readonly<Record<string, ModelPolicy>> = {
  first: LENIENT,
  second: { ...LENIENT, nonce: 'challenge', measurements: [OWN] },
  disk: { ...LENIENT, accepts: ['snp'], nonce: 'challenge', binding: 'required', measurements: [OWN] },
};

/** Changes one member. The policy of the key keeps the members that a release requires. */
function changed(id: string, policy: ModelPolicy, draw: Draw): ModelPolicy {
  const changes: readonly Partial<ModelPolicy>[] = [
    { microcode: draw.once(4) ? 255 : 0 },
    { measurements: draw.once(4) ? [OTHER] : [OWN] },
    { measurements: [OTHER, OWN] },
    ...(id === 'disk'
      ? []
      : [
          { measurements: [] },
          { allowDebug: !policy.allowDebug },
          { nonce: policy.nonce === 'any' ? ('challenge' as const) : ('any' as const) },
          { freshness: policy.freshness === 'none' ? ('required' as const) : ('none' as const) },
          { binding: policy.binding === 'optional' ? ('required' as const) : ('optional' as const) },
          { accepts: policy.accepts.length === 2 ? (['snp'] as const) : (['snp', 'az-snp-vtpm'] as const) },
        ]),
  ];
  return { ...policy, ...changes[draw.below(changes.length)] };
}

class Run {
  readonly #model = new ServiceModel(POLICIES, LIFETIME_SECONDS);
  readonly #service: ModelledService;
  readonly #microcode: number;

  constructor(lab: LabService) {
    this.#service = new ModelledService(lab, `model-${runs++}`, LIFETIME_SECONDS);
    this.#microcode = lab.vm.platform.tcb.microcode;
  }

  async takeAll(steps: readonly Drawn[], isAbandoned: () => boolean): Promise<void> {
    for (const [id, policy] of Object.entries(POLICIES)) await this.#service.writePolicy(id, policy);
    await this.#service.start();
    try {
      for (const [index, step] of steps.entries()) {
        if (isAbandoned()) return;
        await this.#take(step).catch((error) => {
          const last = steps.slice(Math.max(0, index - 20), index + 1).map(kindOf);
          throw new Error(`step ${index}, the last of ${last.join(', ')}: ${error.message}`, { cause: error });
        });
      }
      await this.#findStore();
      await this.#service.lookAtAll();
    } finally {
      await this.#service.close();
    }
  }

  async #take(step: Drawn): Promise<void> {
    const [, which, how] = step;
    if (which % 8 === 0) await this.#findStore();
    const steps: Readonly<Record<Kind, () => Promise<void>>> = {
      issue: () => this.#issue(),
      verify: async () => this.#verify(this.#request(which, how)),
      release: () => this.#release(which, how),
      contest: () => this.#contest(how),
      refuse: () => this.#refuse(which, how),
      reload: () => this.#reload(which),
      refuseReload: async () => this.#service.refuseReload(...this.#change(which)),
      advance: async () => {
        this.#model.advance(ADVANCE_SECONDS);
        this.#service.clock.advance(ADVANCE_SECONDS * 1000);
      },
      toggleStore: () => (this.#model.isStoreGone ? this.#findStore() : this.#loseStore()),
      refuseRecords: async () => this.#refuseRecords(which),
      look: async () => {
        if (!this.#model.isStoreGone) await this.#service.look(which);
      },
      restart: async () => {
        await this.#findStore();
        this.#model.restart();
        await this.#service.restart();
      },
    };
    await steps[kindOf(step)]();
  }

  async #issue(): Promise<void> {
    if (this.#model.issue()) await this.#service.issue();
    else await this.#service.refuseToIssue();
  }

  async #verify(request: ModelRequest): Promise<void> {
    const expected = this.#model.verify(request);
    expect((await this.#service.verify(request)).map(text)).toEqual([text(expected)]);
    reach(`verified: ${text(expected)}`);
  }

  /** Sends verifications and releases of one challenge at once. One of them consumes it. */
  async #contest(how: number): Promise<void> {
    const rivals = 4;
    await this.#issue();
    // A store that refuses the release of one pauses, which the others may notice or not.
    if (this.#model.refusesReleases) return;
    const request = { ...this.#request(0, how), nonce: this.#latest(), hasKey: true };
    const first = this.#model.verify(request);
    const late = this.#model.verify(request);
    const lateRelease = this.#model.verify({ ...request, policy: 'disk' });
    const firstRelease = verdictOf(lateRelease.reasons.filter((reason) => reason !== 'nonce_used'));
    const [verified, releases] = await Promise.all([
      this.#service.verify(request, rivals),
      Promise.all(Array.from({ length: rivals }, () => this.#service.release(request))),
    ]);
    const rest = Array.from({ length: rivals - 1 }, () => [late, lateRelease]).flat();
    const outcomes = [
      [first, lateRelease, ...rest],
      [late, firstRelease, ...rest],
    ];
    const answered = [...verified, ...releases.map(({ verdict }) => verdict)];
    expect(listed(answered)).toBeOneOf(outcomes.map(listed));
    for (const { verdict, isOpened } of releases) expect(isOpened).toBe(verdict.decision === 'allow');
  }

  async #release(which: number, how: number): Promise<void> {
    const { nonce, evidence } = this.#request(which, how);
    const asked: ModelRequest = {
      policy: 'disk',
      evidence: { ...evidence, type: 'snp' },
      nonce: nonce === 'none' ? 'own' : nonce,
      hasKey: true,
    };
    const expected = this.#model.release(asked);
    const { verdict, isOpened } = await this.#service.release(asked);
    expect(text(verdict)).toBe(text(expected));
    expect(isOpened).toBe(expected.decision === 'allow');
    reach(`key: ${text(expected)}`);
    // The store pauses after its failure, until it issues a challenge again.
    if (expected.reasons.join() === 'audit_unavailable') await this.#issue();
  }

  /** Sends a request that the service rejects before it consumes the challenge. */
  async #refuse(which: number, how: number): Promise<void> {
    const request = this.#request(which, how);
    const refusals = [
      [{ surplus: 1 }, [400, 'unknown_property']],
      [{ policy: 'third' }, [403, 'forbidden']],
      [{ nonce: 'AA' }, [400, 'nonce']],
    ] as const;
    const [members, refusal] = refusals[how % refusals.length] ?? refusals[0];
    expect(await this.#service.refuse(request, members)).toEqual(refusal);
  }

  async #reload(which: number): Promise<void> {
    const [id, next] = this.#change(which);
    await this.#service.writePolicy(id, next);
    await this.#service.reload();
    this.#model.policies.set(id, next);
  }

  /** A policy, as it should be and as it is. */
  #change(which: number): readonly [id: string, next: ModelPolicy, current: ModelPolicy] {
    const draw = new Draw(which);
    const [id, current] = [...this.#model.policies][draw.below(this.#model.policies.size)] ?? ['first', LENIENT];
    return [id, changed(id, current, draw), current];
  }

  async #loseStore(): Promise<void> {
    this.#model.isStoreGone = true;
    await this.#service.loseStore();
  }

  async #findStore(): Promise<void> {
    if (!this.#model.isStoreGone) return;
    this.#model.isStoreGone = false;
    await this.#service.findStore();
    // Whatever was sent to the store before has ended then.
    await this.#issue();
  }

  #refuseRecords(which: number): void {
    if (this.#model.isStoreGone) return;
    const kind = (['release-attempt', 'release-result'] as const)[which % 6] ?? null;
    this.#model.refusesReleases = kind !== null;
    this.#service.refuseRecords(kind);
  }

  #latest(): ModelRequest['nonce'] {
    const count = this.#model.challenges.length;
    return count === 0 ? 'own' : { challenge: count - 1 };
  }

  #request(which: number, how: number): ModelRequest {
    const nonce = this.#nonce(new Draw(which));
    const draw = new Draw(how);
    const evidence: ModelEvidence = {
      type: draw.below(2) === 0 ? 'snp' : 'az-snp-vtpm',
      isSigned: !draw.once(12),
      isBound: !draw.once(8),
      isDebug: draw.once(8),
      measurement: draw.once(5) ? OTHER : OWN,
      microcode: this.#microcode,
    };
    const policy = draw.below(2) === 0 ? 'first' : 'second';
    return { policy, evidence, nonce, hasKey: nonce !== 'none' && draw.below(2) === 0 };
  }

  #nonce(draw: Draw): ModelRequest['nonce'] {
    const kind = draw.below(16);
    if (kind < 10) return this.#latest();
    if (kind === 10) return 'own';
    if (kind === 11) return 'none';
    const count = this.#model.challenges.length;
    return count === 0 ? 'own' : { challenge: draw.below(count) };
  }
}

function text({ decision, reasons }: Verdict): string {
  return [decision, ...reasons].join(' ');
}

function listed(verdicts: readonly Verdict[]): string {
  return verdicts.map(text).sort().join('; ');
}

function reach(what: string): void {
  reached.set(what, (reached.get(what) ?? 0) + 1);
}

// Most of a run is time that the store takes.
it.concurrent.each(Array.from({ length: SEEDS }, (_, index) => FIRST_SEED + index))(
  'a service answers as its model in 1 000 steps of the seed %i',
  { timeout: 1_800_000 },
  async (seed) => {
    const steps = fc.sample(fc.noBias(drawnStep), { seed, numRuns: STEPS });
    const lab = await LabService.create();
    // fast-check leaves a run to itself when its time is over.
    let last: Run | null = null;
    const property = fc.asyncProperty(fc.array(drawnStep, { maxLength: STEPS, size: 'max' }), (taken) => {
      const run = new Run(lab);
      last = run;
      return run.takeAll(taken, () => last !== run);
    });
    // fast-check runs and shrinks this example; it generates none.
    await fc.assert(property, { examples: [[steps]], numRuns: 1, interruptAfterTimeLimit: 300_000 }).finally(() => {
      last = null;
      return lab.close();
    });
  },
);

const REACHED = [
  'verified: allow',
  'verified: deny nonce_used',
  'verified: deny nonce_expired',
  'verified: indeterminate nonce_store',
  'verified: indeterminate audit_unavailable nonce_store',
  'key: allow',
  'key: deny nonce_used',
  'key: indeterminate audit_unavailable',
  'key: indeterminate audit_unavailable nonce_store',
];

// Fewer seeds may miss one of them.
it.each(SEEDS < 10 ? [] : REACHED)('the steps reach %s', (what) => {
  expect(reached.get(what) ?? 0).toBeGreaterThan(0);
});

it('the model imports nothing from src', async () => {
  expect(await readFile(new URL('./service-model.ts', import.meta.url), 'utf8')).not.toContain('import');
});
