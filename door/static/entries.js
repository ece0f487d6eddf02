// The conversation on screen: one element an entry, known by its seq (or, until the door knows it, by its key).
import { word } from "./words.js";

const ADDRESS = /https?:\/\/[^\s<>"]+[^\s<>".,;:!?)]/g;
const GROUP_MINUTES = 5;
let aheadMilliseconds = 0;

/** What the assistant's clock shows: "today" is its today. */
export function setClock(now) {
  aheadMilliseconds = new Date(now) - Date.now();
}

function today() {
  return new Date(Date.now() + aheadMilliseconds);
}

export class Entries {
  /** `onAnswer(offer, answer)` is called for a click on an open offer. */
  constructor(log, onAnswer) {
    this.log = log;
    this.onAnswer = onAnswer;
    this.bySeq = new Map();
    this.byKey = new Map();
    this.clicked = new Map();
  }

  get oldest() {
    return Math.min(...this.bySeq.keys());
  }

  get empty() {
    return this.bySeq.size === 0 && this.byKey.size === 0;
  }

  /** Shows an entry or its change; true if it was not there before. */
  put(entry) {
    const known = this.bySeq.get(entry.seq) ?? this.takeUnsent(entry);
    const element = known ?? document.createElement("article");
    element.seq = entry.seq;
    element.at = new Date(entry.at);
    if (entry.offer && entry.offer.state !== "open") this.clicked.delete(entry.offer.id);
    this.fill(element, entry);
    this.bySeq.set(entry.seq, element);
    this.place(element);
    this.layout();
    // Now that the assistant has answered, a question that a click leaves open (a reminder's) can be answered again.
    if (!known && entry.from !== "me") for (const offerId of [...this.clicked.keys()]) this.reopen(offerId);
    return !known;
  }

  /** Shows what the person just sent, before the door knows it. */
  putUnsent(key, text) {
    const element = document.createElement("article");
    element.seq = Infinity;
    element.at = today();
    this.byKey.set(key, element);
    this.fill(element, { from: "me", text, key });
    element.classList.add("is-waiting", "is-new");
    this.log.append(element);
    this.layout();
    return element;
  }

  /** Says what has become of an unsent message: "sending", "waiting", or why the door refuses it. */
  mark(key, state, reason, remedies = []) {
    const element = this.byKey.get(key);
    if (!element) return;
    element.classList.toggle("is-waiting", state !== "failed");
    element.classList.toggle("is-failed", state === "failed");
    const text = { sending: word("sending"), waiting: word("unsent"), failed: reason }[state];
    const meta = element.querySelector(".meta");
    meta.replaceChildren(make("span", { textContent: text }));
    for (const [label, act] of remedies) {
      const button = make("button", { type: "button", className: "remedy", textContent: label });
      button.addEventListener("click", act);
      meta.append(button);
    }
  }

  /** Takes an unsent message away again. */
  drop(key) {
    this.byKey.get(key)?.remove();
    this.byKey.delete(key);
    this.layout();
  }

  /** A click that did not get through, or did not settle the question: the buttons work again. */
  reopen(offerId) {
    this.clicked.delete(offerId);
    for (const element of this.bySeq.values()) {
      if (element.entry.offer?.id === offerId) this.fill(element, element.entry);
    }
  }

  takeUnsent(entry) {
    if (entry.from !== "me" || !this.byKey.has(entry.key)) return undefined;
    const element = this.byKey.get(entry.key);
    this.byKey.delete(entry.key);
    element.classList.remove("is-waiting", "is-failed");
    return element;
  }

  place(element) {
    let next = this.log.lastElementChild;
    while (next && (next === element || next.seq === undefined || next.seq > element.seq)) next = next.previousElementSibling;
    const target = next ? next.nextElementSibling : this.log.firstElementChild;
    if (target !== element) this.log.insertBefore(element, target);
  }

  /** Day separators, and which entries follow closely on the same sender's. */
  layout() {
    for (const separator of this.log.querySelectorAll(".day")) separator.remove();
    let before;
    for (const element of [...this.log.children]) {
      const newDay = !before || before.at.toDateString() !== element.at.toDateString();
      if (newDay) this.log.insertBefore(make("p", { className: "day", textContent: dayName(element.at) }), element);
      const close = !newDay && before.mine === element.mine && element.at - before.at < GROUP_MINUTES * 60000;
      element.classList.toggle("follows", close);
      before = element;
    }
  }

