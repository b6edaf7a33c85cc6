import { describe, expect, it } from 'vitest';
import type { Configuration } from '../../../src/config/configuration.js';
import { loadConfiguration, readConfiguration } from '../../../src/config/load-configuration.js';
import { configuredLines } from '../../../src/config/product-lines.js';
import { AMD_LINES } from '../../../src/core/amd-lines.js';

const PIN = 'ab'.repeat(32);
const OTHER_PIN = 'cd'.repeat(32);

/** A line that clashes with nothing. */
const VENICE = {
  arkSpki: [PIN],
  cpuid: { family: 0x1a, models: ['0x50-0x57', 0x90] },
  parts: { Venice: ['0x50-0x57'], 'Venice-Dense': [0x90] },
  hwid: 8,
  tcb: 'turin',
};
/** Another one, which clashes with neither. */
const FLORENCE = {
  arkSpki: [OTHER_PIN],
  cpuid: { family: 0x1b, models: [[1, 3]] },
  parts: { Florence: [1] },
  hwid: 64,
  tcb: 'milan',
};

function load(products: object, amd: object = {}): Configuration {
  return loadConfiguration({ text: JSON.stringify({ amd: { products, ...amd } }), environment: {} });
}

/** Problems as `place: what`, the place below `amd`. */
function problemsOf(products: object, amd: object = {}): readonly string[] {
  const text = JSON.stringify({ amd: { products, ...amd } });
  const { problems } = readConfiguration({ text, environment: {} });
  return problems.map(({ path, what }) => `${path.slice(1).join('/')}: ${what}`);
}

/** Those of Venice with other members, below it. */
const problemsWith = (members: object) =>
  problemsOf({ Venice: { ...VENICE, ...members } }).map((problem) => problem.replace('products/Venice/', ''));

