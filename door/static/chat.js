// The chat page: puts the conversation, what is being sent, and what the door says together.
import { SignedOut, Unreachable, history, me, post } from "./api.js";
import { Entries, setClock } from "./entries.js";
import { Outbox } from "./outbox.js";
import { Scroller } from "./scroller.js";
import { Stream } from "./stream.js";
import { word } from "./words.js";

const MAX_CHARACTERS = 1000;
const KEPT = "account-access:kept";
const $ = (id) => document.getElementById(id);
const title = document.title;
const message = $("message");

let leaving = "";
let unseen = 0;
let typing = { on: false, waiting: false };
let connected = true;
let stream;

const scroller = new Scroller($("scroller"), $("jump"), $("jump-text"), $("older"), loadOlder);
const entries = new Entries($("log"), (offer, answer) => {
  outbox.add("/api/clicks", { offer: offer.id, answer: answer.id });
  message.focus();
});
const outbox = new Outbox({
  sending: ({ body }) => entries.mark(body.key, "sending"),
  waiting: ({ body }) => {
    entries.mark(body.key, "waiting");
    showConnection(false);
  },
  sent: () => showConnection(true),
  refused: ({ body }, reason) => refused(body, reason),
  signedOut: signInAgain,
});
const channel = new BroadcastChannel("account-access:page");
channel.addEventListener("message", ({ data }) => {
  if (data === "signing-out") leaving = "/signed-out";
});

function refused(body, reason) {
  if (body.offer) {
    entries.reopen(body.offer);
    $("problem").textContent = reason || word("failed");
    return;
  }
  entries.mark(body.key, "failed", reason || word("failed"), [
    [word("edit"), () => { entries.drop(body.key); write(body.text); }],
    [word("discard"), () => { entries.drop(body.key); message.focus(); }],
  ]);
}

/** Puts text into the field, ready to be changed. */
function write(text) {
  message.value = text;
  grow();
  message.focus();
}

/** Sends what a person typed or chose; shown at once, confirmed when the door has it. */
function send(text, key) {
  $("problem").textContent = "";
  const unsent = key ?? outbox.add("/api/messages", { text });
  entries.putUnsent(unsent, text);
  entries.mark(unsent, "sending");
  showWelcome();
  scroller.toEnd();
}

function submit() {
  const text = message.value.trim();
  if (!text) return;
  if ([...text].length > MAX_CHARACTERS) {
    $("problem").textContent = word("tooLong");
    return;
  }
  message.value = "";
  grow();
  send(text);
}

function received(entry) {
  const added = scroller.keep(() => entries.put(entry));
  showWelcome();
  if (!added || entry.from === "me") return;
  scroller.arrived();
  if (document.hidden) showUnseen(unseen + 1);
}

function showUnseen(count) {
  unseen = count;
  document.title = count ? `(${count}) ${title}` : title;
}

function showWelcome() {
  $("welcome").hidden = !entries.empty;
}

function showTyping(state) {
  typing = state;
  scroller.keep(() => { $("typing").hidden = !typing.on || typing.waiting; });
  $("typing-text").textContent = typing.on ? word("typing") : "";
  showBanner();
}

function showConnection(value) {
  connected = value;
  showBanner();
}

function showBanner() {
  let text = "";
  if (!navigator.onLine) text = word("offline");
  else if (!connected) text = word("reconnecting");
  else if (typing.waiting) text = word("waiting");
  $("banner").hidden = !text;
  if ($("banner").textContent !== text) $("banner").textContent = text;
  $("presence").textContent = connected && navigator.onLine ? word("online") : word("connecting");
  $("presence").classList.toggle("is-online", connected && navigator.onLine);
}

async function loadOlder() {
  const older = await history(entries.oldest);
  $("log").setAttribute("aria-live", "off");
  for (const entry of older.entries) entries.put(entry);
  setTimeout(() => $("log").setAttribute("aria-live", "polite"), 100);
  return older.more;
}

/** The session is over: signs in again and comes back; what was not sent yet comes along. */
function signInAgain() {
  if (!leaving) {
    const unsent = outbox.queue.filter(({ body }) => body.text !== undefined).map(({ body }) => body);
    sessionStorage.setItem(KEPT, JSON.stringify({ draft: message.value, unsent }));
  }
  location.replace(leaving || `/signin?next=${encodeURIComponent(location.pathname)}`);
}

function takeKept() {
  const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "{}");
  sessionStorage.removeItem(KEPT);
  if (kept.draft) write(kept.draft);
  for (const { key, text } of kept.unsent ?? []) send(text, outbox.add("/api/messages", { text, key }));
}

async function signOut() {
  channel.postMessage("signing-out");
  leaving = "/signed-out";
  try {
    await post("/signout", {});
  } catch (error) {
    if (!(error instanceof SignedOut)) {
      leaving = "";
      showConnection(false);
      return;
    }
  }
  location.replace(leaving);
}

/** The field is as tall as what is in it, up to its maximum. */
function grow() {
  message.style.height = "auto";
  message.style.height = `${message.scrollHeight}px`;
}

function listen() {
  $("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  message.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    submit();
  });
  message.addEventListener("input", () => {
    $("problem").textContent = "";
    grow();
  });
  $("sign-out").addEventListener("click", signOut);
  for (const suggestion of document.querySelectorAll(".suggestion")) {
    suggestion.addEventListener("click", () => {
      send(suggestion.textContent);
      message.focus();
    });
  }
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) showUnseen(0);
  });
  window.addEventListener("offline", showBanner);
  window.addEventListener("online", () => {
    showBanner();
    outbox.retry();
    stream?.refresh();
  });
}

async function begin() {
  try {
    const person = await me();
    setClock(person.now);
    stream = new Stream(person.login, {
      entry: received,
      typing: showTyping,
      connected: showConnection,
      signedOut: signInAgain,
    });
    $("welcome-name").textContent = person.given_name;
    const latest = await history();
    for (const entry of latest.entries) entries.put(entry);
    showWelcome();
    scroller.begin(latest.more);
    showTyping({ on: latest.typing, waiting: false });
    stream.start(latest.cursor);
    $("log").setAttribute("aria-live", "polite");
    takeKept();
  } catch (error) {
    if (error instanceof SignedOut) {
      signInAgain();
      return;
    }
    if (!(error instanceof Unreachable)) throw error;
    showConnection(false);
    setTimeout(begin, 1000 * (error.seconds || 2));
  }
}

$("log").setAttribute("aria-live", "off");
listen();
if (matchMedia("(pointer: fine)").matches) message.focus();
begin();
