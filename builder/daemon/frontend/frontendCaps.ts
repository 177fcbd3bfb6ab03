import type { FrontendOpt } from "./frontendOpt.js";
import { unsupported } from "./unsupported.js";

/** What the built-in frontend can do. Source: BuildKit, frontend/dockerfile/builder/caps.go. */
const BUILT_IN: ReadonlySet<string> = new Set([
  "moby.buildkit.frontend.inputs",
  "moby.buildkit.frontend.subrequests",
  "moby.buildkit.frontend.contexts",
  "moby.buildkit.frontend.gitquerystring",
]);

/** Label of a frontend's image that lists what it can do. */
const LABEL = "moby.buildkit.frontend.caps";

const INPUTS = "moby.buildkit.frontend.inputs";

/**
 * Refuses what a client needs of the built-in frontend and it cannot do. "+forward" marks what only a frontend that the file
 * itself names has to know: "early" is before that is known. @throws {StatusError} unimplemented
 */
export function checkBuiltInCaps(opt: FrontendOpt, when: "early" | "late"): void {
  for (const { name, forwards } of required(opt)) if (!BUILT_IN.has(name) && !(when === "early" && forwards)) throw missing(name);
}

/** Refuses what a client needs of a frontend whose image does not promise it. @throws {StatusError} unimplemented */
export function checkImageCaps(labels: Readonly<Record<string, string>>, opt: FrontendOpt, hasInputs: boolean): void {
  const has = new Set(listed(labels[LABEL]).map(({ name }) => name));
  const needed = [...required(opt).map(({ name }) => name), ...(hasInputs ? [INPUTS] : [])];
  const lacking = needed.find((name) => !has.has(name));
  if (lacking !== undefined) throw missing(lacking);
}

function required(opt: FrontendOpt): readonly Cap[] {
  return listed(opt["frontend.caps"]);
}

interface Cap {
  readonly name: string;
  readonly forwards: boolean;
}

function listed(text = ""): readonly Cap[] {
  return text.split(",").flatMap((item) => {
    const [name = "", ...flags] = item.split("+");
    return name === "" ? [] : [{ name, forwards: flags.includes("forward") }];
  });
}

function missing(name: string): Error {
  return unsupported(`unsupported frontend capability ${name}`, "errdefs.FrontendCap", name);
}
