/** Leaves texts for people as they are: unit tests compare codes, and test/messages compares texts. A text has a space. */
export const strykerPlugins = [
  {
    kind: 'Ignore',
    name: 'texts',
    value: {
      shouldIgnore: ({ node }) => (isText(node) ? 'a text for people' : undefined),
    },
  },
];

function isText({ type, value, quasis = [] }) {
  if (type === 'StringLiteral') return value.includes(' ');
  return type === 'TemplateLiteral' && quasis.some(({ value: { cooked } }) => cooked.includes(' '));
}
