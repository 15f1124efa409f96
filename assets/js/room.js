// A page that follows a room: what changes is put in by itself; what somebody types is never touched, and never lost.
import { stayAwake } from "./awake.js";
import { console_ } from "./room/console.js";
import { follow } from "./room/follow.js";
import { hall } from "./room/hall.js";
import { phone } from "./room/phone.js";

const room = document.querySelector("[data-room]");
if (room) {
  const following = follow(room);
  hall(room, following);
  phone(room, following);
  console_(room, following);
  const light = () => stayAwake(Boolean(following.room().on || following.room().running || room.dataset.hereUrl));
  document.addEventListener("room:changed", light);
  light();
}

// The plenary's screen turns its pages with the keys of a projector.
document.addEventListener("keydown", (event) => {
  const key = { PageDown: "ArrowRight", " ": "ArrowRight", PageUp: "ArrowLeft" }[event.key] ?? event.key;
  document.querySelector(`[data-turn-page="${CSS.escape(key)}"]`)?.click();
});
