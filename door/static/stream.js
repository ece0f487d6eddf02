// What comes from the door by itself. One tab holds the event stream and passes everything on to the others, because
// a browser opens only six connections to one place and the seventh tab would wait for ever.
import { SignedOut, me } from "./api.js";

const MAX_WAIT_SECONDS = 10;

export class Stream {
  /** `on` has entry(entry), typing({on, waiting}), connected(bool) and signedOut(). */
  constructor(login, on) {
    this.on = on;
    this.login = login;
    this.cursor = 0;
    this.failures = 0;
    this.last = {};
    this.channel = new BroadcastChannel(`account-access:${login}`);
    this.channel.addEventListener("message", ({ data }) => this.heard(data));
  }

  /** Begins after this cursor, once the history is on screen. */
  start(cursor) {
    this.cursor = Math.max(this.cursor, cursor);
    if (!navigator.locks) {
      this.lead();
      return;
    }
    navigator.locks.request(`account-access:${this.login}`, () => {
      this.lead();
      return new Promise(() => {});
    });
    this.channel.postMessage({ kind: "hello" });
  }

  /** Connects anew, for instance because the network is back. */
  refresh() {
    if (this.leading) this.open();
    else this.channel.postMessage({ kind: "refresh" });
  }

  lead() {
    this.leading = true;
    this.open();
  }

  open() {
    clearTimeout(this.timer);
    this.source?.close();
    const source = new EventSource(`/api/stream?after=${this.cursor}`);
    this.source = source;
    source.addEventListener("open", () => {
      this.failures = 0;
      this.tell({ kind: "connected", value: true });
    });
    source.addEventListener("entry", ({ data, lastEventId }) => {
      this.tell({ kind: "entry", value: JSON.parse(data), cursor: Number(lastEventId) });
    });
    source.addEventListener("typing", ({ data }) => this.tell({ kind: "typing", value: JSON.parse(data) }));
    source.addEventListener("signed-out", () => this.reopen());
    source.addEventListener("error", () => {
      if (source !== this.source) return;
      this.tell({ kind: "connected", value: false });
      // The browser tries again by itself after a lost connection, but never after a refusal.
      if (source.readyState === EventSource.CLOSED) this.reopen();
    });
  }

  /** After a refusal or a session's end: another tab may have signed in again, or nobody is. */
  async reopen() {
    this.source.close();
    try {
      const person = await me();
      if (person.login !== this.login) return location.reload();
    } catch (error) {
      if (error instanceof SignedOut) return this.on.signedOut();
    }
    this.timer = setTimeout(() => this.open(), 1000 * Math.min(MAX_WAIT_SECONDS, 2 ** this.failures - 1));
    this.failures += 1;
    return undefined;
  }

  /** Handles news from the door here and in all other tabs. */
  tell(news) {
    this.handle(news);
    this.channel.postMessage(news);
  }

  heard(news) {
    if (news.kind === "hello" && this.leading) {
      for (const kept of Object.values(this.last)) this.channel.postMessage(kept);
    } else if (news.kind === "refresh" && this.leading) this.open();
    else if (!this.leading) this.handle(news);
  }

  handle(news) {
    if (news.kind === "entry") {
      this.cursor = Math.max(this.cursor, news.cursor);
      this.on.entry(news.value);
    } else if (news.kind === "typing" || news.kind === "connected") {
      this.last[news.kind] = news;
      this.on[news.kind](news.value);
    }
  }
}
