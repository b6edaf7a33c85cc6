/** A section of the result. */
export interface Section {
  /** Id of its heading. */
  readonly id: string;
  /** Its name in the list. */
  readonly title: string;
}

/** Links to the shown sections: in a narrow window, the last one is far away. */
export function SectionList({ sections }: { readonly sections: readonly Section[] }) {
  return (
    <nav class="sections" aria-label="Sections of the result">
      <ul>
        {sections.map(({ id, title }) => (
          <li key={id}>
            <a
              href={`#${id}`}
              onClick={(event) => {
                event.preventDefault();
                goTo(id);
              }}
            >
              {title}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

/** Follows the link without changing the address, whose fragment may name the shown decision. */
function goTo(id: string): void {
  const heading = document.getElementById(id);
  if (heading === null) return;
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
  heading.scrollIntoView();
}
