/** A line of the file. */
export interface PhysicalLine {
  /** Without the newline and the carriage returns before it. */
  readonly text: string;
  /** Offset of the line in the file's text. */
  readonly start: number;
  /** Offset of the next line. */
  readonly next: number;
}

/** The file's text from bytes or a string, without byte-order mark. Bytes that are no UTF-8 become U+FFFD. */
export function decodeText(text: string | Uint8Array): string {
  if (typeof text !== "string") return new TextDecoder().decode(text);
  return text.startsWith("\uFEFF") ? text.slice(1) : text;
}

/** The lines of a text. A text that ends in a newline has no empty line after it. */
export function physicalLines(text: string): PhysicalLine[] {
  const lines: PhysicalLine[] = [];
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf("\n", start);
    const next = newline < 0 ? text.length : newline + 1;
    let end = newline < 0 ? text.length : newline;
    while (end > start && text[end - 1] === "\r") end--;
    lines.push({ text: text.slice(start, end), start, next });
    start = next;
  }
  return lines;
}
