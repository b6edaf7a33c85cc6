import { describe, expect, it } from 'vitest';
import { decisionIn, linkTo } from '../../../src/inspector/decision-link.js';

const ID = '019bc1f0-5a3c-7b52-9d9f-3a0e8d0f5c11';

describe('a link to a decision', () => {
  it('has its id, and nothing else', () => {
    expect(linkTo(ID)).toBe(`#decision=${ID}`);
    expect(decisionIn(linkTo(ID))).toBe(ID);
  });

  it.each(['', '#', '#decision=', `#decision=${ID}&evidence=1`, `#evidence=${ID}`, '#decision=../../metrics'])(
    'is none: %j',
    (fragment) => {
      expect(decisionIn(fragment)).toBeNull();
    },
  );
});
