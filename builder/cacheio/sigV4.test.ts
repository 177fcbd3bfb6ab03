import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf, hexOf } from "../../cache/oci/digest.js";
import { awsEncode, signV4 } from "./sigV4.js";

const login = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", sessionToken: null };
const scope = { region: "us-east-1", service: "s3", now: new Date("2013-05-24T00:00:00Z") };
const payloadOf = (text: string): string => hexOf(digestOf(text));

// Source: Amazon S3 API reference, "Signature calculations for the authorization header", examples.
const examples = [
  ["GET", "/test.txt", { range: "bytes=0-9" }, "", "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"],
  [
    "PUT",
    `/${awsEncode("test$file.text")}`,
    { date: "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY" },
    "Welcome to Amazon S3.",
    "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
  ],
  ["GET", "/?lifecycle", {}, "", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"],
  ["GET", "/?max-keys=2&prefix=J", {}, "", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"],
] as const;

for (const [method, path, headers, body, signature] of examples) {
  test(`signV4() signs ${method} ${path} as Amazon's example does`, () => {
    const url = new URL(path, "https://examplebucket.s3.amazonaws.com");
    const { authorization = "" } = signV4({ method, url, headers, payload: payloadOf(body) }, login, scope);
    assert.equal(/Signature=(\w+)$/.exec(authorization)?.[1], signature);
  });
}

test("signV4() signs a session's token as well", () => {
  const url = new URL("https://b.example.com/");
  const signed = signV4({ method: "GET", url, headers: {}, payload: payloadOf("") }, { ...login, sessionToken: "t" }, scope);
  assert.equal(signed["x-amz-security-token"], "t");
  assert.match(signed["authorization"] ?? "", /SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token,/);
});
