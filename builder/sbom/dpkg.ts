import { type Cataloguer, type FoundPackage, purlOf } from "./package.js";
import { stanzas } from "./stanzas.js";

const STATUS = "var/lib/dpkg/status";
const DISTROLESS = /^var\/lib\/dpkg\/status\.d\/[^/]+$/;

/** Debian's packages: the database of dpkg, and the one file a package of images without dpkg. */
export function dpkg(distribution: string): Cataloguer {
  return {
    wants: (path) => path === STATUS || (DISTROLESS.test(path) && !path.endsWith(".md5sums")),
    read(path, text) {
      return stanzas(text).flatMap((fields): readonly FoundPackage[] => {
        const [name, version, status] = ["Package", "Version", "Status"].map((key) => fields.get(key) ?? "") as [string, string, string];
        const isInstalled = path === STATUS ? status.endsWith(" installed") : true;
        if (name === "" || version === "" || !isInstalled) return [];
        const purl = purlOf("deb", distribution, name, version, { arch: fields.get("Architecture") ?? "", upstream: upstreamOf(fields, name) });
        return [{ type: "deb", name, version, purl, license: "", from: `/${path}` }];
      });
    },
  };
}

/** The source package, when it is called otherwise. */
function upstreamOf(fields: ReadonlyMap<string, string>, name: string): string {
  const [, source = "", version] = /^(\S+)(?: \((.*)\))?$/.exec(fields.get("Source") ?? "") ?? [];
  if (source === "" || source === name) return "";
  return version === undefined ? source : `${source}@${version}`;
}
