import { usage } from "../usage.js";

/** `NAME=VALUE` of an option such as `--label`; without "=" the value is empty. @throws {TbuildError} usage */
export function keyValue(text: string, flag: string): [string, string] {
  const at = text.indexOf("=");
  const key = at < 0 ? text : text.slice(0, at);
  if (key === "") throw usage(`Cannot read ${flag} "${text}"`, `Write ${flag} NAME=VALUE`);
  return [key, at < 0 ? "" : text.slice(at + 1)];
}
