import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';

interface DropFormProps {
  readonly onSubmit: () => void;
  readonly onFile: (file: File | undefined) => void;
  readonly children: ComponentChildren;
}

/** A form that a file can be dropped on. */
export function DropForm({ onSubmit, onFile, children }: DropFormProps) {
  const [isOver, setOver] = useState(false);
  useNothingOpened();
  return (
    <form
      class={isOver ? 'intake over' : 'intake'}
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit();
      }}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        onFile(event.dataTransfer?.files[0]);
      }}
    >
      {children}
    </form>
  );
}

/** A file that misses the form would else be opened in place of the page. */
function useNothingOpened(): void {
  useEffect(() => {
    const keep = (event: Event) => event.preventDefault();
    for (const name of ['dragover', 'drop']) addEventListener(name, keep);
    return () => {
      for (const name of ['dragover', 'drop']) removeEventListener(name, keep);
    };
  }, []);
}