describe('product lines of the configuration', () => {
  it('are read with their roots, models, parts, chip ids and TCB layout', () => {
    expect(configuredLines(load({ Venice: VENICE, Florence: FLORENCE }).amd)).toEqual([
      {
        product: 'Venice',
        arkSpki: new Set([PIN]),
        family: 0x1a,
        models: [
          [0x50, 0x57],
          [0x90, 0x90],
        ],
        parts: [
          { part: 'Venice', models: [[0x50, 0x57]], steppings: [0, 255] },
          { part: 'Venice-Dense', models: [[0x90, 0x90]], steppings: [0, 255] },
        ],
        otherNames: [],
        chipIdBytes: 8,
        layout: 'turin',
      },
      {
        product: 'Florence',
        arkSpki: new Set([OTHER_PIN]),
        family: 0x1b,
        models: [[1, 3]],
        parts: [{ part: 'Florence', models: [[1, 1]], steppings: [0, 255] }],
        otherNames: [],
        chipIdBytes: 64,
        layout: 'milan',
      },
    ]);
  });

  it('are none where none is configured', () => {
    expect(configuredLines(load({}).amd)).toEqual([]);
  });

  it('may be written in YAML with models in hex', () => {
    const text = `amd: { products: { Venice: { arkSpki: ["${PIN}"], cpuid: { family: 0x1a, models: [0x50-0x57, 0xc0] }, parts: { Venice: [0x50] }, hwid: 8, tcb: turin } } }`;
    const [line] = configuredLines(loadConfiguration({ text, environment: {} }).amd);
    expect(line).toMatchObject({
      family: 0x1a,
      models: [
        [0x50, 0x57],
        [0xc0, 0xc0],
      ],
      parts: [{ models: [[0x50, 0x50]] }],
    });
  });

  it('have pins in lower case, however they are written', () => {
    expect(load({ Venice: { ...VENICE, arkSpki: [PIN.toUpperCase()] } }).amd.products['Venice']?.arkSpki).toEqual([
      PIN,
    ]);
  });

  it.each(['venice', '1Venice', 'Ve nice', 'Venice_2', 'Véni', '', `V${'e'.repeat(32)}`, '__proto__'])(
    'do not load under the name %j',
    (name) => {
      expect(problemsOf(JSON.parse(`{${JSON.stringify(name)}: ${JSON.stringify(VENICE)}}`))).toEqual([
        `products/${name}: is not a name`,
      ]);
    },
  );

  it.each([
    ['hwid', 'is missing'],
    ['tcb', 'is missing'],
    ['arkSpki', 'is missing'],
    ['parts', 'is missing'],
  ])('do not load without %s', (member, what) => {
    const { [member as 'hwid']: _, ...rest } = VENICE;
    expect(problemsOf({ Venice: rest })).toEqual([`products/Venice/${member}: ${what}`]);
  });

  it.each([
    [{ hwid: 16 }, 'hwid: must be 8 or 64'],
    [{ hwid: '8' }, 'hwid: must be 8 or 64, without quotes'],
    [{ tcb: 'genoa' }, 'tcb: must be milan or turin'],
    [{ arkSpki: [] }, 'arkSpki: must not be empty'],
    [{ arkSpki: ['ab'] }, 'arkSpki/0: must be 32 bytes in hex'],
    [{ arkSpki: [PIN, PIN] }, 'arkSpki: repeats an item'],
    [{ parts: {} }, 'parts: names nothing'],
    [{ parts: { Venice: [] } }, 'parts/Venice: must not be empty'],
    [{ parts: { venice: [0x50] } }, 'parts/venice: is not a name'],
    [{ cpuid: { family: 256, models: [1] } }, 'cpuid/family: must be a whole number from 0 to 255'],
    [{ cpuid: { family: 1, models: [] } }, 'cpuid/models: must not be empty'],
    [{ roots: [] }, 'roots: unknown key; there are arkSpki, cpuid, parts, hwid, tcb'],
  ])('do not load with %j', (members, problem) => {
    expect(problemsWith(members)).toContain(problem);
  });

  it.each(
    [
      256,
      -1,
      1.5,
      '0x100',
      '0x57-0x50',
      '0x50-',
      '-0x50',
      '0x50-0x57-0x58',
      '80 - 81',
      '',
      true,
      [0x50],
      [0x57, 0x50],
      [0x50, [0x51]],
    ].map((model) => ({ model })),
  )('have no model $model', ({ model }) => {
    expect(problemsWith({ cpuid: { family: 0x1a, models: [model] } })).toContain(
      'cpuid/models/0: must be a model from 0 to 255, or a range such as 0x50-0x57',
    );
  });

  it.each(['Milan', 'MILAN', 'Turin-Dense', 'TURIN-dense', 'Bergamo-Siena', 'Bergamo', 'SIENA', 'Genoa-x', 'Unknown'])(
    'SNP-25 do not load under the name %s, which a built-in line or part has, in any case',
    (name) => {
      expect(problemsOf({ [name]: { ...VENICE, parts: { Own: [0x50] } } })).toContain(
        `products/${name}: is the name of another line or part`,
      );
      expect(problemsOf({ Venice: { ...VENICE, parts: { [name]: [0x50] } } })).toContain(
        `products/Venice/parts/${name}: is the name of another line or part`,
      );
    },
  );

  it.each(['VLEK', 'VCEK', 'VLEK-Milan', 'Vlek-Next', 'VCEK-Milan'])(
    'do not load under the name %s, with which names of certificates have two meanings',
    (name) => {
      expect(problemsOf({ [name]: { ...VENICE, parts: { Own: [0x50] } } })).toContain(
        `products/${name}: must not be VCEK or VLEK, or begin with one: names of certificates begin so`,
      );
    },
  );

  it.each([
    ['Milan-Next', 'Milan'],
    ['GENOA-B1', 'Genoa'],
    ['Siena-2', 'Siena'],
  ])('SNP-31 do not load under the name %s, which a stepping of %s could have', (name, near) => {
    expect(problemsOf({ [name]: { ...VENICE, parts: { Own: [0x50] } } })).toContain(
      `products/${name}: differs from ${near} by what follows a hyphen, as the steppings of one line do`,
    );
  });

  it.each([
    [['Florence', 'Florence-Dense'], 'Florence-Dense'],
    [['Florence-Dense', 'Florence'], 'Florence'],
  ])('SNP-31 do not load where a stepping of one could be another: %j', (names, refused) => {
    const lines = names.map((name, index) => [
      name,
      { ...(index === 0 ? VENICE : FLORENCE), parts: { [`Own${index}`]: [index === 0 ? 0x50 : 1] } },
    ]);
    expect(problemsOf(Object.fromEntries(lines))).toEqual([
      expect.stringMatching(`^products/${refused}: differs from Florence(-Dense)? by what follows a hyphen`),
    ]);
  });

  it('do not load where two have one name in two cases, or one is named as a part of another', () => {
    const own = { ...FLORENCE, parts: { Florence: [1] } };
    expect(problemsOf({ Venice: VENICE, VENICE: own })).toEqual([
      'products/VENICE: is the name of another line or part',
    ]);
    expect(problemsOf({ Venice: VENICE, Florence: { ...own, parts: { 'VENICE-dense': [1] } } })).toEqual([
      'products/Florence/parts/VENICE-dense: is the name of another line or part',
    ]);
    expect(problemsOf({ Florence: { ...own, parts: { Venice: [1] } }, Venice: VENICE })).toContain(
      'products/Venice: is the name of another line or part',
    );
  });

  it('may have a part of their own name, and not two parts of one name', () => {
    expect(problemsWith({ parts: { Venice: [0x50], VENICE: [0x90] } })).toEqual([
      'parts/VENICE: is the name of another line or part',
    ]);
  });

  it('SNP-25 do not load with the root key of a built-in line', () => {
    for (const [product, { arkSpki }] of AMD_LINES) {
      expect(problemsWith({ arkSpki: [OTHER_PIN, ...arkSpki] })).toEqual([`arkSpki/1: is the root key of ${product}`]);
    }
  });

  it('SNP-25 do not load where two have one root key', () => {
    expect(problemsOf({ Venice: VENICE, Florence: { ...FLORENCE, arkSpki: [OTHER_PIN, PIN] } })).toEqual([
      'products/Florence/arkSpki/1: is the root key of Venice',
    ]);
  });

  it.each([
    [0x19, 0x00, 'Milan'],
    [0x19, '0x0f-0x0f', 'Milan'],
    [0x19, 0x10, 'Genoa'],
    [0x19, '0x20-0xa0', 'Genoa'],
    [0x19, '0x00-0xff', 'Milan'],
    [0x1a, 0x11, 'Turin'],
    [0x1a, '0x11-0x57', 'Turin'],
  ])('SNP-17 do not load with family %i and model %j, which %s has', (family, model, product) => {
    const members = { cpuid: { family, models: [model] }, parts: { Venice: [model] } };
    expect(problemsWith(members)).toEqual([`cpuid/models: has a model of ${product}, which has the same family`]);
  });

  it.each([
    [0x19, '0x20-0x9f'],
    [0x1a, 0x12],
    [0x18, 0x00],
  ])('SNP-17 twin: load with family %i and model %j, which no line has', (family, model) => {
    expect(problemsWith({ cpuid: { family, models: [model] }, parts: { Venice: [model] } })).toEqual([]);
  });

  it('SNP-17 do not load where two have one model of one family', () => {
    const cpuid = { family: 0x1a, models: [0x58, '0x57-0x60'] };
    expect(problemsOf({ Venice: VENICE, Florence: { ...FLORENCE, cpuid, parts: { Florence: [0x58] } } })).toEqual([
      'products/Florence/cpuid/models: has a model of Venice, which has the same family',
    ]);
  });

  it('do not load with a part whose models the line does not have, or another part has', () => {
    expect(problemsWith({ parts: { Venice: ['0x50-0x58'] } })).toEqual([
      'parts/Venice: must be among the models of Venice (cpuid.models), each range inside one of them',
    ]);
    expect(problemsWith({ parts: { Venice: ['0x50-0x53'], 'Venice-Dense': ['0x53-0x57'] } })).toEqual([
      'parts/Venice-Dense: has a model of another part',
    ]);
  });

  it('may be refused by the operator, as built-in ones', () => {
    const { refuseProducts } = load({ Venice: VENICE }, { refuseProducts: ['Venice', 'Milan'] }).amd;
    expect(refuseProducts).toEqual(['Venice', 'Milan']);
    expect(problemsOf({ Venice: VENICE }, { refuseProducts: ['Florence'] })).toEqual([
      'refuseProducts/0: must be one of Milan, Genoa, Turin, Venice',
    ]);
  });
});
