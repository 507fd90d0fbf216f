// Keeps the open call and the filters in the address, so that a view can be shared as a link.

const FILTERS = ["team", "agent", "rule", "level", "order", "role"];

const parts = () => new URLSearchParams(location.hash.slice(1));

/** The id of the open call, or null. */
export const openCall = () => parts().get("call");

/** The filters that are set. */
export function filter() {
  const found = parts();
  return Object.fromEntries(FILTERS.filter((name) => found.get(name)).map((name) => [name, found.get(name)]));
}

/** The address with a call open (or none), filters as they are. */
export function linkTo(call) {
  const query = new URLSearchParams(filter());
  if (call) query.set("call", call);
  return `#${query}`;
}

/** Sets filters without a new entry in the history. */
export function setFilter(values) {
  const query = new URLSearchParams(Object.entries(values).filter(([, value]) => value));
  const call = openCall();
  if (call) query.set("call", call);
  history.replaceState(null, "", `${location.pathname}${location.search}#${query}`);
}

/** Removes a token from the address at once. */
export function takeToken() {
  const found = parts();
  const token = found.get("token");
  if (token === null) return null;
  found.delete("token");
  history.replaceState(null, "", `${location.pathname}${location.search}#${found}`);
  return token;
}
