import type { DigestSet } from "./attestation.js";

/** What a build was asked for, as provenance tells it. Source: BuildKit, solver/llbsolver/provenance/types. */
export interface Parameters {
  readonly frontend?: string;
  readonly args?: Readonly<Record<string, string>>;
  readonly secrets?: readonly NeededKey[];
  readonly ssh?: readonly NeededKey[];
  readonly locals?: readonly { readonly name: string }[];
  /** The requests that trees given to the frontend came from, by their names. */
  readonly inputs?: Readonly<Record<string, RequestRecord>>;
  /** The request of the client, when a frontend of it has asked for this one. */
  readonly root?: RequestRecord;
}

/** A secret or an agent that steps ask for. */
export interface NeededKey {
  readonly id: string;
  readonly optional?: true;
}

/** From where a frontend read what to build. */
export interface ConfigSource {
  readonly uri?: string;
  readonly digest?: DigestSet;
  readonly path?: string;
}

/** One request with what it built from. */
export interface RequestRecord {
  readonly configSource: ConfigSource;
  readonly request?: Parameters;
}

/** What can be found by its URL. */
export interface Findable {
  readonly uri: string;
  readonly digest: DigestSet;
}

const OF_HOST = new Set(["cgroup-parent", "image-resolve-mode", "platform", "cache-imports"]);

/** The options of a frontend that belong into provenance: what depends on the machine does not, and no passwords. */
export function filterArgs(opt: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const context = contextKeyIn(opt);
  const kept = Object.entries(opt).filter(([key]) => !OF_HOST.has(key) && !key.startsWith("attest:"));
  return Object.fromEntries(kept.map(([key, value]) => [key, key === context || key.startsWith("context:") ? withoutLogin(value) : value]));
}

function contextKeyIn(args: Readonly<Record<string, string>>): string {
  return args["contextkey"] || "context";
}

/** The options of a frontend taken apart: from where it reads is no argument. `find` knows what URLs were. Pure. */
export function requestRecord(frontend: string, args: Readonly<Record<string, string>>, find: (url: string) => Findable | null): RequestRecord {
  const named = args["contextkey"] || (args["input:context"] ? "input:context" : "context");
  const { [named]: context = "", filename = "", ...rest } = args;
  const found = context === "" ? null : find(context);
  const configSource: ConfigSource = {
    ...(context === "" ? {} : { uri: withoutLogin(found?.uri ?? context) }),
    ...(found === null ? {} : { digest: found.digest }),
    ...(filename === "" ? {} : { path: filename }),
  };
  return { configSource, request: { ...(frontend === "" ? {} : { frontend }), ...(Object.keys(rest).length === 0 ? {} : { args: rest }) } };
}

/** A URL with login and password masked. Source: BuildKit, util/urlutil/redact.go. */
export function withoutLogin(text: string): string {
  return text.replace(/^([a-zA-Z][a-zA-Z0-9+.-]*:\/\/)([^/?#@]*)@/, (_whole, scheme: string, login: string) => {
    const [user = "", password] = login.split(":", 2);
    const masked = user === "" && password === undefined ? "" : user === "" ? ":xxxxx" : password === undefined ? "xxxxx" : "xxxxx:xxxxx";
    return `${scheme}${masked}@`;
  });
}

/** `request` without what mode=min leaves out: values that a user gave, and names of secrets. */
export function scrubbed(request: Parameters): { readonly request: Parameters; readonly complete: boolean } {
  const { secrets: _secrets, ssh: _ssh, args = {}, inputs = {}, root, ...rest } = request;
  const isValue = (key: string) => key.startsWith("build-arg:") || key.startsWith("label:");
  let complete = !Object.keys(args).some(isValue);
  const inner = (record: RequestRecord): RequestRecord => {
    if (record.request === undefined) return record;
    const own = scrubbed(record.request);
    complete &&= own.complete;
    return { ...record, request: own.request };
  };
  const kept = Object.fromEntries(Object.entries(args).filter(([key]) => !isValue(key)));
  const given = Object.fromEntries(Object.entries(inputs).map(([name, record]) => [name, inner(record)]));
  const above = root === undefined ? undefined : inner(root);
  return {
    request: {
      ...rest,
      ...(Object.keys(kept).length === 0 ? {} : { args: kept }),
      ...(Object.keys(given).length === 0 ? {} : { inputs: given }),
      ...(above === undefined ? {} : { root: above }),
    },
    complete,
  };
}
