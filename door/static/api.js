// The door's HTTP API (docs/door-api.md). Every failure is one of three: signed out, refused, or worth another try.

/** The session is over: the person has to sign in again. */
export class SignedOut extends Error {}

/** The door said no, and would say it again; `message` is its sentence. */
export class Refused extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** The door could not be reached or is busy; `seconds` is when to ask again, if it said so. */
export class Unreachable extends Error {
  constructor(seconds) {
    super("unreachable");
    this.seconds = seconds;
  }
}

let csrf = "";

/** Who is signed in. Also renews the token that posts carry: another tab may have signed in anew. */
export async function me() {
  const person = await request("/api/me");
  csrf = person.csrf;
  return person;
}

/** The last entries before a seq, oldest first, with the cursor to stream from. */
export function history(before) {
  return request(`/api/history?limit=40${before ? `&before=${before}` : ""}`);
}

/** Posts JSON; a token from before a new sign-in is renewed once. */
export async function post(path, body) {
  try {
    return await send(path, body);
  } catch (error) {
    if (!(error instanceof Refused) || error.code !== "csrf") throw error;
    await me();
    return send(path, body);
  }
}

function send(path, body) {
  const headers = { "Content-Type": "application/json", "X-CSRF-Token": csrf };
  return request(path, { method: "POST", headers, body: JSON.stringify(body) });
}

async function request(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { ...options, credentials: "same-origin", cache: "no-store" });
  } catch {
    throw new Unreachable();
  }
  if (response.status === 401) throw new SignedOut();
  if (response.status === 429 || response.status >= 500) throw new Unreachable(Number(response.headers.get("Retry-After")));
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(body.error, body.message);
  return body;
}
