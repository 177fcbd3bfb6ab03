import { gitSource } from "../../frontend/dockerfile/gitSource.js";
import { parseGitUrl } from "../../frontend/dockerfile/gitUrl.js";
import type { AttrConstraint, PolicyRule, SourceRules, SourceSelector } from "../policy/policy.js";
import type { LockEntry, SourceLock } from "./lock.js";

/**
 * The source policy that a lock is: each name is its digest, and what has none may not be read. Builders elsewhere are told
 * it as it is, so that they keep to it, too.
 */
export function lockRules(lock: SourceLock): SourceRules {
  return { rules: [...lock.flatMap(pinned), { selector: wildcard("*"), action: { kind: "deny" } }, ...PINNED.map(allowed)] };
}

const UNPINNED = "";

/** What comes from this machine, or says by itself which bytes it is. */
const PINNED: readonly SourceSelector[] = [
  ...["local://*", "oci-layout://*", "oci-layout+blob://*", "docker-image+blob://*", "docker-image://*@*"].map((identifier) => wildcard(identifier)),
  { identifier: "^git://[^#]*#(?:[0-9a-f]{40}|[0-9a-f]{64})(?::.*)?$", match: "regex", constraints: [] },
  ...(["docker-image://*", "git://*", "http://*", "https://*"] as const).map((identifier) => wildcard(identifier, unlike(checksumOf(identifier), UNPINNED))),
];

function checksumOf(identifier: string): string {
  if (identifier.startsWith("docker-image:")) return "image.checksum";
  return identifier.startsWith("git:") ? "git.checksum" : "http.checksum";
}

function pinned(entry: LockEntry): readonly PolicyRule[] {
  switch (entry.kind) {
    case "images":
      return [converted(exact(`docker-image://${entry.name}`, equal("image.checksum", UNPINNED)), `docker-image://${entry.name}@${entry.pin}`)];
    case "urls":
      return [converted(exact(entry.name, equal("http.checksum", UNPINNED)), "", { "http.checksum": entry.pin })];
    case "git":
      return pinnedRepository(entry);
  }
}

/** A repository is asked for as a whole, or for one of its directories. */
function pinnedRepository({ name, pin }: LockEntry): readonly PolicyRule[] {
  const url = parseGitUrl(name)!;
  const at = (ref: string, subdir: string) => gitSource({ ...url, ref, subdir }).identifier;
  const constraints = [equal("git.checksum", UNPINNED), equal("git.fullurl", url.remote)];
  return [converted(exact(at(url.ref, ""), ...constraints), at(pin, "")), converted(wildcard(at(url.ref, "*"), ...constraints), at(pin, "${1}"))];
}

function exact(identifier: string, ...constraints: readonly AttrConstraint[]): SourceSelector {
  return { identifier, match: "exact", constraints };
}

function wildcard(identifier: string, ...constraints: readonly AttrConstraint[]): SourceSelector {
  return { identifier, match: "wildcard", constraints };
}

function equal(key: string, value: string): AttrConstraint {
  return { key, value, condition: "equal" };
}

function unlike(key: string, value: string): AttrConstraint {
  return { key, value, condition: "not-equal" };
}

function allowed(selector: SourceSelector): PolicyRule {
  return { selector, action: { kind: "allow" } };
}

function converted(selector: SourceSelector, identifier: string, attrs: Readonly<Record<string, string>> = {}): PolicyRule {
  return { selector, action: { kind: "convert", identifier, attrs } };
}
