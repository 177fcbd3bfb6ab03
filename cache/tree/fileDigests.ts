import { createHash } from "node:crypto";
import fs from "node:fs";
import type { FileDigest } from "../bulk/hashJobs.js";
import type { JobContext } from "../bulk/jobs.js";
import { treeFilter } from "./filter.js";
import { joinPath, osPath, toBytes, toText } from "./names.js";
import { readError } from "./fileError.js";
import { walkTree } from "./walk.js";

const flags = fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK;
const CHUNK = 1 << 20;

/** What the regular files of a tree hold, in the order of a walk. @throws {TbuildError} unavailable, permission_denied */
export function fileDigests({ path }: { readonly path: string }, ctx: JobContext): readonly FileDigest[] {
  const root = toBytes(path);
  const found: FileDigest[] = [];
  const chunk = Buffer.allocUnsafeSlow(CHUNK);
  walkTree({ root, treePath: "", stat: fs.lstatSync(osPath(root), { bigint: true }) }, treeFilter([], { include: [], exclude: [] }), {
    enter({ treePath, stat }) {
      if (stat.isFile()) found.push({ path: toText(treePath), sha256: hashed(osPath(joinPath(root, treePath)), treePath, chunk, ctx) });
    },
  });
  return found;
}

function hashed(file: string | Buffer, shown: string, chunk: Buffer, ctx: JobContext): string {
  let fd: number | null = null;
  try {
    fd = fs.openSync(file, flags);
    const hash = createHash("sha256");
    for (let got = fs.readSync(fd, chunk); got > 0; got = fs.readSync(fd, chunk)) {
      hash.update(chunk.subarray(0, got));
      ctx.tick(got, 0);
    }
    return hash.digest("hex");
  } catch (error) {
    throw readError(error, shown, "read");
  } finally {
    if (fd !== null) fs.closeSync(fd);
  }
}
