import { type Cataloguer, purlOf } from "./package.js";
import { stanzas } from "./stanzas.js";

const METADATA = /(?:^|\/)[^/]+\.(?:dist-info\/METADATA|egg-info\/PKG-INFO)$/;

/** Installed packages of Python. Source: packaging.python.org, "Core metadata specifications". */
export const python: Cataloguer = {
  wants: (path) => METADATA.test(path),
  read(path, text) {
    const [fields] = stanzas(text, true);
    const [name = "", version = ""] = [fields?.get("Name"), fields?.get("Version")];
    if (name === "" || version === "") return [];
    const license = fields?.get("License-Expression") ?? fields?.get("License") ?? "";
    const purl = purlOf("pypi", "", name.toLowerCase().replace(/[-_.]+/g, "-"), version);
    return [{ type: "pypi", name, version, purl, license: license === "UNKNOWN" ? "" : license, from: `/${path}` }];
  },
};
