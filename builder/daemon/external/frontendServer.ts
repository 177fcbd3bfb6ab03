import { Duplex, type Readable, type Writable } from "node:stream";
import * as grpc from "@grpc/grpc-js";
import { gatewayService } from "../../api/gateway.js";
import { healthService, SERVING } from "../../api/health.js";
import type { WorkerRecordInput } from "../../api/worker.js";
import { bufferedPipe } from "../../session/bufferedPipe.js";
import { type FrontendJob, gatewayHandlers } from "../gateway.js";
import { addService } from "../handlers.js";
import { createServer } from "../server.js";

/** Answers one frontend that speaks over its standard streams. Disposing hangs up. */
export interface FrontendServer extends Disposable {
  /** Begins: the frontend is the client on `stdin` and `stdout`, which become the server's. */
  connect(stdin: Writable, stdout: Readable): void;
}

/** What waits to be written to the frontend. */
const WRITE_BUFFER = 16 << 20;

/** A server for one frontend of a build; `onClosed` is told when the frontend hangs up, or says what is no HTTP/2. */
export function frontendServer(job: FrontendJob, workers: readonly WorkerRecordInput[], onClosed: () => void): FrontendServer {
  const server = createServer();
  const ignore = () => {}; // The frontend hears of it, and then it is the frontend's.
  addService(server, gatewayService, gatewayHandlers(async () => job, () => workers), ignore);
  addService(server, healthService, { Check: () => ({ status: SERVING }) }, ignore);
  const injector = server.createConnectionInjector(grpc.ServerCredentials.createInsecure());
  let pipe: Duplex | null = null;
  return {
    connect(stdin, stdout) {
      pipe = bufferedPipe(Duplex.from({ readable: stdout, writable: stdin }), WRITE_BUFFER);
      pipe.on("error", ignore);
      pipe.on("close", onClosed);
      injector.injectConnection(pipe);
    },
    [Symbol.dispose]() {
      pipe?.destroy();
      server.forceShutdown();
    },
  };
}
