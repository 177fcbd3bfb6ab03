/** Collects what must be disposed together, last first. Node 20 has the symbols of `using`, but not AsyncDisposableStack. */
export interface AsyncStack extends AsyncDisposable {
  /** Takes ownership and gives the resource back. */
  use<T extends AsyncDisposable>(resource: T): T;
}

/** An empty stack. Every resource is disposed even when another one's disposal fails; the first error is thrown. */
export function asyncStack(): AsyncStack {
  const resources: AsyncDisposable[] = [];
  return {
    use(resource) {
      resources.push(resource);
      return resource;
    },
    async [Symbol.asyncDispose]() {
      const errors: unknown[] = [];
      for (const resource of resources.splice(0).reverse()) {
        await resource[Symbol.asyncDispose]().then(undefined, (error: unknown) => errors.push(error));
      }
      if (errors.length > 0) throw errors[0];
    },
  };
}
