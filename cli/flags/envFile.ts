import { readFileSync } from "node:fs";
import { TbuildError } from "../../cache/errors.js";
import { usage } from "../usage.js";

/** Variables of `-e` and of files, as NAME=VALUE: one without a value has that of this environment, or is left out. @throws {TbuildError} usage */
export function variables(texts: readonly string[], env: NodeJS.ProcessEnv = process.env): readonly string[] {
  return texts.flatMap((text) => {
    const [name = ""] = text.split("=", 1);
    if (name === "" || /\s/.test(name)) throw usage(`Cannot read the variable "${text}"`, "Write NAME=VALUE");
    if (text.includes("=")) return [text];
    const value = env[name];
    return value === undefined ? [] : [`${name}=${value}`];
  });
}

/** Lines of an `--env-file` without comments; values are taken as they are. Source: docker/cli opts/file.go. @throws {TbuildError} not_found */
export function readEnvFile(file: string): readonly string[] {
  try {
    const lines = readFileSync(file, "utf8").replace(/^\ufeff/, "").split(/\r?\n/);
    return lines.map((line) => line.trimStart()).filter((line) => line !== "" && !line.startsWith("#"));
  } catch (error) {
    throw new TbuildError("not_found", `Cannot read --env-file "${file}": ${(error as NodeJS.ErrnoException).code}`, { cause: error });
  }
}
