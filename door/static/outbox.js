// What is on its way to the door: one after the other, tried again with the same key until the door has it.
import { Refused, SignedOut, Unreachable, post } from "./api.js";

const MAX_WAIT_SECONDS = 15;

export class Outbox {
  /** `on` has sending(item), waiting(item), sent(item), refused(item, message) and signedOut(). */
  constructor(on) {
    this.on = on;
    this.queue = [];
    this.running = false;
    this.wake = () => {};
  }

  /** Adds a post; its key makes a repeated one the same message. */
  add(path, body) {
    const item = { path, body: { key: newKey(), ...body } };
    this.queue.push(item);
    this.run();
    return item.body.key;
  }

  /** Tries again now instead of when the wait is over. */
  retry() {
    this.wake();
  }

  async run() {
    if (this.running) return;
    this.running = true;
    while (this.queue.length) {
      const item = this.queue[0];
      if (!(await this.deliver(item))) break;
      this.queue.shift();
    }
    this.running = false;
  }

  /** True once the door has taken or refused it, false when nobody is signed in any more. */
  async deliver(item) {
    for (let attempt = 0; ; attempt += 1) {
      this.on.sending(item);
      try {
        await post(item.path, item.body);
        this.on.sent(item);
        return true;
      } catch (error) {
        if (error instanceof Refused) {
          this.on.refused(item, error.message);
          return true;
        }
        if (error instanceof SignedOut) {
          this.on.signedOut();
          return false;
        }
        if (!(error instanceof Unreachable)) throw error;
        this.on.waiting(item);
        await this.sleep(error.seconds || Math.min(MAX_WAIT_SECONDS, 2 ** attempt));
      }
    }
  }

  /** Waits, unless `retry` is called in between. */
  sleep(seconds) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, seconds * 1000);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** 128 random bits; crypto.randomUUID would need https. */
function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
