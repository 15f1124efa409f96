// Screens that are looked at and not touched stay lit: a room while its session runs, a hall, a kiosk, a scanning desk.
let isWanted = false;
let isAsking = false;
let lock;

async function hold() {
  if (!isWanted || isAsking || lock || document.hidden || !navigator.wakeLock) return;
  isAsking = true;
  try {
    lock = await navigator.wakeLock.request("screen");
    lock.addEventListener("release", () => { lock = undefined; }); // the browser lets go of it when the page is hidden
  } catch { /* a low battery, or not allowed: the screen does as the device likes */ }
  isAsking = false;
  if (!isWanted) lock?.release();
}

/** Keep the screen lit while this page is seen, or let it go dark again. */
export function stayAwake(wanted = true) {
  isWanted = wanted;
  if (wanted) hold();
  else lock?.release();
}

document.addEventListener("visibilitychange", hold);
if (document.querySelector("[data-awake], form[data-scan]")) stayAwake();
