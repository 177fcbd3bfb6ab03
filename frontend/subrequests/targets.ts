import { descriptionOf } from "../dockerfile/checks/descriptions.js";
import { parseDockerfile } from "../dockerfile/parse.js";
import { splitStages } from "../dockerfile/stages.js";
import { refuseForeignSyntax } from "../dockerfile/syntax.js";
import type { FrontendOptions } from "../options.js";
import { type Location, locationOf } from "./location.js";

/** The stages of a file, in the form of BuildKit's `frontend.targets`. */
export interface TargetList {
  readonly targets: readonly Target[];
  /** The file's bytes in base64. */
  readonly sources: readonly string[];
}

/** A stage. What it has not is left out. */
export interface Target {
  readonly name?: string;
  /** It is what is built when no target is named. */
  readonly default?: true;
  readonly description?: string;
  /** As written. */
  readonly base?: string;
  readonly platform?: string;
  readonly location: Location;
}

/** Lists the stages of a Dockerfile; asks nobody for images. @throws {TbuildError} parse_failed, unsupported */
export function listTargets(text: string | Uint8Array, options: FrontendOptions): TargetList {
  refuseForeignSyntax(text, options);
  const { stages } = splitStages(parseDockerfile(text, options.file));
  const targets = stages.map(({ from }, index): Target => {
    const description = descriptionOf(from.as, from.comments);
    return {
      ...(from.as === null ? {} : { name: from.as }),
      ...(index === stages.length - 1 ? { default: true } : {}),
      ...(description === "" ? {} : { description }),
      base: from.image,
      ...(from.platform === null ? {} : { platform: from.platform }),
      location: locationOf(from.at),
    };
  });
  return { targets, sources: [Buffer.from(text).toString("base64")] };
}
