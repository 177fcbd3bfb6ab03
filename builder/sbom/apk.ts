import { type Cataloguer, type FoundPackage, purlOf } from "./package.js";

const DATABASES = new Set(["lib/apk/db/installed", "usr/lib/apk/db/installed"]);

/** Alpine's packages. Source: wiki.alpinelinux.org/wiki/Apk_spec "Installed database". */
export function apk(distribution: string): Cataloguer {
  return {
    wants: (path) => DATABASES.has(path),
    read(path, text) {
      return text.split(/\n\n+/).flatMap((record): readonly FoundPackage[] => {
        const fields = new Map(record.split("\n").map((line) => [line.slice(0, 1), line.slice(2)]));
        const [name = "", version = ""] = [fields.get("P"), fields.get("V")];
        if (name === "" || version === "") return [];
        const purl = purlOf("apk", distribution, name, version, { arch: fields.get("A") ?? "" });
        return [{ type: "apk", name, version, purl, license: fields.get("L") ?? "", from: `/${path}` }];
      });
    },
  };
}
