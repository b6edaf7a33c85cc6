import type { Output } from '../../../src/cli/output.js';

/** The output of a command. */
export class KeptOutput implements Output {
  readonly asTable: boolean;
  readonly inColour = false;
  text = '';

  constructor(asTable: boolean) {
    this.asTable = asTable;
  }

  write = (text: string): void => {
    this.text += text;
  };

  get lines(): readonly string[] {
    return this.text.split('\n').slice(0, -1);
  }
}
