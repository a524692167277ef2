// What the compiler lets through at `roomful/server`, and what it stops. Only compiled, never run.
import { Roomful, createAuthHandler, createToken } from "../../src/server.ts";

type Types = {
  state: { cursor: number };
  events: { paid: { order: number }; closed: null };
  info: { name: string };
};

const roomful = new Roomful<Types>({ url: "https://rooms.example", secret: "s" });
const loose = new Roomful({ url: new URL("https://rooms.example"), secret: "s", timeout: 50, retries: 0 });

export async function publishing() {
  const options = { id: "7", signal: AbortSignal.timeout(1) };
  const { offset, epoch } = await roomful.publish("lobby", "paid", { order: 7 }, options);
  offset satisfies number | undefined;
  epoch satisfies string;
  await roomful.publish("lobby", "closed", null, { to: ["user:ana"], except: ["1"], ephemeral: true });
  await loose.publish("lobby", "whatever", { it: "is" });
  // @ts-expect-error there is no such event
  await roomful.publish("lobby", "payed", { order: 7 });
  // @ts-expect-error the data is another event's
  await roomful.publish("lobby", "paid", null);
  // @ts-expect-error echo is for connections
  await roomful.publish("lobby", "closed", null, { echo: false });
}

export async function batches() {
  const [first] = await roomful.publishBatch([
    { room: "a", event: "paid", data: { order: 7 } },
    { room: "b", event: "closed", data: null, ephemeral: true },
  ]);
  if (first?.error) first.error.code satisfies string;
  else first?.epoch satisfies string | undefined;
  await loose.publishBatch([{ room: "a", event: "whatever", data: 1 }]);
  // @ts-expect-error the data is another event's
  await roomful.publishBatch([{ room: "a", event: "closed", data: { order: 7 } }]);
}

export async function asking() {
  const { members, occupancy } = await roomful.presence("lobby");
  members?.[0]?.state?.cursor satisfies number | undefined;
  members?.[0]?.user.info.name satisfies string | undefined;
  occupancy.users satisfies number;
  const { messages, more, epoch } = await roomful.history("lobby", { limit: 10, before: 5 });
  for (const message of messages) if (message.event === "paid") message.data.order satisfies number;
  more satisfies boolean;
  epoch satisfies string;
}

export async function administering() {
  (await roomful.disconnect("lobby", { user: "ana", banSeconds: 60, reason: "spam" })).closed satisfies number;
  await roomful.disconnect("lobby", { connection: "1kg" });
  // @ts-expect-error one of them
  await roomful.disconnect("lobby", { user: "ana", connection: "1kg" });
  // @ts-expect-error whom?
  await roomful.disconnect("lobby", { banSeconds: 60 });
  await roomful.deleteRoom("lobby");
}

// What Next.js wants of a route.
export const POST: (request: Request) => Promise<Response> = createAuthHandler<Types>({
  secret: "s",
  expiresIn: 60,
  authorize: async ({ request, room }) =>
    request.headers.has("cookie") ? { user: "ana", info: { name: "Ana" }, can: ["subscribe"], room: [room] } : null,
});
createAuthHandler({ secret: "s", authorize: () => new Response(null, { status: 401 }) });
// @ts-expect-error the info has no name
createAuthHandler<Types>({ secret: "s", authorize: () => ({ user: "ana", info: {} }) });
// @ts-expect-error there is no such right
createAuthHandler({ secret: "s", authorize: () => ({ user: "ana", can: ["fly"] }) });

export const token: Promise<string> = createToken({ secret: "s", user: "ana", room: "lobby", info: { anything: 1 } });
// @ts-expect-error a token without a room reaches none
createToken({ secret: "s", user: "ana" });
// @ts-expect-error a number is no id
createToken({ secret: "s", user: 7, room: "lobby" });

// @ts-expect-error without a secret there is nobody
new Roomful({ url: "https://rooms.example" });
