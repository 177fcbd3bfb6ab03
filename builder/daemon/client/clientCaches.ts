import { TbuildError } from "../../../cache/errors.js";
import type { SolveRequest } from "../../api/control.js";
import type { TypeAndAttrs } from "../../api/common.js";
import { addImports, type BuildCaches, type CacheRequest, type CachesDeps, openCaches } from "../../cacheio/buildCaches.js";
import type { CacheSpec } from "../../cacheio/specs.js";
import { clientContent } from "../../session/content.js";
import type { Session } from "../../session/session.js";
import type { FrontendOpt } from "../frontend/frontendOpt.js";

/** The caches of a build of a client. */
export interface ClientCaches {
  /** Disposed by whoever opened them. */
  readonly caches: BuildCaches;
  /** A frontend may name further caches to look things up in. */
  noteCaches(specs: readonly CacheSpec[]): Promise<void>;
}

/** Opens what a request names. @throws {TbuildError} invalid_argument, invalid_reference for one that is asked for wrongly */
export async function openClientCaches(deps: Omit<CachesDeps, "client">, session: Session | null, request: SolveRequest): Promise<ClientCaches> {
  const open = (dir: string) => {
    if (session === null) throw new TbuildError("invalid_argument", "Cannot use a cache of the client: the build has no session");
    return clientContent(session, `local:${dir}`);
  };
  const all = { ...deps, client: { open } };
  const { from, to } = requestedCaches(request);
  const caches = await openCaches(all, { from: [], to });
  await addImports(caches, from, all);
  return { caches, noteCaches: (specs) => addImports(caches, specs, all) };
}

/** The caches that a request names; older clients name them by their references. */
function requestedCaches({ cache, frontendAttrs }: SolveRequest): CacheRequest {
  if (cache === null) return { from: [], to: [] };
  const { exports, imports, exportRefDeprecated, exportAttrsDeprecated, importRefsDeprecated } = cache;
  const older = exportRefDeprecated === "" ? [] : [{ type: "registry", attrs: { ...exportAttrsDeprecated, ref: exportRefDeprecated } }];
  const to = inlineOnce([...exports, ...older].map(lenient));
  return { from: [...imports, ...registries(importRefsDeprecated), ...frontendImports(frontendAttrs)], to };
}

/** The caches that the options of a frontend name. Source: BuildKit frontend/gateway and client/solve.go. */
export function frontendImports(opt: FrontendOpt): readonly CacheSpec[] {
  const json = opt["cache-imports"];
  const named = registries((opt["cache-from"] ?? "").split(",").filter((ref) => ref !== ""));
  return json === undefined || json === "" ? named : [...named, ...readImports(json)];
}

function readImports(json: string): readonly CacheSpec[] {
  try {
    const entries = JSON.parse(json) as readonly { readonly Type?: string; readonly Attrs?: Readonly<Record<string, string>> }[];
    return entries.map(({ Type = "", Attrs = {} }) => ({ type: Type, attrs: Attrs }));
  } catch (error) {
    throw new TbuildError("invalid_argument", `Cannot read "cache-imports": not what a client writes there`, { cause: error });
  }
}

function registries(refs: readonly string[]): readonly CacheSpec[] {
  return refs.map((ref) => ({ type: "registry", attrs: { ref } }));
}

/** Values that nobody knows are passed over as BuildKit does. */
function lenient({ type, attrs }: TypeAndAttrs): CacheSpec {
  const { mode = "", "ignore-error": ignore = "", ...rest } = attrs;
  return {
    type,
    attrs: {
      ...rest,
      ...(/^(?:min|max)$/.test(mode) ? { mode } : {}),
      ...(/^(?:true|false|t|f|1|0)$/i.test(ignore) ? { "ignore-error": ignore } : {}),
    },
  };
}

function inlineOnce(specs: readonly CacheSpec[]): readonly CacheSpec[] {
  const first = specs.findIndex(({ type }) => type === "inline");
  return specs.filter(({ type }, index) => type !== "inline" || index === first);
}
