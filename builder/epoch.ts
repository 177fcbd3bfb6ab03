import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { TbuildError } from "../cache/errors.js";

/**
 * The one time that a build's own files and its config carry, in seconds: SOURCE_DATE_EPOCH (a build argument wins over
 * the environment), else the commit time of the context's git HEAD, else null (the base image's creation).
 * @throws {TbuildError} invalid_argument
 */
export async function buildEpoch(context: string, buildArgs: Readonly<Record<string, string>>): Promise<number | null> {
  const given = buildArgs["SOURCE_DATE_EPOCH"] ?? process.env["SOURCE_DATE_EPOCH"];
  if (given !== undefined && given !== "") return parseEpoch(given);
  return insideWorkTree(context) ? await commitTime(context) : null;
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
