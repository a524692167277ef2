/** Sends JSON to a route of this app. Resolves to what to tell the user if it was refused. */
export async function post(path: string, body: object): Promise<string | undefined> {
  try {
    const response = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (response.ok) return undefined;
    const answer: { message?: string } = await response.json();
    return answer.message ?? "That did not work.";
  } catch {
    return "That did not work: the app cannot be reached.";
  }
}
