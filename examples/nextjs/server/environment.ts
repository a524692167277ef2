/** A variable of the environment. It is read when it is needed, so that one build serves wherever it is deployed. */
export function environment(name: "NEXT_PUBLIC_ROOMFUL_URL" | "ROOMFUL_SECRET"): string {
  const value = process.env[name];
  if (value) return value;
  throw new Error(`${name} is not set: see .env.example`);
}
