import type { Builder } from "../../builder/builder.js";
import type { LockEntry } from "../../builder/lock/lock.js";
import { familiarName } from "../../builder/lock/matchName.js";
import { existingLock, type LockChange, lockFileOf, removeEntries } from "../../builder/lock/updateLock.js";
import type { LockArgs, LockUpdateArgs } from "../args/lock.js";
import { parseSecret } from "../flags/secret.js";
import { parseSsh } from "../flags/ssh.js";
import { progressMode, showProgress } from "../progress/mode.js";
import { formatTable } from "../table.js";
import type { Terminal } from "../terminal.js";

/** Runs `tbuild lock` and returns what goes to stdout. @throws {TbuildError} not_found, parse_failed, unauthorized, unavailable */
export async function lockCommand(builder: Builder, args: LockArgs, terminal: Terminal, signal: AbortSignal): Promise<string> {
  const place = lockFileOf(args.lockfile);
  switch (args.verb) {
    case "ls":
      return listed(existingLock(place), args.format);
    case "rm":
      return (await removeEntries(place, args.names, signal)).map((entry) => `Removed ${familiarName(entry)}\n`).join("");
    case "update":
      return await update(builder, args, place.shown, terminal, signal);
  }
}

function listed(lock: readonly LockEntry[], format: "table" | "json"): string {
  if (format === "json") return `${JSON.stringify(lock, null, 2)}\n`;
  return formatTable(["NAME", "KIND", "IS"], lock.map((entry) => [familiarName(entry), KINDS[entry.kind], entry.pin]));
}

const KINDS: { readonly [K in LockEntry["kind"]]: string } = { images: "image", git: "git", urls: "url" };

async function update(builder: Builder, args: LockArgs & LockUpdateArgs, shown: string, terminal: Terminal, signal: AbortSignal): Promise<string> {
  const { lockfile, names, mode, format } = args;
  const updating = builder.updateLock({ file: lockfile, names, mode, secrets: args.secret.map((one) => parseSecret(one)), ssh: args.ssh.map(parseSsh) }, { signal });
  await showProgress(updating.progress, progressMode(args.progress, terminal), terminal, signal);
  const changes = await updating.result;
  return format === "json" ? `${JSON.stringify(changes, null, 2)}\n` : changesText(changes, shown, mode);
}

function changesText(changes: readonly LockChange[], shown: string, mode: LockUpdateArgs["mode"]): string {
  const moved = changes.filter(({ from, to }) => from !== to);
  const all = changes.length === 1 ? "1 entry" : `${changes.length} entries`;
  if (moved.length === 0) return `Nothing has changed: ${all} of ${shown}\n`;
  const rows = moved.map((change) => [familiarName(change), short(change.from), short(change.to)]);
  const verb = mode === "plan" ? "Would change" : "Changed";
  return `${formatTable(["NAME", "WAS", "IS"], rows)}\n${verb} ${moved.length} of ${all} of ${shown}\n`;
}

/** Of a digest or a commit. */
function short(pin: string): string {
  return pin.replace(/^[a-z0-9]+:/, "").slice(0, 12);
}
