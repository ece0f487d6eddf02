// Keeps the conversation where the reader is: at its end, or wherever they scrolled to.
import { word } from "./words.js";

const NEAR_PIXELS = 90;

export class Scroller {
  /** `loadOlder` puts earlier entries on screen and says whether there are still more. */
  constructor(view, jump, jumpText, older, loadOlder) {
    this.view = view;
    this.jump = jump;
    this.jumpText = jumpText;
    this.older = older;
    this.loadOlder = loadOlder;
    this.missed = 0;
    this.lastTop = 0;
    this.loadingText = older.textContent;
    this.loading = false;
    this.more = false;
    jump.addEventListener("click", () => {
      this.toEnd();
      document.getElementById("message").focus();
    });
    view.addEventListener("scroll", () => this.scrolled(), { passive: true });
    new ResizeObserver(() => {
      if (this.following) this.view.scrollTop = this.view.scrollHeight;
    }).observe(view);
    this.following = true;
  }

  get atEnd() {
    return this.view.scrollHeight - this.view.scrollTop - this.view.clientHeight < NEAR_PIXELS;
  }

  /** The first page is on screen. */
  begin(more) {
    this.more = more;
    this.view.scrollTop = this.view.scrollHeight;
    this.fillScreen();
  }

  /** Changes the conversation; whoever is at its end stays there. */
  keep(change) {
    const follow = this.following;
    const result = change();
    if (follow) this.view.scrollTop = this.view.scrollHeight;
    return result;
  }

  /** Something new came in: says so to whoever has scrolled up. */
  arrived() {
    if (this.following) return;
    this.missed += 1;
    this.jumpText.textContent = this.missed === 1 ? word("newOne") : `${this.missed} ${word("newMany")}`;
    this.jump.hidden = false;
  }

  toEnd() {
    this.following = true;
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const far = this.view.scrollHeight - this.view.scrollTop > 3 * this.view.clientHeight;
    this.view.scrollTo({ top: this.view.scrollHeight, behavior: still || far ? "auto" : "smooth" });
    this.seen();
  }

  seen() {
    this.missed = 0;
    this.jump.hidden = true;
  }

  scrolled() {
    // Only a reader scrolls upwards; a smooth scroll to the end passes places that are not the end.
    const up = this.view.scrollTop < this.lastTop - 2;
    this.lastTop = this.view.scrollTop;
    if (this.atEnd) this.following = true;
    else if (up) this.following = false;
    if (this.following) this.seen();
    if (this.view.scrollTop < 240) this.fillScreen();
  }

  /** Loads earlier entries without moving what is being read. */
  async fillScreen() {
    if (!this.more || this.loading || this.view.scrollTop >= 240) return;
    this.loading = true;
    this.older.textContent = this.loadingText;
    this.older.hidden = false;
    const fromEnd = this.view.scrollHeight - this.view.scrollTop;
    try {
      this.more = await this.loadOlder();
    } catch {
      this.older.textContent = word("historyFailed");
      this.loading = false;
      return;
    }
    this.older.hidden = true;
    this.view.scrollTop = this.view.scrollHeight - fromEnd;
    this.loading = false;
  }
}
