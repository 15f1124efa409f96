// The camera, and pictures of codes: the browser's own detector where it has one, else ZXing in WebAssembly, fetched only then.
let detector;

async function detect(picture) {
  if (!detector) {
    const native = "BarcodeDetector" in globalThis && (await BarcodeDetector.getSupportedFormats().catch(() => [])).includes("qr_code");
    if (native) detector = new BarcodeDetector({ formats: ["qr_code"] });
    else {
      const { BarcodeDetector: Ponyfill, prepareZXingModule } = await import("barcode-detector/ponyfill");
      prepareZXingModule({ overrides: { locateFile: () => document.documentElement.dataset.wasm } });
      detector = new Ponyfill({ formats: ["qr_code"] });
    }
  }
  return (await detector.detect(picture))[0]?.rawValue;
}

const HELD = 3000; // ms for which the same code, held before the camera, is one scan
let stream;
let last = { code: "", at: 0 };

/** Start looking through a camera; `found(code)` is awaited before the next look. Throws where there is no camera or no leave. */
async function start(video, found, deviceId) {
  stop();
  stream = await navigator.mediaDevices.getUserMedia({
    video: deviceId ? { deviceId: { exact: deviceId } } : { facingMode: "environment", width: { ideal: 1280 } },
  });
  video.srcObject = stream;
  await video.play();
  const mine = stream;
  const look = async () => {
    if (mine !== stream) return;
    try {
      const code = video.readyState >= 2 && !document.hidden ? await detect(video) : undefined;
      if (code && (code !== last.code || Date.now() - last.at > HELD)) await found(code);
      if (code) last = { code, at: Date.now() };
    } catch (problem) { console.warn(problem); } // one bad picture never stops the desk
    setTimeout(look, 120);
  };
  look();
}

function stop() {
  stream?.getTracks().forEach((track) => track.stop());
  stream = undefined;
}

const cameras = async () => (await navigator.mediaDevices.enumerateDevices()).filter((device) => device.kind === "videoinput");
const track = () => stream?.getVideoTracks()[0];
const hasTorch = () => Boolean(track()?.getCapabilities?.().torch);
const torch = (isOn) => track()?.applyConstraints({ advanced: [{ torch: isOn }] });

export { cameras, detect, hasTorch, start, stop, torch };
