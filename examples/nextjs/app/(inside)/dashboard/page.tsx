import type { Metadata } from "next";
import { Dashboard } from "@/components/dashboard/dashboard";
import { isRoomName, ROOMS } from "@/realtime/rooms";
import { environment } from "@/server/environment";
import { requirePerson } from "@/server/session";

export const metadata: Metadata = { title: "Dashboard" };

export default async function DashboardPage({ searchParams }: { searchParams: Promise<{ room?: string | string[] }> }) {
  await requirePerson("/dashboard");
  const { room } = await searchParams;
  const name = isRoomName(room) ? room : ROOMS[0]!.name;
  return <Dashboard key={name} url={environment("NEXT_PUBLIC_ROOMFUL_URL")} room={name} />;
}
