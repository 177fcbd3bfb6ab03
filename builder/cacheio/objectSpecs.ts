import type { Attrs } from "../exporter/attrs.js";
import type { FileContentStore } from "../../cache/content/store.js";
import type { HttpTransport } from "../registry/http.js";
import { ghaObjects } from "./ghaCache.js";
import type { ObjectCache } from "./objectCache.js";
import { bucketBase, s3Objects } from "./s3Cache.js";

/** The object store of a cache; its layers can be had from now on. */
export function objectCacheOf(type: "gha" | "s3", attrs: Attrs, content: FileContentStore, transport: HttpTransport): ObjectCache {
  return { content, ...(type === "gha" ? ghaOf(attrs, transport) : s3Of(attrs, transport)) };
}

function ghaOf(attrs: Attrs, transport: HttpTransport): Omit<ObjectCache, "content"> {
  const scope = attrs.text("scope") ?? "buildkit";
  const version = attrs.text("version") ?? "";
  const older = attrs.text("url");
  const url = attrs.text("url_v2") ?? older ?? "";
  // What only BuildKit asks GitHub's other API for.
  for (const key of ["repository", "ghtoken"]) attrs.text(key);
  if (version === "1") throw attrs.invalid("version", '"2": GitHub has ended the first');
  if (!URL.canParse(url)) throw attrs.invalid("url_v2", "ACTIONS_RESULTS_URL of the job");
  const token = attrs.required("token", "It is ACTIONS_RUNTIME_TOKEN of the job");
  return { name: `gha:${scope}`, origin: `cache-gha:${url} ${scope}`, objects: ghaObjects({ transport, url: new URL(url), token, scope }) };
}

const DAY_MS = 86_400_000;

function s3Of(attrs: Attrs, transport: HttpTransport): Omit<ObjectCache, "content"> {
  const bucket = attrs.required("bucket", "Write type=s3,bucket=NAME,region=REGION");
  const region = attrs.required("region", "Write type=s3,bucket=NAME,region=REGION");
  const endpoint = attrs.text("endpoint_url");
  if (endpoint !== undefined && !URL.canParse(endpoint)) throw attrs.invalid("endpoint_url", "a URL");
  const base = bucketBase(bucket, region, endpoint === undefined ? null : new URL(endpoint), attrs.bool("use_path_style", false));
  const prefix = attrs.text("prefix") ?? "";
  const [first = "buildkit", ...others] = (attrs.text("name") ?? "buildkit").split(";").filter((name) => name !== "");
  const login = {
    accessKeyId: attrs.required("access_key_id", "Set AWS_ACCESS_KEY_ID"),
    secretAccessKey: attrs.required("secret_access_key", "Set AWS_SECRET_ACCESS_KEY"),
    sessionToken: attrs.text("session_token") || null,
  };
  const touchMs = durationMs(attrs, "touch_refresh") ?? DAY_MS;
  // How BuildKit's client of AWS does what is done here by measures of our own.
  for (const key of ["upload_parallelism", "disable_accept_encoding", "retry_mode", "retry_max_attempts"]) attrs.text(key);
  const blobsPrefix = prefix + (attrs.text("blobs_prefix") ?? "blobs/");
  const manifestsPrefix = prefix + (attrs.text("manifests_prefix") ?? "manifests/");
  const objects = s3Objects({ transport, base, region, login, names: [first, ...others], blobsPrefix, manifestsPrefix, touchMs });
  return { name: `s3:${bucket}/${manifestsPrefix}${first}`, origin: `cache-s3:${base.href}${blobsPrefix}`, objects };
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Milliseconds of a duration as Go writes it, "1h30m". */
export function durationMs(attrs: Attrs, key: string): number | undefined {
  const text = attrs.text(key);
  if (text === undefined) return undefined;
  if (!/^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/.test(text)) throw attrs.invalid(key, 'a time such as "10m" or "1h30m"');
  return [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)].reduce((sum, [, count, unit]) => sum + Number(count) * UNITS[unit!]!, 0);
}
