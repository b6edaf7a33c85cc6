import { expect, it } from 'vitest';
import { explanationsText } from '../../scripts/explanations.js';

it('the page of explanations shows what the command prints of each situation', async () => {
  const text = await explanationsText();
  expect(text.match(/^## /gm)?.length).toBeGreaterThanOrEqual(10);
  const printed = text.matchAll(/```text\n(.*?)```/gs);
  const tooLong = [...printed].flatMap(([, lines = '']) => lines.split('\n').filter((line) => line.length > 80));
  expect(tooLong.filter((line) => !line.startsWith('reasons '))).toEqual([]);
});
