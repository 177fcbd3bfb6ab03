import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import type { ImageConfig } from "../cache/oci/descriptor.js";
import { TbuildError } from "../cache/errors.js";
import type { BuildInputs } from "./inputs.js";
import type { BuildRequest } from "./request.js";

/** What of a build's inputs has a time. */
export type EpochInputs = Pick<BuildInputs, "context" | "contextTime">;

/**
 * The one time that a build's own files and its config carry, in seconds: SOURCE_DATE_EPOCH (a build argument wins over
 * the environment), else the commit time of the context (fetched with Git, or HEAD of its work tree), else null (the base image's creation).
 * @throws {TbuildError} invalid_argument
 */
export async function buildEpoch({ context, contextTime }: EpochInputs, buildArgs: Readonly<Record<string, string>>): Promise<number | null> {
  const given = buildArgs["SOURCE_DATE_EPOCH"] ?? process.env["SOURCE_DATE_EPOCH"];
  if (given !== undefined && given !== "") return parseEpoch(given);
  if (contextTime !== "head") return contextTime;
  return insideWorkTree(context) ? await commitTime(context) : null;
}

/**
 * Seconds for the files that tbuild itself writes: the build's epoch, else when the base image was created (the frontend
 * has put that into the config; scratch: 0). Null keeps the times of what is copied.
 */
export function fileEpoch(request: Pick<BuildRequest, "reproducible">, epoch: number | null, image: Pick<ImageConfig, "created">): number | null {
  if (request.reproducible === false) return null;
  const created = Date.parse(image.created ?? "");
  return epoch ?? (Number.isNaN(created) ? 0 : Math.floor(created / 1000));
}

function parseEpoch(text: string): number {
  if (!/^\d{1,12}$/.test(text)) {
    throw new TbuildError("invalid_argument", `Cannot use SOURCE_DATE_EPOCH "${text}"`, { hint: "It is a number of seconds since 1970-01-01" });
  }
  return Number(text);
}

/** Looking for `.git` upwards costs microseconds; starting git where there is none would cost milliseconds. */
function insideWorkTree(dir: string): boolean {
  const parent = path.dirname(dir);
  return existsSync(path.join(dir, ".git")) || (parent !== dir && insideWorkTree(parent));
}

async function commitTime(context: string): Promise<number | null> {
  const args = ["-C", context, "log", "-1", "--format=%ct", "--no-show-signature"];
  return await new Promise((resolve) => {
    execFile("git", args, { timeout: 10_000 }, (error, stdout) => {
      const seconds = Number(stdout.trim());
      resolve(error !== null || stdout.trim() === "" || !Number.isInteger(seconds) ? null : seconds);
    });
  });
}
