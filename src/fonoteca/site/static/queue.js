// What plays and what comes next: a list and a place in it. Kept for this tab only.

const KEY = "fonoteca.queue";

export class Queue {
  constructor() {
    this.tracks = [];
    this.at = -1;
  }

  static restored() {
    const made = new Queue();
    let time = 0;
    try {
      const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "{}");
      if (Array.isArray(kept.tracks)) {
        made.tracks = kept.tracks.filter((t) => typeof t?.id === "string");
        made.at = made.tracks.length ? Math.min(Math.max(kept.at | 0, 0), made.tracks.length - 1) : -1;
        time = Number(kept.time) || 0;
      }
    } catch {
      // No storage, or not ours: an empty queue.
    }
    return [made, time];
  }

  keep(time) {
    try {
      sessionStorage.setItem(KEY, JSON.stringify({ tracks: this.tracks.slice(0, 500), at: this.at, time }));
    } catch {
      // It is only lost at the next page.
    }
  }

  get current() {
    return this.tracks[this.at] ?? null;
  }

  get following() {
    return this.tracks[this.at + 1] ?? null;
  }

  set(tracks, at) {
    this.tracks = tracks;
    this.at = at;
  }

  add(track) {
    this.tracks.push(track);
    if (this.at < 0) this.at = 0;
  }

  // Gives whether the current one went.
  remove(index) {
    this.tracks.splice(index, 1);
    const was = index === this.at;
    if (index < this.at || this.at >= this.tracks.length) this.at -= 1;
    if (this.at < 0 && this.tracks.length) this.at = 0;
    return was;
  }

  step(by) {
    const goal = this.at + by;
    if (goal < 0 || goal >= this.tracks.length) return false;
    this.at = goal;
    return true;
  }
}
