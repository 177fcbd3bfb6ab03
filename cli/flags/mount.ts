import { statSync } from "node:fs";
import path from "node:path";
import type { BindMount } from "../../builder/executor/executor.js";
import { TbuildError } from "../../cache/errors.js";
import { parseCsv } from "../csv.js";
import { unknownWord, usage } from "../usage.js";
import { parseMemory } from "./limits.js";

const FORM = "Write --mount type=bind,src=/HOST,dst=/PATH[,ro] or --mount type=tmpfs,dst=/PATH[,tmpfs-size=SIZE]";
const KINDS = ["bind", "tmpfs"];

/** Docker's names of one thing. */
const KEYS: Readonly<Record<string, string>> = {
  type: "type",
  src: "src",
  source: "src",
  dst: "dst",
  destination: "dst",
  target: "dst",
  ro: "ro",
  readonly: "ro",
  "tmpfs-size": "tmpfs-size",
};

/** `-v /HOST:/PATH[:ro|rw]`. @throws {TbuildError} usage, not_found */
export function parseVolume(text: string): BindMount {
  const [, source, dest, access = "rw"] = /^([^:]+):([^:]+)(?::([^:]*))?$/.exec(text) ?? [];
  if (source === undefined || dest === undefined) throw usage(`Cannot read --volume "${text}"`, "Write --volume /HOST:/PATH[:ro]");
  if (!/^[./~]/.test(source)) throw usage(`Cannot use --volume "${text}": there are no volumes with a name`, "Name a directory of this machine: /HOST or ./HOST");
  if (access !== "ro" && access !== "rw") throw unknownWord("mode of --volume", access, ["ro", "rw"]);
  return bind(source, checkedDest(dest, `--volume "${text}"`), access === "ro");
}

/** `--mount type=bind,…` or `type=tmpfs,…`. @throws {TbuildError} usage, not_found */
export function parseMount(text: string): BindMount {
  const fields = new Map(parseCsv(text).map((field) => pair(field)));
  const type = fields.get("type") ?? "volume";
  if (type === "volume") throw usage(`Cannot use --mount "${text}": there are no volumes`, FORM);
  if (!KINDS.includes(type)) throw unknownWord("mount type", type, KINDS);
  const dest = checkedDest(fields.get("dst") ?? "", `--mount "${text}"`);
  const [source, size] = [fields.get("src"), fields.get("tmpfs-size")];
  if (type === "tmpfs") return { kind: "tmpfs", dest, size: size === undefined ? null : parseMemory(size, "tmpfs-size") };
  if (source === undefined) throw usage(`Cannot read --mount "${text}": it has no source`, FORM);
  return bind(source, dest, isTrue(fields.get("ro")));
}

function pair(field: string): [string, string] {
  const [name = "", ...rest] = field.split("=");
  const key = KEYS[name.trim().toLowerCase()];
  if (key === undefined) throw unknownWord("key of --mount", name, Object.keys(KEYS));
  return [key, rest.length === 0 ? "true" : rest.join("=")];
}

function isTrue(value: string | undefined): boolean {
  return value !== undefined && /^(?:true|1)$/i.test(value);
}

function checkedDest(dest: string, what: string): string {
  if (path.posix.isAbsolute(dest) && path.posix.resolve(dest) !== "/") return path.posix.resolve(dest);
  throw usage(`Cannot use ${what}: a mount needs a place other than "/"`, "Give the place as an absolute path");
}

function bind(given: string, dest: string, readonly: boolean): BindMount {
  const source = path.resolve(given);
  const stat = statSync(source, { throwIfNoEntry: false });
  if (stat === undefined) throw new TbuildError("not_found", `Cannot mount "${given}": no such file or directory on this machine`);
  return { kind: "bind", source, dest, readonly, isFile: !stat.isDirectory() };
}
