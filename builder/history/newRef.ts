import { randomBytes } from "node:crypto";

/** A name for a build that no other build has, as long as those of BuildKit's clients. */
export function newRef(): string {
  return randomBytes(16).toString("hex").slice(0, 25);
}
