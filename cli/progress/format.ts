/** `12.3s`. */
export function formatSeconds(seconds: number): string {
  return `${seconds.toFixed(1)}s`;
}

/** Bytes for people: "1.5kB", "12.0MB" (powers of 1000, as Docker shows them). */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return unit === 0 ? `${value}B` : `${value.toFixed(value < 10 ? 2 : 1)}${units[unit]}`;
}

/** "1.50MB / 3.00MB", or one number when the total is unknown. */
export function formatAmount(current: number, total: number): string {
  return total > 0 ? `${formatBytes(current)} / ${formatBytes(total)}` : formatBytes(current);
}

// oxlint-disable-next-line no-control-regex -- removing them is the point
const CONTROL = /\u001b\[[0-?]*[ -/]*[@-~]|\u001b\][^\u0007]*\u0007|[\u0000-\u0008\u000b-\u001f\u007f]/g;

/** Text without escape sequences and control characters, so that a step cannot move the cursor of the view. */
export function printable(text: string): string {
  return text.replace(/\t/g, "    ").replace(CONTROL, "");
}
