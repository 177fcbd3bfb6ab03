import type { Message } from "./schema.js";

/** One method of a service: what goes there, what comes back. Whether it streams is known to who calls it. */
export interface Method<Request, RequestInput, Response, ResponseInput> {
  /** "/package.Service/Method". */
  readonly path: string;
  readonly request: Message<Request, RequestInput>;
  readonly response: Message<Response, ResponseInput>;
}

/** The method of this path. */
export function method<Q, QI, P, PI>(
  path: string,
  request: Message<Q, QI>,
  response: Message<P, PI>,
): Method<Q, QI, P, PI> {
  return { path, request, response };
}
