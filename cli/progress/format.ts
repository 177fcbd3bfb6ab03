import { formatBytes } from "../../cache/formatBytes.js";

/** `12.3s`. */
export function formatSeconds(seconds: number): string {
  return `${seconds.toFixed(1)}s`;
}

/** "1.50MB / 3.00MB", or one number when the total is unknown. */
export function formatAmount(current: number, total: number): string {
  return total > 0 ? `${formatBytes(current)} / ${formatBytes(total)}` : formatBytes(current);
}

// oxlint-disable-next-line no-control-regex -- removing them is the point
const SEQUENCE = /\u001b\[[0-?]*[ -/]*[@-~]|\u001b[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b[ -/]*[0-~]/g;
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu;

/**
 * Text as it may stand on one line of a terminal: without escape sequences, control characters and changes of direction, so
 * that a step cannot move the cursor of the view. Of a line that was overwritten (`\r`) the last state counts.
 */
export function printable(text: string): string {
  const plain = text.replace(SEQUENCE, "");
  const state = plain.split("\r").findLast((part) => part !== "") ?? "";
  return state.replace(/\t/g, "    ").replace(/\n/g, " ").replace(CONTROL, "");
}
