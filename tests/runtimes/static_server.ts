/**
 * A file server on localhost, as plain as those that pages are hosted on.
 *
 * @module
 */

const types: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  mjs: "text/javascript; charset=utf-8",
  json: "application/json",
  wasm: "application/wasm",
  svg: "image/svg+xml",
};

/** Settings of {@linkcode serveFolder}. */
export interface ServerOptions {
  /** Sends the headers that let pages share memory between threads. Default false: most hosts do not. */
  readonly isolated?: boolean;
  /** Sees every request that is answered, for tests of what a page loads. */
  readonly onRequest?: (path: string, status: number) => void;
}

/** A running server. */
export interface StaticServer extends AsyncDisposable {
  /** For example "http://localhost:4507", without a slash at the end. */
  readonly origin: string;
}

/**
 * Serves a folder; "/" at the end of a path means its index.html.
 *
 * @param folder its path
 * @param options headers, and who watches
 * @returns the server, on a port that was free
 */
export function serveFolder(folder: string, { isolated = false, onRequest }: ServerOptions = {}): StaticServer {
  const isolation = {
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
  };
  const server = Deno.serve({ hostname: "localhost", port: 0, onListen() {} }, async (request) => {
    const path = decodeURIComponent(new URL(request.url).pathname).replace(/\/$/, "/index.html");
    const inside = !path.split("/").includes("..");
    const content = inside ? await Deno.readFile(`${folder}${path}`).catch(() => null) : null;
    onRequest?.(path, content === null ? 404 : 200);
    if (content === null) return new Response("Not found", { status: 404 });
    const type = types[path.slice(path.lastIndexOf(".") + 1)] ?? "application/octet-stream";
    return new Response(content, { headers: { "content-type": type, ...(isolated ? isolation : {}) } });
  });
  return {
    origin: `http://localhost:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
