import { createWriteStream, mkdirSync } from "node:fs";
import path from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { TbuildError } from "../../cache/errors.js";
import type { Store } from "../../cache/store.js";
import { newName } from "../ops/snapshotStep.js";
import { FILE } from "./steps.js";

/** Standard input, or what stands for it. */
export type Stdin = Readable & { readonly isTTY?: boolean };

/**
 * Writes standard input into the file {@link FILE} of a new directory, which is in this process's scratch and goes with
 * it. @throws {TbuildError} invalid_argument for a terminal
 */
export async function stdinFile(store: Store, stdin: Stdin, what: string, signal: AbortSignal): Promise<string> {
  if (stdin.isTTY === true) {
    throw new TbuildError("invalid_argument", `Cannot read ${what} from standard input: it is a terminal`, { hint: "Pipe it in: tbuild - < FILE" });
  }
  const dir = path.join(store.scratch, "stdin", newName());
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  await pipeline(stdin, createWriteStream(path.join(dir, FILE)), { signal });
  return dir;
}

/** Standard input is read once. @throws {TbuildError} invalid_argument when both context and Dockerfile come from it */
export function refuseTwice({ context, dockerfile }: { readonly context: string; readonly dockerfile?: string | undefined }): void {
  if (context !== "-" || dockerfile !== "-") return;
  const hint = "Give the Dockerfile alone: tbuild - < Dockerfile, or the directory of the context: tbuild -f - .";
  throw new TbuildError("invalid_argument", "Cannot read both the context and the Dockerfile from standard input", { hint });
}
