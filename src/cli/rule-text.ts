import type { ExplainedPart } from '../core/explanation.js';
import { printable, shownValue } from './output.js';
import { wrappedLines } from './wrapped-lines.js';

/** Most absent claims in one line. */
const SHOWN_ABSENT = 3;

/**
 * Shows the parts of a rule with their values, one per line, each below its parent.
 *
 * @param everything also shows true parts; otherwise only parts against the rule, with their claims
 */
export function ruleLines(part: ExplainedPart, indent: number, everything: boolean): readonly string[] {
  const lacking = part.state === 'undefined' && part.parts.length > 0 ? after(printable(lackingIn(part))) : '';
  return [
    ...wrappedLines(`${partText(part)}${lacking}`, indent, indent + 4),
    ...linesBelow(part, indent + 2, everything),
  ];
}

function linesBelow(above: ExplainedPart, indent: number, everything: boolean): readonly string[] {
  const parts = everything ? above.parts : above.parts.filter((part) => isAgainst(part, above));
  return parts.flatMap((part) => [
    ...wrappedLines(partText(part), indent, indent + 4),
    ...linesBelow(part, indent + 2, everything),
  ]);
}

/** Whether to show a part. A true part contradicts its negation; the value of a claim is always of interest. */
function isAgainst(part: ExplainedPart, above: ExplainedPart): boolean {
  return part.value !== true || part.parts.length === 0 || above.parts.length === 1;
}

function partText(part: ExplainedPart): string {
  const { state, value, note, parts } = part;
  const text = printable(onOneLine(part.text));
  const said = note === null ? '' : printable(note);
  switch (state) {
    case 'value':
      return `${text} is ${typeof value === 'string' ? printable(JSON.stringify(value)) : shownValue(value)}${inBrackets(said)}`;
    case 'not reached':
      return `${text} was not looked at${after(said)}`;
    case 'undefined':
      if (parts.length === 0) return said.startsWith('is ') ? `${text} ${said}` : `${text} has no value${after(said)}`;
      return `${text} has no value${isOfLacking(said) ? '' : inBrackets(said)}`;
  }
}

/** Why the rule has no value: the absent claims below. */
function lackingIn(part: ExplainedPart): string {
  const lacking = [...new Set(lackingLeaves(part))];
  const more = lacking.length > SHOWN_ABSENT ? [`${lacking.length - SHOWN_ABSENT} more`] : [];
  return [...lacking.slice(0, SHOWN_ABSENT), ...more].join(', ');
}

function lackingLeaves({ text, state, note, parts }: ExplainedPart): readonly string[] {
  if (parts.length > 0) return parts.flatMap(lackingLeaves);
  if (state !== 'undefined' || note === null) return [];
  return [note.startsWith('is ') ? `${text} ${note}` : note];
}

/** Whether the claims below already state it. */
function isOfLacking(note: string): boolean {
  return / is (absent|null, which counts as absent|no object)$/.test(note);
}

/** Joins a rule that spans several lines in its file. */
function onOneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ');
}

function after(text: string): string {
  return text === '' ? '' : `: ${text}`;
}

function inBrackets(text: string): string {
  return text === '' ? '' : ` (${text})`;
}
