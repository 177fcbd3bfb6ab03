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
 * A build argument that is a word is the frontend's to read.
 * @throws {TbuildError} invalid_argument
 */
export async function buildEpoch({ context, contextTime }: EpochInputs, buildArgs: Readonly<Record<string, string>>): Promise<number | null> {
  const argument = buildArgs["SOURCE_DATE_EPOCH"];
  const given = givenEpoch(argument === undefined ? process.env["SOURCE_DATE_EPOCH"] : isWord(argument) ? "" : argument);
  if (given !== null) return given;
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

/** Value of SOURCE_DATE_EPOCH in seconds; null when it is not set. @throws {TbuildError} invalid_argument */
export function givenEpoch(text: string | undefined): number | null {
  if (text === undefined || text === "") return null;
  if (!/^\d{1,12}$/.test(text)) {
    throw new TbuildError("invalid_argument", `Cannot use SOURCE_DATE_EPOCH "${text}"`, { hint: "It is a number of seconds since 1970-01-01" });
  }
  return Number(text);
}

function isWord(text: string): boolean {
  return /^[a-z]/i.test(text);
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
