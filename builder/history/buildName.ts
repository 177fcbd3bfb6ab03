import path from "node:path";
import { CONTEXT_ATTR } from "./requestStart.js";

/** What a build is called in lists: what its request says, else context and target. Source: buildx, util/history/name.go */
export function buildName(attrs: Readonly<Record<string, string>>): string {
  const given = attrs["build-arg:BUILDKIT_BUILD_NAME"] ?? "";
  if (given !== "") return given;
  const place = placeOf(attrs);
  const target = attrs["target"];
  return target === undefined ? place : `${place} (${target})`;
}

function placeOf(attrs: Readonly<Record<string, string>>): string {
  const { context = "", filename = "Dockerfile" } = attrs;
  if (context !== "" && !context.startsWith("http://buildkit-session/")) return context;
  const directory = path.basename(attrs[CONTEXT_ATTR] ?? attrs["vcs:localdir:context"] ?? "");
  if (directory === "" || directory === ".") return filename;
  return filename === "Dockerfile" ? directory : path.join(directory, filename);
}
