// An issuer's key set on this machine.
import { createServer } from "node:http";

/**
 * Serves a key set until the test ends. `keys` and `status` may change; `fetches` counts. `answer`, if it is set, writes
 * the response in the place of all that.
 */
export async function serveKeys(owner, keys) {
  const issuer = { keys, status: 200, body: undefined, fetches: 0, answer: undefined };
  const server = createServer((request, response) => {
    issuer.fetches++;
    if (issuer.answer) return issuer.answer(response);
    response.writeHead(issuer.status, { "content-type": "application/json" });
    response.end(issuer.body ?? JSON.stringify({ keys: issuer.keys.map(({ jwk }) => jwk) }));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  owner.after(() => {
    server.closeAllConnections();
    server.close();
  });
  issuer.url = `http://127.0.0.1:${server.address().port}/keys.json`;
  return issuer;
}
