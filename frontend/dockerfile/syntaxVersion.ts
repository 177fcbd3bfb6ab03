/** The version of Dockerfile's syntax, of `docker/dockerfile:VERSION`, that is understood here. */
export const syntaxVersion = "1.26";
