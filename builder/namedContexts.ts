import { statSync } from "node:fs";
import path from "node:path";
import { TbuildError } from "../cache/errors.js";
import { parseDigest } from "../cache/oci/digest.js";
import { parseGitUrl } from "../frontend/dockerfile/gitUrl.js";
import type { NamedContext } from "../frontend/options.js";
import { readIgnoreFile } from "./ignoreFile.js";
import type { LocalDirectory } from "./source/local.js";

/** `--build-context` values, read. */
export interface NamedContexts {
  readonly contexts: ReadonlyMap<string, NamedContext>;
  /** The directories among them, by the name that the frontend gives them. */
  readonly locals: ReadonlyMap<string, LocalDirectory>;
}

/**
 * Reads what names stand for, by the grammar of docker build: a directory, `docker-image://`, `oci-layout://`, a URL or a
 * Git repository. @throws {TbuildError} invalid_argument, not_found, unsupported
 */
export function readNamedContexts(given: Readonly<Record<string, string>>): NamedContexts {
  const contexts = new Map<string, NamedContext>();
  const locals = new Map<string, LocalDirectory>();
  for (const [name, value] of Object.entries(given)) {
    const remote = remoteContext(name, value);
    if (remote !== null) {
      contexts.set(name, remote);
      continue;
    }
    const local = localContext(name, value);
    locals.set(name, local);
    contexts.set(name, { kind: "local", name, ignore: local.ignore });
  }
  return { contexts, locals };
}

/** Null for a path. */
function remoteContext(name: string, value: string): NamedContext | null {
  const [, scheme, rest = ""] = /^([a-z][a-z-]*):(.*)$/s.exec(value) ?? [];
  switch (scheme) {
    case "docker-image":
      return rest === "//scratch" ? { kind: "scratch" } : { kind: "image", reference: rest.replace(/^\/\//, "") };
    case "oci-layout":
      return layoutContext(name, rest.replace(/^\/\//, ""));
    case "target":
    case "input":
      throw new TbuildError("unsupported", `Cannot use "${value}" as the build context "${name}": results of other builds are not supported yet`);
    default: {
      const git = parseGitUrl(value);
      if (git !== null && !git.ambiguous) return { kind: "git", url: value };
      return scheme === "http" || scheme === "https" ? { kind: "http", url: value } : null;
    }
  }
}

/** `PATH[:tag][@digest]`. */
function layoutContext(name: string, text: string): NamedContext {
  const [, place = "", tag, digest] = /^(.*?)(?::([\w][\w.-]{0,127}))?(?:@(.+))?$/s.exec(text) ?? [];
  const dir = path.resolve(place);
  if (!isDirectory(dir)) throw notFound(name, text, dir);
  return { kind: "oci-layout", path: dir, tag: tag ?? null, digest: digest === undefined ? null : parseDigest(digest) };
}

function localContext(name: string, value: string): LocalDirectory {
  const dir = path.resolve(value);
  if (!isDirectory(dir)) throw notFound(name, value, dir);
  const ignoreFile = readIgnoreFile([path.join(dir, ".dockerignore")], dir);
  return { path: dir, ignore: ignoreFile?.rules ?? [], ignoreFile };
}

function isDirectory(dir: string): boolean {
  return statSync(dir, { throwIfNoEntry: false })?.isDirectory() === true;
}

function notFound(name: string, value: string, dir: string): TbuildError {
  const what = statSync(dir, { throwIfNoEntry: false }) === undefined ? "no such directory" : "not a directory";
  return new TbuildError("not_found", `Cannot use "${value}" as the build context "${name}": ${what}`, {
    hint: "Give a directory, docker-image://NAME, oci-layout://PATH, an http or a Git URL",
  });
}
