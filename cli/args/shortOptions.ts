/** Short options that take a value, of all commands. */
const TAKES_VALUE = "tfoicu";

/**
 * `-tname` becomes `-t name` and `-qtname` becomes `-q -t name`, as Docker reads them; yargs would take every letter for
 * an option. Words behind `--` stay as they are.
 */
export function splitShortOptions(words: readonly string[]): readonly string[] {
  const end = words.indexOf("--");
  if (end >= 0) return [...splitShortOptions(words.slice(0, end)), ...words.slice(end)];
  return words.flatMap(split).reduce<readonly string[]>(joinDash, []);
}

/** `-o -` becomes `-o=-`: yargs would take the dash for another word. */
function joinDash(before: readonly string[], word: string): readonly string[] {
  const option = before.at(-1) ?? "";
  const takesValue = /^--[a-z-]+$/.test(option) || (/^-[A-Za-z]$/.test(option) && TAKES_VALUE.includes(option[1]!));
  return word === "-" && takesValue ? [...before.slice(0, -1), `${option}=-`] : [...before, word];
}

function split(word: string): readonly string[] {
  const [, letter = "", rest = ""] = /^-([A-Za-z])(.+)$/s.exec(word) ?? [];
  if (letter === "") return [word];
  if (TAKES_VALUE.includes(letter)) return [`-${letter}`, rest.replace(/^=/, "")];
  return rest.startsWith("=") ? [word] : [`-${letter}`, ...split(`-${rest}`)];
}
