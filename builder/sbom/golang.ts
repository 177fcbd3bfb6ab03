import { type Cataloguer, type FoundPackage, purlOf } from "./package.js";

/** Modules that `go.mod` files require. What programs were built from is not read. */
export const golang: Cataloguer = {
  wants: (path) => /(?:^|\/)go\.mod$/.test(path),
  read(path, text) {
    const lines = text.split("\n").map((line) => line.replace(/\/\/.*$/, "").trim());
    let inBlock = false;
    return lines.flatMap((line): readonly FoundPackage[] => {
      if (/^require\s*\($/.test(line)) inBlock = true;
      else if (line === ")") inBlock = false;
      const [, name, version] = (inBlock ? /^(\S+)\s+(v\S+)$/ : /^require\s+(\S+)\s+(v\S+)$/).exec(line) ?? [];
      if (name === undefined || version === undefined) return [];
      const at = name.lastIndexOf("/");
      const purl = purlOf("golang", name.slice(0, Math.max(0, at)), name.slice(at + 1), version);
      return [{ type: "golang", name, version, purl, license: "", from: `/${path}` }];
    });
  },
};
