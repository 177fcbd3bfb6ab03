import { empty } from "./common.js";
import { service, unary } from "./service.js";

/** OpenTelemetry's collector, of whose messages nothing is read. */
export const traceService = service("opentelemetry.proto.collector.trace.v1.TraceService", { Export: unary(empty, empty) });
