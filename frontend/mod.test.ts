import { existsSync, readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { isTbuildError } from "../cache/errors.js";
import { parsePlatform } from "../cache/oci/platform.js";
import { compareGolden } from "../fixtures/golden.js";
import { renderError, renderResult } from "../fixtures/goldenLlb.js";
import { fakeImages } from "../fixtures/images.js";
import { type FrontendOptions, dockerfileToDefinition } from "./mod.js";
import { type NamedContext, defaultFrontendOptions } from "./options.js";

const cases = path.resolve("fixtures/dockerfiles");

/** `options.json` of a case: what differs from a plain build. */
interface CaseOptions {
  readonly target?: string;
  readonly buildArgs?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly platform?: string;
  readonly noCache?: FrontendOptions["noCache"];
  readonly ignore?: readonly string[];
  readonly epoch?: number;
  readonly hostname?: string;
  readonly network?: FrontendOptions["network"];
  readonly extraHosts?: FrontendOptions["extraHosts"];
  readonly contexts?: Readonly<Record<string, NamedContext>>;
  /** Values of build secrets by id, for checks. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** What goes to every RUN as it is. */
  readonly run?: Partial<Pick<FrontendOptions, "ulimits" | "cgroupParent" | "shmSize" | "resources">>;
}

for (const name of readdirSync(cases).sort()) {
  test(`dockerfileToDefinition() gives the expected steps or error for ${name}`, async () => {
    const dir = path.join(cases, name);
    const { llb, error } = await convertCase(dir);
    compareGolden(path.join(dir, "expected.llb"), llb);
    compareGolden(path.join(dir, "expected.error"), error);
  });
}

async function convertCase(dir: string): Promise<{ llb: string | null; error: string | null }> {
  try {
    const text = readFileSync(path.join(dir, "Dockerfile"));
    const result = await dockerfileToDefinition(text, readOptions(path.join(dir, "options.json")));
    return { llb: renderResult(result), error: null };
  } catch (error) {
    if (!isTbuildError(error)) throw error;
    return { llb: null, error: renderError(error) };
  }
}

function readOptions(file: string): FrontendOptions {
  const given = (existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {}) as CaseOptions;
  return {
    ...defaultFrontendOptions,
    target: given.target ?? null,
    buildArgs: new Map(Object.entries(given.buildArgs ?? {})),
    labels: new Map(Object.entries(given.labels ?? {})),
    platform: parsePlatform(given.platform ?? "linux/amd64"),
    buildPlatform: parsePlatform("linux/amd64"),
    noCache: given.noCache ?? [],
    ignore: given.ignore ?? [],
    epoch: given.epoch ?? null,
    hostname: given.hostname ?? null,
    network: given.network ?? "default",
    extraHosts: given.extraHosts ?? [],
    findSecret: (text) => Object.entries(given.secrets ?? {}).find(([, value]) => text.includes(value))?.[0] ?? null,
    contexts: new Map(Object.entries(given.contexts ?? {})),
    ...given.run,
    resolveImage: fakeImages,
    resolveLayout: ({ path: layout, tag }, platform) => fakeImages(`${layout.slice(1)}:${tag ?? "latest"}`, platform),
  };
}
