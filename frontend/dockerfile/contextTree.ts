import { type SourceRange, unreachable } from "../../cache/errors.js";
import { defaultCopy, type Output } from "../../solver/llb/state.js";
import { imageSource } from "./convertImages.js";
import type { ContextUse } from "./contextNamed.js";
import { localTree } from "./contextSource.js";
import { fileStep, sourceStep } from "./convertNodes.js";
import type { ResolvedImage } from "../options.js";
import { located, refused } from "./errors.js";
import { gitSource } from "./gitSource.js";
import { parseGitUrl, redacted } from "./gitUrl.js";

/**
 * The tree of a named context; null is the empty one. `image` is what an image or layout was resolved to.
 * @throws {TbuildError} invalid_argument for a URL that is none
 */
export function contextTree({ key, context, platform }: ContextUse, image: ResolvedImage | null, at: SourceRange): Output | null {
  switch (context.kind) {
    case "scratch":
      return null;
    case "image":
    case "oci-layout": {
      const name = context.kind === "image" ? context.reference : "OCI load from client";
      return image === null ? null : imageSource(image, context, () => `[context ${key}] ${name}`, at, platform);
    }
    case "local":
      return localTree(context.name, `[context ${key}] load from client`, `context:${key}`, context.ignore);
    case "http":
      return download(key, context.url, at);
    case "git":
      return checkout(key, context.url, at);
    case "tree":
      return context.tree;
    default:
      return unreachable(context);
  }
}

/** What was downloaded, unpacked when it is an archive; else it is the file "context". */
function download(key: string, url: string, at: SourceRange): Output {
  const name = `[context ${key}] ${redacted(url)}`;
  const source = sourceStep(url, { "http.filename": "context" }, name, [at], null);
  const action = () => ({ ...defaultCopy, src: "/context", dest: "/", attemptUnpack: true });
  const info = { name: `[context ${key}] unpack`, at: [at], ignoreCache: false, platform: null };
  return fileStep(null, [{ source, action }], info);
}

function checkout(key: string, text: string, at: SourceRange): Output {
  const url = located(at, () => parseGitUrl(text));
  if (url === null) throw refused(`Cannot use the context "${key}": "${redacted(text)}" names no Git repository`, at);
  const { identifier, attrs } = gitSource(url);
  return sourceStep(identifier, attrs, `[context ${key}] load git source ${redacted(text)}`, [at], null);
}
