import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:http2";
import { createServer } from "node:net";
import path from "node:path";
import { connect as connectTls } from "node:tls";
import { test } from "node:test";
import * as grpc from "@grpc/grpc-js";
import { hasCode } from "../../cache/errors.js";
import { tempDir } from "../../cache/testing/tempDir.js";
import { makeCertificates } from "../../fixtures/certificates.js";
import { grpcClient } from "../../fixtures/grpcClient.js";
import { testDaemon } from "../../fixtures/testDaemon.js";
import { controlService } from "../api/control.js";
import { parseAddress } from "./address.js";

const info = async (address: string, credentials?: grpc.ChannelCredentials) => {
  using client = grpcClient(address, credentials);
  return await client.unary(controlService, "Info", {});
};

test("serve() takes TLS on TCP, only from clients with a certificate, and none on its unix socket", async () => {
  await using dir = await tempDir();
  const { caFile } = makeCertificates(dir.path);
  const file = (name: string) => path.join(dir.path, name);
  await using peer = await testDaemon({
    addresses: ["tcp://127.0.0.1:0", `unix://${file("d.sock")}`].map(parseAddress),
    tls: { cert: file("server.pem"), key: file("server.key"), ca: caFile },
  });
  const [tcp = "", unix = ""] = peer.daemon.addresses;
  const [ca, key, cert] = [caFile, file("server.key"), file("server.pem")].map((name) => readFileSync(name));
  assert.match(tcp, /^tcp:\/\/127\.0\.0\.1:[1-9]\d+$/);
  await info(tcp, grpc.credentials.createSsl(ca!, key!, cert!));
  await assert.rejects(info(tcp, grpc.credentials.createSsl(ca!)));
  await assert.rejects(info(tcp));
  await info(unix);
});

test("serve() takes TLS clients that speak HTTP/2 without having offered it", async () => {
  await using dir = await tempDir();
  const { caFile } = makeCertificates(dir.path);
  const file = (name: string) => path.join(dir.path, name);
  const tls = { cert: file("server.pem"), key: file("server.key"), ca: null };
  await using peer = await testDaemon({ addresses: [parseAddress("tcp://127.0.0.1:0")], tls });
  const { hostname, port } = new URL(peer.daemon.addresses[0]!.replace("tcp:", "http:"));
  const socket = connectTls({ host: hostname, port: Number(port), ca: readFileSync(caFile) });
  const session = connect("http://localhost", { createConnection: () => socket });
  const settings = await new Promise((resolve, reject) => session.once("remoteSettings", resolve).once("error", reject).once("close", reject));
  assert.ok(settings);
  session.destroy();
});

test("serve() says which PEM file is missing, or is none", async () => {
  const start = (file: string) => testDaemon({ addresses: [parseAddress("tcp://127.0.0.1:0")], tls: { cert: file, key: file, ca: null } });
  await assert.rejects(start("/nonexistent.pem"), (error) => hasCode(error, "not_found"));
  await assert.rejects(start("/etc/hostname"), (error) => hasCode(error, "invalid_argument"));
});

test("serve() refuses to replace a file that is no socket, and a port that is taken", async () => {
  await using dir = await tempDir();
  const file = path.join(dir.path, "precious");
  writeFileSync(file, "x");
  await assert.rejects(testDaemon({ addresses: [parseAddress(`unix://${file}`)] }), (error) => hasCode(error, "already_exists"));
  assert.equal(readFileSync(file, "utf8"), "x");
  const taken = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => taken.once("listening", resolve));
  const { port } = taken.address() as { readonly port: number };
  await assert.rejects(testDaemon({ addresses: [parseAddress(`tcp://127.0.0.1:${port}`)] }), (error) => hasCode(error, "unavailable"));
  taken.close();
});

test("serve() takes messages of 16 MiB and no more", async () => {
  await using peer = await testDaemon();
  const { client } = peer;
  const filter = (bytes: number) => ({ filter: [`id==${"x".repeat(bytes)}`] });
  assert.deepEqual((await client.unary(controlService, "ListWorkers", filter(15 * 2 ** 20))).record, []);
  await assert.rejects(client.unary(controlService, "ListWorkers", filter(17 * 2 ** 20)), (error: grpc.ServiceError) => error.code === grpc.status.RESOURCE_EXHAUSTED);
});

test("serve() refuses a request that is no message", async () => {
  await using peer = await testDaemon();
  const raw = new grpc.Client(`unix:${peer.socket}`, grpc.credentials.createInsecure());
  const same = (bytes: Buffer) => bytes;
  const call = new Promise((resolve, reject) => {
    raw.makeUnaryRequest("/moby.buildkit.v1.Control/Solve", same, same, Buffer.from([0x0a, 0x05, 0x61]), (error, value) => (error === null ? resolve(value) : reject(error)));
  });
  await assert.rejects(call, (error: grpc.ServiceError) => error.code === grpc.status.INVALID_ARGUMENT && /request of \/moby.buildkit.v1.Control\/Solve/.test(error.details));
  raw.close();
});
