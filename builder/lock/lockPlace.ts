import { statSync } from "node:fs";
import path from "node:path";
import { TbuildError } from "../../cache/errors.js";
import { dockerfilePath } from "../dockerfilePath.js";
import type { BuildRequest } from "../request.js";
import { nameIn } from "../textFile.js";
import { LOCK_FILE } from "./lockFile.js";
import type { LockPlace } from "./writeLock.js";

/**
 * Where the lock of a build is: beside its Dockerfile, as a lock is kept with what it is about. A Dockerfile that has no place
 * here has it at the root of the context. @throws {TbuildError} invalid_argument when nothing of both is on this machine
 */
export function lockPlace({ context, dockerfile, lock }: Pick<BuildRequest, "context" | "dockerfile" | "lock">): LockPlace {
  const root = statSync(context, { throwIfNoEntry: false })?.isDirectory() === true ? path.resolve(context) : null;
  const place = (file: string): LockPlace => ({ file, shown: root === null ? file : nameIn(root, file) });
  if (lock?.file !== undefined) return place(path.resolve(lock.file));
  if (root === null) {
    throw new TbuildError("invalid_argument", `Cannot tell where the ${LOCK_FILE} of this build is: its context is no directory of this machine`, { hint: "Name the file with --lockfile PATH" });
  }
  const isFile = dockerfile !== "-" && !/^https?:\/\//i.test(dockerfile ?? "");
  return place(path.join(isFile ? path.dirname(dockerfilePath(root, dockerfile)) : root, LOCK_FILE));
}
