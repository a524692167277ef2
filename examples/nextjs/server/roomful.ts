// The rooms, as this app's server deals with them.
import { Roomful } from "roomful/server";
import type { Types } from "@/realtime/types";
import { environment } from "./environment";

/** Made for each request: that costs nothing, and a build needs no secret. */
export const roomful = () =>
  new Roomful<Types>({ url: environment("NEXT_PUBLIC_ROOMFUL_URL"), secret: environment("ROOMFUL_SECRET") });
