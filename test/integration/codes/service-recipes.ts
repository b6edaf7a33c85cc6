import type { RunningService, ServiceOptions } from '../../../src/app/service.js';
import type { NonceStanding } from '../../../src/core/challenge.js';
import type { EvidenceVerifier, Verification } from '../../../src/core/verification.js';
import { LAB_NONCE as nonce } from '../../answers/lab.js';
import type { LabFault } from '../../lab/lab-fault.js';
import { newEcKey } from '../../lab/lab-keys.js';
import { VaultLab } from '../key-vault/vault-lab.js';
import { challenge, lenientPolicy, MovableClock, NONCE, post } from '../service/lab-service.js';
import { verify } from '../service/token-lab.js';
import type { AnsweredCheck, CodeLab } from './code-lab.js';

/** Codes of the service itself, of its memory, and of what it has to reach. */

const HOUR_MS = 60 * 60 * 1000;

/** The answer of a service of its own about the genuine VM. */
async function answered(
  { tokens, nextData }: CodeLab,
  keys: object,
  world: Partial<ServiceOptions> = {},
  prepare: (service: RunningService) => void = () => {},
): Promise<readonly AnsweredCheck[]> {
  const service = await tokens.start(keys, world, nextData());
  try {
    prepare(service);
    return (await tokens.service.verify(service)).body.checks;
  } finally {
    await service.close();
  }
}

/** A service whose verifier does what it is told. */
function withVerifier(judgeEvidence: () => Promise<Verification>, keys: object = {}) {
  const verifier = {
    evidenceType: 'az-snp-vtpm',
    open: () => ({ needs: [], verify: judgeEvidence }),
  } satisfies EvidenceVerifier<'az-snp-vtpm'>;
  const verifiers = new Map([['az-snp-vtpm', verifier]]);
  return (lab: CodeLab) => answered(lab, keys, { replaced: { verifiers } });
}

function standing(found: NonceStanding) {
  return ({ lab, judged }: CodeLab) => judged(lab.guest.evidence({ nonce }), {}, { standing: found });
}

/** A token as evidence, while the keys of its issuer cannot be had. @param goingBy how long after they could be had */
function withoutKeys(fault: LabFault, goingBy: number | null = null) {
  return async ({ tokens, nextData }: CodeLab): Promise<readonly AnsweredCheck[]> => {
    const clock = new MovableClock();
    await tokens.service.writePolicy(
      lenientPolicy('token-alone', { accepts: ['maa-token'], routes: { hardware: 'off' } }),
    );
    const service = await tokens.start({}, { clock }, nextData());
    const ask = async () => {
      const token = tokens.guestToken(tokens.evidence());
      return (await verify(service, { type: 'maa-token', token }, { policy: 'token-alone' })).body.checks;
    };
    try {
      if (goingBy !== null) {
        await ask();
        clock.advance(goingBy);
      }
      tokens.maa.fail(/certs/, fault);
      return await ask();
    } finally {
      await service.close();
      await tokens.maa.heal();
    }
  };
}

export const serviceRecipes = {
  internal_error: withVerifier(() => Promise.reject(new Error('a fault of its own'))),
  deadline: withVerifier(() => new Promise(() => {}), { deadlineSeconds: 0.2 }),
  clock: (lab: CodeLab) => {
    const clock = new MovableClock();
    return answered(lab, {}, { clock }, () => clock.setBy(2 * HOUR_MS));
  },
  snp_product_refused: (lab: CodeLab) => answered(lab, { amd: { refuseProducts: ['Milan'] } }),
  launch_endorsement_ignored: async ({ tokens, nextData }: CodeLab) => {
    const service = await tokens.start({}, {}, nextData());
    try {
      const text = (value: string) => Buffer.from(value).toString('base64url');
      const SnpReport = Buffer.from(tokens.service.vm.platform.report({})).toString('base64url');
      const report = text(JSON.stringify({ SnpReport, Endorsements: text('{}') }));
      return (await verify(service, { type: 'snp', dialect: 'maa', value: { report } })).body.checks;
    } finally {
      await service.close();
    }
  },
  nonce_used: async ({ tokens, nextData }: CodeLab) => {
    const service = await tokens.start({}, {}, nextData());
    try {
      const body = tokens.service.verifyBody({ nonce: await challenge(service) });
      await post(service.url, '/verify', body);
      return (await post(service.url, '/verify', body)).body.checks;
    } finally {
      await service.close();
    }
  },
  nonce_expired: standing({ origin: 'challenge', state: 'expired' }),
  nonce_scope: standing({
    origin: 'challenge',
    state: 'scope',
    scopes: {
      purpose: { audience: 'https://gate.example', policy: null, evidenceType: null },
      asked: { tenant: 'default', audience: 'https://vault.example', policies: ['code'], evidenceType: 'snp' },
    },
  }),
  nonce_store: standing({ origin: 'challenge', state: 'store_unavailable' }),
  tpm_reset: async ({ tokens, nextData }: CodeLab) => {
    await tokens.service.writePolicy(lenientPolicy('tracking', { require: { tpm: { trackResets: true } } }));
    const service = await tokens.start({}, {}, nextData());
    const ask = async (resetCount: number) => {
      const asked = { nonce: NONCE, quote: { resetCount }, members: { policy: 'tracking' } };
      return (await tokens.service.verify(service, asked)).body.checks;
    };
    try {
      await ask(7);
      return await ask(3);
    } finally {
      await service.close();
    }
  },
  receipt_unavailable: async ({ tokens, nextData }: CodeLab) => {
    const vaults = await VaultLab.start({}, tokens.tls);
    const key = vaults.vault.add('receipts', { privateKey: newEcKey('prime256v1').privateKey });
    const world = { connect: vaults.connect, vaultPort: vaults.vault.port };
    const receipts = { key, credential: await vaults.identity() };
    const service = await tokens.start({ receipts }, world, nextData());
    try {
      vaults.vault.fail(/sign/, { status: 500 });
      return (await tokens.service.verify(service, { members: { audience: 'https://gate.example' } })).body.checks;
    } finally {
      await service.close();
      await vaults.close();
    }
  },
  jwks_unavailable: withoutKeys({ status: 500 }),
  jwks_invalid: withoutKeys('garbage'),
  jwks_stale: withoutKeys({ status: 500 }, 25 * HOUR_MS),
  route_unavailable: async ({ tokens, nextData }: CodeLab) => {
    const service = await tokens.startSubmitting({}, {}, nextData());
    try {
      tokens.maa.fail(/attest/, { status: 500 });
      return (await verify(service, tokens.evidence().wire, { policy: 'maa-required' })).body.checks;
    } finally {
      await service.close();
      await tokens.maa.heal();
    }
  },
} as const;
