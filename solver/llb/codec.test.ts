import assert from "node:assert/strict";
import { test } from "node:test";
import { hasCode } from "../../cache/errors.js";
import { type Digest, digestOf } from "../../cache/oci/digest.js";
import { decodeDefinition, decodeOp, decodeTerminal, encodeDefinition, encodeOp, encodeTerminal } from "./codec.js";
import type { Definition } from "./definition.js";
import type { Op } from "./op.js";
import { defaultCopy, emptyMetadata } from "./state.js";

const A = `sha256:${"a".repeat(64)}` as Digest;
const B = `sha256:${"b".repeat(64)}` as Digest;
const A0 = { digest: A, index: 0 };
const bare = { inputs: [], platform: null, constraints: null };
const mount = { selector: "", output: -1, readonly: false, type: { kind: "bind" }, contentCache: "default" } as const;

/** Made by protoc --deterministic_output from ops.proto; the same bytes come from BuildKit's own file. */
const golden = {
  exec: [
    "CksKR3NoYTI1NjphYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhEAES4wIKYwoHL2Jp",
    "bi9zaAoCLWMKABIDQT0xGgEvIgN1OmcqBgoBaCoBYTIMCgF4EgcxLjIuMy40OgJoaEoWCgZub2ZpbGUQ////////////ARiACFICY2dYAWINAKwC////",
    "////////ARIDGgEvEigI////////////ARoCL2Mg////////////ATADogEGCgJpZBACwAECEigI////////////ARoCL3Qg////////////ATAEmgEJ",
    "CP////////8PEiAI////////////ARoDL3QwIP///////////wEwBJoBABImCP///////////wEaAi9zMAGqARIKA3NlYxD/////DxgBIIACKAESIAj/",
    "//////////8BGgIvazACsgEMCgdkZWZhdWx0IIADEhoSBC9zdWIaAi9tIP///////////wEoAcABARgCIAEqCAoBaRIBThgBMg0KC3YuY29tL2dwdT0x",
    "UhsKA2FybRIFbGludXgaAnY3IgMxLjIqAWYqAWdaBgoEYT09Yg==",
  ].join(""),
  file: [
    "CkkKR3NoYTI1NjphYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhCksKR3NoYTI1Njpi",
    "YmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiEAIihwISXhABGP///////////wEiTwoD",
    "L2EqEgMvYi8aEAoKCggKBm5vYm9keRICEAAg////////////ASgBMAE4AUABSAFQAVj///////////8BYgFpagFlcAF6A3UreIIBAXISLwgCEP//////",
    "/////wEY////////////ASoVCgIvZhCkAxoCAP8olZqX7OOf58sXEjAIAxD///////////8BGP///////////wEyFgoCL2QQ7QMYASIAKP//////////",
    "/wESIggEEP///////////wEY////////////AToICgIveBABGAESHggFEP///////////wFCDwoCL28SAi9uGgUSAxDoB1oA",
  ].join(""),
  source: [
    "GmkKL2RvY2tlci1pbWFnZTovL2RvY2tlci5pby9saWJyYXJ5L2J1c3lib3g6bGF0ZXN0EgUKAWESABIaChFpbWFnZS5yZXNvbHZlbW9kZRIFbG9jYWwS",
    "CAoD77+9EgEyEgkKBPCfmIASATFSDgoFYW1kNjQSBWxpbnV4WgA=",
  ].join(""),
  merge: [
    "CkkKR3NoYTI1NjphYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhCkkKR3NoYTI1Njpi",
    "YmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiMgYKAAoCCAE=",
  ].join(""),
  diff: [
    "CkkKR3NoYTI1NjphYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhOg8KCwj/////////",
    "//8BEgA=",
  ].join(""),
  build: [
    "KjgI////////////ARIFCgFhEgASBwoBYhICCAEaAwoBeCIWChFsbGJidWlsZC5maWxlbmFtZRIBZg==",
  ].join(""),
  definition: [
    "CgEBCgASrwEKR3NoYTI1NjphYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhEmQIARIb",
    "Cg5sbGIuY3VzdG9tbmFtZRIJWzEvMl0gUlVOKg8KC2NvbnN0cmFpbnRzEAEqDQoJZmlsZS5iYXNlEAEyCAoBaRIBbhgBOhkIARD///////////8BGAIg",
    "AygEMgEwOgExEksKR3NoYTI1NjpiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiEgAa",
    "qQEKdQpHc2hhMjU2OmFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWESKgoaEgoKAggD",
    "EgQIBBAHEgwKBAgJEAESBAgJEAIKDAgBEggKAggBEgIIARInCgpEb2NrZXJmaWxlEg1GUk9NIHNjcmF0Y2gKIgpEb2NrZXJmaWxlEgcKBW90aGVy",
  ].join(""),
};

