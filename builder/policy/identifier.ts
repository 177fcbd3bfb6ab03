import path from "node:path";
import { formatReference, parseReference, withDefaultTag } from "../../cache/oci/reference.js";

/**
 * The one spelling of an identifier that rules are about: images by their full name and a tag, directories of repositories
 * without "..". What cannot be read is left as it is: whoever reads the source says why.
 */
export function normalIdentifier(identifier: string): string {
  const [, scheme = "", rest = ""] = /^([a-z+-]+):\/\/(.*)$/s.exec(identifier) ?? [];
  if (scheme === "docker-image") return normalImage(rest) ?? identifier;
  return scheme === "git" ? normalGit(rest) : identifier;
}

function normalImage(name: string): string | null {
  try {
    return `docker-image://${formatReference(withDefaultTag(parseReference(name)))}`;
  } catch {
    return null;
  }
}

function normalGit(rest: string): string {
  const [, place = "", fragment = ""] = /^([^#]*)(?:#(.*))?$/s.exec(rest) ?? [];
  const [, ref = "", dir = ""] = /^([^:]*)(?::(.*))?$/s.exec(fragment) ?? [];
  const subdir = path.posix.join("/", dir).slice(1);
  const asked = ref === "" && subdir === "" ? "" : `#${ref}${subdir === "" ? "" : `:${subdir}`}`;
  return `git://${place}${asked}`;
}
