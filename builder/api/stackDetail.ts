import path from "node:path";
import { fileURLToPath } from "node:url";
import type { Status } from "./common.js";
import { detail } from "./errors.js";

/** What our files are told relative to. */
const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");

/** Where an error was made, as BuildKit tells it: clients show it when they debug. Nothing for what has no stack. Source: BuildKit, util/stack */
export function stackDetail(error: unknown): Status["details"] {
  const frames = error instanceof Error ? framesOf(error.stack ?? "") : [];
  return frames.length === 0 ? [] : [detail("stack.Stack", { frames, pid: process.pid })];
}

function framesOf(stack: string): readonly { readonly Name: string; readonly File: string; readonly Line: number }[] {
  return stack.split("\n").flatMap((line) => {
    const [, name = "", file, number] = /^\s+at (?:(?:async )?(.*?) \()?((?:file:\/\/|node:|\/)[^()]*?):(\d+):\d+\)?$/.exec(line) ?? [];
    if (file === undefined) return [];
    const plain = file.startsWith("file://") ? fileURLToPath(file) : file;
    return [{ Name: name, File: plain.startsWith(`${ROOT}/`) ? path.relative(ROOT, plain) : plain, Line: Number(number) }];
  });
}