const ops: { readonly [name: string]: Op } = {
  exec: {
    inputs: [{ digest: A, index: 1 }],
    platform: { os: "linux", architecture: "arm", variant: "v7", "os.version": "1.2", "os.features": ["f", "g"] },
    constraints: ["a==b"],
    body: {
      kind: "exec",
      meta: {
        args: ["/bin/sh", "-c", ""],
        env: ["A=1"],
        cwd: "/",
        user: "u:g",
        proxyEnv: { http: "h", https: "", ftp: "", no: "", all: "a" },
        extraHosts: [{ host: "x", ip: "1.2.3.4" }],
        hostname: "hh",
        ulimits: [{ name: "nofile", soft: -1, hard: 1024 }],
        cgroupParent: "cg",
        removeMountStubsRecursive: true,
        validExitCodes: [0, 300, -1],
      },
      mounts: [
        { ...mount, input: 0, dest: "/", output: 0 },
        { ...mount, input: -1, dest: "/c", type: { kind: "cache", id: "id", sharing: "locked" }, contentCache: "off" },
        { ...mount, input: -1, dest: "/t", type: { kind: "tmpfs", size: Number.MAX_SAFE_INTEGER } },
        { ...mount, input: -1, dest: "/t0", type: { kind: "tmpfs", size: 0 } },
        {
          ...mount,
          input: -1,
          dest: "/s",
          type: { kind: "secret", id: "sec", uid: 2 ** 32 - 1, gid: 1, mode: 0o400, optional: true },
        },
        { ...mount, input: -1, dest: "/k", type: { kind: "ssh", id: "default", uid: 0, gid: 0, mode: 0o600, optional: false } },
        { ...mount, input: 0, selector: "/sub", dest: "/m", readonly: true, contentCache: "on" },
      ],
      network: "none",
      security: "insecure",
      secretEnv: [{ id: "i", name: "N", optional: true }],
      cdiDevices: [{ name: "v.com/gpu=1", optional: false }],
    },
  },
  file: {
    ...bare,
    inputs: [A0, { digest: B, index: 2 }],
    constraints: [],
    body: {
      kind: "file",
      actions: [
        {
          input: 0,
          secondaryInput: 1,
          output: -1,
          action: {
            ...defaultCopy,
            src: "/a*",
            dest: "/b/",
            owner: { user: { name: "nobody", input: 0 }, group: { id: 0 } },
            followSymlink: true,
            dirCopyContents: true,
            attemptUnpack: true,
            createDestPath: true,
            allowWildcard: true,
            allowEmptyWildcard: true,
            includePatterns: ["i"],
            excludePatterns: ["e"],
            alwaysReplaceExistingDestPaths: true,
            modeStr: "u+x",
            requiredPaths: ["r"],
          },
        },
        {
          input: 2,
          secondaryInput: -1,
          output: -1,
          action: {
            kind: "mkfile",
            path: "/f",
            mode: 0o644,
            data: Uint8Array.of(0, 255),
            owner: null,
            timestamp: 1700000000123456789n,
          },
        },
        {
          input: 3,
          secondaryInput: -1,
          output: -1,
          action: {
            kind: "mkdir",
            path: "/d",
            mode: 0o755,
            makeParents: true,
            owner: { user: null, group: null },
            timestamp: -1n,
          },
        },
        {
          input: 4,
          secondaryInput: -1,
          output: -1,
          action: { kind: "rm", path: "/x", allowNotFound: true, allowWildcard: true },
        },
        {
          input: 5,
          secondaryInput: -1,
          output: 0,
          action: { kind: "symlink", oldpath: "/o", newpath: "/n", owner: { user: null, group: { id: 1000 } }, timestamp: 0n },
        },
      ],
    },
  },
  source: {
    inputs: [],
    platform: { os: "linux", architecture: "amd64" },
    constraints: [],
    body: {
      kind: "source",
      identifier: "docker-image://docker.io/library/busybox:latest",
      attrs: { "image.resolvemode": "local", a: "", "\u{1f600}": "1", "\ufffd": "2" },
    },
  },
  merge: { ...bare, inputs: [A0, { digest: B, index: 0 }], body: { kind: "merge", inputs: [0, 1] } },
  diff: { ...bare, inputs: [A0], body: { kind: "diff", lower: -1, upper: 0 } },
  build: {
    ...bare,
    body: {
      kind: "build",
      builder: -1,
      inputs: { b: 1, a: 0 },
      def: Uint8Array.of(10, 1, 120),
      attrs: { "llbbuild.filename": "f" },
    },
  },
};

