import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import { TbuildError } from "../../cache/errors.js";
import { redacted } from "../../frontend/dockerfile/gitUrl.js";
import type { SourceInfo } from "../../solver/llb/definition.js";
import { exportSpecs } from "../exportSpecs.js";
import { frontendAttrs } from "../remote/frontendAttrs.js";
import type { BuildRequest } from "../request.js";
import type { RecordedBuild } from "./recordedBuild.js";
import type { BuildStart } from "./recordMessage.js";

/** Directory of the context, on the machine of the build; BuildKit's clients remember it themselves. */
export const CONTEXT_ATTR = "tbuild.context";
/** Address of the builder that has run a build of another process's history. */
export const BUILDER_ATTR = "tbuild.builder";

/** What is recorded of a request: values of secrets and tokens in URLs are not. @throws {TbuildError} invalid_argument for its ref */
export function requestStart({ request, ref, address }: RecordedBuild, createdAt: number): BuildStart {
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(ref)) throw new TbuildError("invalid_argument", `Cannot name a build "${ref}": it takes letters, digits, "-" and "_"`);
  const { context, dockerfile, buildContexts = {} } = request;
  const isDirectory = statSync(context, { throwIfNoEntry: false })?.isDirectory() === true;
  const attrs = {
    ...shownAttrs(frontendAttrs(request)),
    filename: dockerfile === undefined ? "Dockerfile" : redacted(shownFile(dockerfile, isDirectory ? context : null)),
    ...(isDirectory ? { [CONTEXT_ATTR]: path.resolve(context) } : { context: redacted(context) }),
    ...Object.fromEntries(Object.entries(buildContexts).map(([name, value]) => [`context:${name}`, redacted(value)])),
    ...(address === null ? {} : { [BUILDER_ATTR]: address }),
  };
  const exporters = exportSpecs(request).map(({ type, attrs: specAttrs }) => ({ type, attrs: specAttrs }));
  return { ref, frontend: "dockerfile.v0", frontendAttrs: attrs, exporters, createdAt };
}

/** In the context as seen from there, else as it was given. */
function shownFile(dockerfile: string, context: string | null): string {
  const relative = context === null ? dockerfile : path.relative(context, dockerfile);
  return relative.startsWith("..") ? dockerfile : relative;
}

/** Caches, and proxies in build arguments, may be given with passwords. Source: buildx, util/desktop/bundle/export.go */
function shownAttrs(attrs: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(attrs).map(([name, value]) => [name, name === "cache-imports" ? shownCaches(value) : redacted(value)]));
}

/** What names caches, without the rest of their attributes. `text` as a frontend is told of them. */
export function shownCaches(text: string): string {
  try {
    const caches = JSON.parse(text) as readonly { readonly Type: string; readonly Attrs?: Readonly<Record<string, string>> | null }[];
    const shown = ({ Attrs }: (typeof caches)[number]) => Object.fromEntries(Object.entries(Attrs ?? {}).filter(([name]) => name === "ref" || name === "scope"));
    return JSON.stringify(caches.map((cache) => ({ Type: cache.Type, Attrs: shown(cache) })));
  } catch {
    return "";
  }
}

/** The texts of a build on this machine, read when somebody asks: of most builds nobody does. */
export function requestSources({ context }: Pick<BuildRequest, "context">): (file: string) => SourceInfo | undefined {
  const read = new Map<string, SourceInfo | undefined>();
  return (file) => {
    if (!read.has(file)) read.set(file, sourceIn(context, file));
    return read.get(file);
  };
}

function sourceIn(context: string, file: string): SourceInfo | undefined {
  for (const candidate of [path.resolve(context, file), path.resolve(file)]) {
    try {
      return { filename: file, data: readFileSync(candidate), language: "Dockerfile" };
    } catch {
      continue;
    }
  }
  return undefined;
}
