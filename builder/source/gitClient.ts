import type { StepOpts } from "../../solver/opRunner.js";
import type { GitAccess } from "./gitAccess.js";
import { gitError, type GitOptions, runGit } from "./gitCommand.js";

/** Protocols that may be spoken with a remote repository. */
const REMOTE = "http:https:git:ssh";

/** Runs git on one repository. */
export type Git = (args: readonly string[], further?: Partial<GitOptions>) => Promise<string>;

/** Git in a directory, with the credentials of a repository. */
export function gitIn(cwd: string, { settings, env }: Pick<GitAccess, "settings" | "env">, { signal }: StepOpts): Git {
  return (args, further = {}) => runGit(args, { cwd, protocols: REMOTE, settings, env, signal, ...further });
}

/** What git says when the repository at `url` is asked. @throws {TbuildError} see {@link gitError} */
export async function asked<T>(answer: Promise<T>, url: string, { hint, secrets }: GitAccess): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw gitError(error, url, hint, secrets);
  }
}
