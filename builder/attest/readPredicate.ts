import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import path from "node:path";
import { TbuildError } from "../../cache/errors.js";
import { resolvedInRoot } from "../executor/rootFile.js";

/** Largest attestation that is read, in bytes; BuildKit's limit. */
const MAX_BYTES = 40 << 20;

/** The bytes of a regular file of the tree at `root`, whose links do not lead out. @throws {TbuildError} not_found, invalid_argument */
export function readPredicate(root: string, file: string): Buffer {
  const place = resolvedInRoot(root, path.posix.join("/", file));
  if (place === null) throw new TbuildError("not_found", `Cannot read the attestation "${file}": there is no such file`);
  const fd = openSync(place, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw refused(file, "it is not a regular file");
    if (stat.size > MAX_BYTES) throw refused(file, `it exceeds ${MAX_BYTES} bytes`);
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}

function refused(file: string, why: string): TbuildError {
  return new TbuildError("invalid_argument", `Cannot read the attestation "${file}": ${why}`);
}
