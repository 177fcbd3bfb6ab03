import type { Argv } from "yargs";
import { counted, flag, type GlobalArgs, globals, last, type Values, words } from "./values.js";

/** `tbuild login` as typed. */
export interface LoginArgs extends GlobalArgs {
  readonly command: "login";
  /** Undefined is Docker Hub. */
  readonly registry: string | undefined;
  readonly username: string | undefined;
  readonly passwordStdin: boolean;
}

/** `tbuild logout` as typed. */
export interface LogoutArgs extends GlobalArgs {
  readonly command: "logout";
  /** Undefined is Docker Hub. */
  readonly registry: string | undefined;
}

/** Options of `tbuild login`. */
export function loginOptions(argv: Argv): Argv {
  return argv
    .usage("Usage: $0 login [OPTIONS] [REGISTRY]")
    .option("username", { alias: "u", type: "string", nargs: 1, describe: "User name (asked for when left out)" })
    .option("password-stdin", { type: "boolean", describe: "Read the password from standard input" });
}

/** The typed form of what yargs read. @throws {TbuildError} usage */
export function readLoginArgs(values: Values): LoginArgs {
  const [registry] = counted(words(values, 1), [0, 1], "login [REGISTRY]");
  const username = last(values, "username");
  return { command: "login", ...globals(values), registry, username, passwordStdin: flag(values, "password-stdin") };
}

/** The typed form of what yargs read. @throws {TbuildError} usage */
export function readLogoutArgs(values: Values): LogoutArgs {
  const [registry] = counted(words(values, 1), [0, 1], "logout [REGISTRY]");
  return { command: "logout", ...globals(values), registry };
}
