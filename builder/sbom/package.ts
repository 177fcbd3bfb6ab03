/** A package that a tree has. */
export interface FoundPackage {
  /** Its kind as package URLs name it. */
  readonly type: "deb" | "apk" | "npm" | "pypi" | "golang";
  readonly name: string;
  readonly version: string;
  /** Package URL without `distro`. */
  readonly purl: string;
  /** As the package says it; "" when it does not. Seldom an SPDX expression. */
  readonly license: string;
  /** Absolute path of the file that tells of it. */
  readonly from: string;
}

/** Reads one kind of file that tells of packages. */
export interface Cataloguer {
  /** True for paths, relative to the tree's root, of such files. */
  readonly wants: (path: string) => boolean;
  /** What the file says; what it does not say well is left out. Pure. */
  readonly read: (path: string, text: string) => readonly FoundPackage[];
}

/** A package URL; `namespace` "" is none. Source: github.com/package-url/purl-spec. */
export function purlOf(type: FoundPackage["type"], namespace: string, name: string, version: string, qualifiers: Readonly<Record<string, string>> = {}): string {
  const place = [...(namespace === "" ? [] : namespace.split("/")), name].map(encode).join("/");
  const asked = Object.entries(qualifiers).filter(([, value]) => value !== "").sort(([a], [b]) => (a < b ? -1 : 1));
  const query = asked.map(([key, value]) => `${key}=${encode(value)}`).join("&");
  return `pkg:${type}/${place}${version === "" ? "" : `@${encode(version)}`}${query === "" ? "" : `?${query}`}`;
}

function encode(text: string): string {
  return encodeURIComponent(text).replaceAll("%3A", ":");
}