const definition: Definition = {
  def: [Uint8Array.of(1), new Uint8Array()],
  metadata: new Map([
    [B, emptyMetadata],
    [
      A,
      {
        ignoreCache: true,
        description: { "llb.customname": "[1/2] RUN" },
        caps: ["constraints", "file.base"],
        progressGroup: { id: "i", name: "n", weak: true },
        linuxResources: { memory: 1, memorySwap: -1, cpuShares: 2, cpuPeriod: 3, cpuQuota: 4, cpusetCpus: "0", cpusetMems: "1" },
      },
    ],
  ]),
  source: {
    infos: [
      { filename: "Dockerfile", data: new TextEncoder().encode("FROM scratch\n"), language: "Dockerfile" },
      { filename: "other", data: new Uint8Array(), language: "" },
    ],
    locations: new Map([
      [
        A,
        [
          { file: "Dockerfile", start: { line: 3, column: 1 }, end: { line: 4, column: 8 } },
          { file: "Dockerfile", start: { line: 9, column: 2 }, end: { line: 9, column: 3 } },
          { file: "other", start: { line: 1, column: 1 }, end: { line: 1, column: 1 } },
        ],
      ],
    ]),
  },
};

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "base64"));
const invalid = (error: unknown): boolean => hasCode(error, "invalid_argument");

for (const [name, op] of Object.entries(ops)) {
  test(`encodeOp() writes the bytes of protoc: ${name}`, () => {
    assert.equal(base64(encodeOp(op)), golden[name as keyof typeof golden]);
  });
  test(`decodeOp() inverts encodeOp(): ${name}`, () => {
    assert.deepEqual(decodeOp(encodeOp(op)), op);
    assert.deepEqual(decodeOp(Buffer.from(encodeOp(op))), op);
  });
  test(`decodeOp() refuses every truncation or reads a smaller op: ${name}`, () => {
    const whole = encodeOp(op);
    for (let end = 0; end < whole.length; end++) refusesOrReads(whole.subarray(0, end));
  });
}

test("encodeDefinition() writes the bytes of protoc", () => {
  assert.equal(base64(encodeDefinition(definition)), golden.definition);
});

test("decodeDefinition() inverts encodeDefinition()", () => {
  assert.deepEqual(decodeDefinition(bytes(golden.definition)), definition);
  const empty: Definition = { def: [], metadata: new Map(), source: { infos: [], locations: new Map() } };
  assert.equal(encodeDefinition(empty).length, 0);
  assert.deepEqual(decodeDefinition(new Uint8Array()), empty);
});

