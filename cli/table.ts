import { displayWidth, padToWidth } from "./progress/width.js";

/** Columns of text under upper-case headings, three blanks apart, as Docker's lists look. */
export function formatTable(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [headings, ...rows];
  const widths = headings.map((_, column) => Math.max(...lines.map((line) => displayWidth(line[column] ?? ""))));
  return lines.map((line) => `${line.map((cell, column) => padToWidth(cell, widths[column]!)).join("   ").trimEnd()}\n`).join("");
}
