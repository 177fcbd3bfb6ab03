import { displayWidth, padToWidth } from "./progress/width.js";

/** Columns of text under upper-case headings, `gap` blanks apart, three in Docker's lists. */
export function formatTable(headings: readonly string[], rows: readonly (readonly string[])[], gap = 3): string {
  const lines = [headings, ...rows];
  const widths = headings.map((_, column) => Math.max(...lines.map((line) => displayWidth(line[column] ?? ""))));
  return lines.map((line) => `${line.map((cell, column) => padToWidth(cell, widths[column]!)).join(" ".repeat(gap)).trimEnd()}\n`).join("");
}
