import { createHash } from "node:crypto";
import type { Opts } from "../../cache/content/store.js";
import type { Store } from "../../cache/store.js";
import { readTextInRoot } from "../executor/rootFile.js";
import { apk } from "./apk.js";
import { dpkg } from "./dpkg.js";
import { golang } from "./golang.js";
import { npm } from "./npm.js";
import type { Cataloguer, FoundPackage } from "./package.js";
import { python } from "./python.js";

/** What is in a tree. */
export interface Scan {
  /** `PRETTY_NAME` of its os-release; "" is none. */
  readonly system: string;
  /** `ID-VERSION_ID`, as package URLs name it. */
  readonly distro: string;
  /** Each once, in the order of their URLs. */
  readonly packages: readonly FoundPackage[];
  /** The files that tell of them. */
  readonly files: readonly ScannedFile[];
  /** Paths of databases that could not be read. */
  readonly notRead: readonly string[];
}

/** A file that tells of packages. */
export interface ScannedFile {
  /** Absolute. */
  readonly path: string;
  /** Hex. */
  readonly sha1: string;
  readonly sha256: string;
}

const RPM = /^(?:var\/lib\/rpm|usr\/lib\/sysimage\/rpm|usr\/share\/rpm)\/(?:Packages|Packages\.db|rpmdb\.sqlite)$/;

/** Nothing that tells of packages is larger than this, in bytes. */
const MAX_BYTES = 64 << 20;

/** Looks for the packages in the tree at `root`: dpkg, apk, npm, Python, go.mod. Databases of rpm are named, and not read. */
export async function scanTree({ bulk }: Pick<Store, "bulk">, root: string, { signal }: Opts): Promise<Scan> {
  const listed = await bulk.run("listTree", { path: root, xattrs: false }, { signal });
  const paths = listed.filter(({ mode, size }) => (mode & 0o170000) === 0o100000 && size <= MAX_BYTES).map(({ path, size }) => ({ path, shown: textOf(path), size }));
  const release = releaseOf(root);
  const cataloguers: readonly Cataloguer[] = [dpkg(release.id || "debian"), apk(release.id || "alpine"), npm, python, golang];
  const packages: FoundPackage[] = [];
  const files: ScannedFile[] = [];
  for (const { path, shown, size } of paths) {
    const cataloguer = cataloguers.find(({ wants }) => wants(shown));
    if (cataloguer === undefined || size === 0) continue;
    const { content } = await bulk.run("readPieces", { root, pieces: [{ path, offset: 0, length: size }] }, { signal });
    const found = cataloguer.read(shown, Buffer.from(content).toString("utf8"));
    if (found.length === 0) continue;
    packages.push(...found);
    files.push({ path: `/${shown}`, sha1: hashOf("sha1", content), sha256: hashOf("sha256", content) });
  }
  const notRead = paths.filter(({ shown }) => RPM.test(shown)).map(({ shown }) => `/${shown}`);
  return { system: release.name, distro: release.distro, packages: once(packages), files, notRead };
}

function once(packages: readonly FoundPackage[]): readonly FoundPackage[] {
  const byPurl = new Map<string, FoundPackage>();
  for (const one of packages) if (!byPurl.has(one.purl)) byPurl.set(one.purl, one);
  return [...byPurl.values()].sort((a, b) => (a.purl < b.purl ? -1 : 1));
}

/** Paths of trees are latin1, whatever bytes they are made of. */
function textOf(path: string): string {
  return Buffer.from(path, "latin1").toString("utf8");
}

function hashOf(algorithm: "sha1" | "sha256", content: Uint8Array): string {
  return createHash(algorithm).update(content).digest("hex");
}

function releaseOf(root: string): { readonly id: string; readonly distro: string; readonly name: string } {
  const text = readTextInRoot(root, "/etc/os-release") ?? readTextInRoot(root, "/usr/lib/os-release") ?? "";
  const value = (key: string) => new RegExp(`^${key}=["']?([^"'\\n]*)`, "m").exec(text)?.[1] ?? "";
  const [id, version] = [value("ID"), value("VERSION_ID")];
  return { id, distro: version === "" ? id : `${id}-${version}`, name: value("PRETTY_NAME") };
}
