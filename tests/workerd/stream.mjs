// A stream of server-sent events, with a record of what came.
import { mint } from "./token.mjs";
import { until } from "./until.mjs";

/** Opens a stream as an `EventSource` would, and waits for its first event. */
export async function listen(server, room, { user = "listener", claims, lastEventId, query = {} } = {}) {
  const parameters = new URLSearchParams({ token: mint({ sub: user, room, ...claims }), ...query });
  const abort = new AbortController();
  const response = await fetch(`${server.url}/room/${room}?${parameters}`, {
    headers: { accept: "text/event-stream", connection: "close", ...(lastEventId && { "last-event-id": lastEventId }) },
    signal: abort.signal,
  });
  const stream = {
    status: response.status,
    headers: response.headers,
    text: "",
    events: [],
    comments: 0,
    ended: false,
  };
  stream.close = () => abort.abort();
  stream.find = (fits) =>
    until(
      () => stream.events.find(({ data }) => fits(data)),
      () => `${fits} in ${stream.text.slice(-600)}`,
    );
  stream.end = (within) => until(() => stream.ended, "the end of a stream", { within });
  read(response, stream);
  await until(() => stream.events.length || stream.ended, "the first event");
  return stream;
}

async function read(response, stream) {
  let rest = "";
  try {
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      stream.text += chunk;
      const blocks = (rest + chunk).split("\n\n");
      rest = blocks.pop();
      for (const block of blocks) take(block, stream);
    }
  } catch {
    // It was cut off.
  }
  stream.ended = true;
}

function take(block, stream) {
  const event = {};
  for (const line of block.split("\n")) {
    const [, name, value] = /^([^:]*): ?([^]*)$/.exec(line);
    if (name === "") stream.comments++;
    else event[name] = value;
  }
  if (event.data) stream.events.push({ ...event, data: JSON.parse(event.data) });
}
