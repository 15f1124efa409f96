// The projector: its keys for whoever runs the session, and comments that pass one by one.
import { post } from "./send.js";

const PASSING = 9000;

export function hall(room, following) {
  if (!room.matches(".hall__screen")) return;
  let turn = 0;
  const pass = () => {
    const comments = [...room.querySelectorAll("[data-pass] > *")];
    comments.forEach((one, place) => { one.hidden = place !== turn % comments.length; });
  };
  document.addEventListener("room:changed", () => { turn = 0; pass(); }); // what came last comes first
  setInterval(() => { turn += 1; pass(); }, PASSING);
  pass();

  const keys = room.querySelector("[data-keys]");
  if (!room.dataset.do) return;
  document.addEventListener("keydown", async (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { code, running, comments, positions } = following.shown();
    const toggle = (name, isOn) => `${name} ${isOn ? 0 : 1}`;
    const said = {
      ArrowRight: code && `next ${code}`, PageDown: code && `next ${code}`, " ": code && `next ${code}`,
      ArrowLeft: code && `previous ${code}`, PageUp: code && `previous ${code}`,
      p: running ? "pause" : "start", c: code && toggle("comments", comments), o: code && toggle("positions", positions),
    }[event.key];
    if (event.key === "?") keys.hidden = !keys.hidden;
    if (event.key === "Escape") keys.hidden = true;
    if (!said) return;
    event.preventDefault();
    await post(room.dataset.do, { do: said }).catch(() => {});
    following.poll();
  });
}
