import path from "node:path";
import { hostPlatform } from "../../cache/oci/platform.js";
import type { ProcessResult, ProcessSpec } from "../executor/executor.js";
import { existsInRoot, readStartInRoot } from "../executor/rootFile.js";
import { elfArchitecture } from "./elf.js";

/** What the user can do about a command that failed; null when nothing is known. `tail` are its last lines of output. */
export function failureHint(spec: ProcessSpec, result: ProcessResult, tail: readonly string[]): string | null {
  if (result.outOfMemory) return memoryHint(spec);
  const startError = result.startError ?? execError(tail);
  if (startError !== null) return startHint(spec, startError);
  if (result.exitCode === 127) return missingHint(spec, lastMatch(tail, /(?:^|[\s:])([^\s:]+): (?:command )?not found\s*$/));
  if (result.exitCode === 126) return shellDeniedHint(spec, tail);
  return null;
}

function memoryHint({ resources }: ProcessSpec): string {
  if (resources === null || resources.memory === 0) return "The machine has too little memory for this step, or for all that run at once";
  return "Raise the limit of --resource memory, or let the step use less";
}

/** The kernel's refusal, which a runtime that is about to become the process can only print. */
function execError(tail: readonly string[]): string | null {
  const [line = "", ...more] = tail;
  return more.length === 0 && /^exec \/\S*: (?:no such file or directory|exec format error|permission denied)$/.test(line) ? line : null;
}

function startHint(spec: ProcessSpec, error: string): string | null {
  const [program = ""] = spec.args;
  if (/permission denied|is a directory/.test(error)) return deniedHint(program);
  if (/exec format error/.test(error)) return formatHint(spec, program);
  const file = findProgram(spec, program);
  if (file !== null) return interpreterHint(spec, file);
  if (/^\/bin\/\w*sh$/.test(program)) {
    return `The image has no ${program}: use the exec form, RUN ["/program", "argument"], or a base image with a shell`;
  }
  return notThereHint(program);
}

function missingHint(spec: ProcessSpec, name: string | null): string | null {
  if (name === null) return null;
  const file = findProgram(spec, name);
  return file === null ? notThereHint(name) : interpreterHint(spec, file);
}

function notThereHint(name: string): string {
  if (name.includes("/")) return `The image has no "${name}" at this point`;
  return `"${name}" is not in the image or not on its PATH: install it in an earlier step, or give its whole path`;
}

function shellDeniedHint(spec: ProcessSpec, tail: readonly string[]): string | null {
  const denied = lastMatch(tail, /([^\s:]+): Permission denied\s*$/i);
  if (denied !== null) return deniedHint(denied);
  const foreign = lastMatch(tail, /([^\s:]+): (?:cannot execute binary file: )?Exec format error\s*$/i);
  return foreign === null ? null : formatHint(spec, foreign);
}

function deniedHint(name: string): string {
  return `"${name}" is not an executable file for this user: set its mode with COPY --chmod=755 or RUN chmod +x`;
}

/** A file that is there and is said not to be: what runs it is missing. */
function interpreterHint({ rootfs }: ProcessSpec, file: string): string | null {
  const start = readStartInRoot(rootfs, file);
  if (start === null) return null;
  if (elfArchitecture(start) !== null) return `"${file}" needs a dynamic loader that the image lacks: was it built for another C library?`;
  const first = /^#!\s*([^\n]*)/.exec(start.toString("latin1"))?.[1];
  if (first === undefined) return null;
  if (first.endsWith("\r")) return `"${file}" has Windows line endings, so that its interpreter is not found: save it with \\n`;
  return `"${file}" is run by "${first.trimEnd()}", which the image does not have`;
}

function formatHint(spec: ProcessSpec, program: string): string | null {
  const file = findProgram(spec, program);
  const start = file === null ? null : readStartInRoot(spec.rootfs, file);
  if (start === null) return null;
  const built = elfArchitecture(start);
  const { architecture } = hostPlatform();
  if (built === null) return `"${file}" is neither a program nor a script: a script begins with a line such as #!/bin/sh`;
  if (built === architecture) return `"${file}" is damaged, or was built for a newer kind of ${architecture}`;
  return `"${file}" is built for ${built} and this machine is ${architecture}: no binfmt handler runs ${built} programs here, ` +
    `so install one (qemu-user-static) or build for linux/${architecture}`;
}

/** Path in the image of a program as it was called. Mounts are not looked into. */
function findProgram({ rootfs, cwd, env }: ProcessSpec, name: string): string | null {
  if (name === "") return null;
  const dirs = name.includes("/") ? [cwd] : (env.findLast((one) => one.startsWith("PATH="))?.slice("PATH=".length) ?? "").split(":");
  const files = dirs.map((dir) => path.posix.resolve("/", dir, name));
  return files.find((file) => existsInRoot(rootfs, file)) ?? null;
}

function lastMatch(lines: readonly string[], pattern: RegExp): string | null {
  return lines.map((line) => pattern.exec(line)?.[1]).findLast((found) => found !== undefined) ?? null;
}
