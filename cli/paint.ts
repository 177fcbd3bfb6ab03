/** Colours of a report, or none. */
export interface Paint {
  readonly bad: (text: string) => string;
  readonly strong: (text: string) => string;
  readonly help: (text: string) => string;
}

/** With escape sequences when `colours`, else text as it is. */
export function createPaint(colours: boolean): Paint {
  const style = (code: number) => (text: string) => (colours && text !== "" ? `\u001b[${code}m${text}\u001b[0m` : text);
  return { bad: style(31), strong: style(1), help: style(36) };
}
