import type { Metadata } from "next";
import { notFound } from "next/navigation";
import { Room } from "@/components/room/room";
import { isRoomName } from "@/realtime/rooms";
import { requirePerson } from "@/server/session";

interface Props {
  params: Promise<{ name: string }>;
}

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  return { title: (await params).name };
}

export default async function RoomPage({ params }: Props) {
  const { name } = await params;
  if (!isRoomName(name)) notFound();
  const { id } = await requirePerson(`/room/${name}`);
  // The key: nothing of one room is left when one goes to the next.
  return <Room key={name} name={name} me={id} />;
}
