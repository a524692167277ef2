// From what is used to what it costs. Pure functions over prices.json.

/** What each meter costs at its price, as if nothing were included: { meter: dollars }. */
export function listed(usage, { meters }) {
  return Object.fromEntries(Object.entries(usage).map(([name, used]) => [name, (used / meters[name].size) * meters[name].price]));
}

/** What each meter costs an account that uses nothing else. Cloudflare's examples round what is beyond the allowance up to a whole
 * unit (a million), which `rounded` does. */
export function beyond(usage, { meters }, { rounded = false } = {}) {
  return Object.fromEntries(
    Object.entries(usage).map(([name, used]) => {
      const { size, price, included } = meters[name];
      const units = Math.max(0, used - included) / size;
      return [name, (rounded ? Math.ceil(units) : units) * price];
    }),
  );
}

export const total = (dollars) => Object.values(dollars).reduce((sum, part) => sum + part, 0);

/** A month's bill of an account on the paid plan that runs nothing else. */
export const month = (usage, cloudflare, options) => cloudflare.plan.month + total(beyond(usage, cloudflare, options));

/** The meters by which a day does not fit into the free plan; empty if it fits. A log that is full stops nothing. */
export function tooMuchForFree(day, { meters }) {
  const refuses = (name) => !name.startsWith("log_") && meters[name].free_a_day !== undefined;
  return Object.keys(day).filter((name) => refuses(name) && day[name] > meters[name].free_a_day);
}

/** What Pusher and Ably count: each message once as published and once for each who receives it. */
export const deliveries = (messages, people) => messages * (1 + people);

/** The smallest plan of Pusher Channels that holds so much; undefined if none on the list does. */
export function pusher({ messagesADay, connections }, { plans }) {
  return plans.find((plan) => messagesADay <= plan.messages_a_day && connections <= plan.connections);
}

/** The smallest package of Ably that takes so much, and what the month costs with it at undiscounted prices. */
export function ably({ messages, peakRate, connections, channels, connectionMinutes, channelMinutes }, prices) {
  const chosen = prices.packages.find(
    (each) =>
      messages <= (each.messages_a_month ?? Infinity) &&
      peakRate <= each.messages_a_second &&
      connections <= each.connections &&
      channels <= each.channels,
  );
  if (!chosen) return undefined;
  if (chosen.month === 0) return { name: chosen.name, month: 0 };
  const use =
    messages * prices.million_messages +
    connectionMinutes * prices.million_connection_minutes +
    channelMinutes * prices.million_channel_minutes;
  return { name: chosen.name, month: chosen.month + use / 1e6 };
}
