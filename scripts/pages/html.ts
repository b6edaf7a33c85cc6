/** Text that is HTML, and not escaped again. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }
}

type Part = Html | string | number | null | readonly Part[];

/** HTML of a template. Whatever is put into it is escaped, but for what is HTML itself; null is nothing. */
export function html(literals: TemplateStringsArray, ...parts: readonly Part[]): Html {
  const [first = '', ...rest] = literals;
  return new Html(rest.reduce((text, literal, index) => `${text}${textOf(parts[index] ?? null)}${literal}`, first));
}

/** Several pieces one after the other. */
export const joined = (pieces: readonly Html[], between = '') => new Html(pieces.join(between));

/** Renders a description of openapi.yaml, which has paragraphs, `code` and **strong** text alone. */
export function prose(text: string): Html {
  return html`${text.split(/\n{2,}/).map((paragraph) => html`<p>${paragraph.trim().split(MARKED).map(marked)}</p>\n`)}`;
}

const MARKED = /(`[^`]+`|\*\*[^*]+\*\*)/;

function marked(piece: string): Html | string {
  if (!MARKED.test(piece)) return piece;
  return piece.startsWith('`')
    ? html`<code>${piece.slice(1, -1)}</code>`
    : html`<strong>${piece.slice(2, -2)}</strong>`;
}

function textOf(part: Part): string {
  if (part === null) return '';
  if (part instanceof Html) return part.text;
  if (typeof part === 'string' || typeof part === 'number') return escaped(String(part));
  return part.map(textOf).join('');
}

const ENTITIES: { readonly [character: string]: string } = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

const escaped = (text: string) => text.replace(/[&<>"]/g, (character) => ENTITIES[character] ?? '');