  fill(element, entry) {
    element.entry = entry;
    element.mine = entry.from === "me";
    element.classList.add("entry");
    element.classList.toggle("is-mine", element.mine);
    element.classList.toggle("is-notice", Boolean(entry.notice));
    const focused = element.contains(document.activeElement);
    // A bubble that stays the same is not touched: a screen reader would read it out again.
    const bubble = element.shown === entry.text ? element.firstElementChild : this.bubble(entry);
    if (bubble !== element.firstElementChild) element.replaceChildren(bubble);
    while (bubble.nextElementSibling) bubble.nextElementSibling.remove();
    element.append(...this.answers(entry), meta(element.at, entry));
    element.shown = entry.text;
    if (focused) document.getElementById("message").focus();
  }

  bubble(entry) {
    const bubble = make("div", { className: "bubble" });
    const who = entry.from === "me" ? word("you") : word("assistant");
    bubble.append(make("span", { className: "hidden", textContent: `${who}: ` }));
    if (entry.notice) bubble.append(noticeLabel());
    const text = make("div", { className: "text" });
    if (entry.from === "me") text.textContent = entry.text;
    else text.append(...withLinks(entry.text));
    bubble.append(text);
    if (entry.link) bubble.append(...linkButton(entry.link));
    return bubble;
  }

  answers({ offer }) {
    if (!offer) return [];
    const group = make("div", { className: "answers" });
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", word("answers"));
    const chosen = offer.chosen ?? this.clicked.get(offer.id);
    const open = offer.state === "open" && chosen === undefined;
    for (const answer of offer.answers) {
      const button = make("button", { type: "button", className: "answer", textContent: answer.title, disabled: !open });
      if (answer.id === chosen) {
        button.classList.add("is-chosen");
        button.append(make("span", { className: "hidden", textContent: ` (${word("chosen")})` }));
      }
      button.addEventListener("click", () => this.choose(offer, answer));
      group.append(button);
    }
    return [group];
  }

  choose(offer, answer) {
    if (this.clicked.has(offer.id)) return;
    this.clicked.set(offer.id, answer.id);
    for (const element of this.bySeq.values()) {
      if (element.entry.offer?.id === offer.id) this.fill(element, element.entry);
    }
    this.onAnswer(offer, answer);
  }
}

/** An element with these properties. */
function make(tag, properties) {
  return Object.assign(document.createElement(tag), properties);
}

function meta(at, entry) {
  const line = make("div", { className: "meta" });
  const time = make("time", { dateTime: at.toISOString(), title: at.toLocaleString() });
  time.textContent = at.toLocaleTimeString([], { hour: "numeric", minute: "2-digit" });
  line.append(time);
  const offer = entry.offer;
  if (offer && offer.state !== "open" && !offer.chosen) line.append(make("span", { textContent: word("closed") }));
  return line;
}

function noticeLabel() {
  const label = make("div", { className: "notice-label" });
  label.append(make("span", { className: "bell" }), make("span", { textContent: word("notice") }));
  return label;
}

function withLinks(text) {
  const parts = [];
  let from = 0;
  for (const found of text.matchAll(ADDRESS)) {
    parts.push(text.slice(from, found.index), anchor(found[0], found[0]));
    from = found.index + found[0].length;
  }
  return [...parts, text.slice(from)];
}

function linkButton({ title, url }) {
  if (!/^(https?:\/\/|\/(?!\/))/.test(url)) return [];
  const link = anchor(url, title);
  link.className = "link";
  const line = make("div", {});
  line.append(link);
  return [line];
}

function anchor(url, text) {
  const link = make("a", { href: url, target: "_blank", rel: "noopener noreferrer", textContent: text });
  link.append(make("span", { className: "hidden", textContent: ` (${word("opens")})` }));
  return link;
}

function dayName(day) {
  const days = Math.round((midnight(today()) - midnight(day)) / 86400000);
  if (days === 0) return word("today");
  if (days === 1) return word("yesterday");
  const year = day.getFullYear() === today().getFullYear() ? undefined : "numeric";
  return day.toLocaleDateString([], { weekday: "long", day: "numeric", month: "long", year });
}

function midnight(day) {
  return new Date(day.getFullYear(), day.getMonth(), day.getDate());
}
