import assert from "node:assert/strict";
import test from "node:test";
import { parsePlatform } from "../../cache/oci/platform.js";
import { type FrontendOptions, defaultFrontendOptions } from "../options.js";
import { listTargets } from "./targets.js";

const platform = parsePlatform("linux/amd64");
const resolveImage = async (): Promise<never> => Promise.reject(new Error("No image is asked for"));
const options: FrontendOptions = { ...defaultFrontendOptions, platform, buildPlatform: platform, resolveImage };

test("listTargets() lists stages as they are written, with their descriptions", () => {
  const text = "ARG TAG\n# of something else\n# base what all need\nFROM --platform=$BUILDPLATFORM alpine:$TAG AS Base\nFROM base\n";
  const range = (line: number, end: number) => {
    return { sourceIndex: 0, ranges: [{ start: { line, character: 0 }, end: { line, character: end } }] };
  };
  assert.deepEqual(listTargets(text, options), {
    targets: [
      { name: "base", description: "what all need", base: "alpine:$TAG", platform: "$BUILDPLATFORM", location: range(4, 50) },
      { default: true, base: "base", location: range(5, 9) },
    ],
    sources: [Buffer.from(text).toString("base64")],
  });
});

test("listTargets() refuses what is no Dockerfile", () => {
  assert.throws(() => listTargets("FROM scratch\nCOPPY a b\n", options), { code: "parse_failed" });
  assert.throws(() => listTargets("# syntax=example.com/other:1\n{}\n", options), { code: "unsupported" });
});
