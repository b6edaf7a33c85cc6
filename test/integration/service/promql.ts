import { parser } from '@prometheus-io/lezer-promql';

/** A selector of an expression: a metric, and the labels that its matchers name with what they are compared with. */
export interface Selector {
  readonly name: string;
  readonly matchers: readonly (readonly [label: string, operator: string, value: string])[];
}

export interface ReadExpression {
  readonly selectors: readonly Selector[];
  /** Labels that results are grouped by. */
  readonly grouping: readonly string[];
}

/** Values in place of Grafana's own variables. */
const VARIABLES: readonly (readonly [RegExp, string])[] = [
  [/\$__rate_interval/g, '5m'],
  [/\$instance/g, '.*'],
];

/** Reads a PromQL expression, as dashboards and alerts have them. @throws {Error} if it does not parse */
export function readExpression(written: string): ReadExpression {
  const text = VARIABLES.reduce((so, [variable, value]) => so.replace(variable, value), written);
  const selectors: { name: string; matchers: [string, string, string][] }[] = [];
  const grouping: string[] = [];
  parser.parse(text).iterate({
    enter: ({ type, from, to, node }) => {
      const of = (child: string) => {
        const found = node.getChild(child);
        return found === null ? '' : text.slice(found.from, found.to);
      };
      if (type.isError) throw new Error(`does not parse at ${from}: ${text}`);
      if (type.name === 'VectorSelector') selectors.push({ name: of('Identifier'), matchers: [] });
      if (type.name === 'UnquotedLabelMatcher') {
        selectors.at(-1)?.matchers.push([of('LabelName'), of('MatchOp'), of('StringLiteral').slice(1, -1)]);
      }
      if (type.name === 'GroupingLabels') {
        grouping.push(...node.getChildren('LabelName').map((label) => text.slice(label.from, label.to)));
      }
      return to >= from;
    },
  });
  return { selectors, grouping };
}
