/** What is exported again gets a new time after so long. */
export const DAY_MS = 86_400_000;
/** What nobody has exported for so long is left out. */
export const KEPT_MS = 30 * DAY_MS;
