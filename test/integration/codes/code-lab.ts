import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningService, startService } from '../../../src/app/service.js';
import { loadConfiguration } from '../../../src/config/load-configuration.js';
import type { Check } from '../../../src/core/check.js';
import type { Evidence } from '../../../src/core/evidence.js';
import type { JsonObject } from '../../../src/core/json.js';
import type { AkRoots } from '../../../src/tee/shared/attestation-key/ak-roots.js';
import { createLog } from '../../../src/telemetry/log.js';
import { presentDecision } from '../../../src/wire/present-decision.js';
import type { Body } from '../../answers/body.js';
import { closeLab, createLab, LAB_AT, LAB_NONCE, type Lab, trustIn } from '../../answers/lab.js';
import { labBodies } from '../../answers/lab-bodies.js';
import { configurationFile, writeSetting } from '../../answers/setting.js';
import { tokenBodies } from '../../answers/token-bodies.js';
import { type Judged, judge, verifiersOf } from '../../judge.js';
import { base64Url, lenientPolicy, post } from '../service/lab-service.js';
import { TokenLab } from '../service/token-lab.js';

/** A check as an answer has it. */
export interface AnsweredCheck extends Pick<Check, 'id' | 'result' | 'about' | 'expected' | 'actual' | 'policy'> {
  readonly remedy: string | null;
}

/** The members of a policy beside the least ones. */
type PolicyMembers = Readonly<Record<string, unknown>>;

/** Everything that answers are made with: bodies of test/answers and a service for them, and another that can be broken. */
export class CodeLab {
  readonly lab: Lab;
  readonly tokens: TokenLab;
  readonly #folder: string;
  readonly #service: RunningService;
  readonly #bodies: ReadonlyMap<string, Body>;
  #started = 0;

  private constructor(lab: Lab, tokens: TokenLab, folder: string, service: RunningService, bodies: readonly Body[]) {
    this.lab = lab;
    this.tokens = tokens;
    this.#folder = folder;
    this.#service = service;
    this.#bodies = new Map(bodies.map((body) => [body.name, body]));
  }

  static async create(): Promise<CodeLab> {
    const [lab, tokens] = await Promise.all([createLab(), TokenLab.create()]);
    const folder = await mkdtemp(join(tmpdir(), 'veritee-codes-'));
    await writeSetting(folder, trustIn(lab), lab.maa.policyHash);
    const bodies = [...(await labBodies(lab)), ...tokenBodies(lab)];
    return new CodeLab(lab, tokens, folder, await serviceOf(lab, folder), bodies);
  }

  /** The answer to a body of test/answers. */
  async posted(name: string): Promise<readonly AnsweredCheck[]> {
    const body = this.#bodies.get(name);
    if (body === undefined) throw new Error(`test/answers makes no body ${name}`);
    return this.#ask(body.target, body.text());
  }

  /** The answer to evidence at the lab's instant, under a policy of test/answers. */
  readonly asked = (evidence: JsonObject, policy: string): Promise<readonly AnsweredCheck[]> => {
    const body = { evidence, policy, nonce: base64Url(LAB_NONCE), at: LAB_AT.toISOString() };
    return this.#ask('/verify', JSON.stringify(body));
  };

  /** The answer to evidence under a policy of its own, from the use case without its shell. */
  readonly judged = async (
    evidence: Evidence,
    members: PolicyMembers = {},
    changed: Partial<Judged> = {},
  ): Promise<readonly AnsweredCheck[]> => {
    const { amd, intel, akPki } = this.lab;
    const policy = lenientPolicy('code', { accepts: [evidence.type], freshness: 'none', paravisor: 'any', ...members });
    const akRoots: AkRoots = { azure: akPki.pins, configured: new Set(), paravisorsSince: null };
    const decision = await judge(
      evidence,
      { nonce: LAB_NONCE },
      {
        verifiers: verifiersOf(amd.pins(), { intelPins: intel.pins, akRoots }),
        at: LAB_AT,
        policies: [policy],
        ...changed,
      },
    );
    return presentDecision(decision, { allChecks: true }).checks as readonly AnsweredCheck[];
  };

  /** A folder name that no service has written to. */
  readonly nextData = (): string => {
    this.#started += 1;
    return `codes-${this.#started}`;
  };

  async close(): Promise<void> {
    await Promise.all([this.#service.close(), this.tokens.close(), closeLab(this.lab)]);
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #ask(target: string, text: string): Promise<readonly AnsweredCheck[]> {
    const { status, body } = await post(this.#service.url, target, text);
    if (status !== 200) throw new Error(`no decision: ${status} ${body.code} ${body.detail}`);
    return body.checks;
  }
}

/** The service of the setting, which takes the roots of the lab for the vendors'. */
async function serviceOf({ amd, intel, akPki }: Lab, folder: string): Promise<RunningService> {
  const loaded = loadConfiguration({ text: await readFile(configurationFile(folder, 'lab'), 'utf8'), environment: {} });
  const decisions = { ...loaded.decisions, store: join(folder, 'data', 'veritee.db') };
  return startService(
    { ...loaded, decisions },
    {
      log: createLog('fatal', { write: () => {} }),
      amdRootPins: amd.pins(),
      intelRootPins: intel.pins,
      replaced: { azureRootPins: akPki.pins },
    },
  );
}
