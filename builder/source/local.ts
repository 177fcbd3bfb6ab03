import { TbuildError } from "../../cache/errors.js";
import type { IgnoreRules } from "../../cache/tree/patterns.js";
import type { IgnoreFile } from "../ignoreFile.js";
import type { Source } from "./source.js";

/** A directory of this machine that a build may read, by the name it has in `local://name`. */
export interface LocalDirectory {
  /** Absolute path. */
  readonly path: string;
  readonly ignore: IgnoreRules;
  /** Where the rules stand, for messages. */
  readonly ignoreFile?: IgnoreFile | null;
}

/** `local://` directories, read in place: nothing is copied before a step asks for it. */
export function localSource(directories: ReadonlyMap<string, LocalDirectory>): Source {
  return {
    schemes: ["local"],
    async resolve({ identifier }) {
      const name = identifier.slice("local://".length);
      const directory = directories.get(name);
      if (directory === undefined) throw new TbuildError("not_found", `Cannot read local directory "${name}": the build has none of that name`);
      return {
        pin: null,
        attributes: { directory: name },
        snapshot: async () => ({ kind: "directory", path: directory.path, ignore: directory.ignore }),
      };
    },
  };
}
