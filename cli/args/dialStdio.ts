import type { Argv } from "yargs";
import { builderOf, type BuilderArgs, last, type Values } from "./values.js";

/** `tbuild dial-stdio` as typed. */
export interface DialStdioArgs extends Pick<BuilderArgs, "tls"> {
  readonly command: "dial-stdio";
  readonly addr: string;
}

/** Where tbuildd listens unless it is told otherwise. */
const DEFAULT_ADDRESS = "unix:///run/tbuild/tbuildd.sock";

/** Options of `tbuild dial-stdio`. */
export function dialStdioOptions(argv: Argv): Argv {
  return argv.option("addr", { type: "string", nargs: 1, describe: `Builder to connect to (default ${DEFAULT_ADDRESS})` });
}

/** The typed form of what yargs read. */
export function readDialStdioArgs(values: Values): DialStdioArgs {
  return { command: "dial-stdio", addr: last(values, "addr") ?? DEFAULT_ADDRESS, tls: builderOf(values).tls };
}
