import { digestOf, hexOf } from "../../cache/oci/digest.js";
import type { FoundPackage } from "./package.js";
import type { Scan, ScannedFile } from "./scanTree.js";

const NOTHING = "NOASSERTION";

/**
 * An SPDX 2.3 document about a tree. The same bytes for the same tree: nothing in it depends on time or machine but `created`, seconds
 * since the epoch. Pure. Source: spdx.github.io/spdx-spec/v2.3.
 */
export function spdxDocument(scan: Scan, { name, created }: { readonly name: string; readonly created: number }): object {
  const { packages, files, notRead, system, distro } = scan;
  const root = "SPDXRef-Tree";
  const fileIds = new Map(files.map((file) => [file.path, `SPDXRef-File-${short(file.path)}`]));
  const body = {
    packages: [treePackage(root, name, system), ...packages.map((one) => packageJson(one, distro))],
    files: files.map((file) => fileJson(file, fileIds.get(file.path)!)),
    relationships: [
      relationship("SPDXRef-DOCUMENT", "DESCRIBES", root),
      ...packages.map((one) => relationship(root, "CONTAINS", idOf(one))),
      ...packages.flatMap((one) => (fileIds.has(one.from) ? [{ ...relationship(idOf(one), "OTHER", fileIds.get(one.from)!), comment: "evident-by: the file tells of the package" }] : [])),
    ],
  };
  const { packages: listed, ...rest } = body;
  return {
    spdxVersion: "SPDX-2.3",
    dataLicense: "CC0-1.0",
    SPDXID: "SPDXRef-DOCUMENT",
    name,
    documentNamespace: `https://tbuild.invalid/spdx/${short(JSON.stringify([name, body]), 64)}`,
    creationInfo: { created: new Date(created * 1000).toISOString().replace(/\.\d+Z$/, "Z"), creators: ["Tool: tbuild"] },
    ...(notRead.length === 0 ? {} : { comment: `Not read: ${notRead.map((path) => `${path} (database of rpm)`).join(", ")}` }),
    packages: listed,
    ...(files.length === 0 ? { relationships: rest.relationships } : rest),
  };
}

function treePackage(id: string, name: string, system: string): object {
  return {
    SPDXID: id,
    name,
    downloadLocation: NOTHING,
    filesAnalyzed: false,
    licenseConcluded: NOTHING,
    licenseDeclared: NOTHING,
    copyrightText: NOTHING,
    primaryPackagePurpose: "CONTAINER",
    ...(system === "" ? {} : { comment: `Operating system: ${system}` }),
  };
}

function packageJson(one: FoundPackage, distro: string): object {
  const { name, version, license, from } = one;
  return {
    SPDXID: idOf(one),
    name,
    versionInfo: version,
    supplier: NOTHING,
    downloadLocation: NOTHING,
    filesAnalyzed: false,
    sourceInfo: `Told by ${from}`,
    licenseConcluded: NOTHING,
    licenseDeclared: NOTHING,
    ...(license === "" ? {} : { licenseComments: `The package says: ${license}` }),
    copyrightText: NOTHING,
    externalRefs: [{ referenceCategory: "PACKAGE-MANAGER", referenceType: "purl", referenceLocator: withDistro(one, distro) }],
  };
}

function withDistro({ type, purl }: FoundPackage, distro: string): string {
  if ((type !== "deb" && type !== "apk") || distro === "") return purl;
  return `${purl}${purl.includes("?") ? "&" : "?"}distro=${encodeURIComponent(distro)}`;
}

function fileJson({ path, sha1, sha256 }: ScannedFile, id: string): object {
  return {
    SPDXID: id,
    fileName: path,
    checksums: [{ algorithm: "SHA1", checksumValue: sha1 }, { algorithm: "SHA256", checksumValue: sha256 }],
    licenseConcluded: NOTHING,
    copyrightText: NOTHING,
  };
}

function relationship(from: string, type: string, to: string): object {
  return { spdxElementId: from, relationshipType: type, relatedSpdxElement: to };
}

function idOf({ type, name, purl }: FoundPackage): string {
  return `SPDXRef-Package-${type}-${name.replace(/[^A-Za-z0-9.-]+/g, "-")}-${short(purl)}`;
}

function short(text: string, digits = 16): string {
  return hexOf(digestOf(text)).slice(0, digits);
}