test("encodeOp() gives an image source the digest that BuildKit's client gives it", () => {
  const op = ops["source"] as Op;
  const text = "docker-image://docker.io/library/alpine:latest";
  const plain = { ...op, body: { kind: "source", identifier: text, attrs: {} } } as const;
  const body = Buffer.from([0x1a, text.length + 2, 0x0a, text.length, ...Buffer.from(text)]);
  const byHand = Buffer.concat([body, platformAndConstraints]);
  assert.equal(digestOf(encodeOp(plain)), digestOf(byHand));
});

const platformAndConstraints = Buffer.concat([
  Buffer.from([0x52, 0x0e, 0x0a, 5]),
  Buffer.from("amd64"),
  Buffer.from([0x12, 5]),
  Buffer.from("linux"),
  Buffer.from([0x5a, 0]),
]);

test("encodeOp() tells absent constraints from empty ones", () => {
  const body = { kind: "merge", inputs: [] } as const;
  assert.deepEqual([...encodeOp({ ...bare, body })], [0x32, 0]);
  assert.deepEqual([...encodeOp({ ...bare, constraints: [], body })], [0x32, 0, 0x5a, 0]);
  assert.equal(decodeOp(Uint8Array.of(0x32, 0)).constraints, null);
});

test("decodeOp() skips fields it does not know", () => {
  const known = encodeOp(ops["merge"] as Op);
  const unknown = [0xf8, 0x07, 1, 0xfa, 0x07, 1, 9, 0xf9, 0x07, 1, 2, 3, 4, 5, 6, 7, 8, 0xfd, 0x07, 1, 2, 3, 4];
  assert.deepEqual(decodeOp(Buffer.concat([known, Buffer.from(unknown)])), ops["merge"]);
});

test("decodeOp() refuses a missing or unknown body, a bad digest, bad UTF-8 and unknown enum values", () => {
  const bodies = [[], [0x4a, 0], [0x1a, 3, 0x0a, 1, 0xff], [0x12, 2, 0x18, 9], [0x22, 2, 0x12, 0], [0x1b], [0x18, 1]];
  const refused = [...bodies, [0x0a, 0, 0x32, 0]];
  for (const wrong of refused) assert.throws(() => decodeOp(Uint8Array.from(wrong)), invalid, String(wrong));
  assert.throws(() => decodeOp(Uint8Array.from([0x08, ...Array<number>(11).fill(0x80)])), invalid);
});

test("decodeTerminal() inverts encodeTerminal() and refuses anything else", () => {
  assert.deepEqual(decodeTerminal(encodeTerminal({ digest: B, index: 3 })), { digest: B, index: 3 });
  assert.throws(() => decodeTerminal(new Uint8Array()), invalid);
  assert.throws(() => decodeTerminal(encodeOp(ops["merge"] as Op)), invalid);
  assert.throws(() => decodeTerminal(encodeOp(ops["diff"] as Op)), invalid);
});

test("decodeDefinition() refuses a location in a source that is not there", () => {
  const stray = { ...definition, source: { ...definition.source, infos: [] } };
  assert.throws(() => encodeDefinition(stray), /no source of the definition/);
  const locations = bytes("Gg4KDAoBYRIHCgUIAxIBAA==");
  assert.throws(() => decodeDefinition(locations), (error) => invalid(error) || hasCode(error, "invalid_digest"));
});

function refusesOrReads(part: Uint8Array): void {
  try {
    decodeOp(part);
  } catch (error) {
    assert.ok(invalid(error), String(error));
  }
}

test("decodeDefinition() takes the lines of one instruction for one range", () => {
  const line = (number: number) => ({ file: "Dockerfile", start: { line: number, column: 1 }, end: { line: number, column: 1 } });
  const source = { infos: [{ filename: "Dockerfile", data: new Uint8Array(), language: "" }], locations: new Map([[A, [line(2), line(3), line(7)]]]) };
  const read = decodeDefinition(encodeDefinition({ def: [], metadata: new Map(), source }));
  assert.deepEqual(read.source.locations.get(A), [{ ...line(2), end: line(3).end }, line(7)]);
});
