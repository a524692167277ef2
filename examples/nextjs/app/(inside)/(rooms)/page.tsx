import { Lobby } from "@/components/lobby/lobby";
import { requirePerson } from "@/server/session";

export default async function Home() {
  const { name } = await requirePerson("/");
  return <Lobby name={name} />;
}
