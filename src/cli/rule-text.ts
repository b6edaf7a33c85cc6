import type { ExplainedPart } from '../core/explanation.js';
import { printable, shownValue } from './output.js';
import { wrappedLines } from './wrapped-lines.js';

/** Absent claims that one line names. */
const SHOWN_ABSENT = 3;

/**
 * The parts of a rule with their values, one a line, each below what it is a part of.
 *
 * @param everything also parts that are true; otherwise what speaks against the rule, with the claims that it rests on
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

/** A part that is true contradicts its negation, or is a claim, whose value people want to see. */
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

/** Why the rule has no value: the claims below that have none. */
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

/** Said of the claims below already. */
function isOfLacking(note: string): boolean {
  return / is (absent|null, which counts as absent|no object)$/.test(note);
}

/** Rules may stand on several lines in their files. */
function onOneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ');
}

function after(text: string): string {
  return text === '' ? '' : `: ${text}`;
}

function inBrackets(text: string): string {
  return text === '' ? '' : ` (${text})`;
}
