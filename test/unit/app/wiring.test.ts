import type { DependencyContainer } from 'tsyringe';
import { describe, expect, it } from 'vitest';
import { createAppContainer } from '../../../src/app/container.js';
import { TOKENS } from '../../../src/app/injection-tokens.js';
import { NO_CONFIGURED_ROOTS } from '../../../src/app/reload/configured-roots.js';
import type { Configuration } from '../../../src/config/configuration.js';
import { loadConfiguration } from '../../../src/config/load-configuration.js';
import { EVIDENCE_TYPES } from '../../../src/core/evidence-traits.js';
import type { EvidenceVerifier } from '../../../src/core/verification.js';
import type { VerifierOptions } from '../../../src/tee/verifier-options.js';
import type { InspectEvidenceUseCase } from '../../../src/workbench/inspections.js';
import { formatErrorOf } from '../../format-error-of.js';
import { buildCcel, createIntelPki, createTdxGuest, TdxPlatform } from '../../lab/index.js';

const configuration = loadConfiguration({ text: null, environment: {} });
const verifiersOf = (container = createAppContainer(configuration)) =>
  container.resolve<ReadonlyMap<string, EvidenceVerifier>>(TOKENS.evidenceVerifiers);

const optionsOf = (container: DependencyContainer) =>
  container.resolve<Required<VerifierOptions>>(TOKENS.verifierOptions);

describe('the container', () => {
  it('has a verifier for every type of evidence, and each answers with its own', () => {
    const verifiers = verifiersOf();
    expect([...verifiers.keys()].sort()).toEqual([...EVIDENCE_TYPES].sort());
    for (const [type, verifier] of verifiers) expect(verifier.evidenceType).toBe(type);
  });

  it('inspects event logs up to the longest that is configured', () => {
    const short = loadConfiguration({ text: 'limits: { eventLogBytes: 1024 }', environment: {} });
    const inspectOf = (configured: Configuration) =>
      createAppContainer(configured).resolve<InspectEvidenceUseCase>(TOKENS.inspectEvidence);
    const ccel = buildCcel([], { padding: new Uint8Array(1024) });
    const evidence = createTdxGuest({ platform: new TdxPlatform({ pki: createIntelPki() }) }).evidence({ ccel });
    expect(() => inspectOf(configuration).execute(evidence)).not.toThrow();
    expect(formatErrorOf(() => inspectOf(short).execute(evidence))).toEqual({
      code: 'eventlog_limit',
      pointer: '/ccel',
    });
  });

  it('REQ-13 has no verifier of a simulated, sample or lab TEE', () => {
    const names = [...verifiersOf().values()].map((verifier) => verifier.constructor.name);
    expect(names.filter((name) => /sim|sample|test|lab|fake|mock|debug/i.test(name))).toEqual([]);
    expect([...verifiersOf().keys()].sort()).toEqual([
      'az-snp-vtpm',
      'az-tdx-vtpm',
      'ita-token',
      'maa-token',
      'snp',
      'tdx',
      'tpm',
    ]);
  });

  it('makes each verifier once', () => {
    const container = createAppContainer(configuration);
    expect(verifiersOf(container)).toBe(verifiersOf(container));
  });

  it('shares nothing with another', () => {
    const [one, other] = [createAppContainer(configuration), createAppContainer(configuration)];
    for (const [type, verifier] of verifiersOf(one)) expect(verifiersOf(other).get(type)).not.toBe(verifier);
    const own = { readonly: 'of one container' };
    one.register(TOKENS.endorsementSource, { useValue: own });
    expect(one.resolve(TOKENS.endorsementSource)).toBe(own);
    expect(() => other.resolve(TOKENS.endorsementSource)).toThrow();
    expect(() => createAppContainer(configuration).resolve(TOKENS.endorsementSource)).toThrow();
  });

  it('takes an override before anything is made', () => {
    const verifiers = new Map();
    const container = createAppContainer(configuration, (app) => {
      app.register(TOKENS.evidenceVerifiers, { useValue: verifiers });
    });
    expect(verifiersOf(container)).toBe(verifiers);
  });

  describe('paravisors by their id key', () => {
    const MILAN = '942fd93ebde6ea7a96efadeafc60f1c6b3d10e703b1dafd7555b92f7f3d32d0e006767648cba5b102af3d65756af4177';
    const GENOA = '0356215882a825279a85b300b0b742931d113bf7e32dde2e50ffde7ec743ca491ecdd7f336dc28a6e0b2bb57af7a44a3';
    const OTHER = 'ab'.repeat(48);

    function floorsWith(...idKeyDigests: readonly unknown[]) {
      const text = JSON.stringify({ azure: { paravisors: { idKeyDigests } } });
      const container = createAppContainer(loadConfiguration({ text, environment: {} }));
      return [...optionsOf(container).paravisorFloors];
    }

    it('HCL-16 has two built in, each with its floor', () => {
      expect(floorsWith()).toEqual([
        [MILAN, 10],
        [GENOA, 9],
      ]);
    });

    it('HCL-16 adds those of the configuration, a bare digest without a floor', () => {
      expect(floorsWith(OTHER)).toContainEqual([OTHER, 0]);
      expect(floorsWith({ digest: OTHER, minGuestSvn: 3 })).toContainEqual([OTHER, 3]);
      expect(floorsWith(OTHER)).toHaveLength(3);
    });

    it('HCL-16 keeps a built-in floor for a bare digest, and replaces it where another is written', () => {
      expect(floorsWith(MILAN.toUpperCase())).toEqual(floorsWith());
      expect(floorsWith({ digest: MILAN, minGuestSvn: 8 })).toEqual([
        [MILAN, 8],
        [GENOA, 9],
      ]);
    });
  });

  it('HCL-17 takes AK certificates for no paravisor, unless the configuration says from which day on', () => {
    const since = (text: string | null) =>
      optionsOf(createAppContainer(loadConfiguration({ text, environment: {} }))).akRoots.paravisorsSince;
    expect(since(null)).toBeNull();
    expect(since('azure: { paravisors: { akCertificates: off } }')).toBeNull();
    const day = 'azure: { paravisors: { akCertificates: 2025-10-01 } }';
    expect(since(day)).toEqual(new Date('2025-10-01T00:00:00.000Z'));
  });

  it('knows no paravisor on TDX but those that the configuration lists', () => {
    const mrtd = 'cd'.repeat(48);
    const text = JSON.stringify({ azure: { paravisors: { mrtds: [mrtd] } } });
    const known = (container: DependencyContainer) => optionsOf(container).paravisorMrtds;
    expect([...known(createAppContainer(configuration))]).toEqual([]);
    expect([...known(createAppContainer(loadConfiguration({ text, environment: {} })))]).toEqual([mrtd]);
  });

  it("pins Azure's root for certificates of attestation keys, and keeps what the operator adds apart from it", () => {
    const roots = (container: DependencyContainer) => optionsOf(container).akRoots;
    const azure = new Set(['5cbc52672ae101263c2976736044a964c1182ce9412c39937183baddcccb8cdf']);
    expect(roots(createAppContainer(configuration))).toEqual({ azure, configured: new Set(), paravisorsSince: null });
    const added = { ...NO_CONFIGURED_ROOTS, ak: new Set(['ab'.repeat(32)]) };
    expect(roots(createAppContainer(configuration, undefined, added))).toMatchObject({ azure, configured: added.ak });
  });
});
