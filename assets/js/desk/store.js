// What a device holds: its pairing, the guests as the server last told them, the scans that wait, and what turned out differently.
// Each scan is written here, durably, before its answer is shown.
import { openDB } from "idb";

const opened = openDB("consult-desk", 1, {
  upgrade(db) {
    db.createObjectStore("state");
    db.createObjectStore("queue", { autoIncrement: true });
    db.createObjectStore("findings", { autoIncrement: true });
  },
});

const get = async (key) => (await opened).get("state", key);

async function put(values) {
  const change = (await opened).transaction("state", "readwrite", { durability: "strict" });
  for (const [key, value] of Object.entries(values)) change.store.put(value, key);
  await change.done;
}

/** Add to "queue" or "findings"; resolves with the key once it is on the disk. */
async function add(store, value) {
  const change = (await opened).transaction(store, "readwrite", { durability: "strict" });
  const key = await change.store.add(value);
  await change.done;
  return key;
}

const update = async (store, key, value) => (await opened).put(store, value, key);
const remove = async (store, key) => (await opened).delete(store, key);
const count = async (store) => (await opened).count(store);

/** The first entries, oldest first: [[key, value], …]. */
async function first(store, most) {
  const read = (await opened).transaction(store).store;
  const [keys, values] = await Promise.all([read.getAllKeys(null, most), read.getAll(null, most)]);
  return keys.map((key, n) => [key, values[n]]);
}

/** Forget everything: this device was revoked, or is given back. */
async function wipe() {
  const all = (await opened).transaction(["state", "queue", "findings"], "readwrite", { durability: "strict" });
  await Promise.all([...["state", "queue", "findings"].map((name) => all.objectStore(name).clear()), all.done]);
  if (globalThis.caches) for (const name of await caches.keys()) await caches.delete(name);
  for (const worker of (await navigator.serviceWorker?.getRegistrations()) ?? []) await worker.unregister();
}

export { add, count, first, get, put, remove, update, wipe };
