// What the tests of `roomful/server` share: a secret, tokens taken apart, and servers on this machine that misbehave.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { TestContext } from "node:test";
import { Roomful, RoomfulError } from "../../src/server.ts";
import type { RoomfulOptions } from "../../src/server.ts";

export const SECRET = "a secret of the tests with 32 bytes and more";

/** A part of a token: its header or its claims. */
export const part = (token: string, index: number) =>
  JSON.parse(Buffer.from(token.split(".")[index]!, "base64url").toString("utf8"));

/** Whether HS256 with this secret signed the token. */
export function signedWith(token: string, secret: string) {
  const end = token.lastIndexOf(".");
  return createHmac("sha256", secret).update(token.slice(0, end)).digest("base64url") === token.slice(end + 1);
}

/** What `assert.rejects` takes for an error with this code. */
export const failsWith =
  (code: string, text = /./) =>
  (error: unknown) => {
    assert.ok(error instanceof RoomfulError, `${error}`);
    assert.equal(error.code, code);
    assert.match(error.message, text);
    return true;
  };

type Answer = (request: IncomingMessage, response: ServerResponse, count: number) => void;

/** A server on a free port, closed with the test; with the bodies that it got. */
export async function serve(t: TestContext, answer: Answer) {
  const bodies: string[] = [];
  const requests: IncomingMessage[] = [];
  const listener: RequestListener = (request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text) => {
      body += text;
    });
    request.on("end", () => {
      bodies.push(body);
      requests.push(request);
      answer(request, response, bodies.length);
    });
  };
  const server = createServer(listener);
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as { port: number };
  return { url: `http://127.0.0.1:${port}`, bodies, requests };
}

export const json = (response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}) =>
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
export const published = (response: ServerResponse) => json(response, 200, { offset: 1, epoch: "e" });
export const refusal = (code: string, retryable: boolean, rest = {}) => ({
  error: { code, message: "No.", retryable, ...rest },
});
export const client = (url: string, options: Partial<RoomfulOptions> = {}) =>
  new Roomful({ url, secret: SECRET, ...options } as RoomfulOptions);
/** Waits are random; for a test they are none, but for what a server asks for. */
export const noBackoff = (t: TestContext) => t.mock.method(Math, "random", () => 0);
