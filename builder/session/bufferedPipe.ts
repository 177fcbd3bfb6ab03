import { Duplex } from "node:stream";

/**
 * A view of `pipe` that takes up to `limit` bytes at once, whether or not they can be passed on. Node's HTTP/2 reads nothing
 * while a write is not done: two such ends on a pipe that holds little would wait for each other for ever.
 */
export function bufferedPipe(pipe: Duplex, limit: number): Duplex {
  const view: Duplex = new Duplex({
    read: () => void pipe.resume(),
    write(chunk: Buffer, _encoding, done) {
      pipe.write(chunk);
      if (pipe.writableLength < limit) done();
      else pipe.once("drain", done);
    },
    final: (done) => void pipe.end(done),
    destroy(error, done) {
      pipe.destroy();
      done(error);
    },
  });
  pipe.on("data", (chunk: Buffer) => {
    if (!view.push(chunk)) pipe.pause();
  });
  pipe.on("end", () => view.push(null));
  pipe.on("error", (error) => view.destroy(error));
  pipe.on("close", () => view.destroy());
  return view;
}
