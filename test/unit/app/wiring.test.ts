import { describe, expect, it } from 'vitest';
import { createContainer, type Replaced } from '../../../src/app/container.js';
import { NO_CONFIGURED_ROOTS } from '../../../src/app/reload/configured-roots.js';
import type { Configuration } from '../../../src/config/configuration.js';
import { loadConfiguration } from '../../../src/config/load-configuration.js';
import { EVIDENCE_TYPES } from '../../../src/core/evidence-traits.js';
import { formatErrorOf } from '../../format-error-of.js';
import { buildCcel, createIntelPki, createTdxGuest, TdxPlatform } from '../../lab/index.js';

const configurationOf = (text: string | null) => loadConfiguration({ text, environment: {} });
const configuration = configurationOf(null);
const verifiersOf = (values: Replaced = {}) => createContainer({ configuration }, values).verifiers;
const optionsOf = (text: string | null, values: Replaced = {}) =>
  createContainer({ configuration: configurationOf(text) }, values).verifierOptions;

describe('the container', () => {
  it('has a verifier for every type of evidence, and each answers with its own', () => {
    const verifiers = verifiersOf();
    expect([...verifiers.keys()].sort()).toEqual([...EVIDENCE_TYPES].sort());
    for (const [type, verifier] of verifiers) expect(verifier.evidenceType).toBe(type);
  });

  it('inspects event logs up to the longest that is configured', () => {
    const short = configurationOf('limits: { eventLogBytes: 1024 }');
    const inspectOf = (configured: Configuration) => createContainer({ configuration: configured }).inspectEvidence;
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
    const app = createContainer({ configuration });
    expect(app.verifiers).toBe(app.verifiers);
  });

  it('shares nothing with another', () => {
    const own = { fetch: () => Promise.reject(new Error('of one container')) };
    const [one, other] = [createContainer({ configuration, endorsements: own }), createContainer({ configuration })];
    for (const [type, verifier] of one.verifiers) expect(other.verifiers.get(type)).not.toBe(verifier);
    expect(one.endorsements).toBe(own);
    expect(() => other.endorsements).toThrow('unregistered dependency token: "endorsements"');
  });

  it('takes a value in the place of a factory, the last one of several, and one that is null', () => {
    const [first, last] = [new Map(), new Map()];
    expect(createContainer({ configuration, verifiers: first }, { verifiers: last }).verifiers).toBe(last);
    expect(createContainer({ configuration, receipts: null }).receipts).toBeNull();
  });

  it('makes a part that depends on a replaced one of that', () => {
    const azureRootPins = new Set(['ab'.repeat(32)]);
    expect(createContainer({ configuration, azureRootPins }).verifierOptions.akRoots.azure).toBe(azureRootPins);
  });

  it('keeps the factory where a value is undefined', () => {
    expect(verifiersOf({ verifiers: undefined }).size).toBe(EVIDENCE_TYPES.length);
  });

  describe('paravisors by their id key', () => {
    const MILAN = '942fd93ebde6ea7a96efadeafc60f1c6b3d10e703b1dafd7555b92f7f3d32d0e006767648cba5b102af3d65756af4177';
    const GENOA = '0356215882a825279a85b300b0b742931d113bf7e32dde2e50ffde7ec743ca491ecdd7f336dc28a6e0b2bb57af7a44a3';
    const OTHER = 'ab'.repeat(48);

    function floorsWith(...idKeyDigests: readonly unknown[]) {
      const text = JSON.stringify({ azure: { paravisors: { idKeyDigests } } });
      return [...optionsOf(text).paravisorFloors];
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
    const since = (text: string | null) => optionsOf(text).akRoots.paravisorsSince;
    expect(since(null)).toBeNull();
    expect(since('azure: { paravisors: { akCertificates: off } }')).toBeNull();
    const day = 'azure: { paravisors: { akCertificates: 2025-10-01 } }';
    expect(since(day)).toEqual(new Date('2025-10-01T00:00:00.000Z'));
  });

  it('knows no paravisor on TDX but those that the configuration lists', () => {
    const mrtd = 'cd'.repeat(48);
    const text = JSON.stringify({ azure: { paravisors: { mrtds: [mrtd] } } });
    expect([...optionsOf(null).paravisorMrtds]).toEqual([]);
    expect([...optionsOf(text).paravisorMrtds]).toEqual([mrtd]);
  });

  it("pins Azure's root for certificates of attestation keys, and keeps what the operator adds apart from it", () => {
    const azure = new Set(['5cbc52672ae101263c2976736044a964c1182ce9412c39937183baddcccb8cdf']);
    expect(optionsOf(null).akRoots).toEqual({ azure, configured: new Set(), paravisorsSince: null });
    const roots = { ...NO_CONFIGURED_ROOTS, ak: new Set(['ab'.repeat(32)]) };
    expect(optionsOf(null, { roots }).akRoots).toMatchObject({ azure, configured: roots.ak });
  });
});
