import assert from "node:assert/strict";
import test from "node:test";
import { TbuildError } from "../../cache/errors.js";
import { parsePlatform } from "../../cache/oci/platform.js";
import { type FrontendOptions, defaultFrontendOptions } from "../options.js";
import type { Location } from "./location.js";
import { outlineDockerfile } from "./outline.js";

const platform = parsePlatform("linux/amd64");
const options: FrontendOptions = {
  ...defaultFrontendOptions,
  platform,
  buildPlatform: platform,
  resolveImage: async () => Promise.reject(new TbuildError("unavailable", "Cannot reach the registry")),
};

const text = `# BASE image to start from
ARG BASE=\${FAMILY:-busybox}:\${TAG}
ARG FAMILY UNUSED=1
ARG TAG=1
ARG BASE=x\${TAG}
ARG SHARED=everywhere
FROM --platform=$BUILDPLATFORM $BASE AS build
ARG SHARED
ARG TARGETARCH
# MODE how to build
ARG MODE=fast$SHARED
RUN --mount=type=secret,id=token --mount=type=ssh --mount=type=secret,target=/run/pass,required make

# final what is shipped
FROM scratch AS final
# FLAVOUR of it
ARG FLAVOUR
COPY --from=build /a /b

FROM busybox AS other
ARG OTHER=1
RUN --mount=type=cache,target=/root/.cache/ --mount=type=cache,id=named,target=/x true
`;

const rows = (list: readonly { readonly name: string; readonly location: Location }[] = []) =>
  list.map(({ location, ...rest }) => ({ ...rest, line: location.ranges[0]?.start.line }));

test("outlineDockerfile() lists the arguments that count for a target, with values and descriptions", async () => {
  const outline = await outlineDockerfile(text, { ...options, target: "final", buildArgs: new Map([["FLAVOUR", "mint"]]) });
  assert.equal(outline.name, "final");
  assert.equal(outline.description, "what is shipped");
  assert.deepEqual(rows(outline.args), [
    { name: "TAG", value: "1", line: 4 },
    { name: "BASE", value: "x1", line: 5 },
    { name: "SHARED", value: "everywhere", line: 6 },
    { name: "MODE", description: "how to build", value: "fasteverywhere", line: 11 },
    { name: "FLAVOUR", description: "of it", value: "mint", line: 17 },
  ]);
});

test("outlineDockerfile() lists what the stages mount", async () => {
  const final = await outlineDockerfile(text, { ...options, target: "final" });
  assert.deepEqual(rows(final.secrets), [{ name: "token", line: 12 }, { name: "pass", required: true, line: 12 }]);
  assert.deepEqual(rows(final.ssh), [{ name: "default", line: 12 }]);
  assert.equal(final.cache, undefined);
  const other = await outlineDockerfile(text, options);
  assert.deepEqual(other.cache?.map(({ ID }) => ID), ["/root/.cache", "named"]);
  assert.deepEqual(rows(other.args), [{ name: "OTHER", value: "1", line: 21 }]);
  assert.deepEqual([other.secrets, other.ssh, other.description], [undefined, undefined, undefined]);
});

test("outlineDockerfile() fails with what is wrong with the file", async () => {
  await assert.rejects(outlineDockerfile("FROM scratch\nCOPY --chmod=9 a b\n", options), { code: "invalid_argument" });
});
