import { runShortOptions } from "./run.js";

/** Short options that take a value, of all commands but those below. */
const TAKES_VALUE = "tfoicmu";

/** Of `tbuild verify`. */
const VERIFY_TAKES_VALUE = "fncm";

/** Of commands whose options have the same letters without a value. */
const OTHERWISE: Readonly<Record<string, string>> = { "image rm": "", "image remove": "", "image prune": "" };

/** Letters of the options that take a value after the words `tbuild COMMAND`, of which `first` is the command's own. */
export function shortOptionsWithValue(first: string, second: string): string {
  if (first === "verify") return VERIFY_TAKES_VALUE;
  return first === "run" ? runShortOptions : OTHERWISE[`${first} ${second}`] ?? TAKES_VALUE;
}

/**
 * `-tname` becomes `-t name` and `-qtname` becomes `-q -t name`, as Docker reads them; yargs would take every letter for
 * an option. Words behind `--` stay as they are.
 */
export function splitShortOptions(words: readonly string[], takesValue = TAKES_VALUE): readonly string[] {
  const end = words.indexOf("--");
  if (end >= 0) return [...splitShortOptions(words.slice(0, end), takesValue), ...words.slice(end)];
  const parts = words.flatMap((word) => split(word, takesValue));
  return parts.reduce<readonly string[]>((before, word) => joinDash(before, word, takesValue), []);
}

/** Options of a build that take no value: the dash behind them is the context. */
const FLAGS: readonly string[] = ["--no-cache", "--pull", "--check", "--push", "--load", "--detach", "--quiet"];

/** `-o -` becomes `-o=-`: yargs would take the dash for another word. */
function joinDash(before: readonly string[], word: string, takesValue: string): readonly string[] {
  const option = before.at(-1) ?? "";
  const wantsValue = (/^--[a-z-]+$/.test(option) && !FLAGS.includes(option)) || (/^-[A-Za-z]$/.test(option) && takesValue.includes(option[1]!));
  return word === "-" && wantsValue ? [...before.slice(0, -1), `${option}=-`] : [...before, word];
}

function split(word: string, takesValue: string): readonly string[] {
  const [, letter = "", rest = ""] = /^-([A-Za-z])(.+)$/s.exec(word) ?? [];
  if (letter === "") return [word];
  if (takesValue.includes(letter)) return [`-${letter}`, rest.replace(/^=/, "")];
  return rest.startsWith("=") ? [word] : [`-${letter}`, ...split(`-${rest}`, takesValue)];
}
