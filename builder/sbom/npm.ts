import { type Cataloguer, type FoundPackage, purlOf } from "./package.js";

const INSTALLED = /(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/@]+\/package\.json$/;
const LOCK = /(?:^|\/)(?:package-lock|npm-shrinkwrap)\.json$/;

interface Manifest {
  readonly name?: unknown;
  readonly version?: unknown;
  readonly license?: unknown;
  readonly link?: unknown;
  readonly packages?: Readonly<Record<string, Manifest | null>>;
}

/** Packages of npm: those in node_modules, and those that the lock files of projects name. */
export const npm: Cataloguer = {
  wants: (path) => INSTALLED.test(path) || (LOCK.test(path) && !path.includes("node_modules/")),
  read(path, text) {
    const manifest = parsed(text);
    if (manifest === null) return [];
    if (!LOCK.test(path)) return packageOf(manifest.name, manifest, path);
    return Object.entries(manifest.packages ?? {}).flatMap(([place, entry]) => {
      const name = place.includes("node_modules/") ? place.replace(/^.*node_modules\//s, "") : "";
      return entry === null || entry.link === true ? [] : packageOf(entry.name ?? name, entry, path);
    });
  },
};

function packageOf(name: unknown, { version, license }: Manifest, path: string): readonly FoundPackage[] {
  if (typeof name !== "string" || name === "" || typeof version !== "string" || version === "") return [];
  const at = name.lastIndexOf("/");
  const purl = purlOf("npm", name.slice(0, Math.max(0, at)), name.slice(at + 1), version);
  return [{ type: "npm", name, version, purl, license: typeof license === "string" ? license : "", from: `/${path}` }];
}

function parsed(text: string): Manifest | null {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === "object" && value !== null ? value : null;
  } catch {
    return null; // Test data of packages is often no JSON.
  }
}
