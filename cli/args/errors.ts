import type { TbuildError } from "../../cache/errors.js";
import { suggest } from "../../frontend/dockerfile/suggest.js";
import { usage } from "../usage.js";
import { notHere, notYet } from "./absentOptions.js";

const SEE_HELP = "See tbuild --help";

/** The error for what yargs says; it hands over the parser of the command that failed, whose help names every option. */
export function yargsError(message: string, failed: { help(): string }): TbuildError {
  const unknown = /^Unknown arguments?: (.*)$/.exec(message)?.[1]?.split(", ")[0];
  if (unknown !== undefined) return unknownOption(unknown, failed.help());
  const lacking = /^Not enough arguments following: (.*)$/.exec(message)?.[1];
  if (lacking !== undefined) {
    const option = spelled(lacking);
    return usage(`Option "${option}" needs a value`, `A value that begins with "-" is written ${option}=VALUE`);
  }
  const choice = /Argument: ([\w-]+), Given: (.*), Choices: (.*)/.exec(message);
  if (choice !== null) return usage(`Cannot use ${choice[2]} for --${choice[1]}`, `One of ${choice[3]!.replaceAll('"', "")}`);
  return usage(message.split("\n")[0] ?? message, SEE_HELP);
}

function unknownOption(name: string, help: string): TbuildError {
  const [later, never] = [notYet[name], notHere[name]];
  if (later !== undefined) return usage(`Option "${spelled(name)}" is not supported yet`, later);
  if (never !== undefined) return usage(`tbuild has no option "${spelled(name)}"`, never);
  const options = [...help.matchAll(/--([a-z][\w-]+)/g)].map(([, option]) => option!);
  const near = suggest(name, options);
  return usage(`Unknown option "${spelled(name)}"`, near === null ? SEE_HELP : `Did you mean "--${near}"?`);
}

function spelled(name: string): string {
  return name.length === 1 ? `-${name}` : `--${name}`;
}
