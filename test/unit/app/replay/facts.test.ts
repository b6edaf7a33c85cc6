import { describe, expect, it } from 'vitest';
import { servedLines, servedPins } from '../../../../src/app/amd-lines.js';
import { NO_CONFIGURED_ROOTS } from '../../../../src/app/reload/configured-roots.js';
import { configurationOfThen, type JudgingConfiguration } from '../../../../src/app/replay/facts.js';
import { AMD_LINES } from '../../../../src/core/amd-lines.js';
import { AMD_ROOT_PINS } from '../../../../src/tee/snp/amd/roots.js';
import { configurationWith, productsOf } from '../../../configured-lines.js';
import { createAmdPki } from '../../../lab/index.js';

const PKI = createAmdPki();
const NOW = configurationWith(productsOf(PKI, 'Venice'));

/** The inputs kept of a configuration with this section `amd`. */
function kept(amd: JudgingConfiguration['amd']): JudgingConfiguration {
  const { policies, historical, limits, time, deadlineSeconds, azure, maa, ita } = NOW;
  const rest = { lifetimeSeconds: 300, roots: NO_CONFIGURED_ROOTS, submitted: [], early: false };
  return { policies, historical, limits, time, deadlineSeconds, amd, paravisors: azure.paravisors, maa, ita, ...rest };
}

describe('the configuration of a decision that is judged again', () => {
  it('has the product lines of then, and none of now', () => {
    const { products } = configurationWith(productsOf(PKI, 'Florence')).amd;
    expect(configurationOfThen(NOW, kept({ refuseProducts: [], products })).amd.products).toEqual(products);
    expect(configurationOfThen(NOW, kept({ refuseProducts: [], products: {} })).amd.products).toEqual({});
  });

  it('SNP-25 replaces no built-in line by one of then', () => {
    const { Florence } = configurationWith(productsOf(PKI, 'Florence')).amd.products;
    const products = { Turin: Florence as NonNullable<typeof Florence> };
    const then = configurationOfThen(NOW, kept({ refuseProducts: [], products }));
    expect([servedLines(then), servedPins(then)]).toEqual([AMD_LINES, AMD_ROOT_PINS]);
  });
});
