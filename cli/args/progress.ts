import type { Argv } from "yargs";
import { flag, last, type Values } from "./values.js";

/** Ways to show progress, as they are asked for. */
export const progressChoices = ["auto", "tty", "plain", "quiet", "rawjson"] as const;

/** See {@link progressChoices}. */
export type ProgressChoice = (typeof progressChoices)[number];

/** `--progress`, for yargs. */
export const progressOption = {
  type: "string",
  nargs: 1,
  choices: progressChoices,
  default: process.env["BUILDKIT_PROGRESS"] || "auto",
  defaultDescription: "$BUILDKIT_PROGRESS, else auto",
  describe: "How progress is shown",
} as const;

/** `--progress` and `--quiet` of the commands that take their time. */
export function progressOptions(argv: Argv): Argv {
  return argv.option("progress", progressOption).option("quiet", { alias: "q", type: "boolean", describe: "Show no progress" });
}

/** See {@link progressOptions}. */
export function progressOf(values: Values): ProgressChoice {
  return flag(values, "quiet") ? "quiet" : (last(values, "progress") as ProgressChoice);
}
