import { execFileSync } from "node:child_process";
import { randomInt } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import type { TestContext } from "node:test";
import type { JobContext } from "../bulk/jobs.js";
import type { ApplyOutput, DiffOutput } from "../bulk/layerJobs.js";
import type { ChangeSource } from "../snapshot/snapshotter.js";
import { splitDevice } from "../sys/node.js";
import { applyLayer } from "./apply.js";
import { diffLayer } from "./compare.js";
import { encodeEntry, NO_XATTRS, type TarEntry } from "./header.js";
import { paddingOf } from "./fields.js";
import { fsPath, toLatin1 } from "./rootPath.js";
import { readXattrs } from "./xattrs.js";

/** A directory that is removed after the test. */
export function tempDir(t: TestContext): string {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "tbuild-diff-"));
  t.after(() => fs.rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** A job's context that collects what is emitted. */
export function jobContext(): JobContext & { readonly chunks: Uint8Array[] } {
  const chunks: Uint8Array[] = [];
  return { chunks, tick: () => undefined, emit: (chunk) => void chunks.push(chunk) };
}

/** An entry with defaults, and its data. */
export interface TarPart extends Partial<TarEntry> {
  readonly name: string;
  readonly data?: string | Uint8Array;
}

/** Bytes of one entry by our own encoder. */
export function partBytes(part: TarPart): Buffer {
  const { data = "", ...fields } = part;
  const body = Buffer.from(data as string);
  const entry: TarEntry = {
    type: "file", linkName: "", mode: fields.type === "dir" ? 0o755 : 0o644, uid: 0, gid: 0,
    mtimeNs: 1_600_000_000n * 1_000_000_000n, size: body.length, devMajor: 0, devMinor: 0, xattrs: NO_XATTRS, ...fields,
  };
  return Buffer.concat([encodeEntry(entry), body, Buffer.alloc(paddingOf(body.length))]);
}

/** A whole tar of these entries. */
export function tarOf(...parts: readonly TarPart[]): Buffer {
  return Buffer.concat([...parts.map(partBytes), Buffer.alloc(1024)]);
}

/** Applies tar bytes to `root`. */
export function applyBytes(root: string, bytes: Uint8Array, maxBytes = 1e9): ApplyOutput {
  const blob = `${root}.${randomInt(1e9)}.tar`;
  fs.writeFileSync(blob, bytes);
  try {
    return applyLayer({ blob, root, maxBytes }, jobContext());
  } finally {
    fs.unlinkSync(blob);
  }
}

/** The tar of a diff and what the job returned. */
export function diffBytes(source: ChangeSource, clampMtime: number | null = null): { tar: Buffer; output: DiffOutput } {
  const ctx = jobContext();
  const output = diffLayer({ source, emit: true, clampMtime }, ctx);
  return { tar: Buffer.concat(ctx.chunks), output };
}

/** Names in a tar as GNU tar prints them. */
export function tarNames(bytes: Uint8Array): string[] {
  const text = execFileSync("tar", ["-t", "--quoting-style=literal"], { input: bytes, encoding: "latin1" });
  return text.split("\n").filter((name) => name !== "");
}

/** Everything that a layer keeps of a tree, one line a path, in byte order. Hard links are numbered by group. */
export function describeTree(root: string): string[] {
  const lines: string[] = [];
  const links = new Map<bigint, number>();
  walk(toLatin1(root), "", lines, links);
  return lines;
}

function walk(root: string, dir: string, lines: string[], links: Map<bigint, number>): void {
  for (const name of fs.readdirSync(fsPath(root + dir), "latin1").sort()) {
    const entry = `${dir}/${name}`;
    const stat = fs.lstatSync(fsPath(root + entry), { bigint: true });
    lines.push([entry, describe(root + entry, stat), linkGroup(stat, links)].join(" "));
    if (stat.isDirectory()) walk(root, entry, lines, links);
  }
}

function describe(file: string, stat: fs.BigIntStats): string {
  const xattrs = [...readXattrs(file)].map(([name, value]) => `${name}=${value.toString("hex")}`).sort();
  const { major, minor } = splitDevice(stat.rdev);
  const content = stat.isFile()
    ? fs.readFileSync(fsPath(file)).toString("base64")
    : stat.isSymbolicLink() ? fs.readlinkSync(fsPath(file), "latin1") : `${major}:${minor}`;
  return [stat.mode.toString(8), `${stat.uid}:${stat.gid}`, stat.mtimeNs, content, ...xattrs].join(" ");
}

function linkGroup(stat: fs.BigIntStats, links: Map<bigint, number>): string {
  if (stat.isDirectory() || stat.nlink < 2n) return "";
  if (!links.has(stat.ino)) links.set(stat.ino, links.size);
  return `link#${links.get(stat.ino)}`;
}
